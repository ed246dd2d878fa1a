"""A return that goes to another location, and whose way back and notes change: while it is asked for, once it is, while it is received,
and when it is called off; and the return of an exchange."""

from __future__ import annotations

from ..ground import Api

BACK = "?fields=id,status,location_id,no_notification,metadata"


async def run(api: Api) -> None:
    shop = await api.shop("nl", "eur", rate=20)
    bag = await api.goods(shop, "Bag", {"S": 50}, stock=9)
    order = await api.buy(shop, {bag["S"]: 4})
    line = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items"))["order"]["items"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 4}]})
    one = {"items": [{"id": line, "quantity": 1}]}

    back = (await api.quiet("POST", "/admin/returns", {"order_id": order}))["return"]["id"]
    await api.admin("POST", f"/returns/{back}", {"metadata": {"by": "phone"}, "no_notification": True})
    await api.admin("POST", f"/returns/{back}/request-items", one)
    preview = (await api.admin("POST", f"/returns/{back}/shipping-method", {"shipping_option_id": shop.back}))["order_preview"]
    [way] = [act["id"] for method in preview["shipping_methods"] for act in method.get("actions") or ()]
    await api.admin("POST", f"/returns/{back}", {"location_id": shop.location})
    await api.admin("GET", f"/returns/{back}{BACK}")
    await api.admin("POST", f"/returns/{back}/shipping-method/{way}", {"custom_amount": 1})
    await api.admin("POST", f"/returns/{back}", {"location_id": shop.location, "metadata": {"by": "mail"}})
    await api.admin("POST", f"/returns/{back}/request", {})
    await api.admin("POST", f"/returns/{back}", {"location_id": shop.location})  # nothing is worked on
    await api.admin("POST", f"/returns/{back}", {"metadata": {"late": True}})
    await api.quiet("POST", f"/admin/returns/{back}/receive", {})
    await api.admin("POST", f"/returns/{back}", {"location_id": shop.location, "no_notification": False})
    await api.quiet("POST", f"/admin/returns/{back}/receive-items", one)
    await api.quiet("POST", f"/admin/returns/{back}/receive/confirm", {})
    await api.admin("POST", f"/returns/{back}", {"no_notification": True})
    await api.admin("GET", f"/returns/{back}{BACK}")

    spare = (await api.quiet("POST", "/admin/returns", {"order_id": order, "location_id": shop.location}))["return"]["id"]
    await api.quiet("POST", f"/admin/returns/{spare}/request-items", one)
    await api.quiet("POST", f"/admin/returns/{spare}/request", {})
    await api.quiet("POST", f"/admin/returns/{spare}/cancel", {})
    await api.admin("POST", f"/returns/{spare}", {"location_id": shop.location})
    await api.admin("POST", "/returns/return_nothing", {"location_id": shop.location})

    swap = (await api.quiet("POST", "/admin/exchanges", {"order_id": order}))["exchange"]["id"]
    begun = (await api.quiet("POST", f"/admin/exchanges/{swap}/inbound/items", one))["return"]["id"]
    await api.admin("POST", f"/returns/{begun}", {"location_id": shop.location})
    await api.admin("GET", f"/returns/{begun}{BACK}")
