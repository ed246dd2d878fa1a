"""The cart module: changes happen whole or not at all, totals are shown as fields, and views show what documents hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import Conflict, InvalidData, NotFound
from velella.core.ids import new_id
from velella.core.sql.db.compiled import Compiled
from velella.core.sql.schema.query import Query
from velella.modules.cart.service import CartService
from velella.modules.cart.showing import shown as shown_in_hand
from velella.modules.cart.tables import COLUMNS, SCHEMA, cart

from .one_module import alone
from .some_fields import new_dice, some_fields

D = Decimal
AT = "2026-11-05T12:00:00.123Z"
STAMPS = {"created_at": AT, "updated_at": AT}


@pytest.fixture
async def carts(fresh_database: str) -> AsyncIterator[CartService]:
    async with alone(CartService, fresh_database) as service:
        yield service


def line(price: str = "10", quantity: int = 1, **more: Any) -> dict[str, Any]:
    flags = {"requires_shipping": True, "is_discountable": True, "is_giftcard": False, "is_tax_inclusive": False, "is_custom_price": False}
    own = {"id": new_id("cali"), "title": "Shirt", "variant_id": None, "unit_price": D(price), "quantity": quantity}
    return {**own, **flags, "tax_lines": [], "adjustments": [], **STAMPS, **more}


def tax(rate: str = "25") -> dict[str, Any]:
    return {"id": new_id("calitxl"), "code": "vat", "rate": D(rate), **STAMPS}


def post(**more: Any) -> dict[str, Any]:
    own = {"id": new_id("casm"), "name": "Post", "amount": D("4.90"), "is_tax_inclusive": False}
    return {**own, "tax_lines": [], "adjustments": [], **STAMPS, **more}


def a_cart(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    empty = {"shipping_address": None, "billing_address": None, "shipping_methods": [], "credit_lines": []}
    return {**dict.fromkeys(COLUMNS), "currency_code": "eur", "email": "a@example.com", **empty, "items": list(items), **STAMPS, **more}


async def opened(carts: CartService, *items: dict[str, Any], **more: Any) -> str:
    cart_id = new_id("cart")
    assert await carts.open(cart_id, a_cart(*items, **more)) == 1
    return cart_id


def full_cart() -> dict[str, Any]:
    """A cart with something in every place."""
    to, bill = ({"id": new_id("caaddr"), "city": city, "metadata": {"b": [1], "a": D("1.50")}, **STAMPS} for city in ("Bremen", "Ulm"))
    off = {"code": "FIVE", "amount": D("0.50"), "promotion_id": "promo_1", **STAMPS}
    less = [{"id": new_id("caliadj"), "is_tax_inclusive": inclusive, **off} for inclusive in (True, False)]
    items = (line("10.250", 2, tax_lines=[tax("19.0"), tax("0")], adjustments=less, variant_id="variant_1", metadata={}), line("3"))
    way = post(description={"x": None}, data={"point": 7}, tax_lines=[tax()], adjustments=[{"id": new_id("casmadj"), **off}])
    credit = [{"id": new_id("cacl"), "reference": "gift", "amount": D("-1.10"), **STAMPS}]
    addresses = {"shipping_address": to, "shipping_address_id": to["id"], "billing_address": bill, "billing_address_id": bill["id"]}
    return a_cart(*items, **addresses, shipping_methods=[way], credit_lines=credit, metadata={"n": D("0.10")})


async def shown(carts: CartService, cart_id: str, *fields: str) -> dict[str, Any]:
    return (await carts.query(Query("cart", fields, {"id": cart_id}))).rows[0]


async def test_a_cart_is_created_with_all_that_is_in_it(carts: CartService) -> None:
    first, second = line("10", 2, tax_lines=[tax()]), line("5", is_tax_inclusive=True, metadata={"gift": True}, tax_lines=[tax()])
    address = {"id": new_id("caaddr"), "city": "Bremen", "country_code": "de", **STAMPS}
    cart_id = await opened(carts, first, second, shipping_methods=[post()], shipping_address=address, shipping_address_id=address["id"])
    loaded = await carts.load(cart_id)
    assert [item["id"] for item in loaded["items"]] == [first["id"], second["id"]]
    assert [(item["requires_shipping"], item["is_tax_inclusive"]) for item in loaded["items"]] == [(True, False), (True, True)]
    assert loaded["items"][1]["metadata"] == {"gift": True}
    assert loaded["items"][0]["tax_lines"][0]["rate"] == 25
    assert loaded["shipping_address"]["city"] == "Bremen"
    assert loaded["shipping_methods"][0]["amount"] == D("4.9")


async def test_only_the_totals_that_are_asked_for_are_shown(carts: CartService) -> None:
    item = line("10", 3, tax_lines=[tax()])
    cart_id = await opened(carts, item)
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
    kept, gone, new = line("10", tax_lines=[tax()]), line("20", tax_lines=[tax()]), line("30", tax_lines=[tax("20")])
    cart_id = await opened(carts, kept, gone)
    change = a_cart({**kept, "quantity": 4, "tax_lines": [tax("10")]}, new, email="b@example.com")
    assert await carts.change(cart_id, 1, change) == 2
    loaded = await carts.load(cart_id)
    assert loaded["email"] == "b@example.com"
    assert [(item["id"], item["quantity"], [t["rate"] for t in item["tax_lines"]]) for item in loaded["items"]] == [
        (kept["id"], 4, [10]),
        (new["id"], 1, [20]),
    ]
    assert await carts.count("cart_line_item_tax_line") == 2


async def test_a_change_on_a_stale_version_writes_nothing(carts: CartService) -> None:
    first = line()
    cart_id = await opened(carts, first)
    results = await asyncio.gather(*(carts.change(cart_id, 1, a_cart(first, line())) for _ in range(8)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, Conflict)] == [2]
    assert await carts.count("cart_line_item", {"cart_id": cart_id}) == 2


async def test_a_completed_cart_refuses_changes(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    assert await carts.complete(cart_id, 1, "order_1") == 2
    with pytest.raises(InvalidData, match="already completed"):
        await carts.change(cart_id, 2, a_cart(line()))
    with pytest.raises(InvalidData, match="already completed"):
        await carts.complete(cart_id, 2, "order_2")
    assert await carts.reopen(cart_id, 1) is None
    assert await carts.reopen(cart_id, 2) == 3
    assert await carts.change(cart_id, 3, a_cart(line())) == 4


async def test_only_one_completion_of_a_version_wins(carts: CartService) -> None:
    cart_id = await opened(carts, line())
    results = await asyncio.gather(*(carts.complete(cart_id, 1, f"order_{n}") for n in range(8)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, InvalidData)] == [2]


@pytest.mark.parametrize(
    "wrong",
    [{"unit_price": D("-1")}, {"unit_price": None}, {"quantity": 0}, {"quantity": D("1.5")}, {"title": None}, {"title": "nul\x00"}],
    ids=str,
)
async def test_what_cannot_be_in_a_cart_leaves_it_as_it_was(carts: CartService, wrong: dict[str, Any]) -> None:
    cart_id = await opened(carts, line())
    with pytest.raises(InvalidData):
        await carts.change(cart_id, 1, a_cart(line(), line(**{"price": "1", **wrong})))
    assert (await carts.load(cart_id))["version"] == 1
    assert await carts.count("cart_line_item") == 1


async def test_a_backslash_is_a_letter(carts: CartService) -> None:
    title = r"C:\u0000 \\u0000"
    cart_id = await opened(carts, line(title=title))
    assert (await carts.load(cart_id))["items"][0]["title"] == title
    assert (await carts.list("cart_line_item"))[0]["title"] == title


async def test_an_unknown_cart_is_not_found(carts: CartService) -> None:
    with pytest.raises(NotFound):
        await carts.load("cart_0")
    with pytest.raises(NotFound):
        await carts.change("cart_0", 1, a_cart())


async def test_what_lies_in_a_cart_is_written_with_the_cart_only(carts: CartService) -> None:
    for write in (
        carts.create("cart", [{"currency_code": "eur"}]),
        carts.update("cart_line_item", [{"id": "cali_1", "quantity": 2}]),
        carts.delete("cart_line_item", ["cali_1"]),
    ):
        with pytest.raises(TypeError):
            await write


def test_a_change_names_every_column_that_is_not_the_modules_own() -> None:
    kept = {"id", "version", "completed_at", "order_id", "created_at", "updated_at", "deleted_at"}
    own = kept | {"document", "document_schema", "variant_ids"}
    assert {column.name for column in cart.c} - own == set(COLUMNS)


FIELDS = (
    ("*", "*items", "*items.tax_lines", "*items.adjustments", "*shipping_methods", "*shipping_methods.tax_lines"),
    ("id", "*shipping_address", "billing_address.city", "*credit_lines", "*shipping_methods.adjustments"),
    ("*items.cart", "items.tax_lines.item.title", "items.cart.items.title"),
    ("items.cart.shipping_address.city", "*items.tax_lines.item.cart"),
    ("items", "shipping_address", "credit_lines.amount", "credit_lines.raw_amount", "nobody.knows"),
    ("items.metadata.a", "items.adjustments.raw_amount", "items.adjustments.amount", "version", "metadata"),
)


async def test_carts_are_shown_alike_out_of_documents_out_of_hand_and_by_views(carts: CartService, monkeypatch: pytest.MonkeyPatch) -> None:
    cart_id = new_id("cart")
    await carts.open(cart_id, full_cart())
    await opened(carts, line())
    whole = await carts.load(cart_id)
    dice = new_dice()

    async def shown_each_way(fields: tuple[str, ...]) -> tuple[Any, Any]:
        """What a client and business code see, or why they see nothing."""
        client = (await carts.query(Query("cart", fields, {"id": cart_id}))).rows
        try:
            return client, await carts.list("cart", {"id": cart_id}, fields=fields)
        except InvalidData as error:
            return client, str(error)

    for fields in (*FIELDS, *(some_fields(dice, SCHEMA, "cart") for _ in range(60))):
        of_document = await shown_each_way(fields)
        in_hand = shown_in_hand([whole], fields)
        with monkeypatch.context() as views:
            views.setattr(carts.statements.documents, "showing", lambda *_, **__: None)
            of_views = await shown_each_way(fields)
        assert of_document == of_views, fields
        assert in_hand == of_document[0], fields
        assert [list(row) for row in of_document[0]] == [list(row) for row in of_views[0]], "in the same order, too"


async def test_what_lies_in_carts_is_asked_for_like_anything_else(carts: CartService) -> None:
    cart_id = new_id("cart")
    await carts.open(cart_id, full_cart())
    other = await opened(carts, line("7", 3, variant_id="variant_2", tax_lines=[tax("7")]))

    async def ids(entity: str, **filters: Any) -> list[str]:
        page = await carts.query(Query(entity, ("id", "root_id"), filters, order=("-created_at",)))
        assert all(row.keys() == {"id"} for row in page.rows)
        return [row["id"] for row in page.rows]

    assert await ids("cart", items={"variant_id": "variant_1"}) == [cart_id]
    assert await ids("cart", items={"tax_lines": {"rate": {"$lt": 10, "$gt": 0}}}) == [other]
    assert await ids("cart", shipping_address={"city": {"$like": "Br%"}}) == [cart_id]
    assert await ids("cart", shipping_address={"city": "Ulm"}) == []
    assert await ids("cart", billing_address={"city": "Ulm"}) == [cart_id]
    [line_item] = (await carts.query(Query("cart_line_item", ("quantity", "cart.email"), {"variant_id": ["variant_2", "x"]}))).rows
    assert (line_item["quantity"], line_item["cart"]) == (3, {"id": other, "email": "a@example.com"})
    assert await carts.count("cart_line_item", {"variant_id": "variant_2"}) == 1
    assert await carts.delete("cart", [other]) == [other]
    assert await carts.count("cart_line_item", {"variant_id": "variant_2"}) == 0
    by_price = await carts.query(Query("cart", ("id",), {}, order=("items.unit_price",)))
    assert [row["id"] for row in by_price.rows] == [cart_id]


async def test_reports_find_what_documents_hold(carts: CartService) -> None:
    """Read by plain SQL out of every view: what the document says, and nothing else."""
    cart_id = new_id("cart")
    await carts.open(cart_id, full_cart())
    await opened(carts)
    whole = await carts.load(cart_id)
    lines = (*whole["items"], *whole["shipping_methods"])
    held = {
        "cart_address": [whole["shipping_address"], whole["billing_address"]],
        "cart_line_item": whole["items"],
        "cart_shipping_method": whole["shipping_methods"],
        "credit_line": whole["credit_lines"],
        "cart_line_item_tax_line": [row for each in whole["items"] for row in each["tax_lines"]],
        "cart_line_item_adjustment": [row for each in whole["items"] for row in each["adjustments"]],
        "cart_shipping_method_tax_line": [row for each in lines[2:] for row in each["tax_lines"]],
        "cart_shipping_method_adjustment": [row for each in lines[2:] for row in each["adjustments"]],
    }
    assert held.keys() == {entity.table.name for entity in SCHEMA.entities.values() if entity.inside}
    for view, rows in held.items():
        found = await carts.database.fetch(Compiled(f"SELECT * FROM {view} ORDER BY id"))
        names = tuple(found[0].keys())
        columns = [name for name in names if name not in ("root_id", "created_at", "updated_at")]
        assert [[row[name] for name in columns] for row in found] == [[row[name] for name in columns] for row in rows], view
        assert {row["root_id"] for row in found} == {cart_id}
