"""Sending what was ordered: fulfillments of orders, their shipments and deliveries, and calling them off.

The order counts first what is sent (so that nothing is sent twice), then stock and reservations become less, and then the provider is
asked, which is the point of no return. What is called off goes the other way: once the provider has let it go, the goods are in stock and
reserved again, and only then the order counts it back: what isn't counted as sent is reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from ...commerce.addresses import FIELDS
from ...commerce.types import Order, OrderLine
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.numbers import Amount
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.fulfillment.fulfillments import SHOWN
from ...modules.inventory.types import Back, GoodsAt, GoodsOfLine, GoodsTaken, Sent
from ...modules.order.changes.actions import amount
from ..consigning import consigned
from ..kit import Flow, Kept, keep, step, take_back, workflow
from ..links import link_new
from .changes import counting, lock_of, register

ADDRESS = (*FIELDS, "metadata")


class PlannedFulfillment(TypedDict):
    """A fulfillment to be created, and the stock that it takes."""

    quantities: list[tuple[str, Decimal]]
    """Pairs of a line's id and the units of it."""
    fulfillment: Row
    """The argument of `fulfillment.create_fulfillment`, without its id."""
    stock: list[GoodsOfLine]
    """The goods that leave the stock."""


@workflow(
    "create-order-fulfillment",
    durable=True,
    hooks=("fulfillmentCreated",),
    emits=("order.fulfillment_created", "inventory-level.updated", "reservation-item.updated", "reservation-item.deleted"),
)
async def create_order_fulfillment(
    flow: Flow,
    order_id: str,
    items: list[Row],
    location_id: str | None = None,
    shipping_option_id: str | None = None,
    delivery_address: Row | None = None,
    created_by: str | None = None,
    no_notification: bool | None = None,
    metadata: Row | None = None,
    additional_data: Row | None = None,
) -> str:
    """Send units of an order's lines (`id`, `quantity`) from a location: that of the shipping option where none is named, by the option of
    the order's shipping method where none is named. Returns the fulfillment's id.

    Raises NotFound; InvalidData where the order is cancelled or has no such line, for more than is left to be sent or reserved; and
    what the provider refuses it for.
    """
    async with flow.lock(lock_of(order_id)):
        plan = await flow.run(plan_fulfillment, order_id, items, location_id, shipping_option_id, delivery_address)
        id = new_id("ful")
        counted = await flow.run(register, order_id, counting("FULFILL_ITEM", id, plan["quantities"]))
        sent = await flow.run(send_goods, plan["stock"], plan["fulfillment"]["location_id"])
        more = {"id": id, "metadata": metadata, "created_by": created_by}
        fulfillment = await flow.run(ask_provider, {**plan["fulfillment"], **more}, order_id, counted.get("order"))
        await link_new(flow, {"order_fulfillment": [{"order_id": order_id, "fulfillment_id": id}]})
        await flow.hooks.fulfillmentCreated(fulfillment=fulfillment)
    flow.emit("order.fulfillment_created", order_id=order_id, fulfillment_id=id, no_notification=no_notification)
    for level in sent["levels"]:
        flow.emit("inventory-level.updated", id=level, order_id=order_id)
    for reservation in sent["left"]:
        flow.emit("reservation-item.updated", id=reservation, order_id=order_id)
    for reservation in sent["gone"]:
        flow.emit("reservation-item.deleted", id=reservation, order_id=order_id)
    return id


