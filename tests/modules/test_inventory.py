"""The inventory module: nothing is sold twice, and counters are what reservations say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InsufficientInventory, InvalidData, NotAllowed, NotFound, VelellaError
from velella.core.message import CallContext, call_context
from velella.core.service.context import ModuleContext
from velella.core.sql.db.database import Database
from velella.core.sql.schema.query import Query
from velella.modules.inventory.service import InventoryService

from .one_module import alone

D = Decimal
HERE, THERE = "sloc_here", "sloc_there"


@pytest.fixture
async def inventory(fresh_database: str) -> AsyncIterator[InventoryService]:
    async with alone(InventoryService, fresh_database, connections=8) as service:
        yield service


async def stocked(inventory: InventoryService, quantity: int | Decimal = 10, location: str = HERE, **item: Any) -> str:
    (made,) = await inventory.create_items([{**item, "location_levels": [{"location_id": location, "stocked_quantity": quantity}]}])
    return str(made["id"])


def line(item: str, quantity: int | Decimal = 1, location: str = HERE, **more: Any) -> dict[str, Any]:
    return {"inventory_item_id": item, "location_id": location, "quantity": quantity, **more}


async def level(inventory: InventoryService, item: str, location: str = HERE) -> dict[str, Any]:
    (found,) = await inventory.list("inventory_level", {"inventory_item_id": item, "location_id": location})
    return found


async def test_two_hundred_at_once_get_fifty_units_and_no_more(inventory: InventoryService) -> None:
    item = await stocked(inventory, 50)
    answers = await asyncio.gather(
        *(inventory.reserve([line(item, line_item_id=f"ordli_{n}")]) for n in range(200)), return_exceptions=True
    )
    reserved = [answer for answer in answers if not isinstance(answer, BaseException)]
    refused = [answer for answer in answers if isinstance(answer, InsufficientInventory)]
    assert (len(reserved), len(refused)) == (50, 150)
    assert (await level(inventory, item))["reserved_quantity"] == 50
    assert await inventory.count("reservation_item") == 50


async def test_two_lines_cannot_both_take_the_last_unit(inventory: InventoryService) -> None:
    item = await stocked(inventory, 1)
    with pytest.raises(InsufficientInventory) as refused:
        await inventory.reserve([line(item), line(item)])
    assert refused.value.body()["type"] == "not_allowed"
    assert refused.value.body()["code"] == "insufficient_inventory"
    assert await inventory.available([item]) == {item: 1}
    assert await inventory.count("reservation_item") == 0


async def test_a_refused_line_takes_all_lines_with_it(inventory: InventoryService) -> None:
    plenty, nothing = await stocked(inventory, 100), await stocked(inventory, 0)
    with pytest.raises(InsufficientInventory, match=nothing):
        await inventory.reserve([line(plenty, 5), line(nothing)])
    assert await inventory.available([plenty, nothing]) == {plenty: 100, nothing: 0}


async def test_crossing_reservations_of_two_items_do_not_wait_for_each_other(inventory: InventoryService) -> None:
    first, second = await stocked(inventory, 1000), await stocked(inventory, 1000)
    pairs = ([line(first), line(second)], [line(second), line(first)])
    await asyncio.gather(*(inventory.reserve(pairs[n % 2]) for n in range(60)))
    assert await inventory.available([first, second]) == {first: 940, second: 940}


async def test_back_orders_are_taken_whatever_there_is(inventory: InventoryService) -> None:
    item = await stocked(inventory, 2)
    await inventory.reserve([line(item, 5, allow_backorder=True)])
    assert await inventory.available([item]) == {item: -3}
    with pytest.raises(InsufficientInventory):
        await inventory.reserve([line(item)])


async def test_of_mixed_lines_only_those_that_need_stock_are_guarded(inventory: InventoryService) -> None:
    item = await stocked(inventory, 2)
    made = await inventory.reserve([line(item, 2), line(item, 7, allow_backorder=True)])
    assert [row["quantity"] for row in made] == [2, 7]
    assert (await level(inventory, item))["reserved_quantity"] == 9


async def test_what_is_reserved_is_shown_as_it_is_kept(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10, sku="SHIRT")
    asked = line(item, D("2.5"), line_item_id="ordli_1", description="for Ada", metadata={"gift": True}, created_by="user_1")
    (made,) = await inventory.reserve([asked])
    (kept,) = await inventory.list("reservation_item", {"id": made["id"]})
    assert made == kept
    assert made["id"].startswith("resitem_")
    page = await inventory.query(Query("reservation_item", ("id", "raw_quantity", "inventory_item.sku"), {"q": "SHIRT"}))
    assert page.rows == [
        {
            "id": made["id"],
            "raw_quantity": {"value": "2.5", "precision": 20},
            "inventory_item_id": item,
            "inventory_item": {"id": item, "sku": "SHIRT"},
        }
    ]


@pytest.mark.parametrize("quantity", [0, -1, "x", True, None, D("NaN")])
async def test_a_quantity_has_to_be_above_zero(inventory: InventoryService, quantity: Any) -> None:
    item = await stocked(inventory)
    with pytest.raises(InvalidData):
        await inventory.reserve([line(item, quantity)])
    assert await inventory.available([item]) == {item: 10}


async def test_what_is_not_stocked_at_a_location_is_not_found(inventory: InventoryService) -> None:
    item = await stocked(inventory)
    with pytest.raises(NotFound, match=THERE):
        await inventory.reserve([line(item), line(item, location=THERE)])
    assert await inventory.available([item]) == {item: 10}


async def test_released_twice_is_given_back_once(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    made = await inventory.reserve([line(item, 3, line_item_id="a"), line(item, 4, line_item_id="b")])
    ids = [row["id"] for row in made]
    released = await asyncio.gather(
        *(inventory.release_reservations(ids) for _ in range(8)), inventory.release_reservations(line_item_ids=["a"])
    )
    assert sorted(row["id"] for rows in released for row in rows) == sorted(ids)
    assert await inventory.available([item]) == {item: 10}
    assert (await level(inventory, item))["reserved_quantity"] == 0


async def test_restoring_holds_the_same_units_again(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    (made,) = await inventory.reserve([line(item, 4, line_item_id="a")])
    await inventory.release_reservations(line_item_ids=["a"])
    assert await inventory.restore_reservations([made["id"]]) == [made["id"]]
    assert await inventory.restore_reservations([made["id"]]) == []
    assert await inventory.available([item]) == {item: 6}


async def test_a_reservation_grows_only_as_far_as_there_is_stock(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    (made,) = await inventory.reserve([line(item, 4)])
    (grown,) = await inventory.update_reservations([{"id": made["id"], "quantity": 10, "description": "all"}])
    assert (grown["quantity"], grown["description"]) == (10, "all")
    with pytest.raises(InsufficientInventory):
        await inventory.update_reservations([{"id": made["id"], "quantity": 11}])
    await inventory.update_reservations([{"id": made["id"], "quantity": 1}])
    assert await inventory.available([item]) == {item: 9}


async def test_a_reservation_moves_with_its_units(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    await inventory.create_levels([{"inventory_item_id": item, "location_id": THERE, "stocked_quantity": 3}])
    (made,) = await inventory.reserve([line(item, 3)])
    await inventory.update_reservations([{"id": made["id"], "location_id": THERE}])
    assert await inventory.available_at([item]) == {item: {HERE: 10, THERE: 0}}
    with pytest.raises(NotFound):
        await inventory.update_reservations([{"id": made["id"], "location_id": "sloc_nowhere"}])


async def test_a_message_that_comes_twice_reserves_once(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)

    async def delivered() -> list[dict[str, Any]]:
        call_context.set(CallContext(message_id="wfx_1:3/1"))
        return await inventory.reserve([line(item, 2)])

    first, second = await asyncio.gather(asyncio.create_task(delivered()), asyncio.create_task(delivered()))
    assert first == second
    assert await inventory.available([item]) == {item: 8}


async def test_levels_are_set_adjusted_and_deleted(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    (changed,) = await inventory.update_levels([{"inventory_item_id": item, "location_id": HERE, "incoming_quantity": D("0.5")}])
    assert (changed["stocked_quantity"], changed["incoming_quantity"], changed["available_quantity"]) == (10, D("0.5"), 10)
    adjustment = {"inventory_item_id": item, "location_id": HERE, "adjustment": -4}
    (adjusted,) = await inventory.adjust([adjustment, adjustment | {"adjustment": 1}])
    assert adjusted["stocked_quantity"] == 7
    with pytest.raises(NotAllowed, match="force"):
        await inventory.delete_levels([adjusted["id"]])
    (held,) = await inventory.reserve([line(item)])
    with pytest.raises(NotAllowed, match="reserved"):
        await inventory.delete_levels([adjusted["id"]], force=True)
    with pytest.raises(InvalidData, match=item):
        await inventory.delete_items([item])
    await inventory.release_reservations([held["id"]])
    assert await inventory.delete_levels([adjusted["id"]], force=True) == [adjusted["id"]]
    with pytest.raises(NotFound):
        await inventory.reserve([line(item)])
    assert await inventory.delete_items([item]) == [item]


async def test_a_batch_of_levels_is_done_as_a_whole(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    here = await level(inventory, item)
    create = [{"inventory_item_id": item, "location_id": THERE, "stocked_quantity": 5}]
    with pytest.raises(NotFound):
        await inventory.batch_levels(create, [{"inventory_item_id": item, "location_id": "sloc_nowhere", "stocked_quantity": 1}])
    done = await inventory.batch_levels(create, (), [here["id"]], force=True)
    assert ([row["location_id"] for row in done["created"]], done["updated"], done["deleted"]) == ([THERE], [], [here["id"]])
    assert await inventory.available_at([item]) == {item: {THERE: 5}}
    with pytest.raises(InvalidData, match="already exists"):
        await inventory.create_levels(create)


async def test_an_item_shows_what_all_its_levels_hold(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10, sku="A")
    await inventory.create_levels([{"inventory_item_id": item, "location_id": THERE, "stocked_quantity": D("2.5")}])
    await inventory.reserve([line(item, 4)])
    empty = (await inventory.create_items([{"title": "nowhere"}]))[0]["id"]
    page = await inventory.query(
        Query("inventory_item", ("stocked_quantity", "reserved_quantity", "location_levels.available_quantity"), order=("id",))
    )
    assert [(row["id"], row["stocked_quantity"], row["reserved_quantity"]) for row in page.rows] == [(item, D("12.5"), 4), (empty, 0, 0)]
    assert [one["available_quantity"] for one in page.rows[0]["location_levels"]] == [6, D("2.5")]


async def test_a_sku_belongs_to_one_item(inventory: InventoryService) -> None:
    await stocked(inventory, sku="A")
    with pytest.raises(InvalidData, match="Inventory item with sku: A, already exists"):
        await stocked(inventory, sku="A")


async def test_confirm_sums_lines_and_looks_only_where_it_is_told(inventory: InventoryService) -> None:
    item = await stocked(inventory, 3)
    await inventory.create_levels([{"inventory_item_id": item, "location_id": THERE, "stocked_quantity": 3}])

    def asked(quantity: int, *places: str, **more: Any) -> dict[str, Any]:
        return {"inventory_item_id": item, "quantity": quantity, "location_ids": list(places) or None, **more}

    assert await inventory.confirm([asked(6)])
    assert not await inventory.confirm([asked(7)])
    assert not await inventory.confirm([asked(4, HERE)])
    assert not await inventory.confirm([asked(2, HERE), asked(2, HERE)])
    assert await inventory.confirm([asked(99, HERE, allow_backorder=True), asked(3, THERE)])


def message(number: int) -> CallContext:
    return CallContext(message_id=f"execution_1:reserve/{number}")


async def sent(inventory: InventoryService, number: int, *lines: dict[str, Any]) -> Any:
    """A reservation that came over a wire: its reply, or its error."""
    call_context.set(message(number))
    try:
        return await inventory.reserve(list(lines))
    except VelellaError as error:
        return error


async def test_messages_decided_together_are_answered_each_for_itself(inventory: InventoryService) -> None:
    plenty, few = await stocked(inventory, 100), await stocked(inventory, 3)
    asks = [
        [line(plenty, 2)],
        [line(few, 2), line(plenty)],
        [line(few, 2), line(plenty, 50)],  # too many: takes nothing
        [line(few, "0")],  # nothing to reserve
        [line(few, 1)],
        [line("iitem_none")],
        [line(few, 5, allow_backorder=True)],
        [line(few, 1)],
    ]
    answers = await asyncio.gather(*(sent(inventory, number, *lines) for number, lines in enumerate(asks)))
    kinds = [type(answer).__name__ for answer in answers]
    assert kinds == ["list", "list", "InsufficientInventory", "InvalidData", "list", "NotFound", "list", "InsufficientInventory"]
    assert await inventory.available([plenty, few]) == {plenty: 97, few: -5}
    again = await asyncio.gather(*(sent(inventory, number, *lines) for number, lines in enumerate(asks)))
    assert [answer for answer in again if isinstance(answer, list)] == [answer for answer in answers if isinstance(answer, list)]
    assert await inventory.count("reservation_item") == 5


async def test_a_message_that_came_alone_is_answered_the_same_among_others(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)

    async def first() -> list[Any]:
        call_context.set(CallContext(message_id=message(1).message_id, fresh=True))
        return await inventory.reserve([line(item, 2)])

    made = await asyncio.create_task(first())
    again = await asyncio.gather(*(sent(inventory, number, line(item, 2)) for number in range(3)))
    assert again[1] == made
    assert await inventory.available([item]) == {item: 4}


@asynccontextmanager
async def beside(inventory: InventoryService) -> AsyncIterator[InventoryService]:
    """Another replica on the same database."""
    context = inventory.context
    database = Database(inventory.database.url, connections=8)
    await database.open()
    try:
        yield InventoryService(ModuleContext(context.settings, database, context.providers, context.changed))
    finally:
        await database.close()


async def test_a_crowd_gets_what_is_there_each_unit_once(inventory: InventoryService) -> None:
    """Messages come twice, some callers give up, and another process sells the same units: every unit is sold once."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    items = [await stocked(inventory, rng.randint(5, 60)) for _ in range(3)]
    stock = {item: (await level(inventory, item))["stocked_quantity"] for item in items}
    async with beside(inventory) as other:
        orders = [[line(item, rng.randint(1, 3)) for item in rng.sample(items, rng.randint(1, 3))] for _ in range(300)]
        tasks = []
        for number, lines in enumerate(orders):
            service = rng.choice((inventory, other))
            for _ in range(rng.choice((1, 1, 2))):
                tasks.append((number, asyncio.create_task(sent(service, number, *lines))))
            if rng.random() < 0.05:
                tasks[-1][1].cancel()
            if rng.random() < 0.2:
                await asyncio.sleep(0)
        answers = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
        final = [await sent(rng.choice((inventory, other)), number, *lines) for number, lines in enumerate(orders)]
    for (number, _), answer in zip(tasks, answers, strict=True):
        if isinstance(answer, list):
            assert [row["id"] for row in answer] == [row["id"] for row in final[number]]
        else:
            assert isinstance(answer, (InsufficientInventory, asyncio.CancelledError)), answer
    granted = [row for answer in final if isinstance(answer, list) for row in answer]
    taken = {item: sum(row["quantity"] for row in granted if row["inventory_item_id"] == item) for item in items}
    held = {item: sum(row["quantity"] for row in await inventory.list("reservation_item", {"inventory_item_id": item})) for item in items}
    assert taken == held
    assert await inventory.available(items) == {item: stock[item] - held[item] for item in items}
    assert all(0 <= held[item] <= stock[item] for item in items)
    refused = [lines for lines, answer in zip(orders, final, strict=True) if not isinstance(answer, list)]
    left = {item: stock[item] - held[item] for item in items}
    assert all(any(left[each["inventory_item_id"]] < each["quantity"] for each in lines) for lines in refused)


