"""Orders go out to Odoo, which delivers them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from velella.core.errors import UnexpectedState
from velella.core.rows import Row
from velella.core.sql.schema.query import Query
from velella.workflows.built_in import create_order_fulfillment, create_order_shipment
from velella.workflows.kit import Event, Flow, Retry, job, step, subscriber, workflow

from . import plugin
from .module import OdooService

UNTIL_UP = Retry(interval=5, most=300, during=7 * 86_400)
LOOK_AGAIN = Retry(interval=150, most=600, during=7 * 86_400)
"""For creating something at Odoo, which gives up a request after 120 seconds (`limit_time_real`): then it is there, or never will be."""
ASKED = (
    *("id", "display_id", "status", "email", "currency_code", "created_at", "*shipping_address", "total"),
    *(f"payment_collections.{name}" for name in ("captured_amount", "refunded_amount")),
    *(f"items.{name}" for name in ("title", "variant_sku", "variant.metadata", "quantity", "total", "tax_total")),
    *(f"shipping_methods.{name}" for name in ("name", "total", "tax_total")),
)
AT_ONCE = 100
"""Orders of which Odoo is asked at once whether they were delivered."""


@subscriber("order.placed", "order.canceled")
async def sync_changed(flow: Flow, event: Event) -> None:
    await flow.start(sync_order, order_id=event.data["id"])


@subscriber("payment.captured", "payment.refunded")
async def sync_paid(flow: Flow, event: Event) -> None:
    payment = await flow.graph.one("payment", event.data["id"], ("payment_collection.order.id",))
    if (order := payment["payment_collection"]["order"]) is not None:
        await flow.start(sync_order, order_id=order["id"])


@workflow("sync-odoo-order", durable=True)
async def sync_order(flow: Flow, order_id: str) -> None:
    """Have Odoo know an order as it is now. While Odoo is down it is waited for, for a week.

    Whatever has happened to the order: what is missing at Odoo is done. So events may come late, twice or in another order.
    """
    async with flow.lock(f"odoo:{order_id}"):  # else it could be cancelled while it is about to be created
        await flow.run(create, order_id)
        await flow.run(bring_up_to_date, order_id)


@step(retry=LOOK_AGAIN)
async def create(flow: Flow, order_id: str) -> None:
    """As a quotation, unless it is there, or was cancelled before it came here."""
    odoo, order = flow.modules.of(OdooService), await flow.graph.one("order", order_id, ASKED)
    if order["status"] == "canceled" or await odoo.orders([order_id]):
        return
    buyer, address = await _contacts(odoo, order)
    currency = order["currency_code"].upper()
    pricelists = await odoo.records("product.pricelist", [("currency_id.name", "=", currency)], ("id",), 1)
    if not pricelists:
        raise UnexpectedState(f"Odoo has no price list in {currency}", hint="Make one there.")
    values = {
        "client_order_ref": order_id,
        "origin": f"#{order['display_id']}",
        "partner_id": buyer,
        "partner_shipping_id": address,
        "pricelist_id": pricelists[0]["id"],
        "order_line": [(0, 0, line) for line in await _lines(odoo, order, plugin.options(flow.settings).other_product)],
    }
    await odoo.do("sale.order", "create", values)


@step(retry=UNTIL_UP)
async def bring_up_to_date(flow: Flow, order_id: str) -> None:
    """Confirm or cancel it, and say what is paid. Were there two, for a process died while it created one, the later one is cancelled."""
    odoo, order = flow.modules.of(OdooService), await flow.graph.one("order", order_id, ASKED)
    found = await odoo.orders([order_id])
    for index, each in enumerate(found):
        canceled = order["status"] == "canceled" or index > 0
        if canceled and each["state"] != "cancel":
            await odoo.do(
                "sale.order", "action_cancel", [each["id"]], context={"disable_cancel_warning": True}
            )  # or it answers with a dialogue
        elif not canceled and each["state"] in ("draft", "sent"):
            await odoo.do("sale.order", "action_confirm", [each["id"]])
    for each in found[:1]:
        await _tag(odoo, each, f"Shop: {_paid(order)}")


async def _contacts(odoo: OdooService, order: Row) -> tuple[int, int]:
    """The buyer, and where the order goes. Both are found again."""
    given = order["shipping_address"] or {}
    name = " ".join(filter(None, (given.get("first_name"), given.get("last_name")))) or order["email"]
    countries = await odoo.records("res.country", [("code", "=", (given.get("country_code") or "").upper())], ("id",))
    address = {
        "name": name,
        "street": given.get("address_1"),
        "street2": given.get("address_2"),
        "city": given.get("city"),
        "zip": given.get("postal_code"),
        "country_id": countries[0]["id"] if countries else None,
        "phone": given.get("phone"),
    }
    address = {field: value or False for field, value in address.items()}
    buyer = await _found_or_made(odoo, {"email": order["email"], "parent_id": False}, address)
    return buyer, await _found_or_made(odoo, {**address, "parent_id": buyer, "type": "delivery"}, {})


async def _found_or_made(odoo: OdooService, by: Row, more: Row) -> int:
    found = await odoo.records("res.partner", [(field, "=", value) for field, value in by.items()], ("id",), 1)
    return int(found[0]["id"] if found else await odoo.do("res.partner", "create", {**by, **more}))


async def _lines(odoo: OdooService, order: Row, other: str) -> list[Row]:
    """What was bought, and how it is sent, at what the buyer pays without taxes, which Odoo adds by its own rules."""
    services = await odoo.records("product.product", [("default_code", "=", other)], ("id",), 1)
    if not services:
        raise UnexpectedState(f"Odoo has no product with the internal reference {other}", hint="Make a service of that reference there.")
    lines = []
    for item in (*order["items"], *({**method, "title": method["name"], "quantity": 1} for method in order["shipping_methods"])):
        id = ((item.get("variant") or {}).get("metadata") or {}).get("odoo_id")
        quantity = Decimal(item["quantity"])
        price = (Decimal(str(item["total"])) - Decimal(str(item["tax_total"]))) / quantity
        lines.append(
            {"product_id": id or services[0]["id"], "name": item["title"], "product_uom_qty": quantity, "price_unit": round(price, 6)}
        )
    return lines


async def _tag(odoo: OdooService, order: Row, name: str) -> None:
    """Have an order of Odoo's bear this of the shop's tags, and no other."""
    tags = await odoo.records("crm.tag", [("name", "=like", "Shop: %")], ("id", "name"))
    wanted = next((tag["id"] for tag in tags if tag["name"] == name), None) or await odoo.do("crm.tag", "create", {"name": name})
    ours = {tag["id"] for tag in tags} & set(order["tag_ids"])
    if ours != {wanted}:
        commands = [(4, wanted), *((3, id) for id in ours - {wanted})]
        await odoo.do("sale.order", "write", [order["id"]], {"tag_ids": commands})


def _paid(order: Row) -> str:
    captured, refunded = (
        sum((Decimal(str(each[f"{what}_amount"] or 0)) for each in order["payment_collections"]), Decimal(0))
        for what in ("captured", "refunded")
    )
    if refunded:
        return "refunded" if refunded >= captured else "partly refunded"
    return "not paid" if not captured else "paid" if captured >= Decimal(str(order["total"])) else "partly paid"


# -- deliveries


@job("5-59/15 * * * *", timeout=3600)
async def sync_odoo_deliveries(flow: Flow) -> None:
    """Every quarter of an hour: what Odoo has delivered is fulfilled and shipped here, so buyers hear of it."""
    since = (flow.now() - timedelta(days=plugin.options(flow.settings).deliveries_days)).isoformat()
    after = ""
    while page := await flow.run(read_deliveries, since, after):
        for order_id in page["delivered"]:
            await flow.start(ship_order, order_id=order_id)
        after = page["last"]


@step(reads=True, retry=UNTIL_UP)
async def read_deliveries(flow: Flow, since: str, after: str) -> Row | None:
    """Of the next orders that aren't sent: which ones Odoo has delivered whole. None after the last one."""
    filters = {"status": "pending", "created_at": {"$gt": since}, "id": {"$gt": after}}
    fields = ("id", "items.quantity", "items.detail.fulfilled_quantity")
    orders: list[Row] = await flow.graph.rows(Query("order", fields, filters, ("id",), AT_ONCE))
    if not orders:
        return None
    open = [order["id"] for order in orders if any(map(_left, order["items"]))]
    there = await flow.modules.of(OdooService).orders(open) if open else []
    delivered = {row["client_order_ref"] for row in there if row["state"] == "sale" and row["delivery_status"] == "full"}
    return {"last": orders[-1]["id"], "delivered": [id for id in open if id in delivered]}


