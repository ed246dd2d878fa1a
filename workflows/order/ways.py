"""Shipping methods that changes of orders add: at the option's price, at the price that its provider calculates, or at a merchant's amount.

A provider calculates the price for the goods that are sent with the method: those that come back with a return, those that a claim or an
exchange sends instead, and of an edit all that is left to be sent. It is asked again whenever these change, or where they come back to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...commerce.types import NewShippingMethod, Order, TaxLine
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.order.open_change import Quote
from ...modules.order.types import Act, ActRevision, Change
from ..cart.context import load_context
from ..cart.pricing import update_tax_lines
from ..cart.shipping import Added, Parcel, price_option
from ..cart.types import PricedOption
from ..kit import Flow
from .adjusting import working
from .reserving import unsent

PRICED = ("setPricingContext",)
"""The hooks of workflows in which an application adds attributes for the rules of prices."""


async def sent_from(flow: Flow, order_id: str) -> str | None:
    """The location that an order was sent from, to which it is returned by default; None if nothing was sent."""
    order = await flow.graph.one("order", order_id, ("fulfillments.location_id", "fulfillments.canceled_at"))
    return next((str(one["location_id"]) for one in order["fulfillments"] if one["canceled_at"] is None), None)


async def shipping_acts(flow: Flow, change: Change, given: Row, *, inbound: bool = False) -> list[Act]:
    """The action that adds a shipping method of an option, at its present price or at `custom_amount`, with its taxes.

    `inbound`: the goods come back by it, as they always do in a return.
    """
    order, custom = change["order"], given.get("custom_amount")
    inbound = inbound or change["change_type"] == "return_request"
    parcel = await _parcel(flow, change, order, change["actions"], inbound) if custom is None else None
    option = await _priced(flow, change, order, given["shipping_option_id"], parcel)
    amount = option["amount"] if custom is None else custom
    if amount is None:
        raise InvalidData(f"Shipping option {option['id']} has no price for order {order['id']}")
    method: NewShippingMethod = {
        "id": new_id("ordsm"),
        "name": option["name"],
        "amount": amount,
        "is_tax_inclusive": option["is_tax_inclusive"],
        "is_custom_amount": custom is not None,
        "shipping_option_id": option["id"],
        "data": {},
        "metadata": given.get("metadata"),
    }
    draft = working(order, items=[], shipping_methods=[])
    draft.put_shipping_method(method)
    cart_context = await load_context(flow, order["region_id"], order["customer_id"])
    await flow.run(update_tax_lines, order["id"], loaded=(draft, cart_context))
    [taxed] = draft.shipping_methods
    taxes: list[TaxLine] = [{**tax, "id": new_id("ordsmtxl")} for tax in taxed["tax_lines"]]
    line: Any = {**method, "tax_lines": taxes, "adjustments": [], "detail": {"id": new_id("ordspmv")}}
    return [
        {
            "action": "SHIPPING_ADD",
            "reference": "order_shipping_method",
            "reference_id": method["id"],
            "amount": amount,
            "internal_note": given.get("internal_note"),
            "line": line,
        }
    ]


async def revised_shipping(flow: Flow, change: Change, act: Act, given: Row) -> ActRevision:
    """New values of an action that adds a shipping method: another amount (null: its present price), and another option if given."""
    made = noted(given)
    line = line_in(act)
    inbound = act["return_id"] is not None
    if given.get("shipping_option_id", line["shipping_option_id"]) != line["shipping_option_id"]:
        [other] = await shipping_acts(flow, change, given, inbound=inbound)
        method: Any = other["line"]
        return {**made, "amount": other["amount"], "line": method | {"id": line["id"]}}
    if "custom_amount" in given:
        amount = given["custom_amount"]
        if amount is None:
            order = change["order"]
            parcel = await _parcel(flow, change, order, change["actions"], inbound)
            option = await _priced(flow, change, order, line["shipping_option_id"], parcel)
            amount = option["amount"]
            line |= {"is_tax_inclusive": option["is_tax_inclusive"]}
            if amount is None:
                raise InvalidData(f"Shipping option {option['id']} has no price for order {order['id']}")
        line |= {"amount": amount, "is_custom_amount": given["custom_amount"] is not None}
        made |= {"amount": amount, "line": line}
    return made


def noted(given: Row) -> ActRevision:
    """A revision of an action by the `internal_note` that was given, if one was."""
    return {"internal_note": given["internal_note"]} if "internal_note" in given else {}


def line_in(act: Act) -> Any:
    """A copy of the line or shipping method that an action of an open change adds, to be revised."""
    line: Any = act["line"]
    return {**line}


async def quoted(flow: Flow, change: Change, after: Callable[[Sequence[Act]], Sequence[Act]], to: str | None = None) -> dict[str, Quote]:
    """New prices of the shipping methods in a change whose goods are others `after` a write, by the id of the action; of those by which
    goods come back also where that is `to` another location.

    A merchant's own amount stays, and so does a price that no provider calculates. Raises what the provider refuses it for."""
    if not any(act["action"] == "SHIPPING_ADD" for act in change["actions"]):
        return {}
    order = change["order"]
    before, acts = change["actions"], after(change["actions"])
    moved = {inbound: _goods(change, order, before, inbound) != _goods(change, order, acts, inbound) for inbound in (True, False)}
    moved[True] = moved[True] or to is not None
    ways: list[tuple[Act, str]] = []
    for act in before:
        if act["action"] == "SHIPPING_ADD" and act in acts and moved[act["return_id"] is not None]:
            method = line_in(act)
            if not method["is_custom_amount"] and method["shipping_option_id"] is not None:
                ways.append((act, method["shipping_option_id"]))
    calculated = await _calculated(flow, [option_id for _, option_id in ways]) if ways else ()
    quotes: dict[str, Quote] = {}
    for act, option_id in ways:
        if option_id in calculated:
            parcel = await _parcel(flow, change, order, acts, act["return_id"] is not None, to)
            option = await _priced(flow, change, order, option_id, parcel)
            assert option["amount"] is not None, "a provider answers with an amount, or refuses"
            quotes[act["id"]] = {"amount": option["amount"], "is_tax_inclusive": option["is_tax_inclusive"]}
    return quotes


