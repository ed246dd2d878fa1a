"""Each kind of change while another one is open, and what is asked of one in the wrong state."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("si", "eur", rate=22)
    mat = await api.goods(shop, "Mat", {"S": 10, "L": 30}, stock=9)
    order = await api.buy(shop, {mat["S"]: 3})
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items,*payment_collections.payments"))["order"]
    line, pay = got["items"][0]["id"], got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 3}]})
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})

    begun = {"returns": {"order_id": order}, "exchanges": {"order_id": order}, "claims": {"order_id": order, "type": "refund"}}
    for kind, body in begun.items():
        one = (await api.quiet("POST", f"/admin/{kind}", body))[kind[:-1]]["id"]
        for other, again in begun.items():
            await api.admin("POST", f"/{other}", again)
        await api.admin("POST", "/order-edits", {"order_id": order})
        await api.admin("POST", f"/orders/{order}/credit-lines", {"amount": 1, "reference": "r", "reference_id": "1"})
        await api.admin("POST", f"/orders/{order}/cancel", {})
        await api.admin("POST", f"/{kind}/{one}/request", {})
        await api.admin("GET", f"/{kind}/{one}")
        await api.admin("DELETE", f"/{kind}/{one}/request")
        await api.admin("DELETE", f"/{kind}/{one}/request")
        await api.admin("GET", f"/{kind}/{one}")
    for kind in begun:
        prefix = {"returns": "return", "exchanges": "oexc", "claims": "claim"}[kind]
        await api.admin("POST", f"/{kind}/{prefix}_nothing/request", {})
        await api.admin("DELETE", f"/{kind}/{prefix}_nothing/request")
        await api.admin("POST", f"/{kind}/{prefix}_nothing/cancel", {})
    back = (await api.quiet("POST", "/admin/returns", {"order_id": order}))["return"]["id"]
    at = f"/returns/{back}"
    await api.admin("POST", f"{at}/receive", {})
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": "ordli_nothing", "quantity": 1}]})
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 0}]})
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 4}]})
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 2, "reason_id": "rr_nothing"}]})
    preview = (await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 2}]}))["order_preview"]
    action = next(a["id"] for i in preview["items"] for a in i["actions"] if a["action"] == "RETURN_ITEM")
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 2}]})
    await api.admin("DELETE", f"{at}/request-items/{action}")
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 2}]})
    await api.admin("POST", f"{at}/shipping-method", {"shipping_option_id": "so_nothing"})
    preview = (await api.admin("POST", f"{at}/shipping-method", {"shipping_option_id": shop.back, "custom_amount": 7}))["order_preview"]
    sent = next(a["id"] for m in preview["shipping_methods"] for a in m.get("actions") or [] if a["action"] == "SHIPPING_ADD")
    await api.admin("POST", f"{at}/shipping-method/{sent}", {"custom_amount": 2, "internal_note": "less"})
    await api.admin("DELETE", f"{at}/shipping-method/{sent}")
    await api.admin("POST", f"{at}", {"location_id": shop.location, "no_notification": True, "metadata": {"k": "v"}})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/request", {})
    await api.admin("POST", f"{at}/request-items", {"items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"{at}/receive-items", {"items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"{at}/receive", {"internal_note": "n", "description": "d"})
    await api.admin("POST", f"{at}/receive", {})
    await api.admin("POST", f"{at}/receive-items", {"items": [{"id": line, "quantity": 5}]})
    preview = (await api.admin("POST", f"{at}/receive-items", {"items": [{"id": line, "quantity": 2}]}))["order_preview"]
    action = next(a["id"] for i in preview["items"] for a in i["actions"] if a["action"] == "RECEIVE_RETURN_ITEM")
    await api.admin("POST", f"{at}/receive-items/{action}", {"quantity": 1})
    await api.admin("DELETE", f"{at}/receive-items/{action}")
    await api.admin("DELETE", f"{at}/receive")
    await api.admin("GET", at)
    await api.admin("POST", f"{at}/receive", {})
    await api.admin("POST", f"{at}/receive-items", {"items": [{"id": line, "quantity": 2}]})
    await api.admin("POST", f"{at}/receive/confirm", {})
    await api.admin("GET", at)
    await api.admin("POST", f"{at}/cancel", {})
    await api.admin("POST", f"{at}/receive", {})
    await api.admin("GET", f"/orders/{order}/changes")
    await api.admin("GET", f"/orders/{order}?fields=id,version,summary,total,*items.detail,*transactions,*returns")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
