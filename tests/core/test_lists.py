"""Long lists: what is remembered of them stays as right as if everything were counted again, whoever changes what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from statements import statements_of

from velella.core.service.context import ModuleContext
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.database import Database
from velella.core.sql.read import lists
from velella.core.sql.read.lists import Lists, Scale
from velella.core.sql.schema.query import Linked, Query

from .kernel_shop import Changes, ShopService, shop_on

T = TypeVar("T")
LINKED = {"$linked": Linked("product_channel", "product_id", "id", {"channel_id": ["c1"]}, keeps_deltas=True)}
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "published"},
    {"rank": {"$gt": 1}},
    {"$or": [{"rank": None}, {"status": {"$nin": ["draft"]}}]},
    {"status": "published", **LINKED},
    {"q": "a"},
    {"handle": None},
)
ORDERS = ((), ("-id",), ("title",), ("-title", "status"), ("-created_at",), ("rank",))
WORDS = st.sampled_from(("a", "b", "c"))
STATUS = st.sampled_from(("draft", "published"))
NUMBERS = st.integers(0, 30)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def two_doors(url: str, clock: Clock) -> AsyncIterator[tuple[ShopService, ShopService]]:
    """Two processes' services on one database, each with what it remembers itself; every list is a long one."""
    async with AsyncExitStack() as stack:
        first, _ = await stack.enter_async_context(shop_on(url))
        database = Database(url, connections=2)
        await database.open()
        stack.push_async_callback(database.close)
        second = ShopService(ModuleContext(Settings(), database, Providers("shop"), Changes()))
        for door in (first, second):
            door.lists = lists_of(door, clock)
        yield first, second


def lists_of(door: ShopService, clock: Clock) -> Lists:
    made = Lists(door.database, door.statements, clock=clock)
    made.scale = Scale(every=3, worthwhile=1)
    return made


async def plainly(door: ShopService, query: Query) -> tuple[list[str], int]:
    """Keys and count as the database counts them off."""
    row = await door.database.fetch_row(door.statements.page(query))
    return keys_of(row["page"]), row["count"]


def keys_of(page: bytes) -> list[str]:
    return [row.split(b'"')[3].decode() for row in page.split(b"},") if row != b"[]"]


class Changing(RuleBasedStateMachine):
    """Rows and links come, change and go, some within a transaction that stays open for a while; two doors are asked all the time."""

    loop: asyncio.AbstractEventLoop
    doors: tuple[ShopService, ShopService]
    clock: Clock
    beside: asyncpg.Connection[Any]
    """Somebody else's connection."""

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize(number=st.integers(0, 40))
    def fill(self, number: int) -> None:
        self.open: Any = None
        for door in self.doors:
            door.lists = lists_of(door, self.clock)
        self.do(self.beside.execute("DELETE FROM product_channel; DELETE FROM product"))
        rows = [{"id": f"p{n:02d}", "title": "abc"[n % 3], "status": ("draft", "published")[n % 2]} for n in range(number)]
        self.do(self.doors[0].create("product", rows))
        pairs = "INSERT INTO product_channel SELECT id, 'c1' FROM product WHERE status = 'published'"
        self.do(self.beside.execute(pairs))

    @rule(number=NUMBERS, title=WORDS, status=STATUS, rank=st.none() | st.integers(0, 3), linked=st.booleans())
    def put(self, number: int, title: str, status: str, rank: int | None, linked: bool) -> None:
        text = """
            INSERT INTO product (id, title, status, rank) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET title = excluded.title, status = excluded.status, rank = excluded.rank, deleted_at = NULL
        """
        self.do(self.beside.execute(text, f"p{number:02d}", title, status, rank))
        if linked:
            self.do(self.beside.execute("INSERT INTO product_channel VALUES ($1, 'c1') ON CONFLICT DO NOTHING", f"p{number:02d}"))

    @rule(number=NUMBERS, soft=st.booleans())
    def take(self, number: int, soft: bool) -> None:
        text = "UPDATE product SET deleted_at = now() WHERE id = $1" if soft else "DELETE FROM product WHERE id = $1"
        self.do(self.beside.execute(text, f"p{number:02d}"))

    @rule(number=NUMBERS)
    def unlink(self, number: int) -> None:
        self.do(self.beside.execute("UPDATE product_channel SET deleted_at = now() WHERE product_id = $1", f"p{number:02d}"))

    @precondition(lambda self: self.open is None)
    @rule()
    def begin(self) -> None:
        self.open = self.beside.transaction()
        self.do(self.open.start())

    @precondition(lambda self: self.open is not None)
    @rule(right=st.booleans())
    def end(self, right: bool) -> None:
        self.do(self.open.commit() if right else self.open.rollback())
        self.open = None

    @rule(seconds=st.sampled_from((60.0, lists.LIFE / 2, lists.KEPT + 1)))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.do(self.doors[0].forget_deltas())

    @rule(filters=st.sampled_from(FILTERS), order=st.sampled_from(ORDERS), offset=st.integers(0, 45), apart=st.booleans())
    def ask(self, filters: dict[str, Any], order: tuple[str, ...], offset: int, apart: bool) -> None:
        query = Query("product", ("id",), filters, order, limit=4, offset=offset, count=True)
        for door in self.doors:
            expected = self.do(plainly(door, query))
            if apart:
                rows = self.do(door.documents(Query("product", ("id",), filters, order, limit=4, offset=offset)))
                assert [key for key, _ in rows] == expected[0]
                assert self.do(door.count("product", filters)) == expected[1]
            else:
                page = self.do(door.query(query))
                assert (keys_of(page.json), page.count) == expected

    @invariant()
    def look(self) -> None:
        """The list that is asked for most, at each step."""
        self.ask({"status": "published"}, (), 7, False)

    def teardown(self) -> None:
        if getattr(self, "open", None) is not None:
            self.do(self.open.rollback())


