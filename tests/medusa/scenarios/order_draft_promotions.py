"""Edits of a draft: promotions put in and taken out beside lines and ways of sending, automatic ones, and what is refused."""

from __future__ import annotations

from typing import Any

from ..ground import Api

SHOW = (
    "?fields=id,status,version,total,subtotal,tax_total,discount_total,shipping_total,item_total,original_total,*items,*items.adjustments,"
    "*shipping_methods,*shipping_methods.adjustments,*promotions"
)


async def run(api: Api) -> None:
    shop = await api.shop("lu", "eur", rate=20)
    pen = await api.goods(shop, "Pen", {"S": 10, "L": 30}, stock=20)
    tenth, ship, past = await _codes(api)
    body = {
        "email": api.fresh("eva") + "@example.com",
        "region_id": shop.region,
        "sales_channel_id": api.channel,
        "items": [{"variant_id": pen["S"], "quantity": 2}],
        "promo_codes": [tenth],
        "shipping_address": {"country_code": "lu", "city": "Town"},
    }
    draft = (await api.admin("POST", f"/draft-orders{SHOW}", body))["draft_order"]["id"]
    at = f"/draft-orders/{draft}"
    for verb, path, given in (
        ("POST", "/edit/promotions", {"promo_codes": [ship]}),  # no edit was begun
        ("DELETE", "/edit/promotions", {"promo_codes": [tenth]}),
        ("POST", "/edit/confirm", {}),
        ("POST", "/edit/request", {}),
        ("DELETE", "/edit", None),
        ("POST", "/edit/promotions", {"promo_codes": ["NOTHING"]}),
        ("POST", "/edit/promotions", {"promo_codes": [past]}),
        ("POST", "/edit/promotions", {}),
        ("DELETE", "/edit/promotions", {"promo_codes": ["NOTHING"]}),
        ("POST", "/edit/items", {"items": [{"variant_id": "variant_nothing", "quantity": 1}]}),
        ("POST", "/edit/items", {"items": [{"quantity": 1}]}),
        ("POST", "/edit/shipping-methods", {"shipping_option_id": "so_nothing"}),
    ):
        if given == {"promo_codes": ["NOTHING"]} and verb == "POST":
            await api.quiet("POST", f"/admin{at}/edit", {})
        await api.admin(verb, at + path, given)
    await _edited(api, at, shop.ship, shop.back, pen, tenth, ship)
    await api.admin("GET", f"{at}{SHOW}")
    await api.admin("GET", f"/orders/{draft}/changes?fields=id,change_type,status,version")

    await api.quiet("POST", f"/admin{at}/edit", {})
    shown = (await api.admin("GET", f"{at}{SHOW}"))["draft_order"]
    for method in shown["shipping_methods"]:
        await api.quiet("DELETE", f"/admin{at}/edit/shipping-methods/method/{method['id']}")
    await api.admin("DELETE", f"{at}/edit/shipping-methods/method/ordsm_nothing")
    await api.quiet("DELETE", f"/admin{at}/edit/promotions", {"promo_codes": [tenth]})
    for item in shown["items"]:
        await api.quiet("POST", f"/admin{at}/edit/items/item/{item['id']}", {"quantity": 0})
    await api.admin("POST", f"{at}/edit/items/item/ordli_nothing", {"quantity": 1})
    await api.quiet("POST", f"/admin{at}/edit/confirm", {})
    await api.admin("GET", f"{at}{SHOW}")
    await api.admin("POST", f"{at}/convert-to-order{SHOW}", {})


async def _edited(api: Api, at: str, out: str, back: str, pen: dict[str, str], tenth: str, ship: str) -> None:
    preview = (await api.quiet("POST", f"/admin{at}/edit/items", {"items": [{"variant_id": pen["L"], "quantity": 1}]}))[
        "draft_order_preview"
    ]
    new = _act(preview["items"], "ITEM_ADD")
    items = {"items": [{"title": "Card", "quantity": 2, "unit_price": 4, "metadata": {"for": "Eva"}}]}
    await api.quiet("POST", f"/admin{at}/edit/items", items)
    await api.quiet("POST", f"/admin{at}/edit/items/{new}", {"quantity": 3, "internal_note": "three"})
    preview = (await api.quiet("POST", f"/admin{at}/edit/shipping-methods", {"shipping_option_id": out}))["draft_order_preview"]
    way = _act(preview["shipping_methods"], "SHIPPING_ADD")
    await api.quiet("POST", f"/admin{at}/edit/shipping-methods", {"shipping_option_id": back, "custom_amount": 3})
    await api.quiet("POST", f"/admin{at}/edit/promotions", {"promo_codes": [ship]})
    await api.quiet(
        "POST", f"/admin{at}/edit/shipping-methods/{way}", {"shipping_option_id": out, "custom_amount": 7, "internal_note": "less"}
    )
    await api.quiet("POST", f"/admin{at}/edit/promotions", {"promo_codes": [ship]})
    await api.quiet("DELETE", f"/admin{at}/edit/promotions", {"promo_codes": [tenth]})
    await api.quiet("POST", f"/admin{at}/edit/promotions", {"promo_codes": [tenth]})
    await api.quiet("DELETE", f"/admin{at}/edit/items/{new}")
    await api.admin("DELETE", f"{at}/edit/items/ordchact_nothing")
    await api.admin("DELETE", f"{at}/edit/shipping-methods/ordchact_nothing")
    await api.quiet("POST", f"/admin{at}/edit/request", {})
    await api.quiet("POST", f"/admin{at}/edit/confirm", {})
    await api.admin("POST", f"{at}/edit/confirm", {})


async def _codes(api: Api) -> tuple[str, str, str]:
    codes = [api.fresh(word).upper() for word in ("tenth", "ship", "past")]
    method: dict[str, Any] = {"type": "percentage", "target_type": "items", "allocation": "each", "value": 10, "max_quantity": 100}
    ways = method | {"target_type": "shipping_methods", "value": 50, "max_quantity": 1}
    for code, how, status in zip(codes, (method, ways, method), ("active", "active", "inactive"), strict=True):
        await api.post("/promotions", {"code": code, "type": "standard", "status": status, "application_method": how})
    return codes[0], codes[1], codes[2]


def _act(rows: list[dict[str, Any]], action: str) -> str:
    return str(next(act["id"] for row in rows for act in row.get("actions") or [] if act["action"] == action))
