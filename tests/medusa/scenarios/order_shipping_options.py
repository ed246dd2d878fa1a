"""The ways in which an order can be sent, asked for by a merchant; and payment sessions of orders that wait for their provider."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("hr", "eur", rate=20)
    tea = await api.goods(shop, "Tea", {"S": 10}, stock=3)
    paper = await api.goods(shop, "Paper", {"S": 2})
    order = await api.buy(shop, {tea["S"]: 2, paper["S"]: 1})
    await api.admin("GET", f"/orders/{order}/shipping-options")
    await api.admin("GET", "/orders/order_nothing/shipping-options")
    await api.admin("GET", f"/orders/{order}/shipping-options?fields=id")
    await api.admin("GET", f"/orders/{order}/shipping-options?is_return=true")
    line = {"items": [{"variant_id": tea["S"], "quantity": 1}], "region_id": shop.region, "sales_channel_id": api.channel}
    wide = {"email": api.fresh("d") + "@example.com", **line}
    draft = (await api.quiet("POST", "/admin/draft-orders", wide))["draft_order"]["id"]
    await api.admin("GET", f"/orders/{draft}/shipping-options")
    home = {"country_code": "hr", "province": "zg", "city": "Zagreb", "postal_code": "10000"}
    await api.quiet("POST", f"/admin/draft-orders/{draft}", {"shipping_address": home})
    await api.admin("GET", f"/orders/{draft}/shipping-options")
    await api.quiet("POST", f"/admin/draft-orders/{draft}", {"shipping_address": {"country_code": "de"}})
    await api.admin("GET", f"/orders/{draft}/shipping-options")
    away = {"email": wide["email"], "region_id": shop.region, "items": [{"variant_id": paper["S"], "quantity": 1}]}
    draft = (await api.quiet("POST", "/admin/draft-orders", away))["draft_order"]["id"]
    await api.admin("GET", f"/orders/{draft}/shipping-options")

    at = f"/orders/{order}/payment-sessions/authorize"
    await api.admin("POST", at, {})
    await api.admin("POST", at, {"payment_session_id": "payses_nothing"})
    fields = "?fields=id,*payment_collections.payment_sessions"
    [collection] = (await api.quiet("GET", f"/admin/orders/{order}{fields}"))["order"]["payment_collections"]
    session = collection["payment_sessions"][0]["id"]
    await api.admin("POST", at, {"payment_session_id": session})
    await api.admin("POST", f"{at}?fields=id", {"payment_session_id": session})
    await api.admin("POST", "/orders/order_nothing/payment-sessions/authorize", {"payment_session_id": session})
