"""Whatever is done to reservations and levels, in whatever order: the counters are the sums."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from velella.core.errors import InsufficientInventory, NotAllowed, NotFound
from velella.modules.inventory.service import InventoryService

from .one_module import alone

PLACES = ("sloc_a", "sloc_b")
QUANTITIES = st.decimals("0.5", 6, places=1)
WHERE = st.tuples(st.integers(0, 1), st.sampled_from(PLACES))

STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.lists(st.tuples(WHERE, QUANTITIES, st.booleans()), min_size=1, max_size=3)),
    st.tuples(st.just("release"), st.lists(st.integers(0, 9), min_size=1, max_size=3)),
    st.tuples(st.just("restore"), st.lists(st.integers(0, 9), min_size=1, max_size=3)),
    st.tuples(st.just("resize"), st.integers(0, 9), QUANTITIES, st.sampled_from(PLACES)),
    st.tuples(st.just("adjust"), WHERE, st.decimals(-4, 4, places=1)),
    st.tuples(st.just("set"), WHERE, st.decimals(0, 9, places=1)),
    st.tuples(st.just("delete"), WHERE),
)
"""Steps name reservations by a number that is taken modulo those there are."""
REFUSED = (InsufficientInventory, NotFound, NotAllowed)


class Model:
    """What the counters have to be, kept beside the service by the simplest means."""

    def __init__(self, items: list[str]) -> None:
        self.items = items
        self.stocked: dict[tuple[str, str], Decimal] = {(item, place): Decimal(5) for item in items for place in PLACES}
        self.live: dict[str, tuple[tuple[str, str], Decimal, bool]] = {}
        self.released: dict[str, tuple[tuple[str, str], Decimal, bool]] = {}

    def key(self, where: tuple[int, str]) -> tuple[str, str]:
        return self.items[where[0]], where[1]

    def reserved(self, key: tuple[str, str]) -> Decimal:
        return sum((quantity for held, quantity, _ in self.live.values() if held == key), Decimal(0))

    def available(self, key: tuple[str, str]) -> Decimal:
        return self.stocked[key] - self.reserved(key)


def chosen(ids: dict[str, Any], numbers: list[int]) -> list[str]:
    known = sorted(ids)
    return sorted({known[number % len(known)] for number in numbers}) if known else []


async def take(inventory: InventoryService, model: Model, step: tuple[Any, ...]) -> None:
    """One step with the service and with the model. Both have to agree whether it is refused."""
    match step:
        case ("reserve", wanted):
            lines = [(model.key(where), quantity, backorder) for where, quantity, backorder in wanted]
            guards: dict[tuple[str, str], Decimal] = {}
            for key, quantity, backorder in lines:
                guards[key] = guards.get(key, Decimal(0)) + (0 if backorder else quantity)
            fits = all(key in model.stocked and (not guard or model.available(key) >= guard) for key, guard in guards.items())
            rows = [
                {"inventory_item_id": key[0], "location_id": key[1], "quantity": quantity, "allow_backorder": backorder}
                for key, quantity, backorder in lines
            ]
            try:
                made = await inventory.reserve(rows)
            except REFUSED:
                assert not fits
            else:
                assert fits
                model.live.update({row["id"]: one for row, one in zip(made, lines, strict=True)})
        case ("release", numbers):
            ids = chosen(model.live, numbers)
            assert sorted(row["id"] for row in await inventory.release_reservations(ids)) == ids
            for id in ids:
                model.released[id] = model.live.pop(id)
        case ("restore", numbers):
            ids = chosen(model.released, numbers)
            try:
                assert await inventory.restore_reservations(ids) == ids
            except NotFound:
                assert any(model.released[id][0] not in model.stocked for id in ids)
            else:
                for id in ids:
                    model.live[id] = model.released.pop(id)
        case ("resize", number, quantity, place):
            for id in chosen(model.live, [number]):
                old, held, backorder = model.live[id]
                new = old[0], place
                more = quantity - held if new == old else quantity
                fits = new in model.stocked and (backorder or more <= 0 or model.available(new) >= more)
                try:
                    await inventory.update_reservations([{"id": id, "quantity": quantity, "location_id": place}])
                except REFUSED:
                    assert not fits
                else:
                    assert fits or (new == old and not more)
                    model.live[id] = new, quantity, backorder
        case ("adjust" | "set" as how, where, quantity):
            key = model.key(where)
            named = {"inventory_item_id": key[0], "location_id": key[1]}
            try:
                if how == "set":
                    await inventory.update_levels([{**named, "stocked_quantity": quantity}])
                else:
                    await inventory.adjust([{**named, "adjustment": quantity}])
            except NotFound:
                assert key not in model.stocked
            else:
                model.stocked[key] = quantity if how == "set" else model.stocked[key] + quantity
        case ("delete", where):
            key = model.key(where)
            levels = await inventory.list("inventory_level", {"inventory_item_id": key[0], "location_id": key[1]}, fields=("id",))
            try:
                await inventory.delete_levels([one["id"] for one in levels], force=True)
            except NotAllowed:
                assert model.reserved(key) > 0
            else:
                assert not model.reserved(key)
                model.stocked.pop(key, None)


async def check(inventory: InventoryService, model: Model) -> None:
    levels = await inventory.list("inventory_level", {"inventory_item_id": model.items})
    seen = {
        (row["inventory_item_id"], row["location_id"]): (Decimal(row["stocked_quantity"]), Decimal(row["reserved_quantity"]))
        for row in levels
    }
    assert seen == {key: (stocked, model.reserved(key)) for key, stocked in model.stocked.items()}


@pytest.fixture
async def inventory(fresh_database: str) -> AsyncIterator[InventoryService]:
    async with alone(InventoryService, fresh_database) as service:
        yield service


@settings(
    max_examples=60,
    # the examples share a database, but not their items
)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
async def test_counters_are_the_sums_of_reservations(inventory: InventoryService, steps: list[tuple[Any, ...]]) -> None:
    """Hypothesis prints the steps that break it, and how to run them again."""
    levels = [{"location_id": place, "stocked_quantity": 5} for place in PLACES]
    items = await inventory.create_items([{"location_levels": levels}, {"location_levels": levels}])
    model = Model([row["id"] for row in items])
    for step in steps:
        note(str(step))
        await take(inventory, model, step)
        await check(inventory, model)
