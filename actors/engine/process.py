"""The identity of this process, and whether another one has certainly ended."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def this_machine() -> str | None:
    """The id shared by processes that can see each other: the boot of a kernel, and a namespace of process ids. None where that can't be
    determined (not Linux)."""
    try:
        return f"{(PROC / 'sys/kernel/random/boot_id').read_text().strip()}/{os.readlink(PROC / 'self/ns/pid')}"
    except OSError:
        return None


def this_process() -> str | None:
    """`pid:start`: no other process of this machine ever has the same. None where that can't be determined."""
    pid = os.getpid()
    began = _began(pid)
    return f"{pid}:{began}" if began else None


def is_dead(process: str) -> bool:
    """Whether a process of this machine has certainly ended. A process that is stopped, or that can't be read, hasn't."""
    pid, _, began = process.partition(":")
    return _began(int(pid)) not in (began, None)


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks; empty if no process has that id, or only a zombie; None
    where that can't be read."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "" if (PROC / "self").exists() else None
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if state in "ZX" else fields[18]
