"""Edits of an order: lines added, changed and removed, shipping, requested, confirmed and given up; both signs of the difference."""

from __future__ import annotations

from ..ground import Api

SHOW = (
    "?fields=id,status,version,payment_status,fulfillment_status,total,subtotal,tax_total,discount_total,shipping_total,summary,*items,"
    "*items.detail,*items.adjustments,*shipping_methods,*payment_collections,*credit_lines,*transactions"
)
STOCK = "&order=sku&fields=sku,stocked_quantity,reserved_quantity"


async def run(api: Api) -> None:
    shop = await api.shop("lv", "eur", rate=20)
    cap = await api.goods(shop, "Cap", {"S": 10, "L": 20}, stock=8)
    code = api.fresh("edit").upper()
    method = {"type": "percentage", "target_type": "items", "allocation": "across", "value": 10}
    await api.quiet("POST", "/admin/promotions", {"code": code, "type": "standard", "status": "active", "application_method": method})
    order = await api.buy(shop, {cap["S"]: 2}, codes=(code,))
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections.payments"))["order"]
    line, pay = got["items"][0]["id"], got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    at = f"/order-edits/{order}"
    await api.admin("POST", f"{at}/items", {"items": [{"variant_id": cap["L"], "quantity": 1}]})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/confirm", {})
    await api.admin("DELETE", at)
    await api.admin("POST", "/order-edits", {"order_id": "order_nothing"})
    await api.admin("POST", "/order-edits", {"order_id": order, "description": "more", "internal_note": "asked", "metadata": {"a": 1}})
    await api.admin("POST", "/order-edits", {"order_id": order})
    await api.admin("POST", "/returns", {"order_id": order})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/items", {"items": [{"variant_id": "variant_nothing", "quantity": 1}]})
    await api.admin("POST", f"{at}/items", {"items": [{"variant_id": cap["L"], "quantity": 0}]})
    preview = (await api.admin("POST", f"{at}/items", {"items": [{"variant_id": cap["L"], "quantity": 1, "internal_note": "gift"}]}))[
        "order_preview"
    ]
    action = next(a["id"] for i in preview["items"] for a in i.get("actions") or [] if a["action"] == "ITEM_ADD")
    await api.admin("POST", f"{at}/items/{action}", {"quantity": 3, "unit_price": 18})
    await api.admin("POST", f"{at}/items/ordchact_nothing", {"quantity": 3})
    await api.admin("POST", f"{at}/items/item/ordli_nothing", {"quantity": 3})
    preview = (await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 1}))["order_preview"]
    update = next(a["id"] for i in preview["items"] for a in i.get("actions") or [] if a["action"] == "ITEM_UPDATE")
    await api.admin("DELETE", f"{at}/items/{update}")
    await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 3, "unit_price": 9})
    preview = (await api.admin("POST", f"{at}/shipping-method", {"shipping_option_id": shop.ship}))["order_preview"]
    sent = next(a["id"] for m in preview["shipping_methods"] for a in m.get("actions") or [] if a["action"] == "SHIPPING_ADD")
    await api.admin("POST", f"{at}/shipping-method/{sent}", {"custom_amount": 5})
    await api.admin("DELETE", f"{at}/shipping-method/{sent}")
    await api.admin("POST", f"{at}/shipping-method", {"shipping_option_id": shop.ship, "custom_amount": 3})
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("GET", f"/orders/{order}/changes")
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/items", {"items": [{"variant_id": cap["L"], "quantity": 1}]})
    await api.admin("POST", f"{at}/confirm", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/orders/{order}/changes")
    await api.admin("GET", f"/orders/{order}/line-items?fields=id,version,quantity,item_id")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("POST", f"{at}/confirm", {})
    now = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections"))["order"]
    owed = next(c["id"] for c in now["payment_collections"] if c["status"] == "not_paid")
    await api.admin("POST", f"/payment-collections/{owed}/mark-as-paid", {"order_id": order})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    large = next(i["id"] for i in now["items"] if i["variant_title"] == "L")
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    await api.admin("POST", f"{at}/items/item/{large}", {"quantity": 0})
    await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 2})
    await api.admin("POST", f"{at}/confirm", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/orders/{order}?version=1&fields=id,version,total,*items,*items.detail,summary")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("POST", f"/orders/{order}/credit-lines", {"amount": 5, "reference": "goodwill", "reference_id": "g1"})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 9})
    await api.admin("DELETE", at)
    await api.admin("GET", f"/orders/{order}/changes?fields=id,status,change_type,version")
    await api.admin("GET", f"/orders/{order}/preview?fields=id,version,total")
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 1}]})
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 0})
    await api.admin("POST", f"{at}/items/item/{line}", {"quantity": 1})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/confirm", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    ended = await api.buy(shop, {cap["S"]: 1})
    await api.quiet("POST", f"/admin/orders/{ended}/cancel", {})
    await api.admin("POST", "/order-edits", {"order_id": ended})
    await api.admin("POST", "/returns", {"order_id": ended})
