"""Admin: fulfillments by themselves."""

from __future__ import annotations

from ...workflows.fulfillment.fulfillments import cancel_fulfillment, create_fulfillment, create_shipment
from ..kit.bodies import Body, Metadata, Number, Part
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..store.addresses import AddressBody
from .orders import Label

routes = Routes()

FULFILLMENT = View(
    "fulfillment",
    "id location_id packed_at shipped_at marked_shipped_by created_by delivered_at canceled_at data provider_id shipping_option_id metadata"
    " order created_at updated_at deleted_at *delivery_address *items *labels",
)


class FulfillmentItem(Part):
    title: str
    sku: str
    quantity: Number
    barcode: str
    line_item_id: str | None = None
    inventory_item_id: str | None = None


class CreateFulfillment(Body):
    location_id: str
    provider_id: str
    delivery_address: AddressBody
    items: list[FulfillmentItem]
    labels: list[Label]
    order_id: str
    shipping_option_id: str | None = None
    data: Metadata
    packed_at: str | None = None
    shipped_at: str | None = None
    delivered_at: str | None = None
    canceled_at: str | None = None
    metadata: Metadata


class CreateShipment(Body):
    labels: list[Label]


@routes.post("/admin/fulfillments", body=CreateFulfillment, returns=FULFILLMENT)
async def create(request: Request) -> Answer:
    """Have something sent."""
    id = await once(request, create_fulfillment, fulfillment={**request.body, "created_by": request.actor_id})
    return await request.fetch(FULFILLMENT, id)


routes.action("/admin/fulfillments/{id}/cancel", FULFILLMENT, cancel_fulfillment, "Call a fulfillment off.")
routes.action(
    "/admin/fulfillments/{id}/shipment",
    FULFILLMENT,
    create_shipment,
    "Say that a fulfillment has left the house.",
    body=CreateShipment,
    who="marked_shipped_by",
)
