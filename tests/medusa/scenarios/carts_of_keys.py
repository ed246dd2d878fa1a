"""Publishable keys: with no channel, one, or two of them, and what carts follow from that."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("es", "eur", rate=21)
    cup = await api.goods(shop, "Cup", {"S": 10})
    mine = api.heads["/store"]
    second = (await api.quiet("POST", "/admin/sales-channels", {"name": api.fresh("second")}))["sales_channel"]["id"]
    closed = (await api.quiet("POST", "/admin/sales-channels", {"name": api.fresh("closed"), "is_disabled": True}))["sales_channel"]["id"]
    none = (await api.admin("POST", "/api-keys", {"title": api.fresh("none"), "type": "publishable"}))["api_key"]
    two = (await api.admin("POST", "/api-keys", {"title": api.fresh("two"), "type": "publishable"}))["api_key"]
    await api.admin("POST", f"/api-keys/{two['id']}/sales-channels", {"add": [api.channel, second]})
    await api.admin("POST", f"/api-keys/{two['id']}/sales-channels", {"add": ["sc_unknown"]})
    await api.admin("POST", f"/api-keys/{two['id']}/sales-channels", {"add": [closed]})
    await api.store("POST", "/carts", {"region_id": shop.region, "sales_channel_id": second})
    await api.store("POST", "/carts", {"region_id": shop.region, "sales_channel_id": api.channel})
    api.heads["/store"] = {"x-publishable-api-key": none["token"]}
    await api.store("POST", "/carts", {"region_id": shop.region})
    await api.store("POST", "/carts", {"region_id": shop.region, "sales_channel_id": api.channel})
    await api.store("GET", "/products?fields=title")
    api.heads["/store"] = {"x-publishable-api-key": two["token"]}
    await api.store("POST", "/carts", {"region_id": shop.region})
    cart = (
        (
            await api.store(
                "POST", "/carts", {"region_id": shop.region, "sales_channel_id": second, "items": [{"variant_id": cup["S"], "quantity": 1}]}
            )
        )
        .get("cart", {})
        .get("id")
    )
    await api.store("POST", f"/carts/{cart}", {"sales_channel_id": api.channel})
    await api.store("POST", f"/carts/{cart}", {"sales_channel_id": closed})
    api.heads["/store"] = {"x-publishable-api-key": "pk_nothing"}
    await api.store("GET", "/regions")
    api.heads["/store"] = {}
    await api.store("GET", "/regions")
    await api.admin("POST", f"/api-keys/{two['id']}/revoke", {})
    api.heads["/store"] = {"x-publishable-api-key": two["token"]}
    await api.store("GET", "/regions")
    api.heads["/store"] = mine
    await api.admin("POST", f"/api-keys/{none['id']}", {"title": "renamed"})
    await api.admin("POST", f"/api-keys/{none['id']}", {"title": "renamed", "type": "secret"})
    await api.admin("GET", f"/api-keys/{none['id']}")
    await api.admin("GET", "/api-keys/apk_unknown")
    await api.admin("GET", f"/api-keys?q={api.word}&order=title&fields=title,type,revoked_at")
    await api.admin("GET", "/api-keys?type=publishable&revoked=true&limit=1&order=-created_at&fields=id,title,type,revoked_at")
    await api.admin("DELETE", f"/api-keys/{none['id']}")
    await api.admin("DELETE", f"/api-keys/{two['id']}")
    await api.admin("POST", "/api-keys", {"title": "", "type": "publishable"})
    await api.admin("POST", "/api-keys", {"type": "publishable"})
    await api.admin("POST", "/api-keys", {"title": "x", "type": "other"})
    first = (await api.admin("POST", "/api-keys", {"title": api.fresh("first"), "type": "secret"}))["api_key"]
    again = (await api.admin("POST", "/api-keys", {"title": api.fresh("again"), "type": "secret"})).get("api_key")
    await api.admin("POST", f"/api-keys/{first['id']}/sales-channels", {"add": [api.channel]})
    for key in (first, again):
        if key:
            await api.admin("DELETE", f"/api-keys/{key['id']}")
            await api.admin("POST", f"/api-keys/{key['id']}/revoke", {"revoke_in": 0})
            await api.admin("POST", f"/api-keys/{key['id']}/revoke", {})
            await api.admin("DELETE", f"/api-keys/{key['id']}")
