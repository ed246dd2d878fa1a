"""Folders and files that no other account of the machine may read, whatever the umask says."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO, Any

PASSED = 0o711
"""Mode of a folder that other accounts may pass through without listing it."""
CLOSED = 0o700
OWN = 0o600


def private_folder(path: Path, *, passed: bool = False) -> Path:
    """Return the folder, made if it doesn't exist; the permissions of others on an existing one are removed.

    `passed`: others may pass through it. A folder that belongs to another account, as volumes of containers do, stays as it is.
    """
    allowed = PASSED if passed else CLOSED
    path.mkdir(mode=CLOSED, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        mode = path.stat().st_mode & 0o7777
        if mode & ~allowed & 0o077:
            path.chmod(mode & (0o7700 | allowed))
    return path


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file for writing that only its owner may read, even if it existed before."""
    file: IO[Any] = open(path, mode, opener=lambda name, flags: os.open(name, flags, OWN))  # noqa: SIM115 - its caller closes it
    with contextlib.suppress(PermissionError):
        os.fchmod(file.fileno(), OWN)
    return file