@step(reads=True)
async def plan_fulfillment(
    flow: Flow, order_id: str, items: Sequence[Row], location_id: str | None, shipping_option_id: str | None, address: Row | None
) -> PlannedFulfillment:
    order = await flow.modules.order.load(order_id)
    quantities = _quantities(order, items)
    option = await _option(flow, order, shipping_option_id)
    location = location_id or (option["service_zone"]["fulfillment_set"]["location"] or {}).get("id") if option is not None else location_id
    if location is None:
        raise InvalidData("Location is required: the order's shipping method has none to send from")
    lines = {line["id"]: line for line in order["items"]}
    parts = await parts_of(flow, lines, quantities)
    given = address if address is not None else order["shipping_address"] or {}
    return {
        "quantities": quantities,
        "fulfillment": {
            "location_id": location,
            "provider_id": option["provider_id"] if option is not None else None,
            "shipping_option_id": option["id"] if option is not None else None,
            "packed_at": flow.now(),
            "data": _data(order, option),
            "requires_shipping": any(lines[id]["requires_shipping"] for id, _ in quantities),
            "items": [packed(lines[id], part) for id, part in parts],
            "consigned": await consigned(flow, lines, quantities, location, option),
            "delivery_address": {name: given.get(name) for name in ADDRESS if given.get(name) is not None},
        },
        "stock": [
            {"line_item_id": id, "inventory_item_id": item, "quantity": part["quantity"]}
            for id, part in parts
            if (item := part["inventory_item_id"]) is not None
        ],
    }


def _quantities(order: Order, items: Sequence[Row]) -> list[tuple[str, Decimal]]:
    """The requested quantities by line. Raises InvalidData for lines of another order, and if none is requested."""
    wanted: dict[str, Decimal] = {}
    check_lines(order, [item["id"] for item in items])
    if not items:
        raise InvalidData("Items are required to fulfill an order.")
    for item in items:
        if item["quantity"] <= 0:
            raise InvalidData(f"Quantity to fulfill of item {item['id']} is required.")
        wanted[item["id"]] = wanted.get(item["id"], Decimal(0)) + Decimal(item["quantity"])
    return list(wanted.items())


def check_lines(order: Order, ids: Sequence[str]) -> None:
    """Raises InvalidData for lines that the order doesn't have."""
    lines = {line["id"] for line in order["items"]}
    if unknown := [id for id in ids if id not in lines]:
        raise InvalidData(f"Items with ids {', '.join(unknown)} does not exist in order with id {order['id']}.")


_OPTION = ("id", "provider_id", "data", "service_zone.fulfillment_set.location.id")


async def _option(flow: Flow, order: Order, id: str | None) -> Row | None:
    """The shipping option of a fulfillment: the given one, or that of the order's shipping method. Raises NotFound for an unknown id."""
    wanted = id or next((method["shipping_option_id"] for method in order["shipping_methods"] if method["shipping_option_id"]), None)
    if wanted is None:
        return None
    rows = await flow.graph.rows(Query("shipping_option", _OPTION, {"id": wanted}))
    if not rows and id is None:  # it was deleted since
        rows = await flow.graph.rows(Query("shipping_option", _OPTION, {"id": wanted}, with_deleted=True))
    if not rows and id is not None:
        raise NotFound(f"Shipping option with id: {id} was not found")
    return rows[0] if rows else None


class LineStock(TypedDict):
    """The units of one inventory item that a line takes from the stock."""

    inventory_item_id: str | None
    """None: the variant's stock isn't counted, or nothing that it is made of can be in stock any more."""
    quantity: Decimal
    allow_backorder: bool
    counted: bool
    """Whether the variant's stock is counted."""


async def parts_of(flow: Flow, lines: Mapping[str, OrderLine], quantities: Sequence[tuple[str, Decimal]]) -> list[tuple[str, LineStock]]:
    """Pairs of a line's id and what these units of it take from the stock."""
    waits = await _backorders(flow, (lines[id]["variant_id"] for id, _ in quantities))
    (pairs,) = await flow.graph.pairs_of(("product_variant_inventory_item", "variant_id", sorted(waits)))
    parts: list[tuple[str, LineStock]] = []
    for id, quantity in quantities:
        of = [pair for pair in pairs if pair["variant_id"] == lines[id]["variant_id"]]
        taken = [(pair["inventory_item_id"], quantity * Decimal(pair["required_quantity"])) for pair in of] or [(None, quantity)]
        backorder = waits.get(lines[id]["variant_id"] or "")
        counts = backorder is not None
        parts += [
            (id, {"inventory_item_id": item, "quantity": each, "allow_backorder": bool(backorder), "counted": counts})
            for item, each in taken
        ]
    return parts


