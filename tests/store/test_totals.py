"""What a cart costs, by figures worked out by hand: three decimals, two, none; prices with and without tax."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .conftest import Market, Store

D = Decimal


@pytest.mark.parametrize(
    ("country", "price", "quantity", "figures"),
    [
        # 19 % inside: 2 × 11.90 = 23.80 → 20 + 3.80; shipping 5.95 → 5 + 0.95
        ("de", "11.90", 2, {"item_total": "23.8", "item_subtotal": "20", "shipping_total": "5.95", "tax_total": "4.75", "total": "29.75"}),
        # 19 % inside 9.99: 8.3949… + 1.5950…
        (
            "de",
            "9.99",
            1,
            {
                "item_subtotal": "8.394957983193277310924369747899",
                "item_tax_total": "1.595042016806722689075630252101",
                "item_total": "9.99",
                "total": "15.94",
            },
        ),
        # 7.25 % on top of 3 × 9.99 = 29.97 → 2.172825; of 5 → 0.3625; 37.505325 is charged as 37.51
        ("us", "9.99", 3, {"item_total": "32.142825", "shipping_total": "5.3625", "subtotal": "34.97", "total": "37.51"}),
        # 10 % inside, no decimals: 333 → 302.7272… + 30.2727…; 550 → 500 + 50
        (
            "jp",
            "333",
            1,
            {
                "item_subtotal": "302.727272727272727272727272727273",
                "shipping_subtotal": "500",
                "tax_total": "80.272727272727272727272727272727",
                "total": "883",
            },
        ),
        # 5 % on top, three decimals: 2 × 1.235 = 2.470 → 0.1235; 1.125 → 0.05625; 3.77475 is charged as 3.775
        ("kw", "1.235", 2, {"item_total": "2.5935", "shipping_total": "1.18125", "tax_total": "0.17975", "total": "3.775"}),
    ],
)  # fmt: skip
async def test_totals(market: Market, store: Store, country: str, price: str, quantity: int, figures: dict[str, str]) -> None:
    region = next(each for each in ("eur", "usd", "jpy", "kwd") if {"de": "eur", "us": "usd", "jp": "jpy", "kw": "kwd"}[country] == each)
    variant = await market.new_variant({region: price})
    cart = await store.ready(variant, country=country, quantity=quantity)
    shown = await store.show(cart)
    assert {name: str(shown[name]) for name in figures} == figures
    assert shown["payment_collection"]["amount"] == shown["total"] == shown["payment_collection"]["payment_sessions"][0]["amount"]
    answer = await store.complete(cart)
    order = answer["order"]
    assert {name: str(order[name]) for name in figures} == figures
    assert order["summary"]["current_order_total"] == order["summary"]["pending_difference"] == shown["total"]
    assert order["payment_collections"][0]["amount"] == shown["total"]


async def test_the_amount_to_pay_follows_the_cart(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.ready(variant)
    assert (await store.show(cart))["payment_collection"]["amount"] == D("15.95")
    changed = await store.add(cart, variant, 2)
    assert changed["payment_collection"]["amount"] == D("35.95")
    assert changed["payment_collection"]["payment_sessions"] == []
    refused = await store.complete(cart)
    assert (refused.status, refused.body["message"]) == (400, "Payment sessions are required to complete cart")
    await store.pay(cart)
    assert (await store.complete(cart))["type"] == "order"


async def test_taxes_wait_to_be_asked_where_the_region_says_so(market: Market, store: Store) -> None:
    [region] = await market.modules.region.create_regions(
        [{"name": "France", "currency_code": "eur", "countries": ["fr"], "automatic_taxes": False}]
    )
    await market.modules.tax.create_regions([{"country_code": "fr", "default_tax_rate": {"rate": 20, "name": "TVA", "code": "tva"}}])
    variant = await market.new_variant({"eur": "12"})
    cart = await store.add((await store.post("/store/carts", {"region_id": region["id"]}))["cart"], variant)
    assert (cart["tax_total"], cart["total"]) == (0, 12)
    taxed = (await store.post(f"/store/carts/{cart['id']}/taxes"))["cart"]
    assert (taxed["tax_total"], taxed["total"]) == (2, 12)


@pytest.mark.parametrize(
    ("rate", "value", "price", "lines", "figures"),
    [
        ("20", "10", "6.30", 1, {"discount_total": "0.63", "total": "5.67"}),
        ("20", "10", "6.30", 20, {"discount_total": "12.6", "total": "113.4"}),
        ("20", "50", "10.00", 1, {"discount_total": "5", "discount_subtotal": "4.166666666666666666666666666667", "total": "5"}),
        ("7.7", "15", "9.95", 3, {"discount_total": "4.47", "total": "25.38"}),  # 1.4925 each
    ],
)
@pytest.mark.parametrize("inclusive", [False, True])
async def test_a_percentage_off_prices_with_tax_is_rounded_as_the_buyer_sees_them(
    market: Market, store: Store, rate: str, value: str, price: str, lines: int, figures: dict[str, str], inclusive: bool
) -> None:
    region = await market.new_region("eur", rate)
    variant = await market.new_variant({"eur": price})
    code = (await market.promote(value=value, is_tax_inclusive=inclusive))["code"]
    items = [{"variant_id": variant, "quantity": 1, "metadata": {"line": number}} for number in range(lines)]
    cart = (await store.post("/store/carts", {"region_id": region, "items": items, "promo_codes": [code]}))["cart"]
    assert {name: str(cart[name]) for name in figures} == figures
    assert {each["is_tax_inclusive"] for line in cart["items"] for each in line["adjustments"]} == {inclusive}


async def test_a_cart_that_leaves_the_place_it_was_taxed_in_has_no_taxes_until_it_is_asked_again(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "12"})
    waiting = await market.new_region("eur", "20", countries=2, automatic=False)
    cart = await store.ship(await store.cart("de", items=[{"variant_id": variant, "quantity": 1}]))
    path = f"/store/carts/{cart['id']}"
    moved = (await store.post(path, {"region_id": waiting}))["cart"]
    assert ([line["tax_lines"] for line in moved["items"]], moved["tax_total"], moved["total"]) == ([[]], 0, 12)
    one, other = [country["iso_2"] for country in moved["region"]["countries"]]
    await store.post(path, {"shipping_address": {"country_code": one, "province": "A"}})
    assert (await store.post(f"{path}/taxes"))["cart"]["tax_total"] == 2
    assert (await store.post(path, {"metadata": {"still": "there"}}))["cart"]["tax_total"] == 2
    assert (await store.post(path, {"shipping_address": {"country_code": one, "province": "B"}}))["cart"]["tax_total"] == 0
    assert (await store.post(f"{path}/taxes"))["cart"]["tax_total"] == 2
    assert (await store.post(path, {"shipping_address": {"country_code": other, "province": "B"}}))["cart"]["tax_total"] == 0
    back = (await store.post(path, {"region_id": market.regions["de"]}))["cart"]
    assert [[tax["rate"] for tax in line["tax_lines"]] for line in back["items"]] == [[19]]


async def test_gift_cards_are_worth_what_they_cost(market: Market, store: Store, merchant: Store) -> None:
    """Neither taxed, in the cart or where prices are shown with taxes, nor discounted when they are made so."""
    giftcard, shirt = await market.new_variant({"usd": "50"}, giftcard=True), await market.new_variant({"usd": "10"})
    code = (await market.promote(value="10"))["code"]
    items = [{"variant_id": variant, "quantity": 1} for variant in (giftcard, shirt)]
    cart = await store.cart("us", items=items, promo_codes=[code])
    lines = {line["variant_id"]: line for line in cart["items"]}
    assert (lines[giftcard]["tax_lines"], lines[giftcard]["adjustments"]) == ([], [])
    assert (cart["item_subtotal"], cart["item_tax_total"], cart["total"]) == (60, D("0.6525"), D("59.65"))  # 7.25 % of 9
    product = (await market.modules.product.retrieve("product_variant", giftcard))["product_id"]
    query = {"region_id": market.regions["us"], "country_code": "us", "fields": "*variants.calculated_price"}
    [shown] = (await store.get(f"/store/products/{product}", **query))["product"]["variants"]
    assert shown["calculated_price"]["calculated_amount_with_tax"] == 50
    body = {"title": f"Card {product}", "is_giftcard": True, "discountable": True, "options": [{"title": "Size", "values": ["S"]}]}
    assert (await merchant.post("/admin/products", body))["product"]["discountable"] is False
    plain = (await merchant.post("/admin/products", {**body, "title": f"Plain {product}", "is_giftcard": False}))["product"]
    assert plain["discountable"] is True
    assert (await merchant.post(f"/admin/products/{plain['id']}", {"is_giftcard": True}))["product"]["discountable"] is False
