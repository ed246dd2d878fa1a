"""Ties between things of different modules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from velella.core.codec import travelled
from velella.core.errors import InvalidData
from velella.core.flow import keep
from velella.core.message import CallContext, call_context
from velella.core.service.context import ModuleContext
from velella.core.service.migrations import migrate
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.database import Database
from velella.modules.link import MODULE
from velella.modules.link.service import LinkService

CHANNELS, STOCK, PRICES = "product_sales_channel", "product_variant_inventory_item", "product_variant_price_set"


def channel(product: str, sales_channel: str) -> dict[str, str]:
    return {"product_id": product, "sales_channel_id": sales_channel}


def price(variant: str, price_set: str) -> dict[str, str]:
    return {"variant_id": variant, "price_set_id": price_set}


class Links:
    def __init__(self, service: LinkService, changed: list[frozenset[str]]) -> None:
        self.service = service
        self.changed = changed

    async def channels_of(self, product: str) -> list[str]:
        return [pair["sales_channel_id"] for pair in await self.service.linked(CHANNELS, "product_id", [product])]

    async def prices_of(self, *variants: str) -> list[dict[str, str]]:
        pairs = await self.service.linked(PRICES, "variant_id", variants)
        return [price(pair["variant_id"], pair["price_set_id"]) for pair in pairs]


@pytest.fixture
async def links(fresh_database: str) -> AsyncIterator[Links]:
    await migrate(MODULE, fresh_database)
    database = Database(fresh_database, connections=6)
    await database.open()
    changed: list[frozenset[str]] = []

    async def note(entities: frozenset[str]) -> None:
        changed.append(entities)

    try:
        yield Links(LinkService(ModuleContext(Settings(**{}), database, Providers("link"), note)), changed)
    finally:
        await database.close()


async def test_attaching_twice_is_attaching_once(links: Links) -> None:
    pairs = [channel("prod_1", "sc_1"), channel("prod_1", "sc_2"), channel("prod_1", "sc_1")]
    assert len(await links.service.attach(CHANNELS, pairs)) == 2
    assert await links.service.attach(CHANNELS, pairs) == []
    assert await links.channels_of("prod_1") == ["sc_1", "sc_2"]
    assert links.changed == [frozenset({CHANNELS})]  # what changed nothing is not announced


async def test_detaching_undoes_and_attaching_again_brings_back(links: Links) -> None:
    await links.service.attach(CHANNELS, [channel("prod_1", "sc_1"), channel("prod_1", "sc_2")])
    assert await links.service.detach(CHANNELS, [channel("prod_1", "sc_1"), channel("prod_1", "sc_9")]) == [channel("prod_1", "sc_1")]
    assert await links.service.detach(CHANNELS, [channel("prod_1", "sc_1")]) == []
    assert await links.channels_of("prod_1") == ["sc_2"]
    assert await links.service.attach(CHANNELS, [channel("prod_1", "sc_1")]) == [channel("prod_1", "sc_1")]
    assert await links.channels_of("prod_1") == ["sc_2", "sc_1"]  # in the order they were linked


async def test_further_columns_are_set_kept_and_changed(links: Links) -> None:
    box, item = ({"variant_id": "variant_1", "inventory_item_id": id} for id in ("iitem_box", "iitem_1"))

    async def quantities() -> dict[str, int | Decimal]:
        pairs = await links.service.linked(STOCK, "variant_id", ["variant_1"])
        return {pair["inventory_item_id"]: pair["required_quantity"] for pair in pairs}

    await links.service.attach(STOCK, [{**box, "required_quantity": 3}, item])
    assert await quantities() == {"iitem_box": 3, "iitem_1": 1}
    assert await links.service.attach(STOCK, [box, {**item, "required_quantity": Decimal("2.5")}]) == []
    assert await quantities() == {"iitem_box": 3, "iitem_1": Decimal("2.5")}


async def test_replacing_leaves_exactly_those_named(links: Links) -> None:
    await links.service.attach(CHANNELS, [channel("prod_1", "sc_1"), channel("prod_1", "sc_2"), channel("prod_2", "sc_1")])
    done = await links.service.replace(CHANNELS, "product_id", "prod_1", ["sc_2", "sc_3"])
    assert done == {"attached": [channel("prod_1", "sc_3")], "detached": [channel("prod_1", "sc_1")]}
    assert await links.channels_of("prod_1") == ["sc_2", "sc_3"]
    assert await links.channels_of("prod_2") == ["sc_1"]
    await links.service.replace(CHANNELS, "sales_channel_id", "sc_1", [])
    assert await links.channels_of("prod_2") == []


async def test_of_two_replacements_at_once_one_counts_whole(links: Links) -> None:
    wanted = [["sc_1", "sc_2"], ["sc_3", "sc_4"], ["sc_1", "sc_5"]]
    for _ in range(5):
        await asyncio.gather(*(links.service.replace(CHANNELS, "product_id", "prod_1", others) for others in wanted))
        assert sorted(await links.channels_of("prod_1")) in wanted


async def test_where_only_one_may_be_tied_a_second_is_refused_whole(links: Links) -> None:
    await links.service.attach(PRICES, [price("variant_1", "pset_1")])
    with pytest.raises(InvalidData, match="Cannot create multiple links between 'product' and 'pricing'"):
        await links.service.attach(PRICES, [price("variant_2", "pset_2"), price("variant_1", "pset_3")])
    assert await links.prices_of("variant_2") == []
    with pytest.raises(InvalidData, match="multiple links"):
        await links.service.attach(PRICES, [price("variant_3", "pset_1")])
    await links.service.detach(PRICES, [price("variant_1", "pset_1")])
    assert await links.service.attach(PRICES, [price("variant_1", "pset_3")]) == [price("variant_1", "pset_3")]


async def test_of_many_at_once_only_one_is_tied_where_only_one_may_be(links: Links) -> None:
    attempts = (links.service.attach(PRICES, [price("variant_1", f"pset_{i}")]) for i in range(8))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, list) for result in results) == 1
    assert sum(isinstance(result, InvalidData) for result in results) == 7
    assert len(await links.prices_of("variant_1")) == 1


async def test_parallel_attaching_of_the_same_ties_collides_with_nobody(links: Links) -> None:
    pairs = [channel(f"prod_{i}", f"sc_{j}") for i in range(5) for j in range(4)]
    made = await asyncio.gather(*(links.service.attach(CHANNELS, pairs[i:] + pairs[:i]) for i in range(0, 20, 3)))
    assert sum(map(len, made)) == 20


async def test_deleted_things_lose_their_ties_and_say_what_goes_with_them(links: Links) -> None:
    service = links.service
    await service.attach(PRICES, [price("variant_1", "pset_1"), price("variant_2", "pset_2")])
    await service.attach(STOCK, [{"variant_id": "variant_1", "inventory_item_id": "iitem_1"}])
    released = travelled(await keep(service.release, {"product_variant": ["variant_1", "variant_9"]}))
    assert released["answer"] == {"price_set": ["pset_1"]}
    assert await links.prices_of("variant_1", "variant_2") == [price("variant_2", "pset_2")]
    await service.undo(released["change"])
    assert len(await links.prices_of("variant_1", "variant_2")) == 2
    assert len(await service.linked(STOCK, "variant_id", ["variant_1"])) == 1


async def test_ties_don_t_come_back_beside_a_newer_one(links: Links) -> None:
    await links.service.attach(PRICES, [price("variant_1", "pset_1")])
    released = await keep(links.service.release, {"product_variant": ["variant_1"]})
    await links.service.attach(PRICES, [price("variant_1", "pset_2")])
    await links.service.undo(released["change"])
    assert await links.prices_of("variant_1") == [price("variant_1", "pset_2")]


async def test_a_message_sent_again_gets_the_first_answer(links: Links) -> None:
    token = call_context.set(CallContext(message_id="execution:step/1"))
    try:
        first = await links.service.attach(CHANNELS, [channel("prod_1", "sc_1")])
        assert first == [channel("prod_1", "sc_1")]
        assert await links.service.attach(CHANNELS, [channel("prod_1", "sc_1")]) == first
    finally:
        call_context.reset(token)


@pytest.mark.parametrize(
    "pairs",
    [
        [{"product_id": "prod_1"}],
        [{**channel("prod_1", "sc_1"), "rank": 1}],
        [channel("", "sc_1")],
        [{"product_id": 1, "sales_channel_id": "sc_1"}],
    ],
)
async def test_a_tie_that_is_none_is_refused(links: Links, pairs: list[dict[str, str]]) -> None:
    with pytest.raises(InvalidData, match="A pair of product_sales_channel"):
        await links.service.attach(CHANNELS, pairs)


async def test_unknown_links_and_columns_are_refused(links: Links) -> None:
    with pytest.raises(InvalidData, match="no link called nonsense"):
        await links.service.attach("nonsense", [])
    with pytest.raises(InvalidData, match="has no column price_id"):
        await links.service.linked(CHANNELS, "price_id", [])


async def test_of_ties_only_those_go_that_were_made_and_nobody_has_made_again(links: Links) -> None:
    service = links.service
    needed = {"variant_id": "variant_1", "inventory_item_id": "iitem_1"}
    await service.attach(STOCK, [{**needed, "required_quantity": 2}])
    done = await keep(
        service.attach, STOCK, [{**needed, "required_quantity": 3}, {"variant_id": "variant_1", "inventory_item_id": "iitem_2"}]
    )
    other = await keep(service.attach, STOCK, [{"variant_id": "variant_1", "inventory_item_id": "iitem_3"}])
    await service.detach(STOCK, [{"variant_id": "variant_1", "inventory_item_id": "iitem_3"}])
    await service.attach(STOCK, [{"variant_id": "variant_1", "inventory_item_id": "iitem_3"}])
    await service.undo(done["change"])
    await service.undo(other["change"])
    pairs = await service.linked(STOCK, "variant_id", ["variant_1"])
    assert {pair["inventory_item_id"]: pair["required_quantity"] for pair in pairs} == {"iitem_1": 2, "iitem_3": 1}