async def _backorders(flow: Flow, variant_ids: Iterable[str | None]) -> dict[str, bool]:
    """The variants whose stock is counted, and whether each allows backorders."""
    ids = sorted({id for id in variant_ids if id is not None})
    variants = await flow.graph.rows(Query("product_variant", ("id", "allow_backorder", "manage_inventory"), {"id": ids})) if ids else []
    return {variant["id"]: bool(variant["allow_backorder"]) for variant in variants if variant["manage_inventory"]}


def _data(order: Order, option: Row | None) -> Row:
    """The provider data of the order's shipping method."""
    if option is None:
        return {}
    return next((method["data"] or {} for method in order["shipping_methods"] if method["shipping_option_id"] == option["id"]), {})


def packed(line: OrderLine, part: LineStock) -> Row:
    says = {"title": line["variant_title"] or line["title"], "sku": line["variant_sku"] or "", "barcode": line["variant_barcode"] or ""}
    return {**says, "line_item_id": line["id"], "inventory_item_id": part["inventory_item_id"], "quantity": part["quantity"]}


async def _take_back(flow: Flow, sent: Sent) -> None:
    await flow.modules.inventory.take_back_sent(sent["taken"], sent["stock"])


@step(undo=_take_back)
async def send_goods(flow: Flow, lines: Sequence[GoodsOfLine], location_id: str) -> Sent:
    """Take goods from the stock of a location, and from their reservations."""
    return await flow.modules.inventory.send(lines, location_id)


@step(pivot=True)
async def ask_provider(flow: Flow, fulfillment: Row, order_id: str, order: Order | None = None) -> Row:
    """Have the provider carry a fulfillment out, with the order as it is with it. The provider's key is the fulfillment's id, so repeating
    it is safe."""
    if order is None and fulfillment["provider_id"] is not None:
        order = await flow.modules.order.load(order_id)
    return await flow.modules.fulfillment.create_fulfillment({**fulfillment, "order": order})


# -- on its way


@workflow("create-order-shipment", durable=True, hooks=("shipmentCreated",), emits=("shipment.created",))
async def create_order_shipment(
    flow: Flow,
    order_id: str,
    fulfillment_id: str,
    items: list[Row],
    labels: list[Row] | None = None,
    created_by: str | None = None,
    no_notification: bool | None = None,
    metadata: Row | None = None,
    additional_data: Row | None = None,
) -> str:
    """Mark a fulfillment of an order as shipped, all of it. Returns its id.

    Raises NotFound; InvalidData where the order is cancelled or has no such lines; NotAllowed where it has left already, or is cancelled.
    """
    async with flow.lock(lock_of(order_id)):
        packed = await flow.run(packed_in, order_id, fulfillment_id, [item["id"] for item in items])
        await flow.run(mark_shipped, fulfillment_id, labels or [], created_by)
        await flow.run(register, order_id, counting("SHIP_ITEM", fulfillment_id, packed["quantities"]))
        await flow.hooks.shipmentCreated(shipment=lambda: _shown(flow, fulfillment_id))
    flow.emit("shipment.created", id=fulfillment_id, no_notification=no_notification)
    return fulfillment_id


@workflow("mark-order-fulfillment-as-delivered-workflow", durable=True, emits=("delivery.created",))
async def mark_order_fulfillment_as_delivered(flow: Flow, order_id: str, fulfillment_id: str, no_notification: bool | None = None) -> str:
    """Mark a fulfillment of an order as delivered, all of it. Returns its id. Raises NotFound; InvalidData where the order is cancelled;
    NotAllowed where it has arrived already, or is cancelled."""
    async with flow.lock(lock_of(order_id)):
        packed = await flow.run(packed_in, order_id, fulfillment_id, ())
        await flow.run(mark_delivered, fulfillment_id)
        await flow.run(register, order_id, counting("DELIVER_ITEM", fulfillment_id, packed["quantities"]))
    flow.emit("delivery.created", id=fulfillment_id, no_notification=no_notification)
    return fulfillment_id


