"""Filling a new shop: what Medusa has after its first start, and the demo shop on top."""

from __future__ import annotations

import importlib
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ...core.settings import Settings
from ..host import local_host
from . import instance


async def seed_defaults(settings: Settings) -> bool:
    """Currencies, countries, one store with its default sales channel, publishable key and shipping profile.

    Returns whether the store was made just now. May be repeated, also at once from several processes.
    """
    defaults: Any = importlib.import_module("velella.workflows.defaults")
    async with local_host(settings) as host:
        created: bool = await defaults.seed_defaults(host.modules)
    return created


async def seed_demo(settings: Settings, console: Console) -> None:
    """The demo shop: regions, shipping, stock, a small catalogue and an admin user. What exists is left alone."""
    demo: Any = importlib.import_module("velella.workflows.demo")
    password = instance.admin_password(settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with local_host(settings) as host:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Filling the demo shop", total=None)

            def step(done: int, total: int, what: str) -> None:
                progress.update(task, completed=done, total=total, description=what)

            await demo.seed(host.workflows, host.modules, instance.DEMO_ADMIN, password, step)
