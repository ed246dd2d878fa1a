"""Orders that are handed over, where something is in the way: asked twice, another change open, an account that is gone, a guest."""

from __future__ import annotations

from ..ground import Api

SHOW = "?fields=id,email,customer_id,version"


async def run(api: Api) -> None:
    shop = await api.shop("lv", "eur", rate=20)
    tea = await api.goods(shop, "Tea", {"S": 10}, stock=20)
    kim, lou = await api.person("kim"), await api.person("lou")
    me = (await api.quiet("GET", "/store/customers/me", token=kim))["customer"]["id"]
    other = (await api.quiet("GET", "/store/customers/me", token=lou))["customer"]["id"]
    await _twice(api, await api.buy(shop, {tea["S"]: 1}), kim)
    await _beside_another_change(api, await api.buy(shop, {tea["S"]: 1}), kim)
    await _by_each_others_routes(api, await api.buy(shop, {tea["S"]: 1}), await api.buy(shop, {tea["S"]: 1}), kim, tea["S"])
    await _of_a_customer(api, await api.buy(shop, {tea["S"]: 1}, name="kim", token=kim), kim, lou)
    await _to_whom_is_gone(api, await api.buy(shop, {tea["S"]: 1}))
    await _with_another_email(api, await api.buy(shop, {tea["S"]: 1}), me)
    await _to_a_guest(api, await api.buy(shop, {tea["S"]: 1}), other)
    await _of_what_is_over(api, await api.buy(shop, {tea["S"]: 1}), await api.buy(shop, {tea["S"]: 1}), me, kim)


async def _token(api: Api, order: str) -> str:
    changes = (await api.quiet("GET", f"/admin/orders/{order}/changes"))["order_changes"]
    return str(next(a["details"]["token"] for c in changes if c["status"] == "requested" for a in c["actions"]))


async def _twice(api: Api, order: str, kim: str) -> None:
    at = f"/orders/{order}/transfer"
    await api.store("POST", f"{at}/accept", {"token": "early"})
    await api.store("POST", f"{at}/decline", {"token": "early"})
    await api.store("POST", f"{at}/request?fields=id", {}, kim)
    await api.store("POST", f"{at}/request?fields=id", {}, kim)
    token = await _token(api, order)
    await api.store("POST", f"{at}/decline", {})
    await api.store("POST", f"{at}/decline", {"token": ""})
    await api.store("POST", f"{at}/decline?fields=id,email", {"token": token})
    await api.store("POST", f"{at}/decline", {"token": token})
    await api.store("POST", f"{at}/accept", {"token": token})
    await api.store("POST", f"{at}/request?fields=id", {}, kim)
    await api.store("POST", f"{at}/accept", {"token": token})  # the first email's
    token = await _token(api, order)
    await api.store("POST", f"{at}/accept?fields=id", {"token": token})
    await api.store("POST", f"{at}/accept", {"token": token})
    await api.store("POST", f"{at}/decline", {"token": token})
    await api.store("POST", f"{at}/cancel", {}, kim)
    await api.admin("GET", f"/orders/{order}{SHOW}")


async def _beside_another_change(api: Api, order: str, kim: str) -> None:
    at = f"/orders/{order}/transfer"
    await api.quiet("POST", "/admin/order-edits", {"order_id": order})
    await api.store("POST", f"{at}/request", {}, kim)
    await api.admin("POST", f"{at}/guest", {"email": api.fresh("ida") + "@example.com"})
    await api.store("POST", f"{at}/cancel", {}, kim)
    await api.store("POST", f"{at}/accept", {"token": "any"})
    await api.quiet("DELETE", f"/admin/order-edits/{order}")
    await api.store("POST", f"{at}/request?fields=id", {}, kim)
    await api.admin("POST", "/order-edits", {"order_id": order})
    await api.admin("POST", "/exchanges", {"order_id": order})
    await api.admin("POST", f"{at}/guest", {"email": api.fresh("ida") + "@example.com"})
    await api.admin("POST", f"/orders/{order}{SHOW}", {"email": "beside@example.com"})
    await api.admin("POST", f"{at}/cancel?fields=id", {})
    await api.admin("GET", f"/orders/{order}/changes?fields=id,change_type,status,*actions")