async def _shown(flow: Flow, id: str) -> Row:
    row: Row = await flow.modules.fulfillment.retrieve("fulfillment", id, fields=SHOWN)
    return row


class PackedItem(TypedDict):
    """The units of one inventory item in a fulfillment."""

    line_item_id: str
    variant_id: str | None
    inventory_item_id: str | None
    quantity: Amount


class Packed(TypedDict):
    """The contents of a fulfillment of an order."""

    quantities: list[tuple[str, Decimal]]
    """Pairs of a line's id and the units of it that are in the fulfillment."""
    items: NotRequired[list[PackedItem]]
    """This and the others: where they are read, too."""
    location_id: NotRequired[str]
    shipped: NotRequired[bool]
    canceled: NotRequired[bool]
    coming_back: NotRequired[bool]
    """Whether more units are asked back, or have come back, than would be sent without this fulfillment. What was written down before an
    upgrade doesn't say it: then the order has counted it back first, and goes on so."""


@step(reads=True)
async def packed_in(flow: Flow, order_id: str, fulfillment_id: str, lines: Sequence[str] | None = None) -> Packed:
    """The contents of a fulfillment; where it goes on its way with these `lines` of the order, only its quantities.

    Raises NotFound if there is no such order, or it has no such fulfillment; InvalidData for lines that the order doesn't have.
    """
    if lines is not None:
        return await _on_its_way(flow, order_id, fulfillment_id, lines)
    order, acts = await flow.modules.order.load_with_acts(order_id, "FULFILL_ITEM", fulfillment_id)
    [of_order] = await flow.graph.expand("order", [{"id": order_id}], _FULFILLMENTS)
    found = next((one for one in of_order["fulfillments"] if one["id"] == fulfillment_id), None)
    if found is None:
        raise _not_of_order(fulfillment_id)
    variants = {line["id"]: line["variant_id"] for line in order["items"]}
    quantities = _quantities_of(acts)
    return {
        "quantities": quantities,
        "items": [
            {
                "line_item_id": item["line_item_id"],
                "variant_id": variants.get(item["line_item_id"]),
                "inventory_item_id": item["inventory_item_id"],
                "quantity": item["quantity"],
            }
            for item in found["items"]
        ],
        "location_id": found["location_id"],
        "shipped": found["shipped_at"] is not None,
        "canceled": found["canceled_at"] is not None,
        "coming_back": _coming_back(order, quantities),
    }


async def _on_its_way(flow: Flow, order_id: str, fulfillment_id: str, lines: Sequence[str]) -> Packed:
    if order_id not in {pair["order_id"] for pair in await flow.graph.pairs("order_fulfillment", "fulfillment_id", [fulfillment_id])}:
        await flow.modules.order.load(order_id)
        raise _not_of_order(fulfillment_id)
    of = {"order_id": order_id, "reference_id": fulfillment_id, "action": "FULFILL_ITEM"}
    quantities = _quantities_of(await flow.modules.order.list("order_change_action", of, fields=("details",), order=("ordering",)))
    if {*lines} - {id for id, _ in quantities}:  # those of the order are among them nearly always
        order = await flow.modules.order.load(order_id)
        check_lines(order, lines)
    return {"quantities": quantities}


def _not_of_order(fulfillment_id: str) -> NotFound:
    return NotFound(f"Fulfillment with id {fulfillment_id} not found in the order")


def _quantities_of(acts: Sequence[Mapping[str, Any]]) -> list[tuple[str, Decimal]]:
    return [(act["details"]["reference_id"], Decimal(str(act["details"]["quantity"]))) for act in acts]


def _coming_back(order: Order, quantities: Sequence[tuple[str, Decimal]]) -> bool:
    """Whether more units are asked back, or have come back, than would be fulfilled without these."""
    without = dict.fromkeys((id for id, _ in quantities), Decimal(0))
    for id, quantity in quantities:
        without[id] += quantity
    return any(
        sum((amount(line["detail"], name) for name in _BACK), without[line["id"]]) > amount(line["detail"], "fulfilled_quantity")
        for line in order["items"]
        if line["id"] in without
    )


