"""Ways to send a cart, and choosing one."""

from __future__ import annotations

from decimal import Decimal

from velella.core.ids import ulid

from .conftest import Market, Row, Store

D = Decimal


async def test_options_are_shown_with_prices_and_where_they_send_from(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.add(await store.cart(), variant)
    answer = await store.get("/store/shipping-options", cart_id=cart["id"])
    assert set(answer.body) == {"shipping_options"}
    option = next(each for each in answer["shipping_options"] if each["id"] == market.option)
    assert (option["amount"], option["price_type"], option["insufficient_inventory"]) == (D("5.95"), "flat", False)
    assert option["calculated_price"]["calculated_amount"] == D("5.95")
    assert option["type"]["code"] == "standard"
    assert option["provider"] == {"id": "manual_manual", "is_enabled": True}
    assert {price["currency_code"] for price in option["prices"]} == {"eur", "usd", "jpy", "kwd"}
    assert option["service_zone"]["fulfillment_set"]["location"]["address"]["address_1"] == "Dock 1"
    assert all(set(rule) == {"attribute", "operator", "value"} for rule in option["rules"])


async def test_fields_choose_what_of_an_option_is_shown(market: Market, store: Store) -> None:
    cart = await store.cart()
    answer = await store.get("/store/shipping-options", cart_id=cart["id"], fields="id,name,type.code")
    option = next(each for each in answer["shipping_options"] if each["id"] == market.option)
    assert set(option) == {"id", "name", "type", "amount", "is_tax_inclusive", "insufficient_inventory"}
    assert set(option["type"]) == {"id", "code"}


async def test_options_follow_the_address(market: Market, store: Store) -> None:
    cart = await store.cart("us")
    [zone] = await market.modules.fulfillment.list("service_zone", {"name": "Standard zone"})
    [geo] = await market.modules.fulfillment.list("geo_zone", {"service_zone_id": zone["id"], "country_code": "us"})
    await market.modules.fulfillment.delete("geo_zone", [geo["id"]])
    try:
        answer = await store.get("/store/shipping-options", cart_id=cart["id"])
        assert market.option not in {each["id"] for each in answer["shipping_options"]}
        refused = await store.post(f"/store/carts/{cart['id']}/shipping-methods", {"option_id": market.option})
        assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    finally:
        await market.modules.fulfillment.restore("geo_zone", [geo["id"]])


async def test_a_location_without_enough_stock_says_so(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=2)
    cart = await store.add(await store.cart(), variant, 2)
    item = await market.item_of(variant)
    await market.modules.inventory.adjust([{"inventory_item_id": item, "location_id": market.location, "adjustment": -1}])
    answer = await store.get("/store/shipping-options", cart_id=cart["id"])
    assert {option["insufficient_inventory"] for option in answer["shipping_options"]} == {True}


async def test_choosing_an_option_replaces_the_one_before(market: Market, store: Store) -> None:
    express = await market.new_option(f"Express {ulid()}", {"eur": "15"})
    cart = await store.cart()
    await store.ship(cart)
    cart = await store.ship(cart, express)
    assert [(method["shipping_option_id"], method["amount"]) for method in cart["shipping_methods"]] == [(express, 15)]
    assert cart["shipping_total"] == 15
    both = await store.post(f"/store/carts/{cart['id']}/shipping-methods", [{"option_id": express}, {"option_id": market.option}])
    assert {method["shipping_option_id"] for method in both["cart"]["shipping_methods"]} == {express, market.option}


async def test_options_without_a_price_cannot_be_chosen(market: Market, store: Store) -> None:
    dollars = await market.new_option(f"Dollars {ulid()}", {"usd": "3"})
    cart = await store.cart()
    refused = await store.post(f"/store/carts/{cart['id']}/shipping-methods", {"option_id": dollars})
    assert refused.body["message"] == f"Shipping options with IDs {dollars} do not have a price"
    unknown = await store.post(f"/store/carts/{cart['id']}/shipping-methods", {"option_id": "so_0"})
    assert (unknown.status, unknown.body["type"]) == (400, "invalid_data")
    assert (await store.post(f"/store/carts/{cart['id']}/shipping-methods", {})).status == 400
    assert (await store.post(f"/store/carts/{cart['id']}/shipping-methods", [])).status == 400
    assert (await store.show(cart))["shipping_methods"] == []


async def test_shipping_gets_cheaper_with_what_is_in_the_cart(market: Market, store: Store) -> None:
    modules = market.modules
    option = await market.new_option(f"Bulk {ulid()}", {"eur": "9"})
    [pair] = await modules.link.linked("shipping_option_price_set", "shipping_option_id", [option])
    free = {"currency_code": "eur", "amount": D(0), "rules": {"item_total": [{"operator": "gte", "value": 50}]}}
    await modules.pricing.add_prices([{"price_set_id": pair["price_set_id"], "prices": [free]}])
    variant = await market.new_variant({"eur": "20"})
    cart = await store.add(await store.cart(), variant, 2)
    cart = await store.ship(cart, option)
    assert (cart["shipping_total"], cart["total"]) == (9, 49)
    cart = await store.add(cart, variant)
    assert (cart["shipping_total"], cart["total"]) == (0, 60)


async def test_an_option_can_be_priced_for_a_cart(market: Market, store: Store) -> None:
    cart = await store.cart()
    path = f"/store/shipping-options/{market.option}/calculate"
    option = (await store.post(path, {"cart_id": cart["id"]}))["shipping_option"]
    assert (option["id"], option["amount"]) == (market.option, D("5.95"))
    assert (await store.post("/store/shipping-options/so_0/calculate", {"cart_id": cart["id"]})).status == 404
    assert (await store.post(path, {"cart_id": "cart_0"})).status == 404
    assert (await store.post(path, {})).status == 400


async def test_options_are_of_a_cart(store: Store) -> None:
    assert (await store.get("/store/shipping-options")).status == 400
    assert (await store.get("/store/shipping-options", cart_id="cart_0")).status == 404


async def test_things_of_two_shipping_profiles_are_sent_in_two_ways(market: Market, store: Store) -> None:
    """Choosing for one profile leaves the other's choice alone; what has nothing left to send goes, and isn't charged."""
    bulky = await market.new_profile("Bulky")
    freight = await market.new_option("Freight", {"eur": "49"}, bulky)
    lorry = await market.new_option("Lorry", {"eur": "79"}, bulky)
    sofa, shirt = await market.new_variant({"eur": "900"}, profile=bulky), await market.new_variant({"eur": "20"})
    cart = await store.cart("de", items=[{"variant_id": variant, "quantity": 1} for variant in (shirt, sofa)])

    def ways(cart: Row) -> set[str]:
        return {method["shipping_option_id"] for method in cart["shipping_methods"]}

    await store.ship(cart, freight)
    await store.pay(cart)
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")  # nobody brings the shirt
    cart = await store.ship(cart)
    assert (ways(cart), cart["shipping_total"]) == ({freight, market.option}, D("54.95"))
    cart = await store.ship(cart, lorry)
    assert (ways(cart), cart["shipping_total"]) == ({lorry, market.option}, D("84.95"))
    lines = {line["variant_id"]: line["id"] for line in cart["items"]}
    path = f"/store/carts/{cart['id']}/line-items"
    cart = (await store.post(f"{path}/{lines[shirt]}", {"quantity": 0}))["cart"]
    assert (ways(cart), cart["shipping_total"]) == ({lorry}, 79)
    await store.add(cart, shirt)
    cart = await store.ship(cart)
    assert (ways(cart), cart["shipping_total"]) == ({lorry, market.option}, D("84.95"))
    await store.pay(cart)
    order = (await store.complete(cart))["order"]
    assert (len(order["shipping_methods"]), order["shipping_total"], order["total"]) == (2, D("84.95"), D("1004.95"))


async def test_the_last_line_takes_its_shipping_along(market: Market, store: Store) -> None:
    cart = await store.ship(await store.cart("de", items=[{"variant_id": await market.new_variant({"eur": "20"}), "quantity": 1}]))
    assert cart["total"] == D("25.95")
    cart = (await store("DELETE", f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}"))["parent"]
    assert (cart["shipping_methods"], cart["total"]) == ([], 0)
