"""`velella …` as an operator runs it, each command a process of its own. They are forked from one that has imported Velella already:
to import it takes ten times as long as what most commands do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from velella.modules import NAMES

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    [
        "velella.actors.cli",
        "velella.actors.coordinator",
        "velella.core.migrations",
        "velella.http.frontend",
        *(f"velella.modules.{name}" for name in NAMES),
    ]
)
_IN_THE_FORK = "__velella__"


async def command(*words: str, folder: Path, environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Run it in this folder, with nothing else in its environment: exit code and what it printed."""
    with tempfile.NamedTemporaryFile(prefix="velella-command-") as printed:
        given = {"words": words, "folder": str(folder), "environment": dict(environment), "printed": printed.name}
        process = _forking.Process(target=runpy.run_path, args=(__file__, {"given": given}, _IN_THE_FORK))
        process.start()
        await asyncio.to_thread(process.join)
        return process.exitcode, Path(printed.name).read_text()


def _run(words: tuple[str, ...], folder: str, environment: dict[str, str], printed: str) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(printed, os.O_WRONLY | os.O_APPEND), stream.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["velella", *words]
    from velella.actors.cli import main

    main()


if __name__ == _IN_THE_FORK:
    _run(**globals()["given"])
