"""Fulfillments by themselves. One of an order goes the order's way, so that the order counts what becomes of it."""

from __future__ import annotations

from ...commerce.types import Order
from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..kit import Flow, step, workflow
from ..order.fulfillments import (
    call_off,
    cancel_order_fulfillment,
    create_order_shipment,
    mark_delivered,
    mark_order_fulfillment_as_delivered,
    mark_shipped,
)


@step(pivot=True)
async def carry_out(flow: Flow, fulfillment: Row, order: Order) -> str:
    return str((await flow.modules.fulfillment.create_fulfillment({**fulfillment, "order": order}))["id"])


@workflow("create-fulfillment-workflow", durable=True)
async def create_fulfillment(flow: Flow, fulfillment: Row) -> str:
    """Have something sent that no order counts, for the sake of an order (`order_id`). Returns its id.

    Raises NotFound for an unknown order or location, and what the provider refuses it for.
    """
    given = dict(fulfillment)
    order = await flow.modules.order.load(given.pop("order_id"))
    if not await flow.modules.stock_location.list("stock_location", {"id": given["location_id"]}, fields=("id",)):
        raise NotFound(f"Stock location with id: {given['location_id']} was not found")
    return await flow.run(carry_out, {**given, "id": new_id("ful")}, order)


async def _order_of(flow: Flow, id: str) -> str | None:
    """The order that a fulfillment is of. Raises NotFound."""
    rows = await flow.graph.rows(Query("fulfillment", ("order.id",), {"id": id}))
    if not rows:
        raise NotFound(f"Fulfillment with id: {id} was not found")
    order = rows[0]["order"]
    return str(order["id"]) if order is not None else None


@workflow("cancel-fulfillment-workflow", durable=True)
async def cancel_fulfillment(flow: Flow, id: str) -> str:
    """Cancel a fulfillment. Returns its id. Raises NotFound; InvalidData where it has left; and what the provider refuses it for."""
    held = await flow.modules.fulfillment.retrieve("fulfillment", id, fields=("shipped_at", "delivered_at", "canceled_at"))
    for moment, what in (("shipped_at", "shipped"), ("delivered_at", "delivered")):
        if held[moment] is not None:
            raise InvalidData(f"Fulfillment with id {id} already {what}")
    if held["canceled_at"] is not None:
        return id
    order_id = await _order_of(flow, id)
    if order_id is not None:
        return await flow.run(cancel_order_fulfillment, order_id, id)
    await flow.run(call_off, id)
    return id


@workflow("create-shipment-workflow", durable=True)
async def create_shipment(flow: Flow, id: str, labels: list[Row], marked_shipped_by: str | None = None) -> str:
    """Mark a fulfillment as shipped. Returns its id. Raises NotFound; NotAllowed where it has left already, or is cancelled."""
    order_id = await _order_of(flow, id)
    if order_id is not None:
        return await flow.run(create_order_shipment, order_id, id, [], labels, marked_shipped_by)
    await flow.run(mark_shipped, id, labels, marked_shipped_by)
    return id


@step(reads=True)
async def how_it_stands(flow: Flow, id: str) -> tuple[str | None, bool, bool]:
    """The order of a fulfillment, whether it has left, and whether nothing more can become of it."""
    held = await flow.modules.fulfillment.retrieve("fulfillment", id, fields=("shipped_at", "delivered_at", "canceled_at"))
    return await _order_of(flow, id), held["shipped_at"] is not None, held["delivered_at"] is not None or held["canceled_at"] is not None


@workflow("track-fulfillment-workflow", durable=True)
async def track_fulfillment(flow: Flow, id: str, status: str) -> str:
    """Set a fulfillment to the status that its carrier reports: `shipped`, or `delivered`, which is always preceded by `shipped`. Returns
    its id.

    May be repeated, and what a carrier says late changes nothing. Raises NotFound.
    """
    order_id, shipped, over = await flow.run(how_it_stands, id)
    if over:
        return id
    if not shipped:
        if order_id is not None:
            await flow.run(create_order_shipment, order_id, id, [])
        else:
            await flow.run(mark_shipped, id, [], None)
    if status == "delivered":
        if order_id is not None:
            await flow.run(mark_order_fulfillment_as_delivered, order_id, id)
        else:
            await flow.run(mark_delivered, id)
    return id
