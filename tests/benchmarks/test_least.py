"""What is sent again at the limit is what was sent: the same rows, the same answers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import compare
import orders
import plain
import pytest
from compare import Figure
from compare import table_of as compared
from least import Limit, table_of
from measuring import Processes
from replay import Plan, answers_again, copied, recorded, rows_of, statements_again
from shop import Refused, Shop
from statements import Statements

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.cli import instance
from velella.core.settings import Settings


async def left_alone(postgres: EmbeddedPostgres, name: str) -> None:
    """Wait until the sessions of shops that have just ended are gone: on a busy machine that takes them a while."""
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        async with asyncio.timeout(60):
            while sessions := await connection.fetch(
                "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = $1", name
            ):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"still there: {[dict(session) for session in sessions]}") from None
    finally:
        await connection.close()


async def test_what_a_cart_sends_is_recorded_and_sent_again(settings: Settings, postgres: EmbeddedPostgres) -> None:
    original = urlsplit(str(settings.database_url)).path.strip("/")
    login = (instance.DEMO_ADMIN, instance.admin_password(settings))
    await left_alone(postgres, original)
    async with copied(postgres, "bench_recorded", original) as url:
        recording = await recorded(settings.model_copy(update={"database_url": url}), "cart", login, Plan(2, 3, seed=1))
    assert [len(exchanges) for exchanges in recording.kept] == [2, 2, 2]
    first = Statements(recording.operations[0].sent)
    assert 8 <= first.count <= 16
    assert first.commits >= 2
    assert any("INSERT INTO cart" in each.text for each in first.sent)
    begun = await rows_of(str(settings.database_url))
    assert recording.rows["cart"] == begun["cart"] + 5

    server = Processes([postgres.pid or 0])
    async with copied(postgres, "bench_again", original) as url:
        spent = await statements_again(url, recording, server)
        assert (await rows_of(url))["cart"] == begun["cart"] + 5
    assert spent.client > 0
    assert await answers_again(recording, buyers=2, seconds=0.5) > 0

    recording.operations.pop()
    async with copied(postgres, "bench_again", original) as url:
        with pytest.raises(Refused, match="other numbers of rows"):
            await statements_again(url, recording, server)


def test_tables_say_how_far_the_limit_is() -> None:
    limit = Limit(1, 1000, 4, 1, http_ms=0.5, client_ms=0.5, database_ms=1.0, disk_ms=0.2, ours_ms=5.0)
    assert table_of({"cart": limit}).endswith("| 0.50 | 0.50 | 1.00 | 2.00 | 5.00 | 2.5 | 0.2 |")
    figures = [Figure(side, "cart", 1, 10.0, 1.0, 2.0, cpu, 0) for side, cpu in (("peer", 50.0), ("ours", 5.0))]
    assert compared(figures, ("A", "B"), {"cart": 2.0}).endswith("| 50.0 | 5.00 | 10 | 2.00 | 2.5 |")
    assert compared(figures, ("A", "B"), {}).endswith("| 50.0 | 5.00 | 10 |")


async def test_a_comparison_that_one_side_refuses_leaves_no_session_open(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[aiohttp.ClientSession] = []

    async def opened(base: str, email: str, password: str) -> Shop:
        if begun:
            raise Refused("POST /auth/user/emailpass: 401")
        begun.append(aiohttp.ClientSession())
        return Shop(begun[0], base)

    for script in (compare, plain, orders):
        monkeypatch.setattr(compare, "opened", opened)
        monkeypatch.setattr(script, "opened", opened, raising=False)
        begun.clear()
        with pytest.raises(Refused, match="401"):
            await script.main(script.options_of(["--password", "irrelevant"]))
        assert begun[0].closed
