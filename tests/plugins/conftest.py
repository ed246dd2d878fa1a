"""A shop with the reviews plugin installed, in this process."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.flow import definitions
from velella.testing import Shop, opened

from ..conftest import clone

HERE = Path(__file__).parent
INSTALLED: dict[str, Any] = tomllib.loads((HERE / "reviews" / "velella.toml").read_text())
"""The settings of a shop that has the plugin."""

sys.path.insert(0, str(HERE))  # what `pip install` would do


@pytest.fixture(scope="package")
def installed() -> Iterator[None]:
    """Remove what the plugin registers on import after the tests of this folder: other shops of this run don't have it."""
    yield
    for name in [name for name in definitions._subscribers if name.startswith("reviews.")]:
        del definitions._subscribers[name]
    for hook in [hook for hook in definitions._hooks if hook.step.reference.startswith("reviews.")]:
        definitions._hooks.remove(hook)
        definitions._workflows[hook.workflow].handlers[hook.name].remove(hook.step)


@pytest.fixture(scope="package")
async def shop(installed: None, postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """On a copy of a database that has the tables of the modules that come with Velella: making them takes 4 s."""
    database, folder = await clone(postgres, migrated), tmp_path_factory.mktemp("reviews")
    async with opened(INSTALLED, topology="here", database_url=database, folder=folder) as shop:
        yield shop
