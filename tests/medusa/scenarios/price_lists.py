"""Sales and overrides: made with prices and rules, changed in batches, shown, and what a storefront then charges."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("se", "eur")
    mug = await api.goods(shop, "Mug", {"S": 10, "L": 20})
    pot = await api.goods(shop, "Pot", {"one": 30})
    group = (await api.quiet("POST", "/admin/customer-groups", {"name": api.fresh("vip")}))["customer_group"]["id"]
    look = f"/products?q={api.word}&region_id={shop.region}&fields=title,variants.title,*variants.calculated_price&order=title"
    sale = (
        await api.admin(
            "POST",
            "/price-lists",
            {
                "title": api.fresh("Sale"),
                "description": "less",
                "type": "sale",
                "status": "active",
                "prices": [
                    {"currency_code": "eur", "amount": 8, "variant_id": mug["S"]},
                    {"currency_code": "eur", "amount": 6, "variant_id": mug["S"], "min_quantity": 5, "max_quantity": 10},
                    {"currency_code": "usd", "amount": 9.5, "variant_id": mug["L"]},
                    {"currency_code": "eur", "amount": 15, "variant_id": mug["L"], "rules": {"region_id": shop.region}},
                ],
            },
        )
    )["price_list"]
    at = f"/price-lists/{sale['id']}"
    await api.admin("GET", at)
    await api.admin("GET", at + "?fields=title,prices.amount,prices.price_rules.*,*prices.price_set")
    await api.admin("GET", at + "?fields=*prices,*price_list_rules")
    await api.admin("GET", at + "/prices?order=amount")
    await api.admin("GET", at + "/prices?limit=1&offset=1&order=amount&fields=amount")
    await api.store("GET", look)
    vip = (
        await api.admin(
            "POST",
            "/price-lists",
            {
                "title": api.fresh("VIP"),
                "description": "friends",
                "type": "override",
                "status": "active",
                "rules": {"customer.groups.id": [group]},
                "prices": [{"currency_code": "eur", "amount": 3, "variant_id": pot["one"]}],
            },
        )
    )["price_list"]["id"]
    await api.store("GET", look)
    ada = await api.person("ada")
    me = (await api.quiet("GET", "/store/customers/me", token=ada))["customer"]["id"]
    await api.quiet("POST", f"/admin/customer-groups/{group}/customers", {"add": [me]})
    await api.store("GET", look, token=ada)
    found = (await api.quiet("GET", f"/admin{at}/prices?fields=id,amount,currency_code"))["prices"]
    prices = {(p["currency_code"], p["amount"]): p["id"] for p in found}
    await api.admin(
        "POST",
        at + "/prices/batch",
        {
            "create": [{"currency_code": "eur", "amount": 25, "variant_id": pot["one"]}],
            "update": [{"id": prices["eur", 8], "variant_id": mug["S"], "amount": 7}],
            "delete": [prices["usd", 9.5]],
        },
    )
    await api.store("GET", look)
    await api.admin("POST", at + "/prices/batch", {"create": [{"currency_code": "eur", "amount": 25, "variant_id": "variant_nothing"}]})
    await api.admin("POST", at + "/prices/batch", {"update": [{"id": "price_nothing", "variant_id": mug["S"], "amount": 7}]})
    await api.admin("POST", at + "/prices/batch", {"delete": ["price_nothing"]})
    await api.admin("POST", at, {"status": "draft", "title": api.fresh("Later")})
    await api.store("GET", look)
    await api.admin("POST", at, {"status": "active", "starts_at": "2001-01-01T00:00:00.000Z", "ends_at": "2002-01-01T00:00:00.000Z"})
    await api.store("GET", look)
    await api.admin("POST", at, {"ends_at": None, "rules": {"customer.groups.id": ["cusgroup_nothing"]}})
    await api.store("GET", look)
    await api.admin("POST", at, {"rules": {}})
    await api.store("GET", look)
    await api.admin("POST", at + "/products", {"remove": [mug["product"]]})
    await api.store("GET", look)
    await api.admin("GET", f"/price-lists?q={api.word}&order=title&fields=title,status,type,rules_count")
    await api.admin("GET", f"/price-lists?q={api.word}&status[]=draft&fields=title")
    await api.admin("GET", f"/price-lists?id[]={vip}&fields=title,rules")
    await api.admin("GET", f"/products?price_list_id[]={sale['id']}&fields=title")
    for body in (
        {},
        {"title": "x"},
        {"title": "x", "description": "y", "type": "no"},
        {"title": "x", "description": "y", "status": "no"},
        {"title": "x", "description": "y", "prices": [{"amount": 1}]},
        {"title": "x", "description": "y", "prices": [{"amount": 1, "currency_code": "eur", "variant_id": "variant_nothing"}]},
        {"title": "x", "description": "y", "starts_at": "no"},
        {"title": "x", "description": "y", "rules": {"a": "b"}},
    ):
        await api.admin("POST", "/price-lists", body)
    await api.admin("POST", "/price-lists/plist_nothing", {"title": "x"})
    await api.admin("GET", "/price-lists/plist_nothing")
    await api.admin("GET", "/price-lists/plist_nothing/prices")
    await api.admin("DELETE", f"/price-lists/{vip}")
    await api.store("GET", look, token=ada)
    await api.admin("DELETE", "/price-lists/plist_nothing")
