"""Opening and changing carts, over HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest

from velella.core.ids import ulid

from .conftest import Market, Store

D = Decimal


async def test_a_cart_is_shown_as_the_contract_says(market: Market, store: Store) -> None:
    cart = await store.cart()
    assert cart["currency_code"] == "eur"
    assert cart["region"]["countries"][0]["iso_2"] == "de"
    assert cart["sales_channel_id"] == market.channel
    assert cart["shipping_address"]["city"] == "Town"
    assert cart["customer"]["email"] == cart["email"]
    assert (cart["items"], cart["shipping_methods"], cart["promotions"], cart["credit_lines"]) == ([], [], [], [])
    assert ("payment_collection" in cart, cart["billing_address"], cart["completed_at"]) == (False, None, None)
    assert (cart["total"], cart["subtotal"], cart["original_total"]) == (0, 0, 0)
    assert "version" not in cart
    assert await store.show(cart) == cart


async def test_a_cart_can_be_opened_with_lines(market: Market, store: Store) -> None:
    one, other = await market.new_variant({"eur": "10"}, stock=5), await market.new_variant({"eur": "3"})
    cart = await store.cart(
        items=[{"variant_id": one, "quantity": 2}, {"variant_id": other, "quantity": 1}, {"variant_id": one, "quantity": 1}]
    )
    assert [(item["variant_id"], item["quantity"]) for item in cart["items"]] == [(one, 3), (other, 1)]
    assert cart["total"] == 33
    refused = await store.post("/store/carts", {"region_id": market.regions["de"], "items": [{"variant_id": one, "quantity": 6}]})
    assert refused.body["code"] == "insufficient_inventory"


async def test_a_cart_knows_its_country_where_its_region_has_one(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90"})
    body = {"region_id": market.regions["de"], "items": [{"variant_id": variant, "quantity": 1}]}
    cart = (await store.post("/store/carts", body))["cart"]
    assert cart["shipping_address"]["country_code"] == "de"
    assert cart["tax_total"] == D("1.9")
    assert (cart["email"], cart["customer_id"], "customer" in cart) == (None, None, False)


async def test_a_cart_of_no_place_is_of_the_stores_region_or_of_another_one_where_that_is_gone(market: Market, store: Store) -> None:
    [made] = await market.modules.store.create_stores([{"name": "Shop", "default_region_id": market.regions["us"]}])
    assert (await store.post("/store/carts", {}))["cart"]["region_id"] == market.regions["us"]
    await market.modules.store.update_stores([{"id": made["id"], "default_region_id": "reg_gone"}])
    assert (await store.post("/store/carts", {}))["cart"]["region_id"] in market.regions.values()
    await market.modules.store.delete("store", [made["id"]])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"region_id": "reg_0"}, 404),
        ({"email": "nobody"}, 400),
        ({"email": "ada@example.com\n"}, 400),
        ({"region_id": 5}, 400),
        ({"unknown": 1}, 400),
        ({"shipping_address": {"street": "x"}}, 400),
        ({"shipping_address": "caaddr_0"}, 404),
        ({"items": [{"variant_id": "variant_0", "quantity": 1}]}, 400),
        ({"sales_channel_id": "sc_0"}, 400),
        ({"promo_codes": ["SUMMER"]}, 400),
    ],
)
async def test_carts_that_cannot_be_are_refused(market: Market, store: Store, body: dict[str, object], status: int) -> None:
    before = await market.modules.cart.count("cart")
    refused = await store.post("/store/carts", {"region_id": market.regions["de"], **body})
    assert refused.status == status, refused.body
    assert await market.modules.cart.count("cart") == before


async def test_a_foreign_channel_is_named_in_a_list_of_errors(market: Market, store: Store) -> None:
    refused = await store.post("/store/carts", {"region_id": market.regions["de"], "sales_channel_id": "sc_0"})
    assert refused.status == 400
    assert set(refused.body) == {"errors", "message"}


async def test_a_guest_is_one_customer_however_often_they_come(market: Market, store: Store) -> None:
    email = f"{ulid().lower()}@example.com"
    first = await store.cart(email=email)
    second = await store.cart(email=email.upper())
    assert first["customer"]["id"] == second["customer"]["id"]
    third = await store.cart()
    changed = (await store.post(f"/store/carts/{third['id']}", {"email": email}))["cart"]
    assert changed["customer"]["id"] == first["customer"]["id"]
    assert changed["email"] == email


async def test_a_cart_takes_addresses_and_metadata(market: Market, store: Store) -> None:
    cart = await store.cart()
    path = f"/store/carts/{cart['id']}"
    body = {"billing_address": {"first_name": "Grace", "country_code": "fr"}, "metadata": {"a": [1]}, "locale": "de-DE"}
    changed = (await store.post(path, body))["cart"]
    assert changed["billing_address"]["first_name"] == "Grace"
    assert (changed["metadata"], changed["locale"]) == ({"a": [1]}, "de-DE")
    assert changed["shipping_address"]["city"] == "Town"
    known = {"shipping_address": {"id": cart["shipping_address"]["id"], "city": "Elsewhere"}}
    changed = (await store.post(path, known))["cart"]
    assert (changed["shipping_address"]["city"], changed["shipping_address"]["first_name"]) == ("Elsewhere", "Ada")
    replaced = (await store.post(path, {"shipping_address": {"country_code": "DE"}}))["cart"]["shipping_address"]
    assert (replaced["country_code"], replaced["first_name"]) == ("de", None)
    assert (await store.post(path, {"shipping_address": {"country_code": "us"}})).status == 400
    assert (await store.post(path, {"shipping_address": {"id": "caaddr_0", "city": "x"}})).status == 404


async def test_another_region_brings_its_prices_and_taxes(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90", "jpy": "1100"}, stock=5)
    cart = await store.add(await store.cart(), variant, 2)
    cart = await store.ship(cart)
    await store.pay(cart)
    moved = (await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["jp"]}))["cart"]
    assert (moved["currency_code"], moved["total"], moved["tax_total"]) == ("jpy", 2200, 200)
    assert moved["shipping_methods"] == []
    assert moved["shipping_address"]["country_code"] == "jp"
    assert moved["payment_collection"]["amount"] == 2200
    assert moved["payment_collection"]["currency_code"] == "jpy"
    assert moved["payment_collection"]["payment_sessions"] == []
    refused = await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["kw"]})
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert (await store.show(cart))["currency_code"] == "jpy"


async def test_a_customer_takes_over_a_guests_cart(market: Market, store: Store) -> None:
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    [other] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    cart = await store.cart()
    path = f"/store/carts/{cart['id']}/customer"
    assert (await store.post(path)).status == 401
    mine = (await (await store.signed_in(customer["id"])).post(path))["cart"]
    assert (mine["customer"]["id"], mine["email"]) == (customer["id"], customer["email"])
    still = (await (await store.signed_in(other["id"])).post(path))["cart"]
    assert still["customer"]["id"] == customer["id"]
    gone = await market.new_variant({"eur": "7"})
    cart = await store.add(await store.cart(), gone)
    variant = await market.modules.product.retrieve("product_variant", gone)
    await market.modules.product.update_products([{"id": variant["product_id"], "status": "draft"}])
    mine = (await (await store.signed_in(customer["id"])).post(f"/store/carts/{cart['id']}/customer"))["cart"]
    assert (mine["customer"]["id"], mine["total"]) == (customer["id"], 7), "checkout says what can't be bought any more"
    own = await (await store.signed_in(customer["id"])).cart(email=None)
    assert (own["customer"]["id"], own["email"]) == (customer["id"], customer["email"])


async def test_a_buyer_logs_in_and_moves_with_a_line_that_has_sold_out_meanwhile(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90", "jpy": "1100"}, stock=1)
    cart = await store.add(await store.cart(), variant)
    assert (await store.complete(await store.ready(variant)))["type"] == "order"
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    signed_in = await store.signed_in(customer["id"])
    assert (await signed_in.post(f"/store/carts/{cart['id']}/customer"))["cart"]["customer"]["id"] == customer["id"]
    moved = (await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["jp"]}))["cart"]
    assert (moved["currency_code"], moved["items"][0]["unit_price"]) == ("jpy", 1100)
    refused = await store.post(f"/store/carts/{cart['id']}/line-items/{moved['items'][0]['id']}", {"quantity": 1})
    assert refused.body["code"] == "insufficient_inventory"


async def test_fields_choose_what_is_shown(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90"})
    cart = await store.add(await store.cart(), variant)
    assert await store.show(cart, fields="id,total") == {"id": cart["id"], "total": D("11.9")}
    shown = await store.show(cart, fields="id,items.total,items.title")
    assert [sorted(item) for item in shown["items"]] == [["title", "total"]]
    shown = await store.show(cart, fields="+items.total,-customer")
    assert shown["items"][0]["total"] == D("11.9")
    assert "customer" not in shown
    deep = await store.get(f"/store/carts/{cart['id']}", fields="+items.product.categories.parent.name")
    assert (deep.status, deep.body["type"]) == (400, "invalid_data")


async def test_every_field_that_is_allowed_can_be_asked_for(market: Market, store: Store) -> None:
    from velella.http.store.carts import CART

    variant = await market.new_variant({"eur": "11.90"}, stock=5)
    cart = await store.ready(variant)
    assert CART.allowed is not None
    for name in sorted(CART.allowed):
        answer = await store.get(f"/store/carts/{cart['id']}", fields=f"id,{name}")
        assert answer.status == 200, (name, answer.body)


async def test_unknown_carts_are_not_found(store: Store) -> None:
    assert (await store.get("/store/carts/cart_0")).body == {"type": "not_found", "message": "Cart with id: cart_0 was not found"}
    for path in ("", "/line-items/cali_0", "/shipping-methods", "/taxes", "/complete"):
        body = {"option_id": "so_0"} if path.endswith("methods") else {"quantity": 1} if "cali" in path else {}
        answer = await store.post(f"/store/carts/cart_0{path}", body)
        assert (answer.status, answer.body["type"]) == (404, "not_found"), path
