"""Carts from the first request on: what may be in them, what is refused, and how they follow their buyer, region and channel."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("de", "eur", rate=19)
    other = await api.shop("gb", "gbp", rate=20, inclusive=True)
    cup = await api.goods(shop, "Cup", {"S": 10, "L": 20})
    pot = await api.goods(other, "Pot", {"one": 30})
    draft = await api.goods(shop, "Draft", {"one": 5}, status="draft")
    away = await api.goods(shop, "Away", {"one": 7}, sales_channels=[])
    few = await api.goods(shop, "Few", {"one": 9}, stock=2)
    wide = (await api.quiet("POST", "/admin/regions", {"name": api.fresh("wide"), "currency_code": "eur", "countries": ["fr", "it"]}))[
        "region"
    ]["id"]
    await api.store("POST", "/carts", {})
    await api.store("POST", "/carts", {"region_id": "reg_unknown"})
    await api.store("POST", "/carts", {"region_id": 5})
    await api.store("POST", "/carts", {"region_id": shop.region, "unknown": 1})
    await api.store("POST", "/carts", {"region_id": shop.region, "email": "no address"})
    await api.store("POST", "/carts", {"region_id": shop.region, "sales_channel_id": "sc_unknown"})
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": "variant_unknown", "quantity": 1}]})
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": cup["S"], "quantity": 0}]})
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": cup["S"]}]})
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": draft["one"], "quantity": 1}]})
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": pot["one"], "quantity": 1}]})  # no price in euros
    await api.store("POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": few["one"], "quantity": 3}]})
    await api.store(
        "POST", "/carts", {"region_id": shop.region, "items": [{"variant_id": away["one"], "quantity": 1}]}
    )  # not of the cart's channel
    await api.store("POST", "/carts", {"region_id": shop.region, "promo_codes": ["NOTHING"]})
    await api.store("POST", "/carts", {"region_id": shop.region, "shipping_address": {"country_code": "us", "address_1": "Far 1"}})
    await api.store(
        "POST",
        "/carts",
        {"region_id": wide, "currency_code": "EUR", "metadata": {"a": 1}, "billing_address": {"country_code": "it", "first_name": "B"}},
    )
    cart = (
        await api.store(
            "POST",
            "/carts",
            {
                "region_id": shop.region,
                "email": api.fresh("ann") + "@example.com",
                "locale": "de-DE",
                "metadata": {"from": "shelf"},
                "items": [{"variant_id": cup["S"], "quantity": 2, "metadata": {"gift": True}}, {"variant_id": cup["L"], "quantity": 1}],
            },
        )
    )["cart"]
    id = cart["id"]
    await api.store("GET", f"/carts/{id}")
    await api.store("GET", "/carts/cart_unknown")
    await api.store("GET", f"/carts/{id}?fields=id,total,items.title,items.quantity,items.total")
    await api.store("GET", f"/carts/{id}?fields=*items,*customer,*region,*shipping_address")
    await api.store("GET", f"/carts/{id}?fields=-items,-region")
    await api.store("POST", f"/carts/{id}/line-items", {"variant_id": cup["S"], "quantity": 1})  # other metadata: a line of its own
    cart = (await api.store("POST", f"/carts/{id}/line-items", {"variant_id": cup["S"], "quantity": 1, "metadata": {"gift": True}}))["cart"]
    lines = {(line["variant_sku"], bool(line["metadata"])): line["id"] for line in cart["items"]}
    gift, large = lines[(api.fresh("Cup-S"), True)], lines[(api.fresh("Cup-L"), False)]
    await api.store("POST", f"/carts/{id}/line-items", {"variant_id": cup["S"], "quantity": -1})
    await api.store("POST", f"/carts/{id}/line-items", {"variant_id": cup["S"], "quantity": "1"})
    await api.store("POST", f"/carts/{id}/line-items", {"quantity": 1})
    await api.store("POST", f"/carts/{id}/line-items", {"variant_id": "variant_unknown", "quantity": 1})
    await api.store("POST", f"/carts/{id}/line-items", {"variant_id": few["one"], "quantity": 3})
    await api.store("POST", "/carts/cart_unknown/line-items", {"variant_id": cup["S"], "quantity": 1})
    await api.store("POST", f"/carts/{id}/line-items/{gift}", {"quantity": 5})
    await api.store("POST", f"/carts/{id}/line-items/{gift}", {"quantity": 1, "metadata": {"gift": False, "wrap": "red"}})
    await api.store("POST", f"/carts/{id}/line-items/{gift}", {"metadata": {"gift": True}})
    await api.store("POST", f"/carts/{id}/line-items/cali_unknown", {"quantity": 1})
    await api.store("POST", f"/carts/{id}/line-items/{large}", {"quantity": 0})
    await api.store("DELETE", f"/carts/{id}/line-items/{gift}")
    await api.store("DELETE", f"/carts/{id}/line-items/{gift}")
    await api.store("POST", f"/carts/{id}", {"email": api.fresh("bea") + "@example.com"})
    await api.store("POST", f"/carts/{id}", {"metadata": {"more": 2}})
    await api.store("POST", f"/carts/{id}", {"shipping_address": {"country_code": "us"}})
    await api.store(
        "POST",
        f"/carts/{id}",
        {
            "shipping_address": {"first_name": "Bea", "address_1": "Street 2", "country_code": "de", "metadata": {"door": 3}},
            "billing_address": {"first_name": "Boss", "country_code": "us"},
        },
    )
    await api.store("POST", f"/carts/{id}", {"shipping_address": {"city": "Bonn", "country_code": "de"}})
    await api.store("POST", f"/carts/{id}", {"region_id": other.region})
    await api.store("POST", f"/carts/{id}", {"region_id": "reg_unknown"})
    await api.store("POST", f"/carts/{id}", {"region_id": wide})
    await api.store("POST", f"/carts/{id}", {"region_id": shop.region})
    await api.store("POST", f"/carts/{id}", {"email": None})
    await api.store("POST", f"/carts/{id}", {"sales_channel_id": "sc_unknown"})
    await api.store("POST", "/carts/cart_unknown", {"metadata": {}})
    token = await api.person("cleo")
    await api.store("POST", "/carts", {"region_id": shop.region}, token)
    await api.store("POST", f"/carts/{id}/customer", {}, token)
    await api.store("POST", f"/carts/{id}/customer", {})
    await api.store("GET", f"/carts/{id}?fields=customer_id,email,customer.email", token=token)
