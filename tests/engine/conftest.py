"""Coordinators on a database with the engine's tables and a ledger to count effects in."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.engine import MODULE
from velella.core.service import migrations
from velella.core.sql.db.database import Database
from velella.core.sql.schema.definition import definition

from ..conftest import clone, database_name

if TYPE_CHECKING:
    from toy_stage import Stage, ToyClock

TOYS = Path(__file__).parent / "toys"


@pytest.fixture(scope="package", autouse=True)
def engine_toys_importable() -> Iterator[None]:
    """For this process and those it starts."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(TOYS) if before is None else f"{TOYS}{os.pathsep}{before}"
    sys.path.insert(0, str(TOYS))
    yield
    sys.path.remove(str(TOYS))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="package")
async def engine_tables(postgres: EmbeddedPostgres, engine_toys_importable: None) -> str:
    """Name of a database with the tables of the engine and the ledger, to be cloned."""
    import toy_ledger

    url = await clone(postgres)
    await migrations.migrate(MODULE, url)
    database = Database(url, connections=1)
    await database.open()
    await database.script(";\n".join(definition(toy_ledger.metadata)))
    await database.close()
    return database_name(url)


@pytest.fixture
async def engine_database(postgres: EmbeddedPostgres, engine_tables: str) -> str:
    """URL of a new database with the tables of the engine and the ledger."""
    return await clone(postgres, engine_tables)


@pytest.fixture
async def clock(engine_database: str) -> AsyncIterator[ToyClock]:
    """The time of that database, which tests move. To be requested before any coordinator starts."""
    from toy_stage import ToyClock

    database = Database(engine_database, connections=1)
    await database.open()
    clock = ToyClock(database)
    await clock.set_up()
    yield clock
    await database.close()


@pytest.fixture
def toy(engine_toys_importable: None) -> Any:
    """The purchase of `toy_purchase` and its provider, as new."""
    import toy_purchase

    toy_purchase.forget()
    return toy_purchase


@pytest.fixture
async def shop(engine_database: str, clock: ToyClock) -> AsyncIterator[Stage]:
    """A coordinator that takes over due executions only when it is told to: see `look`."""
    from toy_stage import stage

    async with stage(engine_database, clock=clock) as one:
        yield one


Look = Callable[["Stage", float], Awaitable[int]]


@pytest.fixture
def look(clock: ToyClock) -> Look:
    """Let time pass and have a coordinator carry out what is due, to its end. Returns how many executions that were."""

    async def after(stage: Stage, seconds: float) -> int:
        await clock.forward(seconds)
        taken = await stage.coordinator.recover()
        while tasks := [task for task in stage.coordinator._durable._tasks if not task.done()]:
            await asyncio.wait(tasks)
        return taken

    return after


@pytest.fixture
async def here(engine_database: str) -> AsyncIterator[Stage]:
    """A coordinator in this process."""
    from toy_stage import stage

    async with stage(engine_database) as one:
        yield one


@pytest.fixture
def dice() -> random.Random:
    """A random source whose seed is printed, and can be set by SEED."""
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={seed}")
    return random.Random(seed)