_BACK = ("return_requested_quantity", "return_received_quantity", "return_dismissed_quantity")

_FULFILLMENTS = tuple(
    f"fulfillments.{name}"
    for name in ("id", "location_id", "shipped_at", "canceled_at", "items.line_item_id", "items.inventory_item_id", "items.quantity")
)


@step(undo=take_back)
async def mark_shipped(flow: Flow, id: str, labels: Sequence[Row], by: str | None) -> Kept[None]:
    return await keep(flow.modules.fulfillment.ship, id, labels, by=by)


@step(undo=take_back)
async def mark_delivered(flow: Flow, id: str) -> Kept[None]:
    return await keep(flow.modules.fulfillment.deliver, id)


# -- called off


@workflow(
    "cancel-order-fulfillment",
    durable=True,
    hooks=("orderFulfillmentCanceled",),
    emits=("order.fulfillment_canceled", "inventory-level.updated", "reservation-item.created", "reservation-item.updated"),
)
async def cancel_order_fulfillment(
    flow: Flow,
    order_id: str,
    fulfillment_id: str,
    no_notification: bool | None = None,
    canceled_by: str | None = None,
    additional_data: Row | None = None,
) -> str:
    """Cancel a fulfillment of an order: its goods are in stock and reserved again. Returns its id.

    Raises NotFound; NotAllowed where it is cancelled already, or has left, or some of it is asked back; and what the provider refuses it
    for.
    """
    async with flow.lock(lock_of(order_id)):
        packed = await flow.run(packed_in, order_id, fulfillment_id)
        if packed["canceled"]:
            raise NotAllowed("The fulfillment is already canceled")
        if packed["shipped"]:
            raise NotAllowed("The fulfillment has already been shipped. Shipped fulfillments cannot be canceled")
        if packed.get("coming_back"):
            raise NotAllowed("Items of the fulfillment are to be returned, or were. Cancel their return first")
        await flow.run(call_off, fulfillment_id)
        counted_back, as_before = counting("CANCEL_ITEM_FULFILLMENT", fulfillment_id, packed["quantities"]), "coming_back" not in packed
        if as_before:
            await flow.run(register, order_id, counted_back)
        back = await flow.run(reserve_again, packed["items"], packed["location_id"])
        if not as_before:
            await flow.run(register, order_id, counted_back)
        await flow.hooks.orderFulfillmentCanceled(fulfillment=lambda: _shown(flow, fulfillment_id))
    flow.emit("order.fulfillment_canceled", order_id=order_id, fulfillment_id=fulfillment_id, no_notification=no_notification)
    for level in back["levels"]:
        flow.emit("inventory-level.updated", id=level, order_id=order_id)
    for reservation in back["created"]:
        flow.emit("reservation-item.created", id=reservation, order_id=order_id)
    for reservation in back["updated"]:
        flow.emit("reservation-item.updated", id=reservation, order_id=order_id)
    return fulfillment_id


@step(pivot=True)
async def call_off(flow: Flow, id: str) -> None:
    await flow.modules.fulfillment.cancel_fulfillment(id, key=flow.idempotency_key)


@step
async def reserve_again(flow: Flow, items: Sequence[PackedItem], location_id: str) -> Back:
    """Put goods back into the stock of a location, reserved for their lines."""
    waits = await _backorders(flow, (item["variant_id"] for item in items))
    goods: list[GoodsTaken] = [
        {
            "line_item_id": item["line_item_id"],
            "inventory_item_id": id,
            "quantity": item["quantity"],
            "location_id": location_id,
            "allow_backorder": waits.get(item["variant_id"] or "", False),
        }
        for item in items
        if (id := item["inventory_item_id"]) is not None
    ]
    stock = [GoodsAt(inventory_item_id=one["inventory_item_id"], quantity=one["quantity"], location_id=location_id) for one in goods]
    return await flow.modules.inventory.take_back_sent(goods, stock)
