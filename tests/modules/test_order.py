"""The order module: an order is placed whole, shown with totals, and paid of what its summary says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.clock import iso, utc_now
from velella.core.errors import InvalidData, NotFound
from velella.core.ids import new_id
from velella.core.message import CallContext, call_context
from velella.core.service.module import ModuleService
from velella.core.sql.db.compiled import Compiled
from velella.core.sql.schema.query import Query
from velella.modules.order.placing import placed
from velella.modules.order.schema import SCHEMA
from velella.modules.order.service import OrderService
from velella.modules.order.tables import COLUMNS, HIDDEN
from velella.modules.order.tables import order as order_table

from .one_module import alone
from .some_fields import new_dice, some_fields

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


def new(document: dict[str, Any]) -> dict[str, Any]:
    return placed(document, iso(utc_now()))


async def full_order(orders: OrderService) -> str:
    """An order with something in every place."""
    document = order(credit="1")
    bill = new_id("ordaddr")
    document |= {"billing_address_id": bill, "billing_address": {"id": bill, "city": "Kiel", "metadata": {"b": [1], "a": D("1.50")}}}
    document |= {"metadata": {"n": D("0.10")}, "customer_id": "cus_1"}
    off = {"code": "FIVE", "amount": D("0.50"), "promotion_id": "promo_1"}
    document["items"][0] |= {"variant_id": "variant_1", "product_id": "prod_1", "metadata": {"gift": True}}
    document["items"][0]["adjustments"] = [{"id": new_id("ordliadj"), "is_tax_inclusive": inclusive, **off} for inclusive in (True, False)]
    document["shipping_methods"][0] |= {"data": {"point": 7}, "adjustments": [{"id": new_id("ordsmadj"), **off}]}
    await orders.place(new(document))
    await orders.amend(document["id"], {"email": "b@example.com", "shipping_address": {"city": "Ulm"}}, by="user_1")
    paid = {"amount": D(30), "currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    await orders.add_transactions(document["id"], [paid, {**paid, "amount": D(-10), "reference": "refund", "reference_id": "ref_1"}])
    return str(document["id"])


async def shown(orders: OrderService, id: str, *fields: str) -> dict[str, Any]:
    return (await orders.query(Query("order", fields, {"id": id}))).rows[0]


async def test_an_order_is_placed_with_all_that_is_in_it(orders: OrderService) -> None:
    document = order()
    first = await orders.place(new(document))
    assert await orders.place(new(order())) == first + 1
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
    await orders.place(new(document))
    kept = await shown(orders, document["id"], "total", "summary")
    worked_out = await shown(orders, document["id"], "total", "item_total", "credit_line_total")
    assert kept["total"] == worked_out["total"] == D("26.98")  # 24.975 + 5 - 3 = 26.975
    assert kept["summary"]["current_order_total"] == kept["summary"]["pending_difference"] == D("26.98")
    assert worked_out["credit_line_total"] == kept["summary"]["credit_line_total"] == 3


async def test_orders_are_found_by_their_total(orders: OrderService) -> None:
    document = order(currency="jpy")
    await orders.place(new(document))
    found = await orders.query(Query("order", ("id", "total"), {"total": {"$gte": 30}}, count=True))
    assert (found.count, found.rows) == (1, [{"id": document["id"], "total": 30}])
    assert (await orders.query(Query("order", ("id",), {"total": {"$gt": 30}}, count=True))).count == 0


async def test_a_cause_of_payment_is_counted_once(orders: OrderService) -> None:
    document = order()
    await orders.place(new(document))
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
    await orders.place(new(document))
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


async def test_an_order_is_shown_as_it_was_before_its_version_rose(orders: OrderService) -> None:
    document = order(credit="1")
    await orders.place(new(document))
    id = document["id"]
    await orders.amend(id, {"email": "b@example.com"})
    paid = {"amount": D("28.98"), "currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    await orders.add_transactions(id, [paid])
    fields = ("*", "*items.detail", "*credit_lines", "*transactions", "tax_total", "summary", "*changes")
    before = await shown(orders, id, *fields)
    back = {**paid, "amount": D(-8), "reference": "refund", "reference_id": "ref_1"}
    await orders.add_transactions(id, [back])
    after = await shown(orders, id, *fields)
    assert ([row["amount"] for row in after["credit_lines"]], after["version"], len(after["changes"])) == ([1, 8], 2, 2)

    async def at(version: Any, *names: str) -> list[dict[str, Any]]:
        page = await orders.query(Query("order", names, {"id": id, "version": version}, count=True))
        assert page.count == len(page.rows)
        return page.rows

    [former] = await at(1, *fields)
    assert former == {**before, "changes": after["changes"]}
    assert await at("1", "id", "total", "email") == [{"id": id, "total": before["total"], "email": "b@example.com"}]
    assert await at(1, "version", "item_total") == [{"id": id, "version": 1, "item_total": D("24.975")}]
    assert await at(2, *fields) == [after]
    assert await at(3, "id") == []
    assert await orders.database.fetch_value(Compiled("SELECT count(*) FROM order_version")) == 1


async def test_writes_of_one_order_at_once_follow_each_other(orders: OrderService) -> None:
    document = order()
    await orders.place(new(document))
    id = document["id"]
    paid = [{"amount": D(1), "currency_code": "eur", "reference": "capture", "reference_id": f"capt_{n}"} for n in range(3)]
    gifts = (orders.amend(id, {"metadata": {str(n): n}}) for n in range(2))
    await asyncio.gather(*gifts, *(orders.add_transactions(id, [each]) for each in paid))
    whole = await orders.load(id)
    assert (whole["metadata"], len(whole["transactions"]), whole["summary"]["paid_total"]) == ({"0": 0, "1": 1}, 3, 3)
    assert (whole["version"], whole["revision"]) == (1, 6)
    old_and_new = [row["details"] for row in await orders.list("order_change_action", {"order_id": id}, order=("ordering",))]
    assert old_and_new[1]["old"] == old_and_new[0]["new"]


async def test_a_write_that_is_sent_again_answers_what_it_answered(orders: OrderService) -> None:
    document = order()
    id = document["id"]
    paid = {"amount": D(1), "currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    writes = (
        lambda: orders.place(new(document)),
        lambda: orders.amend(id, {"email": "b@example.com", "shipping_address": {"city": "Ulm"}}),
        lambda: orders.add_transactions(id, [paid]),
        lambda: orders.discard(id),
    )
    for number, write in enumerate(writes):
        answers = []
        for fresh in (True, False):
            token = call_context.set(CallContext(message_id=f"message_{number}", fresh=fresh))
            answers.append(await write())
            call_context.reset(token)
        assert answers[0] == answers[1], number
        assert answers[0]
    assert await orders.count("order") == await orders.count("order_change") == 0


async def test_what_cannot_be_in_an_order_leaves_it_as_it_was(orders: OrderService) -> None:
    document = order()
    await orders.place(new(document))
    id = document["id"]
    was = await orders.load(id)
    for wrong in ({"email": "no address"}, {"locale": "nul\x00"}, {"shipping_address": {"street": "x"}}, {"status": "canceled"}):
        with pytest.raises(InvalidData):
            await orders.amend(id, wrong)
    for write in (
        orders.create("order", [{"currency_code": "eur"}]),
        orders.update("order", [{"id": id, "email": "c@example.com"}]),
        orders.delete("order_line_item", [was["items"][0]["id"]]),
    ):
        with pytest.raises(TypeError):
            await write
    with pytest.raises(NotFound):
        await orders.amend("order_0", {"email": "c@example.com"})
    assert await orders.load(id) == was


def test_a_write_names_every_column_that_is_not_the_modules_own() -> None:
    own = {"id", "display_id", "custom_display_id", "created_at", "updated_at", "deleted_at"} | HIDDEN
    assert {column.name for column in order_table.c} - own == set(COLUMNS)


FIELDS = (
    ("*", "*items", "*items.detail", "*items.tax_lines", "*shipping_methods", "*shipping_methods.detail", "*transactions"),
    ("id", "*shipping_address", "billing_address.city", "*credit_lines", "*changes", "changes.actions.details"),
    ("*items.order", "items.detail.item.title", "items.order.items.title", "items.line_item_metadata", "items.raw_quantity"),
    ("*changes.order", "changes.order.items.title", "items.order.changes.id"),
    ("summary", "total", "order_change", "search", "revision", "document"),
)


async def test_orders_are_shown_alike_out_of_documents_and_by_views(orders: OrderService, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await full_order(orders)
    await orders.place(new(order()))
    dice = new_dice()

    async def shown_each_way(fields: tuple[str, ...]) -> tuple[Any, Any]:
        """What a client and business code see, or why they see nothing."""
        query = Query("order", fields, {"id": id})
        client = (await ModuleService.query(orders, query)).rows
        try:
            return client, await orders.list("order", {"id": id}, fields=fields)
        except InvalidData as error:
            return client, str(error)

    for fields in (*FIELDS, *(some_fields(dice, SCHEMA, "order") for _ in range(60))):
        of_document = await shown_each_way(fields)
        with monkeypatch.context() as views:
            views.setattr(orders.statements.documents, "showing", lambda *_, **__: None)
            of_views = await shown_each_way(fields)
        assert of_document == of_views, fields
        assert [list(row) for row in of_document[0]] == [list(row) for row in of_views[0]], "in the same order, too"


async def test_what_lies_in_orders_is_asked_for_like_anything_else(orders: OrderService) -> None:
    id = await full_order(orders)
    await orders.place(new(order()))
    [line] = (await orders.query(Query("order_line_item", ("quantity", "order.email"), {"variant_id": ["variant_1", "x"]}))).rows
    assert (line["quantity"], line["order"]["email"]) == (2, "b@example.com")
    [detail] = (await orders.query(Query("order_item", ("*", "item.title"), {"order_id": id}))).rows
    assert (detail["order_id"], detail["item"]["title"], detail["raw_quantity"]["value"]) == (id, "Shirt", "2")
    for filters in (
        {"items": {"product_id": "prod_1"}},
        {"items": {"detail": {"quantity": 2, "item": {"variant_id": "variant_1"}}}},
        {"transactions": {"reference_id": "capt_1"}},
        {"credit_lines": {"amount": {"$gt": 2}}},
        {"shipping_address": {"q": "ulm"}},
    ):
        assert [row["id"] for row in (await orders.query(Query("order", ("id",), filters))).rows] == [id], filters
    assert await orders.delete("order", [id]) == [id]
    assert await orders.count("order_line_item", {"variant_id": "variant_1"}) == await orders.count("order_change") == 0
    assert await orders.restore("order", [id]) == [id]
    assert await orders.count("order_change") > 0


async def test_reports_find_what_orders_hold(orders: OrderService) -> None:
    """Read by plain SQL out of every view: what the document says, and nothing else."""
    whole = await orders.load(await full_order(orders))
    items, methods = whole["items"], whole["shipping_methods"]
    held = {
        "order_address": [whole["shipping_address"], whole["billing_address"]],
        "order_line_item": items,
        "order_item": [row["detail"] for row in items],
        "order_shipping_method": methods,
        "order_shipping": [row["detail"] for row in methods],
        "order_credit_line": whole["credit_lines"],
        "order_transaction": whole["transactions"],
        **{f"order_line_item_{name}": [row for each in items for row in each[f"{name}s"]] for name in ("tax_line", "adjustment")},
        **{f"order_shipping_method_{name}": [row for each in methods for row in each[f"{name}s"]] for name in ("tax_line", "adjustment")},
    }
    assert held.keys() == {entity.table.name for entity in SCHEMA.entities.values() if entity.inside}
    for view, rows in held.items():
        found = await orders.database.fetch(Compiled(f"SELECT * FROM {view} ORDER BY id"))
        names = tuple(found[0].keys())
        columns = [name for name in names if name not in ("root_id", "created_at", "updated_at")]
        wanted = sorted(rows, key=lambda row: str(row["id"]))
        assert [[row[name] for name in columns] for row in found] == [[row[name] for name in columns] for row in wanted], view
        assert {row["root_id"] for row in found} == {whole["id"]}


async def test_a_discarded_order_leaves_nothing(orders: OrderService) -> None:
    document = order(credit="1")
    await orders.place(new(document))
    assert await orders.discard(document["id"])
    assert not await orders.discard(document["id"])
    for entity in orders.schema.entities:
        assert await orders.count(entity) == 0, entity


async def test_orders_are_searched_by_number_mail_and_address(orders: OrderService) -> None:
    document = order()
    number = await orders.place(new(document))
    for q in (str(number), "a@EXAMPLE", "brem", "example bremen"):
        assert (await orders.query(Query("order", ("id",), {"q": q}, count=True))).count == 1, q
    assert (await orders.query(Query("order", ("id",), {"q": "hamburg"}, count=True))).count == 0


async def test_drafts_are_found_without_reading_all_orders(orders: OrderService) -> None:
    for _ in range(50):
        await orders.place(new(order()))
    asked = Query("order", ("id",), {"is_draft_order": True}, limit=20, count=True)
    statement = orders.statements.page(asked)
    async with orders.database.transaction() as running:
        await running.connection.execute('ANALYZE "order"')
        await running.connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        plan = await running.connection.fetch(f"EXPLAIN {statement.sql}", *statement.arguments)
    read = [line[0] for line in plan if "Scan" in line[0] and " on " in line[0]]
    assert read
    assert all("ix_order_drafts" in line for line in read), read
