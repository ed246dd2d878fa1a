"""Codes of each kind on prices without tax: off items, orders and shipping, buy two get one, with rules, and several at once."""

from __future__ import annotations

from typing import Any

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("se", "eur", rate=25)
    cups, tea = await api.goods(shop, "Cup", {"S": 10, "L": 20}), await api.goods(shop, "Tea", {"bag": 4})
    cart = (
        await api.store(
            "POST",
            "/carts",
            {
                "region_id": shop.region,
                "email": api.fresh("bo") + "@example.com",
                "shipping_address": {"country_code": "se"},
                "items": [
                    {"variant_id": cups["S"], "quantity": 4},
                    {"variant_id": cups["L"], "quantity": 1},
                    {"variant_id": tea["bag"], "quantity": 10},
                ],
            },
        )
    )["cart"]["id"]
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": shop.ship})

    async def promotion(word: str, method: dict[str, Any], **more: Any) -> str:
        code = api.fresh(word).upper()
        await api.admin("POST", "/promotions", {"code": code, "type": "standard", "status": "active", "application_method": method} | more)
        return code

    async def only(*codes: str) -> None:
        have = (await api.quiet("GET", f"/store/carts/{cart}?fields=id,promotions.code"))["cart"]["promotions"]
        if have:
            await api.quiet("DELETE", f"/store/carts/{cart}/promotions", {"promo_codes": [p["code"] for p in have]})
        await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": list(codes)})

    of_cups = [{"attribute": "items.product.id", "operator": "eq", "values": [cups["product"]]}]
    each = await promotion(
        "each",
        {"type": "percentage", "target_type": "items", "allocation": "each", "value": 50, "max_quantity": 2, "target_rules": of_cups},
    )
    across = await promotion(
        "across",
        {"type": "fixed", "target_type": "items", "allocation": "across", "value": 12, "currency_code": "eur", "target_rules": of_cups},
    )
    order = await promotion("order", {"type": "percentage", "target_type": "order", "value": 10})
    freight = await promotion(
        "freight", {"type": "percentage", "target_type": "shipping_methods", "allocation": "each", "value": 100, "max_quantity": 1}
    )
    get = await promotion(
        "get",
        {
            "type": "percentage",
            "target_type": "items",
            "allocation": "each",
            "value": 100,
            "max_quantity": 1,
            "apply_to_quantity": 1,
            "buy_rules_min_quantity": 2,
            "target_rules": of_cups,
            "buy_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [tea["product"]]}],
        },
        type="buyget",
    )
    here = await promotion(
        "here",
        {"type": "fixed", "target_type": "order", "value": 5, "currency_code": "eur"},
        rules=[
            {"attribute": "region_id", "operator": "in", "values": [shop.region]},
            {"attribute": "subtotal", "operator": "gte", "values": ["50"]},
        ],
    )
    for codes in ([each], [across], [order], [freight], [get], [here], [order, across], [freight, get, order]):
        await only(*codes)
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": [api.fresh("nothing")]})
    await api.store("DELETE", f"/carts/{cart}/promotions", {"promo_codes": [get]})
    await api.admin("GET", f"/promotions?q={api.word}&order=code&fields=id,code,type,status,*application_method,*rules,*rules.values")
    await api.admin(
        "POST",
        "/promotions",
        {"code": each, "type": "standard", "application_method": {"type": "percentage", "target_type": "order", "value": 1}},
    )  # the code is taken
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("bad"),
            "type": "standard",
            "application_method": {"type": "percentage", "target_type": "items", "allocation": "each", "value": 10},
        },
    )  # no max_quantity
    await api.admin(
        "POST",
        "/promotions",
        {"code": api.fresh("bad"), "type": "standard", "application_method": {"type": "fixed", "target_type": "order", "value": 10}},
    )  # no currency
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("bad"),
            "type": "buyget",
            "application_method": {"type": "percentage", "target_type": "items", "allocation": "each", "value": 10, "max_quantity": 1},
        },
    )  # nothing to buy
