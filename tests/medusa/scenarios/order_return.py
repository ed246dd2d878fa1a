"""A return: asked for with shipping back, received and dismissed in part, refunded; one called off, and one that a buyer asks for."""

from __future__ import annotations

from ..ground import Api

SHOW = "?fields=id,status,version,payment_status,fulfillment_status,total,shipping_total,summary,*items,*items.detail,*shipping_methods"
BACK = "?fields=id,status,refund_amount,location_id,no_notification,*items,*items.reason,*shipping_methods"


async def run(api: Api) -> None:
    shop = await api.shop("se", "eur", rate=10)
    cap = await api.goods(shop, "Cap", {"one": 30, "two": 40}, stock=9)
    token = await api.person("lea")
    order = await api.buy(shop, {cap["one"]: 4, cap["two"]: 1}, name="lea", token=token)
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections.payments"))["order"]
    one, two = ({i["variant_title"]: i["id"] for i in got["items"]}[k] for k in ("one", "two"))
    pay = got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    await api.admin("POST", "/returns", {"order_id": order, "location_id": shop.location})  # nothing was sent yet; the change stays open
    early = (await api.quiet("GET", f"/admin/returns?order_id={order}&fields=id"))["returns"]
    await api.admin("POST", f"/returns/{early[0]['id']}/request-items", {"items": [{"id": one, "quantity": 1}]})
    await api.admin("DELETE", f"/returns/{early[0]['id']}/request")
    await api.quiet(
        "POST",
        f"/admin/orders/{order}/fulfillments",
        {"location_id": shop.location, "items": [{"id": one, "quantity": 4}, {"id": two, "quantity": 1}]},
    )
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet(
        "POST", f"/admin/orders/{order}/fulfillments/{box}/shipments", {"items": [{"id": one, "quantity": 4}, {"id": two, "quantity": 1}]}
    )
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})
    reason = (await api.admin("POST", "/return-reasons", {"value": api.fresh("size"), "label": "Wrong size"}))["return_reason"]["id"]
    back = (
        await api.admin(
            "POST", "/returns", {"order_id": order, "location_id": shop.location, "internal_note": "by phone", "metadata": {"x": 1}}
        )
    )["return"]["id"]
    await api.admin("POST", "/returns", {"order_id": order})  # one change at a time
    asked = (
        await api.admin(
            "POST",
            f"/returns/{back}/request-items",
            {"items": [{"id": one, "quantity": 3, "reason_id": reason, "internal_note": "too big"}]},
        )
    )["order_preview"]
    await api.admin("POST", f"/returns/{back}/request-items", {"items": [{"id": two, "quantity": 2}]})
    action = next(a["id"] for i in asked["items"] if i["id"] == one for a in i["actions"] if a["action"] == "RETURN_ITEM")
    await api.admin("POST", f"/returns/{back}/request-items/{action}", {"quantity": 2})
    await api.admin("POST", f"/returns/{back}/shipping-method", {"shipping_option_id": shop.back})
    await api.admin("POST", f"/returns/{back}/request", {"no_notification": True})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("POST", f"/returns/{back}/receive", {"description": "at the dock"})
    await api.admin("POST", f"/returns/{back}/receive-items", {"items": [{"id": one, "quantity": 1}]})
    await api.admin("POST", f"/returns/{back}/dismiss-items", {"items": [{"id": one, "quantity": 1}]})
    await api.admin("POST", f"/returns/{back}/receive/confirm", {})
    await api.admin("GET", f"/returns/{back}{BACK}")
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
    await api.admin("POST", f"/payments/{pay}/refund", {"amount": 33})
    spare = (await api.admin("POST", "/returns", {"order_id": order, "location_id": shop.location}))["return"]["id"]
    await api.admin("POST", f"/returns/{spare}/request-items", {"items": [{"id": one, "quantity": 1}]})
    await api.admin("POST", f"/returns/{spare}/request", {})
    await api.admin("POST", f"/returns/{spare}/cancel", {})
    await api.store(
        "POST",
        "/returns",
        {
            "order_id": order,
            "items": [{"id": two, "quantity": 1, "reason_id": reason}],
            "return_shipping": {"option_id": shop.back},
            "note": "mine",
        },
        token,
    )
    last = (await api.admin("GET", f"/returns?order_id={order}&order=-display_id&fields=id,status,*items"))["returns"]
    await api.admin("POST", f"/returns/{next((r['id'] for r in last if r['status'] == 'requested'), spare)}/cancel", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
