"""Which files are watched, and how one is told of what is saved."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from ...core.settings import Settings
from ...core.settings_sources import DOTENV, TOML

QUIET_MS = 30
"""Milliseconds without a further change after which what was saved is told."""
LONGEST_MS = 300
"""Milliseconds after which it is told in any case."""


OF_THE_DASHBOARD = (".ts", ".tsx", ".js", ".jsx", ".css")
"""Endings of files that `velella admin build` reads, and no process of the shop."""


class Folders:
    """What is watched: folders with everything in them, and single files."""

    def __init__(self, settings: Settings) -> None:
        here = Path.cwd()
        self.whole: set[Path] = set() if settings.templates_dir is None else {settings.templates_dir.absolute()}
        self.files = {here / TOML, here / DOTENV}
        self.add_named(settings)

    def add_named(self, settings: Settings) -> bool:
        """Watch the packages that the settings name. Returns whether something is new."""
        before = len(self.whole), len(self.files)
        importlib.invalidate_caches()
        uses = (provider.use for providers in settings.providers.values() for provider in providers if ":" in provider.use)
        paths = (*settings.plugins, *settings.modules.values(), *uses)
        for name in {path.partition(":")[0].partition(".")[0] for path in paths} - {"velella"}:
            self._add_package(name)
        return before != (len(self.whole), len(self.files))

    def _add_package(self, name: str) -> None:
        """A package or file, found without importing it: it may be broken."""
        found = importlib.util.find_spec(name)
        if found is not None and found.submodule_search_locations:
            self.whole |= {Path(folder).absolute() for folder in found.submodule_search_locations}
        elif found is not None and found.origin is not None:
            self.files.add(Path(found.origin).absolute())

    def add(self, files: Iterable[str]) -> bool:
        """Watch these files of Python, with the whole package that each is in. Returns whether something is new."""
        before = len(self.whole), len(self.files)
        for file in map(Path, files):
            folder = file.absolute().parent
            if not (folder / "__init__.py").exists():
                self.files.add(file.absolute())
                continue
            while (folder.parent / "__init__.py").exists():
                folder = folder.parent
            if not any(folder.is_relative_to(whole) for whole in self.whole):
                self.whole.add(folder)
        return before != (len(self.whole), len(self.files))

    def near(self) -> list[Path]:
        """The folders of the single files."""
        return sorted({file.parent for file in self.files if file.parent.is_dir()})


logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it would log each change


async def watch(folders: Folders, saved: asyncio.Queue[object]) -> None:
    """Put a set of paths into the queue whenever something is saved."""

    async def one(paths: list[Path], whole: bool) -> None:
        def wanted(_: Change, path: str) -> bool:
            return ordinary(_, path) and not path.endswith(OF_THE_DASHBOARD) and (whole or Path(path) in folders.files)

        ordinary = DefaultFilter()
        async for changes in awatch(*paths, watch_filter=wanted, debounce=LONGEST_MS, step=QUIET_MS, recursive=whole):
            await saved.put({Path(path) for _, path in changes})

    async with asyncio.TaskGroup() as watching:
        for paths, whole in ((sorted(folder for folder in folders.whole if folder.is_dir()), True), (folders.near(), False)):
            if paths:
                watching.create_task(one(paths, whole))


def shown(paths: Iterable[Path]) -> str:
    """Files, as one line names them; those that editors make for a moment aren't named."""
    there = [path for path in paths if path.exists()] or paths
    names = sorted(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path) for path in there)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
