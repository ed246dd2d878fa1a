"""Python programs, mostly `velella`, each a process of its own as a user starts it, but forked from a process that has imported
Velella already: importing takes ten times as long as what most commands do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from velella.modules import NAMES

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    [
        "velella.cli.app",
        "velella.actors.engine.coordinator",
        "velella.core.service.migrations",
        "velella.http.server",
        *(f"velella.modules.{name}" for name in NAMES),
    ]
)
_IN_THE_FORK = "__fork__"


async def velella(*words: str, folder: Path, environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Run this command of Velella in a folder: exit code and what it printed."""
    return await forked("velella.cli", *words, folder=folder, environment=environment)


async def forked(
    program: str | Path, *words: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a module, by its name, or a file, with nothing but this in its environment: exit code (negative: that signal) and what it
    printed."""
    with tempfile.NamedTemporaryFile(prefix="velella-fork-") as printed:
        given = {
            "program": program,
            "words": words,
            "folder": folder or Path.cwd(),
            "environment": dict(os.environ if environment is None else environment),
            "printed": printed.name,
        }
        process = _forking.Process(target=runpy.run_path, args=(__file__, {"given": given}, _IN_THE_FORK))
        process.start()
        await asyncio.to_thread(process.join)
        return process.exitcode, Path(printed.name).read_text()


def _run(program: str | Path, words: tuple[str, ...], folder: Path, environment: dict[str, str], printed: str) -> Any:
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(printed, os.O_WRONLY | os.O_APPEND), stream.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(program), *words]
    sys.path.insert(0, str(program.parent if isinstance(program, Path) else folder))  # as `python FILE` and `python -m MODULE` do
    if isinstance(program, Path):
        return runpy.run_path(str(program), run_name="__main__")
    return runpy.run_module(program, run_name="__main__")


if __name__ == _IN_THE_FORK:
    _run(**globals()["given"])
