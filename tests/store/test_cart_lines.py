"""Lines of a cart, over HTTP."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from .conftest import Market, Store

D = Decimal


async def test_a_line_has_what_is_known_of_its_variant(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90"}, stock=10)
    cart = await store.add(await store.cart(), variant, 2, metadata={"engraving": "A"})
    [line] = cart["items"]
    assert (line["variant_id"], line["quantity"], line["metadata"]) == (variant, 2, {"engraving": "A"})
    assert (line["unit_price"], line["is_tax_inclusive"], line["requires_shipping"]) == (D("11.9"), True, True)
    assert line["title"] == line["product_title"] == line["product_title"]
    assert line["variant_title"] == "One"
    assert line["variant"]["id"] == variant
    assert line["product"]["id"] == line["product_id"]
    assert [(tax["code"], tax["rate"]) for tax in line["tax_lines"]] == [("vat", 19)]
    assert (cart["total"], cart["item_subtotal"], cart["tax_total"]) == (D("23.8"), 20, D("3.8"))


async def test_the_same_variant_goes_to_the_same_line(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=10)
    cart = await store.cart()
    await store.add(cart, variant, 1)
    cart = await store.add(cart, variant, 2)
    assert [line["quantity"] for line in cart["items"]] == [3]
    cart = await store.add(cart, variant, 1, metadata={"gift": True})
    assert [line["quantity"] for line in cart["items"]] == [3, 1]
    cart = await store.add(cart, variant, 1, metadata={"gift": True})
    assert [line["quantity"] for line in cart["items"]] == [3, 2]


async def test_lines_added_at_once_all_arrive(market: Market, store: Store) -> None:
    variants = [await market.new_variant({"eur": "10"}) for _ in range(3)]
    cart = await store.cart()
    await asyncio.gather(*(store.add(cart, variant) for variant in variants for _ in range(3)))
    shown = await store.show(cart)
    assert {line["variant_id"]: line["quantity"] for line in shown["items"]} == dict.fromkeys(variants, 3)


async def test_the_quantity_of_a_line_is_changed_and_nothing_removes_it(market: Market, store: Store) -> None:
    one, other = await market.new_variant({"eur": "10"}, stock=5), await market.new_variant({"eur": "7"})
    cart = await store.cart()
    await store.add(cart, one)
    cart = await store.add(cart, other)
    line = cart["items"][0]["id"]
    path = f"/store/carts/{cart['id']}/line-items/{line}"
    changed = (await store.post(path, {"quantity": 4, "metadata": {"a": 1}}))["cart"]
    assert [(item["quantity"], item["metadata"]) for item in changed["items"]] == [(4, {"a": 1}), (1, {})]
    assert changed["item_total"] == 47
    gone = (await store.post(path, {"quantity": 0}))["cart"]
    assert [item["variant_id"] for item in gone["items"]] == [other]
    assert (await store.post(path, {"quantity": 1})).status == 404


async def test_a_line_is_deleted_with_its_cart_shown(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.add(await store.cart(), variant)
    answer = await store("DELETE", f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}")
    assert (answer["id"], answer["object"], answer["deleted"]) == (cart["items"][0]["id"], "line-item", True)
    assert answer["parent"]["items"] == []
    assert answer["parent"]["total"] == 0


async def test_more_than_there_is_cannot_be_put_into_a_cart(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=3)
    cart = await store.cart()
    await store.add(cart, variant, 2)
    refused = await store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant, "quantity": 2, "metadata": {"gift": True}})
    assert refused.status == 400
    assert refused.body == {
        "code": "insufficient_inventory",
        "type": "not_allowed",
        "message": "Some variant does not have the required inventory",
    }
    line = (await store.show(cart))["items"]
    assert [item["quantity"] for item in line] == [2]
    path = f"/store/carts/{cart['id']}/line-items/{line[0]['id']}"
    assert (await store.post(path, {"quantity": 4})).status == 400
    assert (await store.post(path, {"quantity": 3})).status == 200


async def test_what_takes_several_of_an_item_counts_them(market: Market, store: Store) -> None:
    crate = await market.new_variant({"eur": "60"}, stock=13, takes=6)
    cart = await store.cart()
    await store.add(cart, crate, 2)
    assert (await store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": crate, "quantity": 1})).status == 400


async def test_what_can_be_back_ordered_is_never_short(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=1, backorder=True)
    cart = await store.add(await store.cart(), variant, 50)
    assert cart["items"][0]["quantity"] == 50


async def test_only_what_is_sold_here_can_be_put_into_a_cart(market: Market, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cart = await store.cart()
    draft = await market.new_variant({"eur": "10"}, published=False)
    elsewhere = await market.new_variant({"eur": "10"}, listed=False)
    priceless = await market.new_variant({"usd": "10"})
    monkeypatch.setattr(market.host.settings, "strict_channels", True)
    for variant in (draft, elsewhere, priceless, "variant_0"):
        refused = await store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant, "quantity": 1})
        assert (refused.status, refused.body["type"]) == (400, "invalid_data"), variant
    assert (await store.show(cart))["items"] == []
    monkeypatch.setattr(market.host.settings, "strict_channels", False)
    assert [line["variant_id"] for line in (await store.add(cart, elsewhere))["items"]] == [elsewhere]


async def test_an_address_outside_the_region_opens_a_cart_but_is_no_update(
    market: Market, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"region_id": market.regions["de"], "shipping_address": {"country_code": "US"}}
    cart = (await store.post("/store/carts", away))["cart"]
    assert cart["shipping_address"]["country_code"] == "us"
    assert (await store.post(f"/store/carts/{cart['id']}", {"shipping_address": {"country_code": "us"}})).status == 400
    monkeypatch.setattr(market.host.settings, "strict_addresses", True)
    assert (await store.post("/store/carts", away)).status == 400


async def test_larger_quantities_get_the_price_of_their_tier(market: Market, store: Store) -> None:
    tiers = [{"amount": "10"}, {"amount": "8", "min_quantity": 10}]
    variant = await market.new_variant({"eur": tiers})
    cart = await store.cart()
    cart = await store.add(cart, variant, 9)
    assert cart["items"][0]["unit_price"] == 10
    cart = await store.add(cart, variant, 1, metadata={"gift": True})
    assert [line["unit_price"] for line in cart["items"]] == [8, 8]
    path = f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}"
    fewer = (await store.post(path, {"quantity": 8}))["cart"]
    assert [line["unit_price"] for line in fewer["items"]] == [10, 10]


@pytest.mark.parametrize("away", ["deleted", "set to nothing"])
async def test_what_is_left_of_a_larger_quantity_costs_what_so_few_cost(market: Market, store: Store, away: str) -> None:
    variant = await market.new_variant({"eur": [{"amount": "10"}, {"amount": "8", "min_quantity": 10}]}, stock=20)
    cart = await store.add(await store.cart(), variant, 9)
    cart = await store.add(cart, variant, 1, metadata={"gift": True})
    await store.pay(cart)
    path = f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}"
    await market.modules.inventory.adjust(
        [{"inventory_item_id": await market.item_of(variant), "location_id": market.location, "adjustment": -20}]
    )
    gone = await (store("DELETE", path) if away == "deleted" else store.post(path, {"quantity": 0}))
    assert gone.status == 200, "what is sold out can be taken out"
    shown = await store.show(cart)
    assert [(line["quantity"], line["unit_price"]) for line in shown["items"]] == [(1, 10)]
    assert (shown["total"], shown["payment_collection"]["amount"]) == (10, 10)


async def test_bodies_that_cannot_be_are_refused(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.cart()
    path = f"/store/carts/{cart['id']}/line-items"
    bodies = (
        {"variant_id": variant},
        {"quantity": 1},
        {"variant_id": variant, "quantity": 0},
        {"variant_id": variant, "quantity": -1},
        {"variant_id": variant, "quantity": "1"},
        {"variant_id": variant, "quantity": 1.5},
        {"variant_id": variant, "quantity": 10**12},
        {"variant_id": variant, "quantity": 1, "price": 1},
        {"variant_id": 7, "quantity": 1},
    )
    for body in bodies:
        refused = await store.post(path, body)
        assert (refused.status, refused.body["type"]) == (400, "invalid_data"), body
    assert (await store.post("/store/carts/cart_0/line-items", {"variant_id": variant, "quantity": 1})).status == 404
    assert (await store.show(cart))["items"] == []
