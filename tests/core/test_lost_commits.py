"""A change whose answer is lost is told all the same: nobody may go on with what was read before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from velella.core.errors import NotAllowed, ReplyLost, VelellaError
from velella.core.message import CallContext, call_context
from velella.core.service.batching import Batcher

from ..lossy import Lossy, lossy
from .kernel_shop import SCHEMA, Changes, ShopService, shop_on

ALL = frozenset(SCHEMA.entities)


@pytest.fixture
async def way(fresh_database: str) -> AsyncIterator[Lossy]:
    async with lossy(fresh_database) as one:
        yield one


@pytest.fixture
async def shop_and_changes(way: Lossy) -> AsyncIterator[tuple[ShopService, Changes]]:
    async with shop_on(way.url) as (shop, changes):
        await shop.create("product", [{"id": "p1", "title": "A", "rank": 9}])
        changes.seen.clear()
        yield shop, changes
        way.hang_up()


async def as_message(id: str | None, call: Any, *args: Any, fresh: bool = False) -> Any:
    async def run() -> Any:
        call_context.set(CallContext(message_id=id, fresh=fresh))
        return await call(*args)

    return await asyncio.create_task(run())


def told(changes: Changes) -> set[str]:
    """Entities that somebody was told of."""
    return {name.partition(":")[0] for names in changes.seen for name in names}


async def test_a_commit_whose_answer_is_lost_is_told(shop: ShopService, changes: Changes, way: Lossy) -> None:
    way.lose("COMMIT")
    with pytest.raises(ReplyLost):
        await shop.restock("p1", 5)
    assert (await shop.retrieve("product", "p1"))["rank"] == 14, "it was done"
    assert told(changes) == {"product"}


async def test_a_commit_that_is_given_up_is_told(shop: ShopService, changes: Changes, way: Lossy) -> None:
    way.lose("COMMIT", hangs=True)
    writing = asyncio.create_task(shop.restock("p1", 5))
    await way.lost.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert told(changes) == {"product"}


async def test_what_was_not_committed_is_not_told(shop: ShopService, changes: Changes, way: Lossy) -> None:
    async def refused() -> None:
        await shop.create("brand", [{"name": "A"}])
        raise NotAllowed("No.")

    with pytest.raises(NotAllowed):
        await shop.run_write(refused)
    with pytest.raises(VelellaError):
        await shop.create("product", [{"id": "p1", "title": "again"}])
    assert changes.seen == []


async def test_one_statement_whose_answer_is_lost_is_told(shop: ShopService, changes: Changes, way: Lossy) -> None:
    way.lose("the lost one")
    with pytest.raises(ReplyLost):
        await shop.create("brand", [{"name": "the lost one"}])
    assert await shop.count("brand") == 1, "it was done"
    assert told(changes) == ALL, "which rows, only the answer would have said"
    changes.seen.clear()
    way.lose("the hanging one", hangs=True)
    writing = asyncio.create_task(shop.create("brand", [{"name": "the hanging one"}]))
    await way.lost.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert told(changes) == ALL


async def test_an_answer_from_the_record_tells_too(shop: ShopService, changes: Changes) -> None:
    """Who did it may have died between its commit and telling."""
    for fresh in (False, True):
        id = f"m{fresh}"
        first = await as_message(id, shop.restock, "p1", 5)
        changes.seen.clear()
        assert await as_message(id, shop.restock, "p1", 5, fresh=fresh) == first
        assert told(changes) == ALL
    await as_message("wfex_1:take/1", shop.take, "p1", 1, fresh=True)
    changes.seen.clear()
    await as_message("wfex_1:take/1", shop.take, "p1", 1)
    assert told(changes) == {"product"}, "such a record says what was done"


async def test_a_refusal_from_the_record_tells_nothing(shop: ShopService, changes: Changes) -> None:
    for _ in range(2):
        with pytest.raises(NotAllowed):
            await as_message("wfex_1:take/1", shop.take, "p1", 99)
    assert changes.seen == []


async def test_messages_of_a_batch_that_came_before_are_told_too(shop: ShopService, changes: Changes) -> None:
    async def together(ranks: Any) -> list[int]:
        return [await alone(rank) for rank in ranks]

    async def alone(rank: int) -> int:
        await shop.update("product", [{"id": "p1", "rank": rank}])
        return rank

    batcher: Batcher[int, int] = Batcher(shop, alone, together)
    assert await asyncio.gather(as_message("m1", batcher.ask, 1), as_message("m2", batcher.ask, 2)) == [1, 2]
    changes.seen.clear()
    assert await asyncio.gather(as_message("m1", batcher.ask, 1), as_message("m2", batcher.ask, 2)) == [1, 2]
    assert told(changes) == ALL


async def test_a_statement_that_never_left_is_not_told(shop: ShopService, changes: Changes) -> None:
    async def late() -> None:
        call_context.set(CallContext(deadline=0.0))
        await shop.create("brand", [{"name": "A"}])

    with pytest.raises(VelellaError):
        await asyncio.create_task(late())
    assert changes.seen == []
