"""Admin: the store itself, and what it sells in: regions, currencies, sales channels, price preferences."""

from __future__ import annotations

from ...workflows.pricing.preferences import PRICE_PREFERENCES
from ...workflows.region.regions import create_regions, delete_regions, update_regions
from ...workflows.sales_channel.channels import (
    create_sales_channels,
    delete_sales_channels,
    link_products_to_sales_channel,
    update_sales_channels,
)
from ...workflows.store.stores import update_stores
from ..frontend.bodies import ABSENT, Body, LinkBody, Metadata, Part
from ..frontend.cached import Cached
from ..frontend.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

STORE = View(
    "store",
    "id name *supported_currencies *supported_currencies.currency *supported_locales *supported_locales.locale"
    " default_sales_channel_id default_region_id default_location_id metadata created_at updated_at",
)
REGION = View("region", "id name currency_code created_at updated_at deleted_at automatic_taxes metadata *countries")
CURRENCY = View("currency", "code name symbol symbol_native decimal_digits rounding", limit=200, plural="currencies")
SALES_CHANNEL = View("sales_channel", "id name description is_disabled created_at updated_at deleted_at metadata", limit=20)
PREFERENCE = View("price_preference", "id attribute value is_tax_inclusive created_at deleted_at updated_at", limit=300)

# -- the store


class SupportedCurrency(Part):
    currency_code: str
    is_default: bool = ABSENT
    is_tax_inclusive: bool = ABSENT


class SupportedLocale(Part):
    locale_code: str


class UpdateStore(Body):
    name: str = ABSENT
    supported_currencies: list[SupportedCurrency] = ABSENT
    supported_locales: list[SupportedLocale] = ABSENT
    default_sales_channel_id: str | None = None
    default_region_id: str | None = None
    default_location_id: str | None = None
    metadata: Metadata = None


routes.resource(
    "/admin/stores",
    STORE,
    list=Filters(q=TEXT, id=MANY, name=MANY, logical=True),
    update=Write(UpdateStore, update_stores),
    delete=False,
)

# -- regions and currencies


class CreateRegion(Body):
    name: str
    currency_code: str
    countries: list[str] = ABSENT
    automatic_taxes: bool = ABSENT
    is_tax_inclusive: bool = ABSENT
    payment_providers: list[str] = ABSENT
    metadata: Metadata = None


class UpdateRegion(CreateRegion):
    name: str = ABSENT
    currency_code: str = ABSENT


routes.resource(
    "/admin/regions",
    REGION,
    list=Filters(q=TEXT, id=MANY, currency_code=MANY, name=MANY, logical=True, **STAMPS),
    create=Write(CreateRegion, create_regions),
    update=Write(UpdateRegion, update_regions),
    delete=delete_regions,
)
routes.resource("/admin/currencies", CURRENCY, list=Filters(q=TEXT, code=MANY, logical=True), delete=False, param="code", by="code")

# -- sales channels


class CreateSalesChannel(Body):
    name: str
    description: str | None = None
    is_disabled: bool = ABSENT
    metadata: Metadata = None


class UpdateSalesChannel(CreateSalesChannel):
    name: str = ABSENT


SALES_CHANNELS = Filters(
    q=TEXT, id=MANY, name=MANY, description=TEXT, is_disabled=BOOLEAN, location_id=MANY, publishable_key_id=MANY, logical=True, **STAMPS
)


@routes.get("/admin/sales-channels", query=SALES_CHANNELS, returns=SALES_CHANNEL, many=True, cached=Cached("sales_channel_stock_location"))
async def list_channels(request: Request) -> Answer:
    """List sales channels."""
    filters = request.filters
    if "location_id" in filters:
        filters["stock_locations"] = {"id": filters.pop("location_id")}
    return await request.fetch_list(SALES_CHANNEL, filters)


routes.resource(
    "/admin/sales-channels",
    SALES_CHANNEL,
    create=Write(CreateSalesChannel, create_sales_channels),
    update=Write(UpdateSalesChannel, update_sales_channels),
    delete=delete_sales_channels,
    object="sales-channel",
)


@routes.post("/admin/sales-channels/{id}/products", body=LinkBody, returns=SALES_CHANNEL)
async def set_channel_products(request: Request) -> Answer:
    """Offer products in a sales channel, and no longer offer others."""
    id = request.params["id"]
    await request.run(link_products_to_sales_channel, id=id, **request.body)
    return await request.fetch(SALES_CHANNEL, id)


# -- price preferences


class CreatePreference(Body):
    attribute: str
    value: str
    is_tax_inclusive: bool = ABSENT


class UpdatePreference(Body):
    attribute: str = ABSENT
    value: str = ABSENT
    is_tax_inclusive: bool = ABSENT


routes.resource(
    "/admin/price-preferences",
    PREFERENCE,
    PRICE_PREFERENCES,
    list=Filters(q=TEXT, id=MANY, attribute=MANY, value=MANY, logical=True),
    create=CreatePreference,
    update=UpdatePreference,
)
