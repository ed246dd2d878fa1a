"""Discounts of an order that is changed: kept by a change that says so, of what is there and of what comes; for exchanges and edits."""

from __future__ import annotations

from typing import Any

from ..ground import Api, Shop

SHOW = "?fields=id,version,total,discount_total,summary,*items,*items.adjustments"


async def run(api: Api) -> None:
    shop = await api.shop("is", "eur", rate=20)
    coat = await api.goods(shop, "Coat", {"S": 50, "L": 80}, stock=9)
    code = api.fresh("TENTH")
    method = {"type": "percentage", "target_type": "items", "allocation": "each", "value": 10, "max_quantity": 9, "currency_code": "eur"}
    await api.quiet("POST", "/admin/promotions", {"code": code, "type": "standard", "status": "active", "application_method": method})
    await _exchange(api, shop, coat, code)
    await _edit(api, shop, coat, code)
    await _refused(api, shop, coat)


async def _delivered(api: Api, shop: Shop, lines: dict[str, int], code: str) -> tuple[str, str]:
    order = await api.buy(shop, lines, codes=(code,))
    line = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items"))["order"]["items"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 2}]})
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})
    return order, line


async def _change(api: Api, order: str) -> str:
    return str((await api.quiet("GET", f"/admin/orders/{order}/preview"))["order"]["order_change"]["id"])


async def _exchange(api: Api, shop: Shop, coat: dict[str, str], code: str) -> None:
    order, line = await _delivered(api, shop, {coat["S"]: 2}, code)
    swap = (await api.quiet("POST", "/admin/exchanges", {"order_id": order}))["exchange"]["id"]
    change = await _change(api, order)
    await api.admin("POST", f"/order-changes/{change}", {"internal_note": "by phone"})
    await api.quiet("POST", f"/admin/exchanges/{swap}/inbound/items", {"items": [{"id": line, "quantity": 1}]})
    new = {"items": [{"variant_id": coat["L"], "quantity": 1}]}
    await api.quiet("POST", f"/admin/exchanges/{swap}/outbound/items", new)
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("POST", f"/order-changes/{change}", {"carry_over_promotions": True})
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("POST", f"/order-changes/{change}", {"carry_over_promotions": False})
    await api.admin("GET", f"/orders/{order}/preview")
    await api.admin("POST", f"/order-changes/{change}", {"carry_over_promotions": True, "internal_note": None})
    more = await api.admin("POST", f"/exchanges/{swap}/outbound/items", {"items": [{"variant_id": coat["S"], "quantity": 1}]})
    act = next(
        a["id"] for i in more["order_preview"]["items"] for a in i["actions"] if a["action"] == "ITEM_ADD" and i["variant_id"] == coat["S"]
    )
    await api.admin("POST", f"/exchanges/{swap}/outbound/items/{act}", {"quantity": 2})
    await api.admin("POST", f"/exchanges/{swap}/request", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("POST", f"/order-changes/{change}", {"internal_note": "late"})
    await api.admin("POST", f"/order-changes/{change}", {"carry_over_promotions": False})
    await api.admin("POST", f"/order-changes/{change}", {"other": 1})
    await api.admin("POST", "/order-changes/ordch_nothing", {"internal_note": "n"})
    await api.admin("POST", "/order-changes/ordch_nothing", {"carry_over_promotions": True})
    await api.admin("POST", f"/order-changes/{change}?fields=id,status,order.id", {})


async def _edit(api: Api, shop: Shop, coat: dict[str, str], code: str) -> None:
    order = await api.buy(shop, {coat["S"]: 2}, codes=(code,))
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    change = await _change(api, order)
    await api.admin("POST", f"/order-changes/{change}?fields=id,carry_over_promotions", {"carry_over_promotions": True})
    await api.admin("POST", f"/order-edits/{order}/items", {"items": [{"variant_id": coat["L"], "quantity": 1}]})
    line = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items"))["order"]["items"][0]["id"]
    await api.admin("POST", f"/order-edits/{order}/items/item/{line}", {"quantity": 3})
    await api.admin("POST", f"/order-edits/{order}/confirm", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")


async def _refused(api: Api, shop: Shop, coat: dict[str, str]) -> None:
    """A fixed amount across all lines can't be carried over."""
    code = api.fresh("FIVER")
    method: dict[str, Any] = {"type": "fixed", "target_type": "items", "allocation": "across", "value": 5, "currency_code": "eur"}
    await api.quiet("POST", "/admin/promotions", {"code": code, "type": "standard", "status": "active", "application_method": method})
    order = await api.buy(shop, {coat["S"]: 2}, codes=(code,))
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    change = await _change(api, order)
    await api.admin("POST", f"/order-changes/{change}", {"carry_over_promotions": True})
    await api.admin("POST", f"/order-changes/{change}?fields=id,carry_over_promotions", {"carry_over_promotions": False})
    await api.admin("GET", f"/orders/{order}/preview?fields=id,total")
