"""Checkout: whether a cart can be completed, and what that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...commerce.types import Cart, NewOrder, OrderLine, OrderShippingMethod
from ...core.errors import InvalidData, NotAllowed
from ...core.numbers import total
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.promotion.computing import COUNTED_BY
from ..kit import Flow
from .payment import payable
from .sellable import find_sellable
from .stock import LineDemand, demands_of
from .working import WorkingCart

PROCESSABLE = ("authorized", "captured", "requires_more", "pending")
"""States of a payment session with which an order can be placed, the most advanced first."""


SESSIONS = (
    "amount",
    "currency_code",
    "payment_sessions.id",
    "payment_sessions.status",
    "payment_sessions.provider_id",
    "payment_sessions.amount",
    "payment_sessions.currency_code",
    "payments.payment_session_id",
    "payments.canceled_at",
    "payments.refunds.id",
)


class Checkout(TypedDict):
    """Everything that completing a cart works with, read once."""

    order_id: str | None
    """The order that the cart has become already: then the rest is empty."""
    order: NewOrder | None
    """The order that is to be placed."""
    version: int
    """The cart's version, from which the order was made."""
    demands: list[LineDemand]
    location_ids: list[str]
    """The locations of the cart's sales channel."""
    collection_id: str | None
    session_id: str | None
    """The payment session to authorise; None if there is nothing to pay."""
    uses: list[Use]
    """One for each promotion."""
    buyer: Row
    """The attributes that budgets of campaigns may count by."""


class Use(TypedDict):
    """The use of a promotion by an order."""

    promotion_id: str
    code: str | None
    amount: Decimal
    """The discount, as the order's adjustments say it."""


async def check_checkout(flow: Flow, cart: Cart, order: NewOrder) -> Checkout:
    """What it takes to turn a cart into this order. Raises InvalidData where something is missing, or isn't sold any more."""
    if not cart["items"]:
        raise InvalidData("Cannot complete a cart without items")
    draft = WorkingCart(cart)
    items = order["items"]
    variant_ids = sorted({id for item in items if (id := item.get("variant_id")) is not None})
    sellable = await find_sellable(flow, draft)
    sellable.check(draft)
    pairs = await _pairs_of(flow, draft, variant_ids)
    _, session = await asyncio.gather(
        _check_shipping(flow, items, order["shipping_methods"], pairs["profiles"]),
        _session(flow, draft, pairs),
    )
    return {
        "order_id": None,
        "order": order,
        "version": draft.version,
        "demands": demands_of(items, sellable.variants, pairs["made_of"]),
        "location_ids": [pair["stock_location_id"] for pair in pairs["located"]],
        "collection_id": draft["payment_collection_id"],
        "session_id": session,
        "uses": uses_of(order),
        "buyer": buyer_of(cart),
    }


def uses_of(order: NewOrder) -> list[Use]:
    """The promotions of an order, and what each takes off."""
    uses: dict[str, Use] = {}
    lines: list[OrderLine | OrderShippingMethod] = [*order["items"], *order["shipping_methods"]]
    for line in lines:
        for adjustment in line["adjustments"]:
            id = adjustment.get("promotion_id")
            if id is not None:
                use = uses.setdefault(id, {"promotion_id": id, "code": adjustment.get("code"), "amount": Decimal(0)})
                use["amount"] = total((use["amount"], adjustment["amount"]))
    return [uses[id] for id in sorted(uses)]


def buyer_of(document: Mapping[str, Any]) -> Row:
    """What budgets of campaigns may count a cart or an order by."""
    return {"customer_email": document["email"]} | {name: document[name] for name in COUNTED_BY if name != "customer_email"}


class _CheckoutPairs(TypedDict):
    made_of: list[Row]
    profiles: list[Row]
    located: list[Row]
    offered: list[Row]
    """The payment providers that the region offers."""


async def _pairs_of(flow: Flow, draft: WorkingCart, variant_ids: Sequence[str]) -> _CheckoutPairs:
    products = sorted({item["product_id"] for item in draft.items if item["product_id"] is not None})
    channel = draft["sales_channel_id"]
    region = draft["region_id"]
    made_of, profiles, located, offered = await flow.graph.pairs_of(
        ("product_variant_inventory_item", "variant_id", variant_ids),
        ("product_shipping_profile", "product_id", products),
        ("sales_channel_stock_location", "sales_channel_id", [channel] if channel else []),
        ("region_payment_provider", "region_id", [region] if region else []),
    )
    return {"made_of": made_of, "profiles": profiles, "located": located, "offered": offered}


async def _check_shipping(flow: Flow, items: Sequence[OrderLine], methods: Sequence[OrderShippingMethod], pairs: Sequence[Row]) -> None:
    """Check that every item to be shipped has a shipping method of its profile. Raises InvalidData."""
    sent = [item for item in items if item.get("requires_shipping")]
    if not sent:
        return
    if not methods:
        raise InvalidData("No shipping method selected but the cart contains items that require shipping.")
    profile_of = {pair["product_id"]: pair["shipping_profile_id"] for pair in pairs}
    wanted = {profile for item in sent if (profile := profile_of.get(item.get("product_id"))) is not None}
    option_ids = sorted({id for method in methods if (id := method.get("shipping_option_id")) is not None})
    if not wanted or not option_ids:
        return
    options = await flow.graph.rows(Query("shipping_option", ("id", "shipping_profile_id"), {"id": option_ids}))
    if wanted - {option["shipping_profile_id"] for option in options}:
        raise InvalidData("The cart items require shipping profiles that are not satisfied by the current shipping methods")


async def _session(flow: Flow, draft: WorkingCart, pairs: _CheckoutPairs) -> str | None:
    """The payment session that pays for the cart; None if there is nothing to pay.

    An authorised session counts whichever provider it is with; for others the region must offer the provider.
    """
    amount, currency = payable(draft.total()), draft["currency_code"]
    if not amount:
        return None
    if draft["payment_collection_id"] is None:
        raise InvalidData("Payment collection has not been initiated for cart")
    collection = await flow.modules.payment.retrieve(
        "payment_collection",
        draft["payment_collection_id"],
        fields=SESSIONS,
    )
    paid = {payment["payment_session_id"]: payment for payment in collection["payments"]}
    sessions = sorted(
        (each for each in collection["payment_sessions"] if each["status"] in PROCESSABLE and not _spent(paid.get(each["id"]))),
        key=lambda session: PROCESSABLE.index(session["status"]),
    )
    if not sessions:
        raise InvalidData("Payment sessions are required to complete cart")
    offered = {pair["payment_provider_id"] for pair in pairs["offered"]}
    for session in sessions:
        if (session["amount"], session["currency_code"]) == (amount, currency) == (collection["amount"], collection["currency_code"]):
            if session["id"] not in paid and draft["region_id"] is not None and session["provider_id"] not in offered:
                raise InvalidData(f"Payment provider {session['provider_id']} is not available in region {draft['region_id']}")
            return str(session["id"])
    raise NotAllowed("The payment was begun for another amount than the cart costs now: begin it again")


def _spent(payment: Mapping[str, Any] | None) -> bool:
    """Whether a payment was cancelled or refunded: it is left from an attempt to complete the cart that was undone."""
    return payment is not None and (payment["canceled_at"] is not None or bool(payment["refunds"]))
