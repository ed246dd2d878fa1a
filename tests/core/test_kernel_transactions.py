"""Writes as messages: recorded once, undone whole, begun again after a collision; and the database behind them."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import bindparam, select, text, update

from velella.core import codec
from velella.core.errors import Conflict, DeadlineExceeded, InvalidData, NotAllowed, NotFound, ReplyLost, TooLarge, Unavailable
from velella.core.message import CallContext, call_context
from velella.core.sql.db.compiled import any_of, compiled
from velella.core.sql.db.database import Database, Databases
from velella.core.sql.schema.query import Query
from velella.core.sql.write import inbox

from ..lossy import SOCKET
from .kernel_shop import TAKE, Changes, ShopService, product, shop_on


async def as_message(id: str, call: Any, *args: Any, fresh: bool = False) -> Any:
    """The call as it comes over a wire: in a task of its own, under a message id. `fresh`: as a durable step sends it the first time."""

    async def run() -> Any:
        call_context.set(CallContext(message_id=id, fresh=fresh))
        return await call(*args)

    return await asyncio.create_task(run())


async def test_a_message_sent_again_answers_the_same_and_does_nothing(shop: ShopService, changes: Changes) -> None:
    [row] = await shop.create("product", [{"title": "A", "rank": 1, "weight": "10.5"}])
    first = await as_message("m1", shop.restock, row["id"], 5)
    again = await as_message("m1", shop.restock, row["id"], 5)
    other = await as_message("m2", shop.restock, row["id"], 5)
    assert first == again == {"rank": 6, "weight": Decimal("10.5")}
    assert other["rank"] == 11
    assert shop.done == 2
    assert len(changes.seen) == 4, "the second time, too: the first may have been told to nobody"


async def test_a_message_that_comes_many_times_at_once_is_done_once(shop: ShopService) -> None:
    [row] = await shop.create("product", [{"title": "A", "rank": 0}])
    replies = await asyncio.gather(*(as_message("m1", shop.restock, row["id"], 5) for _ in range(12)))
    assert replies == [{"rank": 5, "weight": None}] * 12
    assert shop.done == 1
    assert (await shop.retrieve("product", row["id"]))["rank"] == 5


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_write_whose_answer_could_not_travel_is_undone(shop: ShopService, monkeypatch: pytest.MonkeyPatch, fresh: bool) -> None:
    monkeypatch.setattr(codec, "LARGEST", 4096)
    with pytest.raises(TooLarge):
        await as_message("m1", shop.create, "product", [{"title": "A" * 5000}], fresh=fresh)
    assert await shop.count("product", {}) == 0


async def test_a_message_that_failed_may_be_sent_again(shop: ShopService) -> None:
    with pytest.raises(NotFound):
        await as_message("m1", shop.update, "product", [{"id": "p1", "title": "B"}])
    await shop.create("product", [{"id": "p1", "title": "A"}])
    [row] = await as_message("m1", shop.update, "product", [{"id": "p1", "title": "B"}])
    assert row["title"] == "B"


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_step_that_was_refused_stays_refused_whoever_sends_it_later(shop: ShopService, fresh: bool) -> None:
    """A coordinator is frozen before it sends a write; another one is refused it, and undoes the rest. Then the first one comes back."""
    wanted = ("product", [{"id": "p1", "title": "B"}])
    with pytest.raises(NotFound) as refused:
        await as_message("wfex_1:reserve/1", shop.update, *wanted)
    await shop.create("product", [{"id": "p1", "title": "A"}])
    with pytest.raises(NotFound, match=str(refused.value)):
        await as_message("wfex_1:reserve/1", shop.update, *wanted, fresh=fresh)
    assert (await shop.retrieve("product", "p1"))["title"] == "A"
    with pytest.raises(NotFound):
        await as_message("wfex_1:reserve~undo/1", shop.update, "product", [{"id": "p2", "title": "B"}])
    await shop.create("product", [{"id": "p2", "title": "A"}])
    await as_message("wfex_1:reserve~undo/1", shop.update, "product", [{"id": "p2", "title": "B"}])  # undoing is tried until it works


async def test_a_first_message_is_recorded_as_it_is_done(shop: ShopService) -> None:
    [row] = await shop.create("product", [{"title": "A", "rank": 1}])
    first = await as_message("m1", shop.restock, row["id"], 5, fresh=True)
    again = await as_message("m1", shop.restock, row["id"], 5)
    assert first == again == {"rank": 6, "weight": None}
    assert shop.done == 1


async def test_a_message_taken_for_the_first_is_undone_where_it_was_not(shop: ShopService, changes: Changes) -> None:
    [row] = await shop.create("product", [{"title": "A", "rank": 1}])
    first = await as_message("m1", shop.restock, row["id"], 5)
    told = len(changes.seen)
    assert await as_message("m1", shop.restock, row["id"], 5, fresh=True) == first
    assert (await shop.retrieve("product", row["id"]))["rank"] == 6
    assert len(changes.seen) == told + 1, "whoever did it may have died before telling anybody"
    replies = await asyncio.gather(*(as_message("m2", shop.restock, row["id"], 5, fresh=number % 2 == 0) for number in range(12)))
    assert replies == [{"rank": 11, "weight": None}] * 12
    assert (await shop.retrieve("product", row["id"]))["rank"] == 11


async def test_a_write_of_one_statement_records_itself(shop: ShopService, changes: Changes) -> None:
    await shop.create("product", [{"id": "p1", "title": "A", "rank": 9}])
    transactions, told = shop.database.committed, len(changes.seen)
    assert await as_message("wfex_1:take/1", shop.take, "p1", 2, fresh=True) == {"id": "p1", "left": 7}
    assert await as_message("wfex_1:found/1", shop.found, ["a", "b"], fresh=True) == {"a": "brand_a", "b": "brand_b"}
    assert shop.database.committed == transactions, "neither was a transaction of several statements"
    assert len(changes.seen) == told + 2
    for fresh in (False, True):
        assert await as_message("wfex_1:take/1", shop.take, "p1", 2, fresh=fresh) == {"id": "p1", "left": 7}
        assert await as_message("wfex_1:found/1", shop.found, ["a", "b"], fresh=fresh) == {"a": "brand_a", "b": "brand_b"}
    assert (await shop.retrieve("product", "p1"))["rank"] == 7
    replies = await asyncio.gather(*(as_message("wfex_1:take/2", shop.take, "p1", 3, fresh=number % 2 == 0) for number in range(12)))
    assert replies == [{"id": "p1", "left": 4}] * 12
    assert await shop.take("p1", 1) == {"id": "p1", "left": 3}, "without an id there is nothing to record"


@pytest.mark.parametrize("fresh", [True, False])
async def test_what_one_statement_did_not_do_it_does_not_record(shop: ShopService, fresh: bool) -> None:
    await shop.create("product", [{"id": "p1", "title": "A", "rank": 1}])
    with pytest.raises(NotAllowed):
        await as_message("m1", shop.take, "p1", 2, fresh=True)
    with pytest.raises(NotAllowed):
        await as_message("wfex_1:take/1", shop.take, "p1", 2, fresh=True)
    await shop.update("product", [{"id": "p1", "rank": 5}])
    assert await as_message("m1", shop.take, "p1", 2, fresh=fresh) == {"id": "p1", "left": 3}
    with pytest.raises(NotAllowed):
        await as_message("wfex_1:take/1", shop.take, "p1", 2, fresh=fresh)
    assert (await shop.retrieve("product", "p1"))["rank"] == 3


async def test_a_second_statement_of_a_write_that_is_one_is_refused(shop: ShopService) -> None:
    await shop.create("product", [{"id": "p1", "title": "A", "rank": 9}])

    async def body() -> None:
        await shop.answer(TAKE, {"key": "p1", "by": 1})
        await shop.answer(TAKE, {"key": "p1", "by": 1})

    async def call() -> None:
        await shop.run_write(body, one_statement=True, answers=True)

    with pytest.raises(TypeError):
        await as_message("wfex_1:take/1", call, fresh=True)


async def test_one_statement_whose_answer_is_lost_is_done_once(shop: ShopService, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.create("product", [{"id": "p1", "title": "A", "rank": 9}])
    fetch, asked = shop.database.fetch_value, 0

    async def lossy(*args: Any) -> Any:
        nonlocal asked
        asked += 1
        value = await fetch(*args)
        if asked == 1:
            raise ReplyLost("The connection to the database was lost before its answer came.")
        return value

    monkeypatch.setattr(shop.database, "fetch_value", lossy)
    assert await as_message("m1", shop.take, "p1", 2, fresh=True) == {"id": "p1", "left": 7}
    assert asked > 1
    asked = 0
    with pytest.raises(ReplyLost):
        await shop.take("p1", 2)
    assert (await shop.retrieve("product", "p1"))["rank"] == 5, "nobody can tell, so it isn't done again"


async def test_the_second_does_it_where_the_first_one_fails(shop: ShopService) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        await shop.create("brand", [{"name": "first"}])
        started.set()
        await release.wait()
        raise NotAllowed("no")

    async def works() -> str:
        await shop.create("brand", [{"name": "second"}])
        return "done"

    first = asyncio.create_task(as_message("m1", shop.run_write, fails))
    await started.wait()
    second = asyncio.create_task(as_message("m1", shop.run_write, works))
    await asyncio.sleep(0.1)
    assert not second.done()
    release.set()
    with pytest.raises(NotAllowed):
        await first
    assert await second == "done"
    assert [row["name"] for row in await shop.list("brand")] == ["second"]


async def test_the_record_is_forgotten_after_a_while(shop: ShopService) -> None:
    await as_message("m1", shop.create, "brand", [{"name": "A"}])
    assert await shop.forget_messages(3600) == 0
    assert await shop.forget_messages(-1) == 1


async def test_records_are_forgotten_in_portions_and_those_of_living_executions_are_kept(
    shop: ShopService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "FORGOTTEN_AT_ONCE", 2)
    for number in range(5):
        await as_message(f"wfex_{number}:1/0", shop.create, "brand", [{"name": "A"}])
    sizes: list[int] = []
    execute = shop.database.execute

    async def counting(*args: Any) -> int:
        sizes.append(await execute(*args))
        return sizes[-1]

    monkeypatch.setattr(shop.database, "execute", counting)
    assert await shop.forget_messages(-1, ["wfex_3"]) == 4
    assert sizes == [2, 2, 0]
    assert await shop.forget_messages(-1) == 1


async def test_a_write_is_done_whole_or_not_at_all(shop: ShopService, changes: Changes) -> None:
    async def half() -> None:
        await shop.create("brand", [{"name": "A"}])
        raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        await shop.run_write(half)
    assert await shop.count("brand") == 0
    assert changes.seen == []


async def test_reads_inside_a_write_see_it_and_those_outside_do_not(shop: ShopService) -> None:
    async def body() -> None:
        await shop.create("brand", [{"name": "A"}])
        assert await shop.count("brand") == 1
        assert (await shop.query(Query("brand"))).rows[0]["name"] == "A"
        outside = Database(shop.database.url)
        await outside.open()
        assert await outside.fetch_value(text("SELECT count(*) FROM brand")) == 0
        await outside.close()

    await shop.run_write(body)


async def test_tasks_of_one_transaction_take_turns(shop: ShopService) -> None:
    async def body() -> None:
        await asyncio.gather(*(shop.create("brand", [{"name": str(n)}]) for n in range(10)))
        raise NotAllowed("undo")

    with pytest.raises(NotAllowed):
        await shop.run_write(body)
    assert await shop.count("brand") == 0


async def test_a_savepoint_can_fail_alone(shop: ShopService) -> None:
    async def body() -> None:
        await shop.create("currency", [{"code": "eur", "digits": 2}])
        with pytest.raises(InvalidData):
            async with shop.database.savepoint():
                await shop.create("currency", [{"code": "usd", "digits": 2}, {"code": "eur", "digits": 2}])
        await shop.create("currency", [{"code": "jpy", "digits": 0}])

    await shop.run_write(body)
    assert [row["code"] for row in await shop.list("currency")] == ["eur", "jpy"]


async def test_two_writes_that_deadlock_are_both_done(shop: ShopService) -> None:
    await shop.create("product", [{"id": "a", "title": "A", "rank": 0}, {"id": "b", "title": "B", "rank": 0}])
    await shop.database.script("ALTER SYSTEM SET deadlock_timeout = '50ms'")
    await shop.database.script("SELECT pg_reload_conf()")
    begun = 0
    both = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async def body() -> None:
            nonlocal begun
            begun += 1
            for id in (first, second):
                [row] = await shop.list("product", {"id": id}, fields=("rank",))
                await shop.update("product", [{"id": id, "rank": row["rank"] + 1}])
                if id == first and begun <= 2:
                    await both.wait()  # each holds what the other one wants next

        await shop.run_write(body)

    await asyncio.gather(cross("a", "b"), cross("b", "a"))
    assert [row["version"] for row in await shop.list("product")] == [3, 3]
    assert begun == 3


async def test_updates_of_the_same_rows_in_any_order_do_not_deadlock(shop: ShopService) -> None:
    ids = [row["id"] for row in await shop.create("product", [{"title": str(n)} for n in range(20)])]
    orders = [ids, ids[::-1], ids[10:] + ids[:10], ids[::-1]]
    await asyncio.gather(*(shop.update("product", [{"id": id, "rank": n} for id in order]) for n, order in enumerate(orders)))
    rows = await shop.list("product")
    assert {row["version"] for row in rows} == {5}
    assert len({row["rank"] for row in rows}) == 1


async def test_a_collision_that_will_not_end_is_a_conflict(shop: ShopService) -> None:
    tries = 0

    async def body() -> None:
        nonlocal tries
        tries += 1
        await shop.database.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Conflict):
        await shop.run_write(body)
    assert tries == 6


async def test_a_statement_ends_with_the_messages_deadline(shop: ShopService) -> None:
    token = call_context.set(CallContext(deadline=time.monotonic() + 0.2))
    try:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await shop.database.fetch(text("SELECT pg_sleep(10)"))
        assert time.monotonic() - started < 2
        await asyncio.sleep(0.1)
        with pytest.raises(DeadlineExceeded):
            await shop.count("brand")
    finally:
        call_context.reset(token)
    assert await shop.count("brand") == 0


async def test_a_full_pool_makes_wait_no_longer_than_the_deadline(fresh_database: str) -> None:
    async with shop_on(fresh_database, connections=1) as (shop, _):
        sleeping = asyncio.create_task(shop.database.fetch(text("SELECT pg_sleep(1)")))
        await asyncio.sleep(0.05)
        token = call_context.set(CallContext(deadline=time.monotonic() + 0.1))
        with pytest.raises(DeadlineExceeded):
            await shop.count("brand")
        call_context.reset(token)
        await sleeping


async def test_a_cancelled_write_leaves_nothing_behind(shop: ShopService) -> None:
    started = asyncio.Event()

    async def body() -> None:
        await shop.create("brand", [{"name": "A"}])
        started.set()
        await shop.database.fetch(text("SELECT pg_sleep(10)"))

    task = asyncio.create_task(shop.run_write(body))
    await started.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.gather(*(shop.count("brand") for _ in range(8)))
    assert await shop.count("brand") == 0


KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def kill_connections(url: str) -> None:
    killer = Database(url)
    await killer.open()
    await killer.script(KILL)
    await killer.close()


async def test_a_connection_lost_inside_a_write_is_no_loss(shop: ShopService) -> None:
    tries = 0

    async def body() -> None:
        nonlocal tries
        tries += 1
        await shop.create("brand", [{"name": "A"}])
        if tries == 1:
            await kill_connections(shop.database.url)
        await shop.create("brand", [{"name": "B"}])

    await shop.run_write(body)
    assert [row["name"] for row in await shop.list("brand")] == ["A", "B"]


async def test_a_connection_lost_under_a_lone_statement_leaves_a_doubt(shop: ShopService) -> None:
    running = asyncio.create_task(shop.database.execute(text("SELECT pg_sleep(10)")))
    await asyncio.sleep(0.1)
    await kill_connections(shop.database.url)
    with pytest.raises(ReplyLost):
        await running
    assert await shop.count("brand") == 0


async def test_an_idle_connection_that_was_lost_is_replaced(shop: ShopService) -> None:
    await kill_connections(shop.database.url)
    await asyncio.sleep(0.1)
    assert await shop.count("brand") == 0


async def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Any, fresh_database: str) -> None:
    nowhere = Database(f"postgresql://postgres@/x?host={tmp_path}")
    with pytest.raises(Unavailable) as raised:
        await nowhere.open()
    assert raised.value.hint
    with pytest.raises(Unavailable):
        await Database(fresh_database.replace("/test_", "/not_there_")).open()
    with pytest.raises(Unavailable):
        await nowhere.fetch(text("SELECT 1"))


async def test_modules_of_one_url_share_a_pool(fresh_database: str) -> None:
    databases = Databases(connections=2)
    first, second = await asyncio.gather(databases.open(fresh_database), databases.open(fresh_database))
    assert first is second
    assert await first.fetch_value(text("SHOW jit")) == "off"
    await databases.close()


GUARDED = compiled(
    update(product)
    .where(product.c.id == bindparam("key"), product.c.rank >= bindparam("by"))
    .values(rank=product.c.rank - bindparam("by"))
    .returning(product.c.rank)
)
SOME = compiled(select(product.c.id, product.c.data).where(any_of(product.c.id, "ids")).order_by(product.c.id))


async def test_a_modules_own_statement(shop: ShopService) -> None:
    await shop.create("product", [{"id": "a", "title": "A", "rank": 3, "data": {"x": [1]}}, {"id": "b", "title": "B"}])
    taken = await asyncio.gather(*(shop.database.fetch_one(GUARDED, {"key": "a", "by": 1}) for _ in range(5)))
    assert sorted(row["rank"] for row in taken if row is not None) == [0, 1, 2]
    rows = await shop.database.fetch(SOME, {"ids": ["a", "b", "c"]})
    assert [(row["id"], row["data"]) for row in rows] == [("a", {"x": [1]}), ("b", None)]
    assert await shop.database.execute(compiled(update(product).values(rank=1))) == 2
    assert await shop.database.fetch_json(text("SELECT json_agg(id ORDER BY id) FROM product")) == b'["a", "b"]'
    with pytest.raises(KeyError):
        await shop.database.fetch(SOME)
    with pytest.raises(TypeError, match="any_of"):
        compiled(select(product).where(product.c.id.in_(["a"])))


OTHERS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


async def test_closing_a_database_cuts_off_what_is_still_in_use(fresh_database: str) -> None:
    database, witness = Database(fresh_database), Database(fresh_database, connections=1)
    await asyncio.gather(database.open(), witness.open())
    with pytest.raises(Unavailable):  # noqa: PT012 - it is the end of the block that fails
        async with database.transaction():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):  # as a host gives a part that stops only some time
                    await database.close()
            async with asyncio.timeout(60):
                while await witness.fetch_value(OTHERS):
                    await asyncio.sleep(0.01)
    await witness.close()


async def test_a_connection_that_nobody_waits_for_any_more_does_not_stay(fresh_database: str) -> None:
    database, witness = Database(fresh_database), Database(fresh_database, connections=1)
    await asyncio.gather(database.open(), witness.open())
    began = time.monotonic()
    for _ in range(5):
        await (await database._connect()).close()
    takes = (time.monotonic() - began) / 5
    tries = 40
    given_up = []  # who was cancelled keeps where it was, and so a connection that it made
    for step in range(tries):
        making = asyncio.create_task(database._connect())
        await asyncio.wait([making], timeout=takes * step / tries)
        if making.cancel():
            await asyncio.wait([making])
            given_up.append(making)
        else:
            await making.result().close()
    assert len(given_up) > tries / 4
    assert all(making.cancelled() for making in given_up)
    await database.close()
    async with asyncio.timeout(60):
        while await witness.fetch_value(OTHERS):
            await asyncio.sleep(0.01)
    await witness.close()


async def test_a_server_that_has_vanished_is_noticed_by_the_kernel(fresh_database: str) -> None:
    """Who waits for an answer without a limit of his own, as all that runs at intervals does, would wait for ever."""
    [folder] = parse_qs(urlsplit(fresh_database).query)["host"]

    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(f"{folder}/{SOCKET}")
        await asyncio.gather(passed(reader, to_server), passed(from_server, writer))

    async def passed(come: asyncio.StreamReader, go: asyncio.StreamWriter) -> None:
        while data := await come.read(1 << 16):
            go.write(data)
        go.close()

    server = await asyncio.start_server(there, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    database = Database(urlsplit(fresh_database)._replace(netloc=f"postgres@127.0.0.1:{port}", query="").geturl())
    await database.open()
    async with database.transaction() as running:
        connection: Any = running.connection
        held = connection._transport.get_extra_info("socket")
        assert held.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if sys.platform == "linux":
            assert 0 < held.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 60
            assert 0 < held.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 60_000
    await database.close()
    server.close()
