"""Claims: money back for what was broken, and a replacement with shipping both ways; received, sent, cancelled."""

from __future__ import annotations

from ..ground import Api

SHOW = (
    "?fields=id,status,version,payment_status,fulfillment_status,total,shipping_total,summary,*items,*items.detail,*shipping_methods,"
    "*payment_collections,*transactions,*credit_lines"
)
CLAIM = "?fields=id,type,order_version,refund_amount,canceled_at,*claim_items,*additional_items,*return,*return.items,*shipping_methods"
STOCK = "&order=sku&fields=sku,stocked_quantity,reserved_quantity"


async def run(api: Api) -> None:
    shop = await api.shop("ee", "eur", rate=20)
    jar = await api.goods(shop, "Jar", {"S": 10, "L": 25}, stock=8)
    order = await api.buy(shop, {jar["S"]: 4})
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections.payments"))["order"]
    line, pay = got["items"][0]["id"], got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    await api.admin("POST", "/claims", {"order_id": order})
    await api.admin("POST", "/claims", {"order_id": "order_nothing", "type": "refund"})
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 4}]})
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})
    body = {"order_id": order, "type": "refund", "description": "broken", "internal_note": "photo seen"}
    claim = (await api.admin("POST", "/claims", body))["claim"]["id"]
    at = f"/claims/{claim}"
    await api.admin("POST", "/claims", body)
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/claim-items", {"items": [{"id": line, "quantity": 9, "reason": "missing_item"}]})
    items = [{"id": line, "quantity": 1, "reason": "production_failure", "internal_note": "cracked"}]
    preview = (await api.admin("POST", f"{at}/claim-items", {"items": items}))["order_preview"]
    action = next(a["id"] for i in preview["items"] for a in i.get("actions") or [] if a["action"] == "WRITE_OFF_ITEM")
    await api.admin("POST", f"{at}/claim-items/{action}", {"quantity": 2})
    await api.admin("POST", f"{at}/outbound/items", {"items": [{"variant_id": jar["L"], "quantity": 1}]})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("GET", f"{at}{CLAIM}")
    await api.admin("GET", f"{at}?fields=id,claim_items.id,*claim_items.images")
    await api.admin("GET", f"{at}?fields=id,claim_items.id,claim_items.images.url")
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("GET", f"/orders/{order}{SHOW}")

    claim = (await api.admin("POST", "/claims", {"order_id": order, "type": "replace"}))["claim"]["id"]
    at = f"/claims/{claim}"
    await api.admin("POST", f"{at}/inbound/items", {"items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"{at}/claim-items", {"items": [{"id": line, "quantity": 1, "reason": "wrong_item"}]})
    preview = (await api.admin("POST", f"{at}/outbound/items", {"items": [{"variant_id": jar["L"], "quantity": 1}]}))["order_preview"]
    action = next(a["id"] for i in preview["items"] for a in i.get("actions") or [] if a["action"] == "ITEM_ADD")
    await api.admin("POST", f"{at}/outbound/items/{action}", {"quantity": 2})
    await api.admin("DELETE", f"{at}/outbound/items/{action}")
    await api.admin("POST", f"{at}/outbound/items", {"items": [{"variant_id": jar["L"], "quantity": 1}]})
    preview = (await api.admin("POST", f"{at}/inbound/shipping-method", {"shipping_option_id": shop.back}))["order_preview"]
    back = next(a["id"] for m in preview["shipping_methods"] for a in m.get("actions") or [] if a["action"] == "SHIPPING_ADD")
    await api.admin("POST", f"{at}/inbound/shipping-method/{back}", {"custom_amount": 0})
    await api.admin("POST", f"{at}/outbound/shipping-method", {"shipping_option_id": shop.ship, "custom_amount": 0})
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("POST", f"{at}/request", {})
    await api.admin("GET", f"{at}{CLAIM}")
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    seen = (await api.quiet("GET", f"/admin{at}?fields=id,*return,*additional_items"))["claim"]
    returned = seen["return"]["id"]
    await api.admin("POST", f"/returns/{returned}/receive", {})
    await api.admin("POST", f"/returns/{returned}/receive-items", {"items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"/returns/{returned}/receive/confirm", {})
    new = seen["additional_items"][0]["item_id"]
    await api.admin("POST", f"/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": new, "quantity": 1}]})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("POST", f"{at}/cancel", {})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    spare = (await api.admin("POST", "/claims", {"order_id": order, "type": "replace"}))["claim"]["id"]
    await api.admin("POST", f"/claims/{spare}/outbound/items", {"items": [{"variant_id": jar["S"], "quantity": 1}]})
    await api.admin("DELETE", f"/claims/{spare}/request")
    await api.admin("GET", f"/claims/{spare}")
    await api.admin("GET", "/claims/claim_nothing")
    await api.admin("POST", "/claims/claim_nothing/cancel", {})