async def test_nobody_is_told_anything_old(fresh_database: str) -> None:
    Changing.loop, Changing.clock = asyncio.get_running_loop(), Clock()
    async with two_doors(fresh_database, Changing.clock) as Changing.doors:
        Changing.beside = await asyncpg.connect(fresh_database)
        try:
            patient = settings(max_examples=40, stateful_step_count=20)
            await asyncio.to_thread(run_state_machine_as_test, Changing, settings=patient)
        finally:
            await Changing.beside.close()


@pytest.fixture
async def doors(fresh_database: str) -> AsyncIterator[tuple[ShopService, ShopService]]:
    async with two_doors(fresh_database, Clock()) as both:
        await both[0].create("product", [{"id": f"p{n:03d}", "title": f"T{n}", "status": "published"} for n in range(200)])
        yield both


async def explained(door: ShopService, query: Query) -> list[str]:
    async with statements_of(door.database) as sent:
        await door.query(query)
        await asyncio.sleep(0)  # loggers are called a little later
    return [each.text for each in sent.sent if not each.text.startswith("SET")]


async def test_a_deep_page_begins_at_a_place_that_is_known(doors: tuple[ShopService, ShopService]) -> None:
    query = Query("product", ("id",), {"status": "published"}, limit=5, offset=151, count=True)
    found = await explained(doors[0], query)
    assert ["row_number" in text for text in found] == [True, False]  # places, then the page
    await doors[1].create("product", [{"id": "p000a", "title": "New", "status": "published"}])
    found = await explained(doors[0], query)
    assert len(found) == 1
    assert "since_anchor" in found[0]
    assert "since_counted" in found[0]
    page = await doors[0].query(query)
    assert [row["id"] for row in page.rows] == ["p150", "p151", "p152", "p153", "p154"]
    assert page.count == 201


async def test_after_many_changes_the_list_is_counted_anew(doors: tuple[ShopService, ShopService], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_CHANGES", 10)
    query = Query("product", ("id",), {"status": "published"}, limit=5, count=True)
    assert (await doors[0].query(query)).count == 200
    await doors[1].update("product", [{"id": f"p{n:03d}", "status": "draft"} for n in range(20)])
    assert (await doors[0].query(query)).count == 180
    assert "since" not in (await explained(doors[0], query))[0]
    assert (await doors[0].query(query)).count == 180


async def test_deltas_that_nobody_asks_for_any_more_are_dropped(fresh_database: str) -> None:
    clock = Clock()
    async with two_doors(fresh_database, clock) as (door, _):
        for number in range(4):
            await door.create("product", [{"title": f"T{number}"}])
            await door.forget_deltas()
            clock.now += lists.KEPT / 2 + 1
        kept = await door.database.fetch(lists.deltas_of(door.schema["product"].table).select())  # type: ignore[union-attr]
        assert {row["title"] for row in kept} == {"T2", "T3"}


async def test_deltas_that_came_with_the_dump_of_another_server_count_nothing(fresh_database: str) -> None:
    query = Query("product", ("id",), limit=4, count=True)
    async with two_doors(fresh_database, Clock()) as (door, _):
        deltas = lists.deltas_of(door.schema["product"].table)
        assert deltas is not None
        for number in range(3):
            await door.create("product", [{"title": f"T{number}"}])
        await door.database.execute(deltas.insert().values(xid=2**40, change=1, id="p", title="Elsewhere"))
        assert [(await door.query(query)).count for _ in range(2)] == [3, 3]
        await door.forget_deltas()
        assert "Elsewhere" not in {row["title"] for row in await door.database.fetch(deltas.select())}
