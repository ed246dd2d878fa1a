"""A database that can't do it now: clients are told when to come back, and readiness says so. Nothing of it is a fault of the shop's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.membership.directory import HOST
from velella.core.errors import Unavailable
from velella.core.ids import ulid
from velella.core.sql.db.compiled import Compiled

from ..conftest import clone
from .conftest import Client, Shop, served


@pytest.fixture(scope="module")
async def shop(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """One of its own: its database is made to fail."""
    async with served(await clone(postgres, migrated), tmp_path_factory.mktemp("trouble")) as made:
        yield made


@pytest.fixture
async def database(shop: Shop) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection of somebody who runs the database."""
    connection = await asyncpg.connect(shop.front.settings.database_url)
    yield connection
    await connection.close()


async def write(admin: Client) -> Any:
    return await admin("POST", "/admin/people", {"email": f"{ulid().lower()}@example.com"})


KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
FAILING = """
    CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file "base/1"' USING ERRCODE = '{code}'; END $$;
    CREATE OR REPLACE TRIGGER failing BEFORE INSERT ON "user" FOR EACH ROW EXECUTE FUNCTION fail();
"""


@pytest.mark.parametrize("code", ["53100", "53200", "53300", "53400", "58030", "57P03"])
async def test_a_database_without_room_says_when_to_come_back(admin: Client, database: asyncpg.Connection[Any], code: str) -> None:
    await database.execute(FAILING.format(code=code))
    refused = await write(admin)
    await database.execute('DROP TRIGGER failing ON "user"')
    assert (refused.status, refused.json["type"]) == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "base/1" not in refused.text, "what the server says is for operators"
    assert (await write(admin)).status == 200


async def test_a_server_that_takes_no_writes_any_more_is_not_kept(admin: Client, database: asyncpg.Connection[Any]) -> None:
    """After a failover the same address leads to another server: who still talks to the old one must not go on doing so."""
    [name] = await database.fetchrow("SELECT current_database()")
    await database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await database.execute(KILL)  # from here on all connections are of the old server
    await asyncio.gather(*(admin("GET", "/admin/people") for _ in range(8)))
    refused = await write(admin)
    assert (refused.status, refused.json["type"]) == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await admin("GET", "/admin/people?limit=3")).status == 200, "what it can do it does"
    await asyncio.gather(*(admin("GET", f"/admin/people?limit={n}") for n in range(1, 9)))
    await database.execute("SET default_transaction_read_only = off")
    await database.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (await write(admin)).status == 200, "the first write that meets an old connection ends all of them"


async def test_what_the_database_could_not_do_stays_that_between_processes() -> None:
    """A front end alone in its process knows the errors of modules elsewhere."""
    code = """
import velella.http.server
from velella.core.errors import VelellaError
for name in ("Unready", "ReadOnly", "Disconnected", "OutOfTime", "Collided"):
    error = VelellaError.from_wire([name, "", None, None, {"retry_after": 7.0}])
    assert error.status in (503, 504, 409), name
assert VelellaError.from_wire(["Unready", "", None, None, {"retry_after": 7.0}]).retry_after == 7.0
"""
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], check=True)


async def test_ready_is_a_shop_whose_services_answer_with_their_databases(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client("GET", "/health/ready")).status == 200
    away = Unavailable("The database can't be reached.")

    async def fails() -> None:
        raise away

    for database in shop.host._databases.values():
        monkeypatch.setattr(database, "answers", fails)
    async with asyncio.timeout(10):
        while (refused := await client("GET", "/health/ready")).status == 200:
            await asyncio.sleep(0.05)
    assert refused.status == 503
    assert refused.headers["Retry-After"] == "1"
    assert "user" in refused.json["message"]
    assert (await client("GET", "/health")).status == 200, "the process itself is well"


async def test_however_often_readiness_is_asked_it_asks_seldom(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path) as shop, aiohttp.ClientSession() as session:
        asked = 0
        broadcast = shop.host.router.broadcast

        async def counted(service: str, *args: Any, **options: Any) -> Any:
            nonlocal asked
            asked += service == HOST
            return await broadcast(service, *args, **options)

        shop.host.router.broadcast = counted  # type: ignore[method-assign]
        client = Client(session, shop.base)
        answers = await asyncio.gather(*(client("GET", "/health/ready") for _ in range(100)))
        assert {answer.status for answer in answers} == {200}
        assert asked <= 5


async def test_a_busy_database_needs_no_question(shop: Shop) -> None:
    for database in shop.host._databases.values():
        await database.fetch_value(Compiled("SELECT 1", ()))
        before = sum(database.statements.counts)
        await database.answers()
        assert sum(database.statements.counts) == before