async def _by_each_others_routes(api: Api, edited: str, asked: str, kim: str, variant: str) -> None:
    """An edit that is given up as a transfer, and a transfer that is worked on and given up as an edit."""
    await api.quiet("POST", "/admin/order-edits", {"order_id": edited})
    await api.admin("POST", f"/orders/{edited}/transfer/cancel?fields=id", {})
    await api.quiet("POST", f"/store/orders/{asked}/transfer/request?fields=id", {}, kim)
    await api.admin("POST", f"/order-edits/{asked}/items", {"items": [{"variant_id": variant, "quantity": 1}]})
    await api.admin("DELETE", f"/order-edits/{asked}")


async def _of_a_customer(api: Api, order: str, kim: str, lou: str) -> None:
    """Somebody else may ask, and may call off only what they have asked for."""
    at = f"/orders/{order}/transfer"
    await api.store("POST", f"{at}/request", {}, kim)
    await api.store("POST", f"{at}/request?fields=id", {}, lou)
    await api.store("POST", f"{at}/cancel", {}, kim)
    await api.store("POST", f"{at}/cancel", {})
    await api.store("POST", f"{at}/accept?fields=id", {"token": await _token(api, order)}, kim)
    await api.store("GET", "/orders?fields=id,email", token=lou)
    await api.store("GET", "/orders?fields=id,email", token=kim)


async def _to_whom_is_gone(api: Api, order: str) -> None:
    """The account that an order was asked for by is deleted before the owner says yes."""
    at = f"/orders/{order}/transfer"
    zoe = await api.person("zoe")
    customer = (await api.quiet("GET", "/store/customers/me", token=zoe))["customer"]["id"]
    await api.store("POST", f"{at}/request?fields=id", {}, zoe)
    token = await _token(api, order)
    await api.quiet("DELETE", f"/admin/customers/{customer}")
    await api.store("POST", f"{at}/accept?fields=id", {"token": token})
    await api.admin("GET", f"/orders/{order}?fields=id,email,version")
    await api.admin("POST", f"{at}/cancel?fields=id", {})
    await api.admin("POST", f"{at}?fields=id", {"customer_id": customer})


async def _with_another_email(api: Api, order: str, me: str) -> None:
    at = f"/orders/{order}/transfer"
    await api.admin("POST", f"{at}{SHOW}", {"customer_id": me, "update_order_email": True})
    await api.store("POST", f"{at}/accept?fields=id", {"token": await _token(api, order)})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/orders/{order}?fields=id,email&version=1")


async def _to_a_guest(api: Api, order: str, other: str) -> None:
    at = f"/orders/{order}/transfer"
    await api.admin("POST", f"{at}/guest", {})
    await api.admin("POST", f"{at}/guest", {"email": ""})
    await api.admin("POST", f"{at}/guest{SHOW},customer.email,customer.has_account", {"email": api.fresh("ida") + "@example.com"})
    await api.admin("POST", f"{at}/guest{SHOW},customer.email,customer.has_account", {"email": api.fresh("ida") + "@example.com"})
    # an address that somebody with an account has
    await api.admin(
        "POST",
        f"{at}/guest{SHOW},customer.email,customer.has_account",
        {"email": api.fresh("kim") + "@example.com", "description": "a present", "internal_note": "by phone"},
    )
    await api.admin("GET", f"/orders/{order}/changes?fields=id,change_type,status,description,internal_note,*actions")
    await api.admin("POST", f"{at}{SHOW}", {"customer_id": other})
    await api.admin("POST", "/orders/order_nothing/transfer/guest", {"email": "nobody@example.com"})


async def _of_what_is_over(api: Api, canceled: str, archived: str, me: str, kim: str) -> None:
    await api.quiet("POST", f"/admin/orders/{canceled}/cancel")
    await api.store("POST", f"/orders/{canceled}/transfer/request", {}, kim)
    await api.admin("POST", f"/orders/{canceled}/transfer", {"customer_id": me})
    await api.admin("POST", f"/orders/{canceled}/transfer/guest", {"email": api.fresh("ida") + "@example.com"})
    await api.quiet("POST", f"/admin/orders/{archived}/complete", {})
    await api.quiet("POST", f"/admin/orders/{archived}/archive")
    await api.store("POST", f"/orders/{archived}/transfer/request?fields=id", {}, kim)
    token = await _token(api, archived)
    await api.quiet("POST", f"/admin/orders/{archived}/transfer/cancel", {})
    await api.store("POST", f"/orders/{archived}/transfer/accept", {"token": token})
