"""The ways in which an order can be sent, or sent back: what merchants choose from."""

from __future__ import annotations

from decimal import Decimal

from ...commerce.types import Order
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..cart.sellables import STOCK
from ..cart.shipping import OPTION, fulfillment_sets_of
from ..kit import Flow, workflow
from .fulfillments import parts_of
from .reserving import unsent

_SHOWN = tuple(name for name in OPTION if name not in ("shipping_option_type_id", "metadata"))
_RULE = ("attribute", "value", "operator")


@workflow("list-shipping-options-for-order")
async def list_order_shipping_options(flow: Flow, order_id: str) -> list[Row]:
    """The options by which an order can be sent, or sent back, whatever their rules say: from the locations of its sales channel, to its
    address where it has one.

    Each says whether something that is left to be sent isn't at its location (`insufficient_inventory`), where what is reserved for the
    order is. Raises NotFound.
    """
    order = await flow.modules.order.load(order_id)
    located = await fulfillment_sets_of(flow, order["sales_channel_id"])
    if not located:
        return []
    options: list[Row] = await flow.modules.fulfillment.list_shipping_options_for_context(
        None, address=order["shipping_address"], filters={"service_zone": {"fulfillment_set_id": sorted(located)}}, fields=_SHOWN
    )
    if not options:
        return []
    rows = await flow.graph.rows(Query("stock_location", ("id", "name", "*address"), {"id": sorted(set(located.values()))}))
    locations, stock = {row["id"]: row for row in rows}, await _stock_for(flow, order)
    for option in options:
        location = located[option["service_zone"]["fulfillment_set_id"]]
        option["rules"] = [{name: rule[name] for name in _RULE} for rule in option["rules"]]
        option["service_zone"]["fulfillment_set"]["location"] = locations.get(location)
        option["insufficient_inventory"] = any(there.get(location, Decimal(0)) < wanted for wanted, there in stock)
    return options


async def _stock_for(flow: Flow, order: Order) -> list[tuple[Decimal, dict[str, Decimal]]]:
    """For each inventory item that is left to be sent: how many, and how many of it there are for the order, by location."""
    quantities = [(line["id"], left) for line in order["items"] if (left := unsent(line)) > 0]
    wanted: dict[str, Decimal] = {}
    for _, part in await parts_of(flow, {line["id"]: line for line in order["items"]}, quantities):
        if (item := part["inventory_item_id"]) is not None:
            wanted[item] = wanted.get(item, Decimal(0)) + part["quantity"]
    if not wanted:
        return []
    items = await flow.modules.inventory.list("inventory_item", {"id": sorted(wanted), "requires_shipping": True}, fields=STOCK)
    held = await flow.modules.inventory.list(
        "reservation_item",
        {"line_item_id": [id for id, _ in quantities], "inventory_item_id": sorted(wanted)},
        fields=("inventory_item_id", "location_id", "quantity"),
    )
    there = {
        item["id"]: {level["location_id"]: Decimal(level["available_quantity"]) for level in item["location_levels"]} for item in items
    }
    for reservation in held:
        at = there.get(reservation["inventory_item_id"], {})
        at[reservation["location_id"]] = at.get(reservation["location_id"], Decimal(0)) + Decimal(reservation["quantity"])
    return [(wanted[id], at) for id, at in there.items()]
