"""Admin: the store itself, and what it sells in: regions, currencies, sales channels, price preferences."""

from __future__ import annotations

from typing import Any

from ..frontend.bodies import ABSENT, Body, LinkBody, Metadata, Part
from ..frontend.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

STORE = View(
    "store",
    "store",
    "stores",
    "id name *supported_currencies *supported_currencies.currency *supported_locales *supported_locales.locale"
    " default_sales_channel_id default_region_id default_location_id metadata created_at updated_at",
)
REGION = View("region", "region", "regions", "id name currency_code created_at updated_at deleted_at automatic_taxes metadata *countries")
CURRENCY = View("currency", "currency", "currencies", "code name symbol symbol_native decimal_digits rounding", limit=200)
SALES_CHANNEL = View(
    "sales_channel",
    "sales_channel",
    "sales_channels",
    "id name description is_disabled created_at updated_at deleted_at metadata",
    limit=20,
)
PREFERENCE = View(
    "price_preference",
    "price_preference",
    "price_preferences",
    "id attribute value is_tax_inclusive created_at deleted_at updated_at",
    limit=300,
)

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


async def update_store(request: Request, row: dict[str, Any]) -> None:
    id = row.pop("id")
    await request.run("update-stores", selector={"id": id}, update=row)


routes.resource(
    "/admin/stores",
    STORE,
    list=Filters(q=TEXT, id=MANY, name=MANY, logical=True),
    update=Write(UpdateStore, run=update_store),
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


async def create_region(request: Request, row: dict[str, Any]) -> str:
    return str((await request.run("create-regions", regions=[row]))[0]["id"])


async def update_region(request: Request, row: dict[str, Any]) -> None:
    id = row.pop("id")
    await request.run("update-regions", selector={"id": id}, update=row)


async def delete_region(request: Request, id: str) -> None:
    await request.run("delete-regions", ids=[id])


routes.resource(
    "/admin/regions",
    REGION,
    list=Filters(q=TEXT, id=MANY, currency_code=MANY, name=MANY, logical=True, **STAMPS),
    create=Write(CreateRegion, run=create_region),
    update=Write(UpdateRegion, run=update_region),
    delete=delete_region,
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


async def delete_sales_channel(request: Request, id: str) -> None:
    await request.run("delete-sales-channels", ids=[id])


routes.resource(
    "/admin/sales-channels",
    SALES_CHANNEL,
    list=Filters(
        q=TEXT, id=MANY, name=MANY, description=TEXT, is_disabled=BOOLEAN, location_id=MANY, publishable_key_id=MANY, logical=True, **STAMPS
    ),
    create=CreateSalesChannel,
    update=UpdateSalesChannel,
    delete=delete_sales_channel,
    object="sales-channel",
)


@routes.post("/admin/sales-channels/{id}/products", body=LinkBody, returns=SALES_CHANNEL)
async def set_channel_products(request: Request) -> Answer:
    """Offer products in a sales channel, and no longer offer others."""
    id = request.params["id"]
    await request.run("link-products-to-sales-channel", id=id, **request.body)
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
    list=Filters(q=TEXT, id=MANY, attribute=MANY, value=MANY, logical=True),
    create=CreatePreference,
    update=UpdatePreference,
)
