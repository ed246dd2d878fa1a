"""Drafts as a merchant may enter them: for an email or a customer, lines of every kind, ways of sending, codes; and what is refused."""

from __future__ import annotations

from typing import Any

from ..ground import Api

SHOW = (
    "?fields=id,status,is_draft_order,version,email,customer_id,sales_channel_id,region_id,currency_code,no_notification,metadata,total,"
    "subtotal,tax_total,discount_total,shipping_total,item_total,original_total,*items,*items.adjustments,*items.tax_lines,"
    "*shipping_methods,*shipping_methods.adjustments,*shipping_methods.tax_lines,*shipping_address,*billing_address,*promotions"
)


async def run(api: Api) -> None:
    shop = await api.shop("si", "eur", rate=20)
    mug = await api.goods(shop, "Mug", {"S": 10, "L": 25}, stock=8)
    free = await api.goods(shop, "Note", {"A": 3})
    half, flat = await _codes(api)
    token = await api.person("mia")
    customer = (await api.quiet("GET", "/store/customers/me", token=token))["customer"]["id"]
    saved = {"first_name": "Mia", "last_name": "Sun", "address_1": "Bay 3", "city": "Koper", "country_code": "si", "postal_code": "6000"}
    await api.quiet("POST", f"/admin/customers/{customer}/addresses", saved)
    of: dict[str, Any] = {"region_id": shop.region, "sales_channel_id": api.channel}
    email = {"email": api.fresh("ada") + "@example.com"}
    await _refused(api, of, email, mug["S"])

    home = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1000", "country_code": "si"}
    items = [
        {"variant_id": mug["S"], "quantity": 2},
        {"variant_id": mug["L"], "quantity": 1, "unit_price": 19.5, "title": "Mug of the day", "metadata": {"gift": True}},
        {"variant_id": free["A"], "quantity": 3, "unit_price": 0},
        {"title": "Engraving", "sku": "ENG", "quantity": 1, "unit_price": 8},
        {"title": "Wrapping", "quantity": 2, "unit_price": 1.25, "metadata": {"paper": "blue"}},
    ]
    methods = [
        {"name": "Bike", "amount": 6.5, "shipping_option_id": shop.ship, "data": {"bell": True}},
        {"name": "Boat", "amount": 0, "shipping_option_id": shop.back},
    ]
    body = of | email | {"items": items, "shipping_methods": methods, "promo_codes": [half], "shipping_address": home}
    body |= {"billing_address": home | {"city": "Other"}, "no_notification_order": True, "metadata": {"by": "phone"}}
    first = await _made(api, body)
    second = await _made(api, of | {"customer_id": customer, "items": items[:1]})
    third = await _made(api, of | email | {"items": items[3:], "promo_codes": [flat], "shipping_methods": methods[:1]})
    empty = await _made(api, of | email | {"items": []})
    for draft in (first, second, third, empty):
        await api.admin("GET", f"/draft-orders/{draft}{SHOW}")
    await api.admin("GET", f"/draft-orders/{first}")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
    for draft in (first, second, third):
        await api.quiet("POST", f"/admin/draft-orders/{draft}/convert-to-order", {})
        await api.admin("GET", f"/orders/{draft}{SHOW},payment_status,fulfillment_status")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")


async def _codes(api: Api) -> tuple[str, str]:
    half, flat = api.fresh("half").upper(), api.fresh("flat").upper()
    method = {"type": "percentage", "target_type": "items", "allocation": "across", "value": 50}
    await api.post("/promotions", {"code": half, "type": "standard", "status": "active", "application_method": method})
    method = {
        "type": "fixed",
        "target_type": "shipping_methods",
        "allocation": "each",
        "value": 2,
        "max_quantity": 1,
        "currency_code": "eur",
    }
    await api.post("/promotions", {"code": flat, "type": "standard", "status": "active", "application_method": method})
    return half, flat


async def _made(api: Api, body: dict[str, Any]) -> str:
    return str((await api.admin("POST", f"/draft-orders{SHOW}", body))["draft_order"]["id"])


async def _refused(api: Api, of: dict[str, Any], email: dict[str, Any], variant: str) -> None:
    line = {"variant_id": variant, "quantity": 1}
    for body in (
        {},
        email,
        of | {"items": [line]},
        of | email | {"region_id": "reg_nothing", "items": [line]},
        of | email | {"items": [{"variant_id": "variant_nothing", "quantity": 1}]},
        of | email | {"items": [{"quantity": 1}]},
        of | email | {"items": [{"variant_id": variant}]},
        of | email | {"items": [line | {"quantity": "two"}]},
        of | email | {"items": [line], "shipping_methods": [{"name": "Boat", "amount": 0}]},
        of | email | {"items": [line], "shipping_address": 7},
        of | email | {"items": [line], "color": "blue"},
    ):
        await api.admin("POST", "/draft-orders?fields=id,status", body)
