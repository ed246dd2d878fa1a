"""What promotions are about, and what they give."""

from __future__ import annotations

from velella.testing import Client, Row, Shop


async def test_every_third_of_a_dozen_is_free(shop: Shop, admin: Client, product: Row) -> None:
    offered = (await admin.get("/admin/promotions/rule-attribute-options/target-rules"))["attributes"]
    assert "Bought by the dozen" in [attribute["label"] for attribute in offered]
    dozens = {"attribute": "thing.by_the_dozen", "operator": "eq", "values": ["true"]}
    method = {"type": "thing.third_free", "target_type": "items", "value": 1, "target_rules": [dozens]}
    body = {"code": f"THIRD{product['id']}", "type": "standard", "status": "active", "application_method": method}
    await admin.post("/admin/promotions", body)
    for quantity, free in ((11, 0), (12, 4)):
        cart = await shop.cart(product, quantity=quantity)
        cart = (await shop.store.post(f"/store/carts/{cart['id']}", {"promo_codes": [body["code"]]}))["cart"]
        assert cart["discount_total"] == free * cart["items"][0]["unit_price"]
