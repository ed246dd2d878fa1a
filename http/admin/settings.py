"""Admin: the store itself, and its regions, currencies, sales channels and price preferences."""

from __future__ import annotations

from ...workflows.pricing.preferences import PRICE_PREFERENCES
from ...workflows.region.regions import REGIONS, create_regions, update_regions
from ...workflows.sales_channel.channels import SALES_CHANNELS, delete_sales_channels, link_products_to_sales_channel
from ...workflows.store.stores import update_stores
from ..kit.bodies import ABSENT, Body, LinkBody, Metadata, Part
from ..kit.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters, meaning
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write

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


routes.resource(
    "/admin/regions",
    REGION,
    REGIONS,
    list=Filters(q=TEXT, id=MANY, currency_code=MANY, name=MANY, logical=True, **STAMPS),
    create=Write(CreateRegion, create_regions),
    update=Write(CreateRegion.partial(), update_regions),
)
routes.resource("/admin/currencies", CURRENCY, list=Filters(q=TEXT, code=MANY, logical=True), param="code", by="code")

# -- sales channels


class CreateSalesChannel(Body):
    name: str
    description: str | None = None
    is_disabled: bool = ABSENT
    metadata: Metadata = None


routes.resource(
    "/admin/sales-channels",
    SALES_CHANNEL,
    SALES_CHANNELS,
    list=Filters(
        q=TEXT,
        id=MANY,
        name=MANY,
        description=TEXT,
        is_disabled=BOOLEAN,
        location_id=meaning(MANY, "stock_locations.id"),
        publishable_key_id=MANY,
        logical=True,
        **STAMPS,
    ),
    sources="sales_channel_stock_location",
    summaries={"list": "List sales channels."},
    create=CreateSalesChannel,
    update=True,
    delete=delete_sales_channels,
    object="sales-channel",
)


routes.action(
    "/admin/sales-channels/{id}/products",
    SALES_CHANNEL,
    link_products_to_sales_channel,
    "Offer products in a sales channel, and no longer offer others.",
    body=LinkBody,
)

# -- price preferences


class CreatePreference(Body):
    attribute: str
    value: str
    is_tax_inclusive: bool = ABSENT


routes.resource(
    "/admin/price-preferences",
    PREFERENCE,
    PRICE_PREFERENCES,
    list=Filters(q=TEXT, id=MANY, attribute=MANY, value=MANY, logical=True),
    create=CreatePreference,
    update=True,
)
