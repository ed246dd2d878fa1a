"""A generated shop, for all tests of the scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from generate import generate
from goods import Size
from rich.console import Console

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.settings import Settings

from ..conftest import clone

SIZE = Size(variants=320, orders=60, price_lists=5)


@pytest.fixture(scope="package")
async def settings(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Those of a generated shop, which has the demo shop's goods beside the generated ones."""
    made = Settings(
        database_url=await clone(postgres, migrated), port=0, data_dir=Path(tmp_path_factory.mktemp("generated"))
    ).with_secrets()
    await generate(made, SIZE, seed=3, console=Console(quiet=True))
    return made
