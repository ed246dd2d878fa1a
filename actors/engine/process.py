"""Which process this is, and whether another one is certainly gone."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def this_machine() -> str | None:
    """What processes have in common that can see each other: the boot of a kernel, and a namespace of process ids. None where there is no
    telling (not Linux)."""
    try:
        return f"{(PROC / 'sys/kernel/random/boot_id').read_text().strip()}/{os.readlink(PROC / 'self/ns/pid')}"
    except OSError:
        return None


def this_process() -> str | None:
    """`pid:start`: never again another process of this machine. None where there is no telling."""
    pid = os.getpid()
    began = _began(pid)
    return f"{pid}:{began}" if began else None


def is_gone(process: str) -> bool:
    """Whether a process of this machine has certainly ended. One that is stopped, or that can't be read, hasn't."""
    pid, _, began = process.partition(":")
    return _began(int(pid)) not in (began, None)


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks; empty where there is none of that id, or only what its parent has yet to bury; None
    where that can't be read."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "" if (PROC / "self").exists() else None
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if state in "ZX" else fields[18]
