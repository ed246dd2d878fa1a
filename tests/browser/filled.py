"""A shop with one of everything that the dashboard has a page for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..e2e.buyer import Buyer
from ..e2e.served import Api
from ..e2e.shop import Shop, sell

ADDRESS = {"first_name": "Ada", "last_name": "L", "address_1": "Quay 7", "city": "Aarhus", "postal_code": "8000", "country_code": "dk"}
FAR = "2040-01-01T00:00:00Z"
IMAGE = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="


@dataclass
class Filled:
    """Ids, by their names in the pages' addresses."""

    admin: Api
    shop: Shop
    ids: dict[str, str] = field(default_factory=dict)

    async def make(self, name: str, path: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Create by `path`, and remember the id as `name`."""
        answer: dict[str, Any] = await self.admin.post(f"/admin/{path}", body, **params)
        made: dict[str, Any] = next(iter(answer.values()))
        self.ids[name] = made["id"]
        return made


async def fill(admin: Api, store: Api, shop: Shop) -> dict[str, str]:
    filled = Filled(admin, shop)
    filled.ids |= {"location": shop.location, "zone": shop.zone, "profile": shop.profile, "region": shop.regions["dk"]}
    for area in (goods, people, discounts, taxes, reasons, keys):
        await area(filled)
    buyer = Buyer(store, shop)
    _, answer = await buyer.complete(await buyer.ready(filled.ids["variant"]))
    filled.ids["order"] = answer["order"]["id"]
    bought = [{"variant_id": filled.ids["variant"], "quantity": 1}]
    sold = {"region_id": filled.ids["region"], "sales_channel_id": shop.channel, "email": "ada@example.com"}
    await filled.make("draft", "draft-orders", {**sold, "items": bought})
    filled.ids["execution"] = (await admin.get("/admin/workflows-executions", limit=1))["workflow_executions"][0]["id"]
    return filled.ids


async def goods(filled: Filled) -> None:
    make, admin, ids = filled.make, filled.admin, filled.ids
    await make("collection", "collections", {"title": "Summer"})
    await make("category", "product-categories", {"name": "Lights", "is_active": True})
    await make("tag", "product-tags", {"value": "new"})
    await make("type", "product-types", {"value": "Lamp"})
    option = await make("option", "product-options", {"title": "Colour", "values": ["Red", "Blue"]})
    ids["value"] = option["values"][0]["id"]

    product = await sell(admin, filled.shop, "bell", {"eur": 80, "jpy": 9000}, variants=2)
    ids["product"], ids["variant"] = product["id"], product["variants"][0]["id"]
    grouped = {
        "collection_id": ids["collection"],
        "type_id": ids["type"],
        "tags": [{"id": ids["tag"]}],
        "categories": [{"id": ids["category"]}],
        "images": [{"url": IMAGE}],
    }
    ids["image"] = (await admin.post(f"/admin/products/{ids['product']}", grouped))["product"]["images"][0]["id"]

    ids["item"] = (await admin.get("/admin/inventory-items", sku=product["variants"][0]["sku"]))["inventory_items"][0]["id"]
    held = {"location_id": ids["location"], "inventory_item_id": ids["item"], "quantity": 2, "description": "For the fair"}
    await make("reservation", "reservations", held)
    location = (await admin.get(f"/admin/stock-locations/{ids['location']}", fields="*fulfillment_sets"))["stock_location"]
    ids["set"] = location["fulfillment_sets"][0]["id"]
    ids["shipping"] = (await admin.get("/admin/shipping-options"))["shipping_options"][0]["id"]
    await make("shipping_type", "shipping-option-types", {"label": "Express", "code": "express"})


async def people(filled: Filled) -> None:
    make, admin, ids = filled.make, filled.admin, filled.ids
    await make("customer", "customers", {"email": "ida@example.com", "first_name": "Ida", "last_name": "L"})
    await admin.post(f"/admin/customers/{ids['customer']}/addresses", ADDRESS | {"address_name": "Home"})
    await make("group", "customer-groups", {"name": "Sailors"})
    await admin.post(f"/admin/customers/{ids['customer']}/customer-groups", {"add": [ids["group"]]})
    await make("invite", "invites", {"email": "grace@example.com"})
    ids["user"] = (await admin.get("/admin/users/me"))["user"]["id"]


async def discounts(filled: Filled) -> None:
    make, ids = filled.make, filled.ids
    budget = {"type": "spend", "limit": 1000, "currency_code": "eur"}
    dates = {"starts_at": "2024-01-01T00:00:00Z", "ends_at": FAR}
    await make("campaign", "campaigns", {"name": "Regatta", "campaign_identifier": "REGATTA", "budget": budget, **dates})
    await make(
        "promotion",
        "promotions",
        {
            "code": "SAIL10",
            "type": "standard",
            "status": "active",
            "campaign_id": ids["campaign"],
            "application_method": {
                "type": "percentage",
                "target_type": "items",
                "allocation": "across",
                "value": 10,
                "currency_code": "eur",
                "target_rules": [{"attribute": "items.product.id", "operator": "in", "values": [ids["product"]]}],
            },
            "rules": [{"attribute": "customer.groups.id", "operator": "in", "values": [ids["group"]]}],
        },
    )
    prices = [{"variant_id": ids["variant"], "currency_code": "eur", "amount": 70}]
    rules = {"customer.groups.id": [ids["group"]]}
    body = {"title": "Sailors' prices", "description": "For the group", "status": "active", "rules": rules, "prices": prices, **dates}
    await make("price_list", "price-lists", body)


async def taxes(filled: Filled) -> None:
    make, ids = filled.make, filled.ids
    rate = {"name": "Sales tax", "code": "us", "rate": 1}
    await make("tax_region", "tax-regions", {"country_code": "us", "provider_id": "tp_system", "default_tax_rate": rate})
    below = {"country_code": "us", "province_code": "us-ca", "parent_id": ids["tax_region"]}
    await make("province", "tax-regions", {**below, "default_tax_rate": {**rate, "code": "ca", "rate": 7}})
    rules = [{"reference": "product", "reference_id": ids["product"]}]
    for region, rate_name, override in (("tax_region", "rate", "override"), ("province", "province_rate", "province_override")):
        ids[rate_name] = (await filled.admin.get("/admin/tax-rates", tax_region_id=ids[region]))["tax_rates"][0]["id"]
        await make(override, "tax-rates", {"name": "Lamps", "code": "lamps", "rate": 3, "tax_region_id": ids[region], "rules": rules})


async def reasons(filled: Filled) -> None:
    await filled.make("return_reason", "return-reasons", {"value": "broken", "label": "Broken"})
    await filled.make("refund_reason", "refund-reasons", {"code": "late", "label": "Came late"})
    await filled.make("label", "property-labels", {"entity": "product", "property": "title", "label": "Name"})


async def keys(filled: Filled) -> None:
    await filled.make("channel", "sales-channels", {"name": "Fair"})
    await filled.make("publishable_key", "api-keys", {"title": "Kiosk", "type": "publishable"})
    await filled.make("secret_key", "api-keys", {"title": "Tool", "type": "secret"})
