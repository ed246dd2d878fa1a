"""An exchange for something dearer: both ways of shipping, a changed quantity, requested, received, sent, and the difference paid."""

from __future__ import annotations

from ..ground import Api

SHOW = (
    "?fields=id,status,version,payment_status,fulfillment_status,total,shipping_total,summary"
    ",*items,*items.detail,*shipping_methods,*payment_collections"
)


async def run(api: Api) -> None:
    shop = await api.shop("no", "eur", rate=20)
    coat = await api.goods(shop, "Coat", {"S": 50, "L": 80}, stock=5)
    order = await api.buy(shop, {coat["S"]: 2})
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections.payments"))["order"]
    line, pay = got["items"][0]["id"], got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 2}]})
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})
    swap = (await api.admin("POST", "/exchanges", {"order_id": order, "description": "other size", "internal_note": "n"}))["exchange"]["id"]
    await api.admin("POST", f"/exchanges/{swap}/request", {})  # nothing in it
    await api.admin("POST", f"/exchanges/{swap}/inbound/items", {"items": [{"id": line, "quantity": 1}], "location_id": shop.location})
    preview = (await api.admin("POST", f"/exchanges/{swap}/outbound/items", {"items": [{"variant_id": coat["L"], "quantity": 1}]}))[
        "order_preview"
    ]
    action = next(a["id"] for i in preview["items"] for a in i["actions"] if a["action"] == "ITEM_ADD")
    await api.admin("POST", f"/exchanges/{swap}/outbound/items/{action}", {"quantity": 2})
    await api.admin("POST", f"/exchanges/{swap}/outbound/items/{action}", {"quantity": 1, "unit_price": 75})
    await api.admin("POST", f"/exchanges/{swap}/inbound/shipping-method", {"shipping_option_id": shop.back})
    preview = (await api.admin("POST", f"/exchanges/{swap}/outbound/shipping-method", {"shipping_option_id": shop.ship}))["order_preview"]
    sent = next(
        a["id"] for m in preview["shipping_methods"] for a in m.get("actions") or [] if a["action"] == "SHIPPING_ADD" and not a["return_id"]
    )
    await api.admin("POST", f"/exchanges/{swap}/outbound/shipping-method/{sent}", {"custom_amount": 0})
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("POST", f"/exchanges/{swap}/request", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    seen = (await api.admin("GET", f"/exchanges/{swap}?fields=id,difference_due,allow_backorder,*additional_items,*return,*return.items"))[
        "exchange"
    ]
    back = seen["return"]["id"]
    await api.admin("POST", f"/returns/{back}/receive", {})
    await api.admin("POST", f"/returns/{back}/receive-items", {"items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"/returns/{back}/receive/confirm", {})
    await api.admin(
        "POST",
        f"/orders/{order}/fulfillments",
        {"location_id": shop.location, "items": [{"id": seen["additional_items"][0]["item_id"], "quantity": 1}]},
    )
    now = (await api.admin("GET", f"/orders/{order}{SHOW}"))["order"]
    owed = next(c["id"] for c in now["payment_collections"] if c["status"] == "not_paid")
    await api.admin("POST", f"/payment-collections/{owed}/mark-as-paid", {"order_id": order})
    await api.admin("POST", f"/exchanges/{swap}/cancel", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/exchanges?order_id={order}&fields=id,order.status,canceled_at")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
