"""Commands in a shell that hasn't the shop's settings: they do what they are asked, and change nothing of how the shop is served."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.cli import instance, seeding
from velella.core.errors import Misconfigured
from velella.core.service import migrations
from velella.core.settings import ProviderSettings, Settings, default_providers
from velella.workflows.defaults import seed_defaults

from .. import forks
from ..conftest import clone

LOOKS = (("workflows", "list"), ("workflows", "show", "wfex_1"), ("jobs", "list"), ("key", "list"))
WORKS = (
    ("seed", "--empty"),
    ("user", "create", "--email", "ada@example.com", "--password", "correct horse"),
    ("user", "reset-mfa", "--email", "BO@example.com", "--actor", "customer"),
    ("key", "create", "--title", "Web"),
    ("workflows", "give-up", "wfex_1", "--reason", "done by hand"),
    ("workflows", "retry", "wfex_1"),
)
PROVIDERS = ("payment_provider", "tax_provider", "fulfillment_provider", "notification_provider")


async def velella(folder: Path, *arguments: str, **more: str) -> tuple[int | None, str]:
    """Run a command in an empty folder, with `more` in its environment: exit code and what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VELELLA_")} | more
    return await forks.velella(*arguments, folder=folder, environment=environment)


@pytest.fixture(scope="module")
async def url(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a shop with a provider more of each kind than there is by default, an event that waits, and a flow that failed."""
    more = {
        **default_providers(),
        "payment": [ProviderSettings(use="system"), ProviderSettings(use="system", id="invoice")],
        "tax": [ProviderSettings(use="system"), ProviderSettings(use="system", id="second")],
        "fulfillment": [ProviderSettings(use="manual", id="manual"), ProviderSettings(use="manual", id="courier")],
        "notification": [ProviderSettings(use="local", id="desk", options={"channels": ["email", "feed"]})],
    }
    url = await clone(postgres, migrated)
    settings = Settings(_env_file=None, database_url=url, data_dir=tmp_path_factory.mktemp("shop"), providers=more)
    async with local_host(settings) as host:
        await seed_defaults(host.modules)
        await host.modules.auth.create_identity("emailpass", "bo@example.com", {})
    connection = await asyncpg.connect(url)
    await connection.execute("""
        INSERT INTO event_outbox (id, name, data) VALUES ('evt_1', 'invite.created', '\\x80');
        INSERT INTO event_delivery (event_id, subscriber, due_at) SELECT DISTINCT 'evt_1', subscriber, now() FROM event_subscription;
        INSERT INTO workflow_execution (id, workflow, state, input, undo, trace_id, started_at)
        VALUES ('wfex_1', 'of-a-plugin', 'failed', '\\x80', '\\x90', 't', now()),
            ('wfex_2', 'of-a-plugin', 'invoking', '\\x80', NULL, 't', now());
    """)
    await connection.close()
    return url


async def held(url: str, *tables: str) -> dict[str, list[str]]:
    """All rows of tables, as text; of all tables where none are named."""
    connection = await asyncpg.connect(url)
    names = tables or [row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = {name: sorted(row[0] for row in await connection.fetch(f'SELECT t::text FROM "{name}" AS t')) for name in names}
    await connection.close()
    return rows


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
async def test_a_command_that_looks_writes_nothing(url: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    before = await held(url)
    code, printed = await velella(tmp_path, *words, "--database-url", url)
    assert code == 0, printed
    assert await held(url) == before
    assert list(tmp_path.iterdir()) == [], "nothing is left in the folder either"


@pytest.mark.parametrize("words", WORKS, ids=lambda words: " ".join(words[:2]))
async def test_a_command_that_works_takes_nothing_from_the_shop(url: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    shops = (*PROVIDERS, "event_subscription", "event_delivery")
    before = await held(url, *shops)
    assert all(before.values())
    code, printed = await velella(tmp_path, *words, "--database-url", url)
    assert code == 0, printed
    assert await held(url, *shops) == before
    [orphan] = [row for row in (await held(url, "workflow_execution"))["workflow_execution"] if "wfex_2" in row]
    assert "invoking" in orphan, "what a dead coordinator of the shop had begun is the shop's to go on with"


@pytest.mark.parametrize("words", [LOOKS[0], WORKS[1]], ids=lambda words: words[0])
async def test_where_there_is_no_shop_none_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, printed = await velella(tmp_path, *words)
    assert code == 1
    assert "There is no shop" in printed
    assert list(tmp_path.iterdir()) == []


async def test_the_first_command_on_a_new_shop_may_name_its_providers(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url = await clone(postgres)
    for words in (("migrate",), ("seed", "--empty")):
        code, printed = await velella(tmp_path, *words, "--database-url", url)
        assert code == 0, printed
    assert all((await held(url, "payment_provider", "fulfillment_provider")).values())


async def tables(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


_WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database AS here ON here.oid = database
                   WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)
"""


async def test_an_empty_database_becomes_the_shop_and_its_statistics_are_known(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url = await clone(postgres)
    settings = Settings(_env_file=None, database_url=url, data_dir=tmp_path)
    await instance.make_current(settings, embedded=False)
    assert "customer" in await tables(url)
    await instance.make_current(settings, embedded=False)  # a second start finds it as it is
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_advisory_lock($1)", seeding.TURN)  # as a server does that fills it on its first start
    words = ("seed", "--empty", "--database-url", url, "--data-dir", str(tmp_path / "shop"))
    command = asyncio.create_task(velella(tmp_path, *words))
    async with asyncio.timeout(60):
        while not await connection.fetchval(_WAITS):
            assert not command.done(), "who fills a shop does so alone"
            await asyncio.sleep(0.05)
    await connection.execute("SELECT pg_advisory_unlock($1)", seeding.TURN)
    code, printed = await command
    assert code == 0, printed
    assert await connection.fetchval("SELECT reltuples FROM pg_class WHERE relname = 'currency'") == 126
    await connection.close()


async def test_a_database_of_somebody_else_is_refused_before_anything_is_made_there(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url = await clone(postgres)
    await execute(url, "CREATE TABLE customer (id text); CREATE VIEW customers AS SELECT * FROM customer")
    for words in (("serve", "--port", "0"), ("migrate",), ("seed",)):
        code, printed = await velella(tmp_path, *words, "--database-url", url)
        assert (code, "holds tables that aren't Velella's: customer, customers." in printed) == (1, True), printed
    assert await tables(url) == ["customer"]


async def test_a_database_of_older_tables_asks_for_the_command_that_mends_it(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url, data = await clone(postgres), tmp_path / "the shop"
    settings = Settings(_env_file=None, database_url=url, data_dir=data)
    await migrations.migrate_all(settings)
    await execute(url, "UPDATE region_migrations SET version_num = '0000'")
    with pytest.raises(Misconfigured):
        await instance.make_current(settings, embedded=False)
    await execute(url, "DELETE FROM region_migrations")
    for words in (("serve", "--port", "0"), ("seed",)):
        code, printed = await velella(tmp_path, *words, "--database-url", url, "--data-dir", str(data))
        assert (code, "is older than this Velella: region." in printed) == (1, True), printed
        assert f"`velella migrate --data-dir {shlex.quote(str(data))} --database-url {shlex.quote(url)}`" in printed


async def test_only_migrate_touches_a_database_that_a_module_names_for_itself(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url, own = await clone(postgres), await clone(postgres)
    code, printed = await velella(tmp_path, "serve", "--port", "0", VELELLA_DATABASE_URL=url, VELELLA_DATABASES__ORDER=own)
    assert (code, "is empty" in printed, "`velella migrate`" in printed) == (1, True, True), printed
    assert (await tables(url), await tables(own)) == ([], [])
    code, printed = await velella(tmp_path, "migrate", VELELLA_DATABASE_URL=url, VELELLA_DATABASES__ORDER=own)
    assert (code, "order" in await tables(own), "order" in await tables(url)) == (0, True, False), printed


def test_a_shop_that_ends_by_itself_while_it_is_told_to_stop_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(instance, "holder", lambda _: ended.pid)
    assert instance.stop(Settings(_env_file=None, data_dir=tmp_path)) == ended.pid
