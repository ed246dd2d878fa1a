"""Admin: stock locations, their sales channels and their fulfillment sets."""

from __future__ import annotations

from ...core.rows import Row
from ...workflows.stock_location.locations import (
    STOCK_LOCATIONS,
    create_location_fulfillment_set,
    create_stock_locations,
    link_fulfillment_providers_to_stock_location,
    link_sales_channels_to_stock_location,
)
from ..kit import (
    ABSENT,
    MANY,
    STAMPS,
    TEXT,
    Answer,
    Body,
    Filters,
    LinkBody,
    Metadata,
    Part,
    Request,
    Routes,
    View,
    Write,
)

routes = Routes()

STOCK_LOCATION = View(
    "stock_location",
    "id name metadata created_at updated_at address.id address.address_1 address.address_2 address.city address.country_code address.phone"
    " address.province address.postal_code address.metadata",
    limit=20,
)


class StockLocationAddress(Part):
    address_1: str
    address_2: str | None = None
    company: str | None = None
    city: str | None = None
    country_code: str
    phone: str | None = None
    postal_code: str | None = None
    province: str | None = None
    metadata: Metadata = None


class StockLocation(Body):
    name: str = ABSENT
    address: StockLocationAddress = ABSENT
    address_id: str | None = None
    metadata: Metadata = None


class CreateFulfillmentSet(Body):
    name: str
    type: str


def trimmed(_: Request, body: Row) -> Row:
    """Strip blanks around a name."""
    return {**body, "name": body["name"].strip()} if "name" in body else body


routes.resource(
    "/admin/stock-locations",
    STOCK_LOCATION,
    STOCK_LOCATIONS,
    list=Filters(q=TEXT, id=MANY, name=MANY, address_id=MANY, sales_channel_id=MANY, logical=True, **STAMPS),
    create=Write(StockLocation, create_stock_locations, before=trimmed),
    update=Write(StockLocation, before=trimmed),
)


routes.action(
    "/admin/stock-locations/{id}/sales-channels",
    STOCK_LOCATION,
    link_sales_channels_to_stock_location,
    "Sell what lies at a location in sales channels, and no longer in others.",
    body=LinkBody,
)
routes.action(
    "/admin/stock-locations/{id}/fulfillment-providers",
    STOCK_LOCATION,
    link_fulfillment_providers_to_stock_location,
    "Have fulfillment providers send from a location, and others no longer.",
    body=LinkBody,
)


@routes.post("/admin/stock-locations/{id}/fulfillment-sets", body=CreateFulfillmentSet, returns=STOCK_LOCATION)
async def add_fulfillment_set(request: Request) -> Answer:
    """Add a fulfillment set to a location, for shipping or for pickup."""
    id = request.params["id"]
    await request.run(create_location_fulfillment_set, location_id=id, fulfillment_set_data=request.body)
    return await request.fetch(STOCK_LOCATION, id)