async def test_a_message_that_the_database_refuses_fails_alone(inventory: InventoryService) -> None:
    item = await stocked(inventory, 10)
    (taken,) = await inventory.reserve([line(item)])
    asks = [[line(item)], [line(item, id=taken["id"])], [line(item)], [line(item, description="a\x00b")], [line(item)]]
    answers = await asyncio.gather(*(inventory.reserve(lines) for lines in asks), return_exceptions=True)
    assert [isinstance(answer, list) for answer in answers] == [True, False, True, False, True]
    assert await inventory.available([item]) == {item: 6}
    assert await inventory.count("reservation_item") == 4


@pytest.mark.parametrize("others", [0, 4])
async def test_who_gives_up_reserves_nothing(inventory: InventoryService, monkeypatch: pytest.MonkeyPatch, others: int) -> None:
    """Cancelled inside the transaction, alone or among others: what was done for them is undone, and the others get theirs."""
    item = await stocked(inventory, 100)
    tasks: list[asyncio.Task[Any]] = []
    counted: list[int] = []
    plain = inventory._take

    async def take(wanted: Any, rows: Any) -> str:
        moment = await plain(wanted, rows)
        counted.append(len(rows))
        tasks[0].cancel()
        return moment

    monkeypatch.setattr(inventory, "_take", take)
    tasks += [asyncio.create_task(inventory.reserve([line(item)])) for _ in range(1 + others)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await inventory.reserve([line(item)])  # the one that gave up is through by then
    assert counted[0] == 1 + others
    assert [isinstance(answer, list) for answer in answers] == [False, *[True] * others]
    assert await inventory.count("reservation_item") == others + 1
    assert await inventory.available([item]) == {item: 99 - others}


async def test_what_is_sent_and_put_back_is_counted_once_whoever_else_is_at_it(inventory: InventoryService) -> None:
    """By one reservation at another location, one here with something left, and a line that isn't reserved; repeated, beside others, and
    where the location has stopped stocking what comes back."""
    item, gone = await stocked(inventory, 10), await stocked(inventory, 5)
    await inventory.create_levels([{"inventory_item_id": item, "location_id": THERE, "stocked_quantity": 1}])
    await inventory.reserve(
        [line(item, 4, line_item_id="ordli_1"), line(item, 1, THERE, line_item_id="ordli_1"), line(gone, 5, line_item_id="ordli_2")]
    )

    async def delivered(number: int, method: str, *args: Any, fresh: bool = False) -> Any:
        call_context.set(CallContext(message_id=message(number).message_id, fresh=fresh))
        return await getattr(inventory, method)(*args)

    async def both(number: int, method: str, *args: Any) -> Any:
        first = await asyncio.create_task(delivered(number, method, *args, fresh=True))
        again = await asyncio.create_task(delivered(number, method, *args))
        assert again == first
        return first

    def of(line_item_id: str, inventory_item_id: str, quantity: int) -> dict[str, Any]:
        return {"line_item_id": line_item_id, "inventory_item_id": inventory_item_id, "quantity": quantity}

    async def figures(location: str = HERE) -> tuple[Decimal, Decimal]:
        there = await level(inventory, item, location)
        return there["stocked_quantity"], there["reserved_quantity"]

    with pytest.raises(InvalidData, match="exceeds the reserved quantity"):
        await both(1, "send", [of("ordli_1", item, 1), of("ordli_1", item, 5)], HERE)
    await inventory.reserve([line(item, 6)])
    with pytest.raises(InsufficientInventory, match="Not enough stock"):  # what is reserved elsewhere has to be available here
        await both(2, "send", [of("ordli_1", item, 5)], HERE)
    assert (await figures(), await figures(THERE)) == ((10, 10), (1, 1))
    await inventory.adjust([{"inventory_item_id": item, "location_id": HERE, "adjustment": 1}])
    sent = await both(3, "send", [of("ordli_1", item, 5), of("ordli_2", gone, 3)], HERE)
    assert (await figures(), await figures(THERE)) == ((6, 6), (1, 0))
    assert [len(sent[name]) for name in ("taken", "levels", "left", "gone")] == [3, 2, 1, 2]
    (rest,) = await inventory.list("reservation_item", {"line_item_id": "ordli_2"})
    assert (rest["id"], rest["quantity"]) == (sent["left"][0], 2)

    parts = [{**of("ordli_2", gone, 1), "location_id": HERE, "allow_backorder": False}]
    await asyncio.gather(*(inventory.take_back_sent(parts, [line(gone, 1)]) for _ in range(3)))  # all of them find the same reservation
    assert (await inventory.retrieve("reservation_item", rest["id"]))["quantity"] == 5
    assert (await level(inventory, gone))["stocked_quantity"] == 5
    assert await inventory.release_some([of("ordli_2", gone, 9)]) == [rest["id"]]
    await inventory.delete_items([gone])
    await inventory.delete_levels([(await level(inventory, item, THERE))["id"]], force=True)
    back = await both(4, "take_back_sent", sent["taken"], sent["stock"])
    assert (await figures(), await figures(THERE)) == ((11, 10), (0, 1))
    assert [len(back[name]) for name in ("levels", "created", "updated")] == [1, 2, 0]
    assert await inventory.count("reservation_item") == 3
