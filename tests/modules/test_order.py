"""The order module: an order is placed whole, shown with totals, and paid of what its summary says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import NotFound
from velella.core.ids import new_id
from velella.core.query.page import Query
from velella.modules.order.service import OrderService

from .one_module import alone

D = Decimal


@pytest.fixture
async def orders(fresh_database: str) -> AsyncIterator[OrderService]:
    async with alone(OrderService, fresh_database) as service:
        yield service


def order(*, currency: str = "eur", rate: str = "25", credit: str | None = None) -> dict[str, Any]:
    """Two of something at 9.99 without tax, 5 for shipping with tax."""
    address = new_id("ordaddr")
    return {
        "id": new_id("order"),
        "currency_code": currency,
        "email": "a@example.com",
        "shipping_address_id": address,
        "shipping_address": {"id": address, "city": "Bremen", "country_code": "de"},
        "items": [
            {
                "id": new_id("ordli"),
                "title": "Shirt",
                "unit_price": D("9.99"),
                "quantity": 2,
                "tax_lines": [{"id": new_id("ordlitxl"), "code": "vat", "rate": D(rate)}],
            }
        ],
        "shipping_methods": [
            {
                "id": new_id("ordsm"),
                "name": "Post",
                "amount": D(5),
                "is_tax_inclusive": True,
                "tax_lines": [{"id": new_id("ordsmtxl"), "code": "vat", "rate": D(rate)}],
            }
        ],
        "credit_lines": [{"id": new_id("ordcl"), "amount": D(credit)}] if credit else [],
    }


async def shown(orders: OrderService, id: str, *fields: str) -> dict[str, Any]:
    return (await orders.query(Query("order", fields, {"id": id}))).rows[0]


async def test_an_order_is_placed_with_all_that_is_in_it(orders: OrderService) -> None:
    document = order()
    first = await orders.place(document)
    assert await orders.place(order()) == first + 1
    row = await shown(
        orders, document["id"], "*", "*items", "*items.detail", "*items.tax_lines", "*shipping_address", "*shipping_methods", "tax_total"
    )
    assert (row["display_id"], row["status"], row["version"]) == (first, "pending", 1)
    assert row["shipping_address"]["city"] == "Bremen"
    [item] = row["items"]
    assert (item["title"], item["quantity"], item["unit_price"], item["detail"]["quantity"]) == ("Shirt", 2, D("9.99"), 2)
    assert item["detail"]["fulfilled_quantity"] == 0
    assert item["total"] == item["refundable_total"] == D("24.975")
    assert item["tax_lines"][0]["total"] == D("4.995")
    assert row["shipping_methods"][0]["total"] == 5
    assert row["tax_total"] == D("5.995")


async def test_the_total_is_the_same_with_and_without_the_lines(orders: OrderService) -> None:
    document = order(credit="3")
    await orders.place(document)
    kept = await shown(orders, document["id"], "total", "summary")
    worked_out = await shown(orders, document["id"], "total", "item_total", "credit_line_total")
    assert kept["total"] == worked_out["total"] == D("26.98")  # 24.975 + 5 - 3 = 26.975
    assert kept["summary"]["current_order_total"] == kept["summary"]["pending_difference"] == D("26.98")
    assert worked_out["credit_line_total"] == kept["summary"]["credit_line_total"] == 3


async def test_orders_are_found_by_their_total(orders: OrderService) -> None:
    document = order(currency="jpy")
    await orders.place(document)
    found = await orders.query(Query("order", ("id", "total"), {"total": {"$gte": 30}}, count=True))
    assert (found.count, found.rows) == (1, [{"id": document["id"], "total": 30}])
    assert (await orders.query(Query("order", ("id",), {"total": {"$gt": 30}}, count=True))).count == 0


async def test_a_cause_of_payment_is_counted_once(orders: OrderService) -> None:
    document = order()
    await orders.place(document)
    paid = {"amount": D("29.98"), "currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    results = await asyncio.gather(*(orders.add_transactions(document["id"], [paid]) for _ in range(4)))
    assert sorted(len(made) for made in results) == [0, 0, 0, 1]
    await orders.add_transactions(document["id"], [{**paid, "amount": D(-10), "reference": "refund", "reference_id": "ref_1"}])
    summary = (await shown(orders, document["id"], "summary"))["summary"]
    assert (summary["paid_total"], summary["refunded_total"], summary["transaction_total"]) == (D("29.98"), 10, D("19.98"))
    with pytest.raises(NotFound):
        await orders.add_transactions("order_0", [paid])


async def test_what_is_given_back_beyond_what_the_shop_owes_makes_the_order_cheaper(orders: OrderService) -> None:
    document = order()
    await orders.place(document)
    paid = {"amount": D("35.98"), "currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    await orders.add_transactions(document["id"], [paid])  # 6 more than it costs
    back = {**paid, "amount": D(-10), "reference": "refund", "reference_id": "ref_1"}
    because = {"reference": "Late", "reference_id": "late"}
    results = await asyncio.gather(*(orders.add_transactions(document["id"], [paid, back], credited=because) for _ in range(3)))
    assert sorted(len(made) for made in results) == [0, 0, 1]
    row = await shown(orders, document["id"], "total", "version", "summary", "*credit_lines", "credit_line_total")
    [line] = row["credit_lines"]
    assert (line["amount"], line["reference"], line["reference_id"], row["version"], row["credit_line_total"]) == (4, "Late", "late", 2, 4)
    assert row["total"] == row["summary"]["current_order_total"] == D("25.98")
    assert (row["summary"]["original_order_total"], row["summary"]["pending_difference"]) == (D("29.98"), 0)
    assert await orders.count("order_change", {"order_id": document["id"], "change_type": "credit_line", "status": "confirmed"}) == 1


async def test_a_discarded_order_leaves_nothing(orders: OrderService) -> None:
    document = order(credit="1")
    await orders.place(document)
    assert await orders.discard(document["id"])
    assert not await orders.discard(document["id"])
    for entity in orders.schema.entities:
        assert await orders.count(entity) == 0, entity


async def test_orders_are_searched_by_number_mail_and_address(orders: OrderService) -> None:
    document = order()
    number = await orders.place(document)
    for q in (str(number), "a@EXAMPLE", "brem", "example bremen"):
        assert (await orders.query(Query("order", ("id",), {"q": q}, count=True))).count == 1, q
    assert (await orders.query(Query("order", ("id",), {"q": "hamburg"}, count=True))).count == 0
