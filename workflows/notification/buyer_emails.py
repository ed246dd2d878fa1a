"""Emails to buyers about their orders. The setting `emails` says which of them are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from ...commerce.money import decimals
from ...commerce.types import Order
from ...core.rows import Row
from ...core.settings import BuyerEmail, Settings
from ..kit import Event, Flow, subscriber
from ..order.fulfillments import packed_in
from .emails import send, storefront_url

REFUNDED_WITHIN = timedelta(hours=1)
"""Refunds that an event may be about are as young as this: a payment, or an order, may have several."""


def sent(template: BuyerEmail, *, always: bool = False) -> Callable[[Settings], bool]:
    """Whether a shop sends an email: where its settings say so, or where they say nothing and there is somebody who delivers it. One that
    `always` goes is written to the log where nobody does."""

    def when(settings: Settings) -> bool:
        if settings.emails is not None:
            return template in settings.emails
        return always or any(provider.use != "local" for provider in settings.providers.get("notification", ()))

    return when


async def _write(
    flow: Flow, event: Event, template: BuyerEmail, order: Order, *, about: str | None = None, path: str = "/confirmed", **data: Any
) -> None:
    """Send an email about an order to its buyer, unless it has no address, or nobody wants it to be told."""
    if order["email"] is None or order["no_notification"] or event.data.get("no_notification"):
        return
    known = {"email": order["email"], "display_id": order["display_id"]}
    url = f"{storefront_url(flow.settings)}/order/{order['id']}{path}"
    await send(flow, event, template, order["email"], url=url, data={**known, **data}, resource=("order", order["id"]), about=about)


@subscriber("order.placed", when=sent("order-placed"))
async def order_placed(flow: Flow, event: Event) -> None:
    """Thank the buyer for an order, with what is in it and what it costs."""
    order = await flow.modules.order.load(event.data["id"])
    bought = [(line["id"], Decimal(line["detail"]["quantity"])) for line in order["items"]]
    total = _money(Decimal(order["summary"]["current_order_total"]), order["currency_code"])
    await _write(flow, event, "order-placed", order, items=_items(order, bought), total=total)


@subscriber("shipment.created", when=sent("order-shipped"))
async def order_shipped(flow: Flow, event: Event) -> None:
    """Tell the buyer what is on its way, and how to follow it."""
    id = event.data["id"]
    fields = ("order.id", "labels.tracking_number", "labels.tracking_url")
    fulfillment = await flow.graph.one("fulfillment", id, fields)
    if fulfillment["order"] is None:
        return
    order_id = fulfillment["order"]["id"]
    packed, order = await packed_in(flow, order_id, id, ()), await flow.modules.order.load(order_id)
    tracking = [" ".join(filter(None, (label["tracking_number"], label["tracking_url"]))) for label in fulfillment["labels"]]
    await _write(flow, event, "order-shipped", order, items=_items(order, packed["quantities"]), tracking="\n".join(filter(None, tracking)))


@subscriber("order.return_received", when=sent("order-returned"))
async def order_returned(flow: Flow, event: Event) -> None:
    """Tell the buyer what of a return has arrived by now."""
    order = await flow.modules.order.load(event.data["order_id"])
    back = await flow.modules.order.retrieve("return", event.data["return_id"], fields=("no_notification", "*items"))
    if not back["no_notification"]:
        arrived = [(item["item_id"], Decimal(item["received_quantity"])) for item in back["items"]]
        await _write(flow, event, "order-returned", order, items=_items(order, arrived))


@subscriber("payment.refunded", "order.canceled", when=sent("order-refunded"))
async def order_refunded(flow: Flow, event: Event) -> None:
    """Tell the buyer what was given back: one email for each refund, whatever was done for it."""
    of = {"order_id": event.data["id"]} if event.name == "order.canceled" else {"payments": {"id": event.data["id"]}}
    fields = ("order_id", "currency_code", "payments.refunds.id", "payments.refunds.amount", "payments.refunds.created_at")
    collections: list[Row] = await flow.modules.payment.list("payment_collection", of, fields=fields)
    for collection in collections:
        refunds = [refund for payment in collection["payments"] for refund in payment["refunds"]]
        new = [refund for refund in refunds if _moment(refund["created_at"]) > event.created_at - REFUNDED_WITHIN]
        if collection["order_id"] is None or not new:
            continue
        order = await flow.modules.order.load(collection["order_id"])
        for refund in sorted(new, key=lambda each: str(each["id"])):
            amount = _money(Decimal(refund["amount"]), collection["currency_code"])
            await _write(flow, event, "order-refunded", order, about=refund["id"], amount=amount)


@subscriber("order.transfer_requested", when=sent("order-transfer-requested", always=True))
async def order_transfer(flow: Flow, event: Event) -> None:
    """Ask the owner of an order whether to transfer it. A request that isn't open any more gets no email."""
    of = {"id": event.data["order_change_id"], "status": "requested"}
    open_change = await flow.modules.order.list("order_change", of, fields=("actions.details",), limit=1)
    if open_change:
        token = quote(open_change[0]["actions"][0]["details"]["token"])
        order = await flow.modules.order.load(event.data["id"])
        await _write(flow, event, "order-transfer-requested", {**order, "no_notification": None}, path=f"/transfer/{token}")


# -- words


def _items(order: Order, quantities: Sequence[tuple[str, Decimal]]) -> str:
    """Lines of an order as lines of an email, each with how many."""
    lines: Mapping[str, Any] = {line["id"]: line for line in order["items"]}
    return "\n".join(f"{quantity.normalize():f} × {_name(lines[id])}" for id, quantity in quantities if quantity > 0 and id in lines)


def _name(line: Row) -> str:
    variant = line["variant_title"]
    return f"{line['title']} ({variant})" if variant and variant != line["title"] else str(line["title"])


def _money(amount: Decimal, currency_code: str) -> str:
    return f"{amount:.{decimals(currency_code)}f} {currency_code.upper()}"


def _moment(at: str | datetime) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
