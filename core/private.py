"""Folders and files of the shop's own, which no other account of the machine may look into, whatever the umask says."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO, Any

PASSED = 0o711
"""Of a folder that another account passes through, and learns nothing of what lies in it."""
CLOSED = 0o700
OWN = 0o600


def private_folder(path: Path, *, passed: bool = False) -> Path:
    """The folder, made where it isn't there; one that is there loses what others may do.

    `passed`: others may go through it. A folder that belongs to somebody else, as volumes of containers do, stays as it is.
    """
    allowed = PASSED if passed else CLOSED
    path.mkdir(mode=CLOSED, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        mode = path.stat().st_mode & 0o7777
        if mode & ~allowed & 0o077:
            path.chmod(mode & (0o7700 | allowed))
    return path


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file for writing that only its owner may read, also where it was there before."""
    file: IO[Any] = open(path, mode, opener=lambda name, flags: os.open(name, flags, OWN))  # noqa: SIM115 - its caller closes it
    with contextlib.suppress(PermissionError):
        os.fchmod(file.fileno(), OWN)
    return file
