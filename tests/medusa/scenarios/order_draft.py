"""A draft order by telephone: lines of the shop and by hand, shipping, a code, edited in each state, given up, converted; deleted."""

from __future__ import annotations

from typing import Any

from ..ground import Api

SHOW = (
    "?fields=id,status,is_draft_order,version,email,customer_id,payment_status,fulfillment_status,total,subtotal,tax_total,discount_total,"
    "shipping_total,summary,*items,*items.adjustments,*items.tax_lines,*items.detail,*shipping_methods,*shipping_methods.tax_lines"
)
STOCK = "&order=sku&fields=sku,stocked_quantity,reserved_quantity"


def action(preview: Any, kind: str, name: str) -> str:
    """Id of the last action of this name of a preview's lines or shipping methods."""
    lines = preview["draft_order_preview"][kind]
    return str([act["id"] for line in lines for act in line.get("actions") or [] if act["action"] == name][-1])


async def run(api: Api) -> None:
    shop = await api.shop("fi", "eur", rate=25)
    bag = await api.goods(shop, "Bag", {"S": 20, "L": 40}, stock=6)
    code, other = api.fresh("phone").upper(), api.fresh("more").upper()
    method = {"type": "percentage", "target_type": "items", "allocation": "across", "value": 25}
    for each in (code, other):
        await api.quiet("POST", "/admin/promotions", {"code": each, "type": "standard", "status": "active", "application_method": method})
    to = {"first_name": "Mia", "address_1": "Road", "city": "Oulu", "country_code": "fi", "postal_code": "1"}
    body: dict[str, Any] = {
        "email": api.fresh("mia") + "@example.com",
        "region_id": shop.region,
        "sales_channel_id": api.channel,
        "shipping_address": to,
        "items": [{"variant_id": bag["S"], "quantity": 2}, {"title": "Engraving", "quantity": 1, "unit_price": 8}],
        "metadata": {"by": "phone"},
    }
    # created, and refused
    await api.admin("POST", "/draft-orders", {})
    await api.admin("POST", "/draft-orders", {"region_id": shop.region})
    await api.admin("POST", "/draft-orders", body | {"region_id": "reg_nothing"})
    await api.admin("POST", "/draft-orders", body | {"items": [{"variant_id": "variant_nothing", "quantity": 1}]})
    await api.admin("POST", "/draft-orders", body | {"items": [{"title": "Untold", "quantity": 1}]})
    await api.admin("POST", "/draft-orders", body | {"items": [{"variant_id": bag["S"], "quantity": 99}]})
    draft = (await api.admin("POST", "/draft-orders", body))["draft_order"]["id"]
    at = f"/draft-orders/{draft}"
    await api.admin("GET", at)
    await api.admin("GET", "/draft-orders/order_nothing")
    await api.admin("GET", f"/orders/{draft}?fields=id,status,is_draft_order,total")
    await api.admin("GET", f"/orders?q=mia-{api.word}&fields=id,status")
    await api.admin("GET", f"/draft-orders?q=mia-{api.word}")
    await api.admin("GET", f"/draft-orders?q=mia-{api.word}&region_id={shop.region}&fields=id,status,email,total")
    await api.admin("GET", "/draft-orders?region_id=reg_nothing&fields=id")
    # no edit was begun
    await api.admin("POST", f"{at}/edit/items", {"items": [{"variant_id": bag["L"], "quantity": 1}]})
    await api.admin("POST", f"{at}/edit/promotions", {"promo_codes": [code]})
    await api.admin("POST", f"{at}/edit/request", {})
    await api.admin("POST", f"{at}/edit/confirm", {})
    await api.admin("DELETE", f"{at}/edit")
    await api.admin("POST", "/draft-orders/order_nothing/edit", {})
    # an edit
    await api.admin("POST", f"{at}/edit", {})
    await api.admin("POST", f"{at}/edit", {})
    await api.admin("POST", f"{at}/edit/items", {"items": [{"quantity": 1}]})
    await api.admin("POST", f"{at}/edit/items", {"items": [{"variant_id": "variant_nothing", "quantity": 1}]})
    preview = await api.admin("POST", f"{at}/edit/items", {"items": [{"variant_id": bag["L"], "quantity": 1}]})
    added = action(preview, "items", "ITEM_ADD")
    await api.admin("POST", f"{at}/edit/items/{added}", {"quantity": 2, "unit_price": 36})
    await api.admin("POST", f"{at}/edit/items/ordchact_nothing", {"quantity": 2})
    await api.admin("DELETE", f"{at}/edit/items/ordchact_nothing")
    preview = await api.admin("POST", f"{at}/edit/items", {"items": [{"title": "Card", "quantity": 1, "unit_price": 3}]})
    await api.admin("DELETE", f"{at}/edit/items/{action(preview, 'items', 'ITEM_ADD')}")
    plain = next(i["id"] for i in preview["draft_order_preview"]["items"] if i["title"] == "Engraving")
    await api.admin("POST", f"{at}/edit/items/item/{plain}", {"quantity": 3})
    await api.admin("POST", f"{at}/edit/items/item/ordli_nothing", {"quantity": 3})
    await api.admin("POST", f"{at}/edit/shipping-methods", {"shipping_option_id": "so_nothing"})
    preview = await api.admin("POST", f"{at}/edit/shipping-methods", {"shipping_option_id": shop.ship})
    sent = action(preview, "shipping_methods", "SHIPPING_ADD")
    await api.admin("POST", f"{at}/edit/shipping-methods/{sent}", {"shipping_option_id": shop.ship, "custom_amount": 7})
    await api.admin("DELETE", f"{at}/edit/shipping-methods/{sent}")
    await api.admin("POST", f"{at}/edit/shipping-methods", {"shipping_option_id": shop.ship})
    await api.admin("POST", f"{at}/edit/promotions", {"promo_codes": ["NOTHING"]})
    await api.admin("POST", f"{at}/edit/promotions", {"promo_codes": [code]})
    await api.admin("DELETE", f"{at}/edit/promotions", {"promo_codes": [other]})
    await api.admin("POST", f"{at}/edit/request", {})
    await api.admin("POST", f"{at}/edit/confirm", {})
    await api.admin("GET", f"{at}{SHOW}")
    # another one, given up
    got = (await api.quiet("GET", f"/admin{at}{SHOW}"))["draft_order"]
    way = got["shipping_methods"][0]["id"]
    await api.admin("POST", f"{at}/edit", {})
    await api.admin("DELETE", f"{at}/edit/promotions", {"promo_codes": [code]})
    await api.admin("POST", f"{at}/edit/shipping-methods/method/{way}", {"shipping_option_id": shop.ship, "custom_amount": 6})
    await api.admin("DELETE", f"{at}/edit/shipping-methods/method/ordsm_nothing")
    await api.admin("DELETE", f"{at}/edit")
    await api.admin("GET", f"{at}{SHOW}")
    # and one that takes its way of sending out, and its code
    await api.admin("POST", f"{at}/edit", {})
    await api.admin("DELETE", f"{at}/edit/shipping-methods/method/{way}")
    await api.admin("POST", f"{at}/edit/shipping-methods", {"shipping_option_id": shop.ship, "custom_amount": 5})
    await api.admin("DELETE", f"{at}/edit/promotions", {"promo_codes": [code]})
    await api.admin("POST", f"{at}/edit/items/item/{plain}", {"quantity": 0})
    await api.admin("POST", f"{at}/edit/confirm", {})
    await api.admin("GET", f"{at}{SHOW}")
    # changed, converted, paid
    await api.admin(
        "POST",
        at,
        {"email": api.fresh("nia") + "@example.com", "shipping_address": {"city": "Turku", "country_code": "fi"}, "metadata": {"a": 1}},
    )
    await api.admin("GET", f"/orders/{draft}/changes?fields=id,status,change_type,version")
    await api.admin("POST", f"{at}/convert-to-order", {})
    await api.admin("POST", f"{at}/convert-to-order", {})
    await api.admin("POST", f"{at}/edit", {})
    await api.admin("POST", at, {"email": api.fresh("pia") + "@example.com"})
    await api.admin("DELETE", at)
    await api.admin("GET", f"{at}?fields=id,status")
    got = (await api.admin("GET", f"/orders/{draft}{SHOW},*payment_collections"))["order"]
    pay = next(c["id"] for c in got["payment_collections"])
    await api.admin("POST", f"/payment-collections/{pay}/mark-as-paid", {"order_id": draft})
    await api.admin("GET", f"/orders/{draft}{SHOW},*payment_collections")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    # another one, deleted
    spare = (await api.admin("POST", "/draft-orders", body | {"items": [], "promo_codes": [code]}))["draft_order"]["id"]
    await api.admin("GET", f"/draft-orders?q=mia-{api.word}&fields=id,status,email,total")
    await api.admin("DELETE", f"/draft-orders/{spare}")
    await api.admin("GET", f"/draft-orders/{spare}")
    await api.admin("DELETE", f"/draft-orders/{spare}")
    short = (await api.quiet("POST", "/admin/draft-orders", body | {"items": [{"variant_id": bag["S"], "quantity": 4}]}))["draft_order"][
        "id"
    ]
    await api.admin("POST", f"/draft-orders/{short}/convert-to-order", {})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
