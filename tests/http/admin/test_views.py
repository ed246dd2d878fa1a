"""Views of the dashboard's lists: which columns there are, and whose views a user sees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.ids import ulid

from ..conftest import Client, Shop
from .conftest import Merchant

CONFIGURATION = {"visible_columns": ["email"], "column_order": ["email"]}
SHOWN = {
    "orders": (
        "display_id created_at customer_display sales_channel.name payment_status fulfillment_status total order_shipping_country_display"
    ),
    "products": "product_display collection.title sales_channels_display variants_count status",
    "customers": "email customer_name has_account created_at",
    "customer-groups": "name customers_count created_at updated_at",
    "price-lists": "title status price_overrides",
    "product-collections": "title handle products_count",
    "product-options": "title values_count is_exclusive",
    "inventory-items": "title sku reserved_quantity stocked_quantity",
    "users": "email first_name last_name created_at updated_at",
    "regions": "name region_country_display payment_providers_display",
    "promotions": "code method status_display",
    "campaigns": "name description campaign_identifier starts_at ends_at",
    "sales-channels": "name description is_disabled created_at updated_at",
    "return-reasons": "label value description",
    "refund-reasons": "label code description",
    "product-types": "value created_at updated_at",
    "product-tags": "value created_at updated_at",
    "shipping-profiles": "name type",
    "shipping-option-types": "label code description created_at updated_at",
    "reservation-items": "inventory_item.sku description created_at quantity",
    "api-keys": "title redacted type revoked_at last_used_at created_at",
}
"""What Medusa 2.18.0 shows of each list until a merchant chooses, in its order."""
KINDS = {
    ("orders", "status"): ("enum", "status", "status", ["pending", "completed", "draft", "archived", "canceled", "requires_action"]),
    ("orders", "display_id"): ("number", "identifier", "display_id", None),
    ("orders", "total"): ("currency", "currency", "currency", None),
    ("orders", "customer.email"): ("string", "contact", "email", None),
    ("orders", "metadata"): ("object", "metadata", "json", None),
    ("products", "thumbnail"): ("string", "image", "image", None),
    ("products", "is_giftcard"): ("boolean", "boolean", "boolean", None),
    ("products", "shipping_profile.created_at"): ("date", "timestamp", "datetime", None),
    ("product-variants", "weight"): ("number", "float", "number", None),
}
"""(List, column) → its data type, what it is, how it is shown, and its values, as Medusa 2.18.0 says; here an order's number is one."""


async def columns(merchant: Merchant, of: str) -> dict[str, Any]:
    found = (await merchant.get(f"/admin/views/{of}/columns"))["columns"]
    by_id = {column["id"]: column for column in found}
    assert len(by_id) == len(found)
    return by_id


@pytest.mark.parametrize("of", SHOWN)
async def test_a_list_shows_what_medusa_shows(merchant: Merchant, of: str) -> None:
    every = await columns(merchant, of)
    shown = [id for id, column in every.items() if column["default_visible"]]
    assert shown == SHOWN[of].split()
    # whatever a list may show can be asked for
    needed = {field for column in every.values() if "computed" in column for field in column["computed"]["required_fields"]}
    fields = {id for id, column in every.items() if column["context"] == "both"} | needed
    known = {entity["pluralName"] for entity in (await merchant.get("/admin/views/entities"))["entities"]}
    assert of in known
    assert "id" in every
    assert all(not field.startswith("raw_") for field in fields)


async def test_columns_say_what_they_are_and_what_a_merchant_calls_them(merchant: Merchant) -> None:
    for (of, id), (data, semantic, render, values) in KINDS.items():
        column = (await columns(merchant, of))[id]
        said = (column["data_type"], column["semantic_type"], column["render_mode"], column["filter"].get("enumValues"))
        assert said == (data, semantic, render, values), (of, id)
    every = await columns(merchant, "products")
    assert every["collection.id"]["filter"]["relationship"]["filter_key"] == "collection_id"
    assert every["tags_filter"]["context"] == "filter"
    label = {"entity": "Product", "property": "hs_code", "label": f"Customs {ulid()}", "description": "For the harbour"}
    await merchant.client("POST", "/admin/property-labels", label)
    named = (await columns(merchant, "Product"))["hs_code"]
    assert (named["name"], named["description"], named["custom_label"]) == (label["label"], "For the harbour", True)
    entities = {each["name"]: each for each in (await merchant.get("/admin/views/entities"))["entities"]}
    assert (entities["Product"]["hasOverrides"], entities["Region"]["hasOverrides"]) == (True, False)


async def test_a_user_sees_their_own_views_and_everybodys(shop: Shop, merchant: Merchant, client: Client) -> None:
    other = str((await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com"}]))[0]["id"])
    ada = Merchant(client.with_(authorization=f"Bearer {await shop.token('user', other)}"))
    path = f"/admin/views/{ulid()}/configurations"
    defaults = await asyncio.gather(
        *(merchant.client("POST", path, {"is_system_default": True, "configuration": CONFIGURATION}) for _ in range(4))
    )
    assert sorted(answer.status for answer in defaults) == [200, 422, 422, 422]
    default = (await ada.get(f"{path}/active"))["view_configuration"]["id"]
    hers = (await ada.post(path, {"name": "Hers", "configuration": CONFIGURATION}))["view_configuration"]["id"]
    assert (await ada.get(f"{path}/active"))["view_configuration"]["id"] == hers
    assert (await merchant.get(f"{path}/active"))["view_configuration"]["id"] == default
    assert [(await each.get(path))["count"] for each in (ada, merchant)] == [2, 1]
    for method, at, body in (
        ("GET", f"{path}/{hers}", None),
        ("POST", f"{path}/{hers}", {"name": "Mine"}),
        ("DELETE", f"{path}/{hers}", None),
        ("POST", f"{path}/active", {"view_configuration_id": hers}),
    ):
        assert (await merchant.refused(method, at, body))[:2] == (404, "not_found")
    await ada.delete(f"{path}/{hers}")
    assert (await ada.get(f"{path}/active"))["view_configuration"]["id"] == default
