"""A signed-in customer's carts: whose they are from the first answer on, a guest's cart taken over, another's left alone."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("be", "eur", rate=10)
    pen = await api.goods(shop, "Pen", {"one": 3})
    ada, bob = await api.person("ada"), await api.person("bob")
    line = {"variant_id": pen["one"], "quantity": 2}
    cart = (await api.store("POST", "/carts", {"region_id": shop.region, "items": [line]}, ada))["cart"]["id"]
    await api.store("GET", f"/carts/{cart}", token=ada)
    await api.store("GET", f"/carts/{cart}?fields=id,email,customer_id")
    await api.store("GET", f"/carts/{cart}?fields=total,*customer", token=ada)
    await api.store("POST", f"/carts/{cart}/line-items", line, ada)
    await api.store("POST", f"/carts/{cart}?fields=email,customer_id", {"email": api.fresh("gift") + "@example.com"}, ada)
    guest = (await api.store("POST", "/carts?fields=id,email,customer_id,customer.id", {"region_id": shop.region}))["cart"]["id"]
    mail = api.fresh("guest") + "@example.com"
    await api.store("POST", f"/carts/{guest}?fields=email,customer_id,customer.id", {"email": mail})
    await api.store("POST", f"/carts/{guest}/customer", {}, bob)
    await api.store("GET", f"/carts/{guest}?fields=email,customer_id,customer.id,customer.email", token=bob)
    await api.store("POST", f"/carts/{guest}/customer", {}, ada)
    await api.store("POST", f"/carts/{guest}/customer", {})
    await api.store("POST", "/carts?fields=email,customer_id", {"region_id": shop.region, "email": mail}, bob)
    await api.store("GET", "/customers/me?fields=email,has_account", token=bob)