@workflow("ship-odoo-order", durable=True, key="order_id", retention=600)
async def ship_order(flow: Flow, order_id: str) -> None:
    """Fulfil and ship what is left of an order that Odoo has delivered, once."""
    order = await flow.graph.one("order", order_id, ("items.id", "items.quantity", "items.detail.fulfilled_quantity"))
    items = [{"id": item["id"], "quantity": left} for item in order["items"] if (left := _left(item)) > 0]
    if not items:
        return
    labels = await flow.run(tracking, order_id)
    given: dict[str, Any] = {"order_id": order_id, "items": items}
    fulfillment = await flow.call(create_order_fulfillment, **given)
    await flow.call(create_order_shipment, **given, fulfillment_id=fulfillment, labels=labels)


@step(reads=True, retry=UNTIL_UP)
async def tracking(flow: Flow, order_id: str) -> list[Row]:
    parcels = [("sale_id.client_order_ref", "=", order_id), ("state", "=", "done"), ("carrier_tracking_ref", "!=", False)]
    found = await flow.modules.of(OdooService).records("stock.picking", parcels, ("carrier_tracking_ref", "carrier_tracking_url"))
    return [
        {"tracking_number": row["carrier_tracking_ref"], "tracking_url": row["carrier_tracking_url"] or "#", "label_url": "#"}
        for row in found
    ]


def _left(item: Row) -> Decimal:
    return Decimal(str(item["quantity"])) - Decimal(str(item["detail"]["fulfilled_quantity"]))
