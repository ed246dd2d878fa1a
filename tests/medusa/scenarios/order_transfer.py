"""Handing an order over: asked for by a customer and by a merchant, accepted, declined, called off; to a guest."""

from __future__ import annotations

from ..ground import Api

SHOW = "?fields=id,email,customer_id,*customer,*changes"


async def run(api: Api) -> None:
    shop = await api.shop("lt", "eur", rate=20)
    tea = await api.goods(shop, "Tea", {"S": 10}, stock=8)
    order = await api.buy(shop, {tea["S"]: 1})
    kim, lou = await api.person("kim"), await api.person("lou")
    me = (await api.quiet("GET", "/store/customers/me", token=kim))["customer"]["id"]
    other = (await api.quiet("GET", "/store/customers/me", token=lou))["customer"]["id"]
    at = f"/orders/{order}/transfer"
    await api.store("POST", f"{at}/request", {})
    await api.store("POST", "/orders/order_nothing/transfer/request", {}, kim)
    await api.store("POST", f"{at}/request?fields=id,email", {"description": "mine"}, kim)
    await api.store("POST", f"{at}/request", {}, lou)
    await api.store("POST", f"{at}/accept", {"token": "wrong"})
    await api.store("POST", f"{at}/accept", {})
    await api.store("POST", f"{at}/decline", {"token": "wrong"})
    await api.store("POST", f"{at}/cancel?fields=id,email", {}, kim)
    await api.store("POST", f"{at}/cancel", {}, kim)
    await api.admin("POST", f"{at}{SHOW}", {"customer_id": other, "description": "moved", "internal_note": "by phone"})
    await api.admin("POST", f"{at}", {"customer_id": me})
    changes = (await api.quiet("GET", f"/admin/orders/{order}/changes"))["order_changes"]
    token = next(a["details"]["token"] for c in changes if c["status"] == "requested" for a in c["actions"])
    await api.store("POST", f"{at}/decline?fields=id,email", {"token": token})
    await api.store("POST", f"{at}/accept", {"token": token})
    await api.admin("POST", f"{at}?fields=id,email", {"customer_id": other})
    await api.admin("POST", f"{at}/cancel?fields=id,email", {})
    await api.admin("POST", f"{at}/cancel", {})
    await api.admin("POST", f"{at}?fields=id,email", {"customer_id": "cus_nothing"})
    await api.admin("POST", f"{at}?fields=id,email", {"customer_id": me})
    changes = (await api.quiet("GET", f"/admin/orders/{order}/changes"))["order_changes"]
    token = next(a["details"]["token"] for c in changes if c["status"] == "requested" for a in c["actions"])
    await api.store("POST", f"{at}/accept?fields=id,email,customer_id", {"token": token})
    await api.admin("GET", f"/orders/{order}?fields=id,email,customer_id,version,*customer")
    await api.admin("GET", f"/orders/{order}/changes")
    await api.store("POST", f"{at}/request", {}, kim)
    await api.store("GET", "/orders?fields=id,email", token=kim)
    await api.admin("POST", f"{at}/guest?fields=id,email,customer_id,*customer", {"email": api.fresh("zed") + "@example.com"})
    await api.admin("GET", f"/orders/{order}/changes")
