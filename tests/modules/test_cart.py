"""The cart module: changes happen whole or not at all, and totals are shown as fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import Conflict, InvalidData, NotFound
from velella.core.ids import new_id
from velella.core.query.page import Query
from velella.modules.cart.change import COLUMNS, CartChange
from velella.modules.cart.service import CartService
from velella.modules.cart.tables import cart

from .one_module import alone

D = Decimal


@pytest.fixture
async def carts(fresh_database: str) -> AsyncIterator[CartService]:
    async with alone(CartService, fresh_database) as service:
        yield service


def line(price: str = "10", quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": new_id("cali"), "title": "Shirt", "unit_price": D(price), "quantity": quantity, **more}


def tax(item: dict[str, Any], rate: str = "25") -> dict[str, Any]:
    return {"id": new_id("calitxl"), "item_id": item["id"], "code": "vat", "rate": D(rate)}


async def opened(carts: CartService, *items: dict[str, Any], **more: Any) -> str:
    cart_id = new_id("cart")
    written = await carts.open(cart_id, CartChange({"currency_code": "eur", "email": "a@example.com"}, items=items, **more))
    assert written["version"] == 1
    return cart_id


async def shown(carts: CartService, cart_id: str, *fields: str) -> dict[str, Any]:
    return (await carts.query(Query("cart", fields, {"id": cart_id}))).rows[0]


async def test_a_cart_is_created_with_all_that_is_in_it(carts: CartService) -> None:
    first, second = line("10", 2), line("5", is_tax_inclusive=True, metadata={"gift": True})
    address = {"id": new_id("caaddr"), "city": "Bremen", "country_code": "de"}
    change = CartChange(
        {"currency_code": "eur", "shipping_address_id": address["id"]},
        addresses=(address,),
        items=(first, second),
        shipping_methods=({"id": new_id("casm"), "name": "Post", "amount": D("4.90")},),
        item_tax_lines=(tax(first), tax(second)),
    )
    cart_id = new_id("cart")
    await carts.open(cart_id, change)
    loaded = await carts.load(cart_id)
    assert [item["id"] for item in loaded["items"]] == [first["id"], second["id"]]
    assert [(item["requires_shipping"], item["is_tax_inclusive"]) for item in loaded["items"]] == [(True, False), (True, True)]
    assert loaded["items"][1]["metadata"] == {"gift": True}
    assert loaded["items"][0]["tax_lines"][0]["rate"] == 25
    assert loaded["shipping_address"]["city"] == "Bremen"
    assert loaded["shipping_methods"][0]["amount"] == D("4.9")


async def test_only_the_totals_that_are_asked_for_are_shown(carts: CartService) -> None:
    item = line("10", 3)
    cart_id = await opened(carts, item, item_tax_lines=(tax(item),))
    row = await shown(carts, cart_id, "id", "total", "tax_total", "items.title", "items.tax_lines.total")
    assert row == {
        "id": cart_id,
        "total": D("37.5"),
        "tax_total": D("7.5"),
        "items": [{"title": "Shirt", "tax_lines": [{"total": D("7.5")}]}],
    }
    assert await shown(carts, cart_id, "id", "email") == {"id": cart_id, "email": "a@example.com"}


async def test_totals_come_along_with_all_columns_of_the_lines(carts: CartService) -> None:
    cart_id = await opened(carts, line("2.5", 2))
    row = await shown(carts, cart_id, "total", "*items")
    assert row["items"][0]["total"] == 5
    assert row["items"][0]["unit_price"] == D("2.5")
    assert row["items"][0]["raw_total"] == {"value": "5", "precision": 20}
    assert row["items"][0]["tax_lines"] == row["items"][0]["adjustments"] == []
    assert "total" not in (await shown(carts, cart_id, "*items"))["items"][0]
    assert "currency_code" not in row


async def test_a_change_replaces_adds_and_removes(carts: CartService) -> None:
    kept, gone, new = line("10"), line("20"), line("30")
    cart_id = await opened(carts, kept, gone, item_tax_lines=(tax(kept), tax(gone)))
    change = CartChange(
        {"currency_code": "eur", "email": "b@example.com"},
        items=({**kept, "quantity": 4}, new),
        gone_items=(gone["id"],),
        item_tax_lines=(tax(kept, "10"), tax(new, "20")),
    )
    assert (await carts.change(cart_id, 1, change))["version"] == 2
    loaded = await carts.load(cart_id)
    assert loaded["email"] == "b@example.com"
    assert [(item["id"], item["quantity"], [t["rate"] for t in item["tax_lines"]]) for item in loaded["items"]] == [
        (kept["id"], 4, [10]),
        (new["id"], 1, [20]),
    ]
    assert await carts.count("cart_line_item_tax_line") == 2


async def test_an_empty_list_of_tax_lines_takes_them_away_and_none_leaves_them(carts: CartService) -> None:
    item = line()
    cart_id = await opened(carts, item, item_tax_lines=(tax(item),))
    await carts.change(cart_id, 1, CartChange({"currency_code": "eur"}))
    assert await carts.count("cart_line_item_tax_line") == 1
    await carts.change(cart_id, 2, CartChange({"currency_code": "eur"}, item_tax_lines=()))
    assert await carts.count("cart_line_item_tax_line") == 0


async def test_a_change_on_a_stale_version_writes_nothing(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    changes = [carts.change(cart_id, 1, CartChange({"currency_code": "eur"}, items=(line(),))) for _ in range(8)]
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert [result["version"] for result in results if isinstance(result, dict)] == [2]
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert await carts.count("cart_line_item", {"cart_id": cart_id}) == 2


async def test_a_completed_cart_refuses_changes(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    assert await carts.complete(cart_id, 1) == 2
    with pytest.raises(InvalidData, match="already completed"):
        await carts.change(cart_id, 2, CartChange({"currency_code": "eur"}, items=(line(),)))
    with pytest.raises(InvalidData, match="already completed"):
        await carts.complete(cart_id, 2)
    assert await carts.reopen(cart_id, 1) is None
    assert await carts.reopen(cart_id, 2) == 3
    assert (await carts.change(cart_id, 3, CartChange({"currency_code": "eur"}, items=(line(),))))["version"] == 4


async def test_only_one_completion_of_a_version_wins(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    results = await asyncio.gather(*(carts.complete(cart_id, 1) for _ in range(8)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, InvalidData)] == [2]


async def test_lines_of_another_cart_are_out_of_reach(carts: CartService) -> None:
    mine, theirs = line("10"), line("20")
    cart_id = await opened(carts, mine)
    other_id = await opened(carts, theirs)
    await carts.change(
        cart_id, 1, CartChange({"currency_code": "eur"}, items=({**theirs, "unit_price": D(0)},), gone_items=(theirs["id"],))
    )
    other = await carts.load(other_id)
    assert [item["unit_price"] for item in other["items"]] == [20]


async def test_what_the_database_refuses_leaves_the_cart_as_it_was(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    with pytest.raises(InvalidData):
        await carts.change(cart_id, 1, CartChange({"currency_code": "eur"}, items=(line(), line("-1"))))
    assert (await carts.load(cart_id))["version"] == 1
    assert await carts.count("cart_line_item") == 1


async def test_an_unknown_cart_is_not_found(carts: CartService) -> None:
    with pytest.raises(NotFound):
        await carts.load("cart_0")
    with pytest.raises(NotFound):
        await carts.change("cart_0", 1, CartChange({"currency_code": "eur"}))


def test_a_change_names_every_column_that_is_not_the_modules_own() -> None:
    own = {"id", "version", "completed_at", "created_at", "updated_at", "deleted_at"}
    assert {column.name for column in cart.c} - own == set(COLUMNS)
