"""A real PostgreSQL that takes no writes, or has no room on its disk: executions wait until it can, however long that is."""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from velella.actors.cluster.postgres import SYSTEM_USER
from velella.core.errors import NotAllowed, Unavailable

if TYPE_CHECKING:
    from conftest import Look
    from toy_stage import Stage


class Trouble:
    """`begin` and `end` what keeps a database from writing."""

    def __init__(self, database: asyncpg.Connection[Any], url: str) -> None:
        self.database, self.url = database, url

    async def begin(self) -> None:
        raise NotImplementedError

    async def end(self) -> None:
        raise NotImplementedError


class ReadOnly(Trouble):
    """As after a failover, for all but whoever runs the database."""

    async def begin(self) -> None:
        await self._set("ALTER SYSTEM SET default_transaction_read_only = on", "on")

    async def end(self) -> None:
        await self._set("ALTER SYSTEM RESET default_transaction_read_only", "off")

    async def _set(self, how: str, then: str) -> None:
        await self.database.execute(how)
        await self.database.execute("SELECT pg_reload_conf()")
        other = await asyncpg.connect(self.url)
        while await other.fetchval("SHOW default_transaction_read_only") != then:
            await asyncio.sleep(0.01)
        await other.close()


class Full(Trouble):
    """The disk of the tables that executions and their writes are in."""

    TABLES = ("workflow_execution", "ledger_entry")

    async def begin(self) -> None:
        await self.database.execute("CREATE TABLE filler (n text) TABLESPACE small")
        await self._fill("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 20)")
        await self._fill("INSERT INTO ledger_entry (id, account, amount) VALUES (gen_random_uuid()::text, 'filler', 1)")  # its last page

    async def _fill(self, insert: str) -> None:
        with suppress(asyncpg.DiskFullError):
            while True:
                await self.database.execute(insert)

    async def end(self) -> None:
        await self.database.execute("DROP TABLE IF EXISTS filler")


TROUBLES = [ReadOnly, *([Full] if os.geteuid() == 0 else [])]
"""Only root can make a disk that is small enough to be filled."""


@pytest.fixture
def small_disk() -> Iterator[Path]:
    disk = Path(f"/tmp/velella-small-{os.getpid()}")
    disk.mkdir()
    owner = pwd.getpwnam(SYSTEM_USER).pw_uid
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=512k,mode=700,uid={owner}", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)
    disk.rmdir()


@pytest.fixture(params=TROUBLES, ids=lambda kind: kind.__name__)
async def trouble(request: pytest.FixtureRequest, shop: Stage, engine_database: str) -> AsyncIterator[Trouble]:
    database = await asyncpg.connect(engine_database)
    await database.execute("SET default_transaction_read_only = off")
    made: Trouble = request.param(database, engine_database)
    if isinstance(made, Full):
        await database.execute(f"CREATE TABLESPACE small LOCATION '{request.getfixturevalue('small_disk')}'")
        for table in made.TABLES:
            await database.execute(f"ALTER TABLE {table} SET TABLESPACE small")
    yield made
    await made.end()
    if isinstance(made, Full):
        for table in made.TABLES:
            await database.execute(f"ALTER TABLE {table} SET TABLESPACE pg_default")
        await database.execute("DROP TABLESPACE small")
    await database.close()


async def test_executions_wait_for_a_database_that_can_not_write(
    toy: Any, shop: Stage, look: Look, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    begun = asyncio.Event()

    async def charge(key: str) -> str:
        """The first one is refused and has to be undone, the second one goes through; by then the database is in trouble."""
        asked.append(key)
        if len(asked) == 2:
            await trouble.begin()
            begun.set()
        await begun.wait()
        if key == asked[0]:
            raise NotAllowed("No money.")
        return key

    monkeypatch.setattr(toy.provider, "charge", charge)
    back = asyncio.create_task(shop.coordinator.run("toy-buy", {"account": "back"}))
    while not asked:
        await asyncio.sleep(0.01)
    forward = asyncio.create_task(shop.coordinator.run("toy-buy", {"account": "forward"}))
    said = await asyncio.gather(back, forward, return_exceptions=True)
    assert isinstance(said[0], (Unavailable, NotAllowed)), "it may be that it can't be undone now"
    assert said[1] == "bought" or isinstance(said[1], Unavailable)
    for wait in (10, 600, 3600, 80_000):
        with suppress(Unavailable):  # whoever looks in the background looks again later
            await look(shop, wait)
    rows = {row["key"]: row for row in await shop.coordinator.list()}
    assert rows["forward"]["state"] in ("invoking", "finishing"), "it isn't done yet"
    assert rows["back"]["state"] != "failed"
    assert {row["attempts"] for row in rows.values()} == {1}, "it is nobody's death"
    await trouble.end()
    for _ in range(3):
        await look(shop, 400)
    assert {row["key"]: row["state"] for row in await shop.coordinator.list()} == {"forward": "done", "back": "reverted"}
    assert await shop.booked("forward") == [1, 5]
    assert await shop.booked("back") == []
    assert len(set(asked)) == 2, "whoever is asked again is asked under the same key"