async def _calculated(flow: Flow, option_ids: Sequence[str]) -> set[str]:
    """Those of these options whose providers calculate what they cost."""
    of: Row = {"id": sorted(set(option_ids)), "price_type": "calculated"}
    return {row["id"] for row in await flow.graph.rows(Query("shipping_option", ("id",), of))}


async def _priced(flow: Flow, change: Change, order: Order, option_id: str, parcel: Parcel | None) -> PricedOption:
    cart_context = await load_context(flow, order["region_id"], order["customer_id"])
    return await price_option(flow, working(order), cart_context, option_id, parcel, await _told(flow, change, order, option_id))


async def _told(flow: Flow, change: Change, order: Order, option_id: str) -> Added:
    """The attributes that the application's hook adds, if the workflow has the hook."""
    added = Added()
    if "setPricingContext" in (flow.workflow.hooks or ()):
        for more in await flow.hooks.setPricingContext(
            order=order,
            order_change=change,
            order_claim=lambda: _row(flow, "order_claim", change["claim_id"]),
            order_exchange=lambda: _row(flow, "order_exchange", change["exchange_id"]),
            order_return=lambda: _row(flow, "return", change["return_id"]),
            shipping_option_id=option_id,
        ):
            added.prices |= more or {}
    return added


async def _row(flow: Flow, entity: str, id: str | None) -> Row | None:
    return await flow.modules.order.retrieve(entity, id) if id is not None else None


# -- what goes by it


def _goods(change: Change, order: Order, acts: Sequence[Act], inbound: bool) -> dict[str, Decimal]:
    """How many units of which lines go by a way of sending that a change adds."""
    edits = change["change_type"] == "edit"
    left = {line["id"]: unsent(line) for line in order["items"]} if edits else {}
    goods = dict(left)
    for act in acts:
        details = act.get("details") or {}
        if act["action"] == ("RETURN_ITEM" if inbound else "ITEM_ADD"):
            id = details["reference_id"]
            goods[id] = goods.get(id, Decimal(0)) + Decimal(str(details["quantity"]))
        elif act["action"] == "ITEM_UPDATE" and edits:  # the last one counts
            id = details["reference_id"]
            goods[id] = left[id] + Decimal(str(details["quantity_diff"]))
    return {id: quantity for id, quantity in goods.items() if quantity > 0}


async def _parcel(flow: Flow, change: Change, order: Order, acts: Sequence[Act], inbound: bool, to: str | None = None) -> Parcel:
    """What goes by a way of sending that a change adds, as its provider is told of it. `to`: the location that goods are to come back to,
    where it isn't the return's."""
    goods = _goods(change, order, acts, inbound)
    lines: dict[str, Mapping[str, Any]] = {line["id"]: line for line in order["items"]}
    for act in acts:
        if act["action"] == "ITEM_ADD":
            lines[act["details"]["reference_id"]] = line_in(act)
    parcel = Parcel([{**lines[id], "quantity": quantity} for id, quantity in goods.items()], said={"is_return": inbound})
    items = [{"id": id, "quantity": quantity} for id, quantity in goods.items()]
    if inbound:
        parcel.said |= {"return_id": change["return_id"], "return_items": items}
        if to is not None:
            parcel.location_id = to
        elif change["return_id"] is None:  # it begins with what is named first
            parcel.location_id = await sent_from(flow, order["id"])
        else:
            back: Any = change["subjects"].get("return")
            if back is None:
                back = await flow.modules.order.retrieve("return", change["return_id"], fields=("location_id",))
            parcel.location_id = back["location_id"]
    elif change["change_type"] == "claim":
        parcel.said |= {"claim_id": change["claim_id"], "claim_items": items}
    elif change["change_type"] == "exchange":
        parcel.said |= {"exchange_id": change["exchange_id"], "exchange_items": items}
    return parcel
