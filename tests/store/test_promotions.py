"""Promotions in carts and orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.codec import pack
from velella.core.ids import ulid

from .conftest import Answer, Market, Row, Store

D = Decimal
TOTALS = ("total", "subtotal", "tax_total", "discount_total", "item_total", "shipping_total", "original_total")


@pytest.fixture
async def shirt(market: Market) -> str:
    """11.90 with tax in Germany, 10.00 without."""
    return await market.new_variant({"eur": "11.90", "usd": "10.00", "jpy": "1100", "kwd": "1.050"})


async def enter(store: Store, cart: Row, *codes: str) -> Answer:
    return await store.post(f"/store/carts/{cart['id']}/promotions", {"promo_codes": list(codes)})


async def take_back(store: Store, cart: Row, *codes: str) -> Row:
    made: Row = (await store("DELETE", f"/store/carts/{cart['id']}/promotions", {"promo_codes": list(codes)}))["cart"]
    return made


def totals(cart: Row) -> dict[str, Decimal]:
    return {name: D(cart[name]) for name in TOTALS}


def adjustments(cart: Row, kind: str = "items") -> list[list[tuple[str, Decimal]]]:
    return [[(each["code"], D(each["amount"])) for each in line["adjustments"]] for line in cart[kind]]


async def uses_of(market: Market, promotion: Row) -> int:
    row = await market.modules.promotion.retrieve("promotion", promotion["id"])
    return int(row["used"])


async def test_a_code_makes_a_cart_cheaper_and_taking_it_back_makes_it_what_it_was(market: Market, store: Store, shirt: str) -> None:
    promotion = await market.promote(value="15")
    cart = await store.cart("us")
    await store.add(cart, shirt, 3)
    before = await store.ship(cart)
    shown = (await enter(store, cart, promotion["code"]))["cart"]
    assert adjustments(shown) == [[(promotion["code"], D("4.5"))]]
    assert shown["items"][0]["adjustments"][0]["promotion_id"] == promotion["id"]
    assert (D(shown["discount_total"]), D(shown["total"])) == (D("4.82625"), D("32.71"))
    assert [(each["code"], each["application_method"]["type"]) for each in shown["promotions"]] == [(promotion["code"], "percentage")]
    assert await store.show(cart) == shown
    after = await take_back(store, cart, promotion["code"])
    assert totals(after) == totals(before)
    assert (after["promotions"], adjustments(after)) == ([], [[]])
    assert await store.show(cart) == after


async def test_codes_come_with_the_cart_and_others_take_their_place(market: Market, store: Store, shirt: str) -> None:
    ten, five = await market.promote(value="10"), await market.promote(value="5")
    items = [{"variant_id": shirt, "quantity": 1}]
    cart = await store.cart("us", items=items, promo_codes=[ten["code"]])
    assert adjustments(cart) == [[(ten["code"], D(1))]]
    path = f"/store/carts/{cart['id']}"
    cart = (await store.post(path, {"promo_codes": [five["code"]]}))["cart"]
    assert adjustments(cart) == [[(five["code"], D("0.5"))]]
    cart = (await store.post(path, {"email": "other@example.com"}))["cart"]
    assert [each["code"] for each in cart["promotions"]] == [five["code"]]
    cart = (await store.post(path, {"promo_codes": []}))["cart"]
    assert (cart["promotions"], adjustments(cart)) == ([], [[]])


async def test_codes_that_nobody_knows_are_refused_and_change_nothing(market: Market, store: Store, shirt: str) -> None:
    good, draft = await market.promote(), await market.promote(status="draft")
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}])
    assert (await enter(store, cart, draft["code"]))["cart"]["promotions"] == []
    for codes in (["NOPE"], [good["code"], "NOPE"]):
        refused = await enter(store, cart, *codes)
        assert (refused.status, refused.body["type"]) == (400, "invalid_data")
        assert refused.body["message"] == f"The promotion code {codes[-1]} is invalid"
    assert (await store.show(cart))["promotions"] == []
    assert (await store.post(f"/store/carts/{cart['id']}", {"promo_codes": ["NOPE"]})).status == 400
    assert (await enter(store, {"id": "cart_nope"}, good["code"])).status == 404
    assert (await store.post(f"/store/carts/{cart['id']}/promotions", {})).status == 400
    assert D((await take_back(store, cart, "NOPE"))["discount_total"]) == 0


async def test_discounts_follow_the_lines(market: Market, store: Store, shirt: str) -> None:
    promotion = await market.promote(kind="fixed", value="2", currency_code="usd", max_quantity=2)
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}])
    cart = (await enter(store, cart, promotion["code"]))["cart"]
    assert adjustments(cart) == [[(promotion["code"], D(2))]]
    line = f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}"
    cart = (await store.post(line, {"quantity": 5}))["cart"]
    assert adjustments(cart) == [[(promotion["code"], D(4))]]
    moved = (await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["jp"]}))["cart"]
    assert (moved["currency_code"], moved["promotions"], D(moved["discount_total"])) == ("jpy", [], 0)
    gone = await store("DELETE", line)
    assert gone["parent"]["items"] == []


async def test_an_amount_off_the_order_is_split_exactly(market: Market, store: Store) -> None:
    promotion = await market.promote(kind="fixed", value="10", currency_code="usd", target_type="order", allocation="across")
    cart = await store.cart("us")
    for amount in ("3.33", "3.33", "9.99"):
        await store.add(cart, await market.new_variant({"usd": amount}))
    cart = (await enter(store, cart, promotion["code"]))["cart"]
    assert sorted(amount for [(_, amount)] in adjustments(cart)) == [D("2"), D("2"), D("6")]
    assert D(cart["discount_subtotal"]) == D(10)


async def test_discounts_with_tax_are_taken_off_the_price_with_tax(market: Market, store: Store, shirt: str) -> None:
    inclusive = await market.promote(kind="fixed", value="1.90", currency_code="eur", is_tax_inclusive=True)
    cart = await store.cart("de", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[inclusive["code"]])
    assert (D(cart["total"]), D(cart["discount_total"]), D(cart["original_total"])) == (D(10), D("1.9"), D("11.9"))
    assert cart["items"][0]["adjustments"][0]["is_tax_inclusive"] is True
    assert cart["promotions"][0]["is_tax_inclusive"] is True
    exclusive = await market.promote(kind="fixed", value="1", currency_code="eur")
    cart = await store.cart("de", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[exclusive["code"]])
    assert (D(cart["total"]), D(cart["discount_total"])) == (D("10.71"), D("1.19"))


@pytest.mark.parametrize("inclusive", [False, True])
async def test_free_shipping_is_free(market: Market, store: Store, shirt: str, inclusive: bool) -> None:
    free = await market.promote(value="100", target_type="shipping_methods", is_tax_inclusive=inclusive)
    cart = await store.cart("de", items=[{"variant_id": shirt, "quantity": 1}])
    assert (await enter(store, cart, free["code"]))["cart"]["promotions"] == []  # there is nothing to take it off yet
    await store.ship(cart)
    cart = (await enter(store, cart, free["code"]))["cart"]
    assert (D(cart["shipping_total"]), D(cart["total"]), D(cart["original_shipping_total"])) == (D(0), D("11.9"), D("5.95"))
    cart = await store.add(cart, shirt)
    assert (D(cart["shipping_total"]), len(cart["shipping_methods"][0]["adjustments"])) == (D(0), 1)


async def test_buy_two_get_one(market: Market, store: Store, shirt: str) -> None:
    product = (await market.modules.product.retrieve("product_variant", shirt))["product_id"]
    rules = [{"attribute": "items.product.id", "operator": "eq", "values": [product]}]
    given = {"type": "buyget", "buy_rules": rules, "target_rules": rules, "buy_rules_min_quantity": 2, "apply_to_quantity": 1}
    promotion = await market.promote(value="100", **given)
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 2}])
    assert (await enter(store, cart, promotion["code"]))["cart"]["promotions"] == []
    await store.add(cart, shirt)
    cart = (await enter(store, cart, promotion["code"]))["cart"]
    assert adjustments(cart) == [[(promotion["code"], D(10))]]
    cart = await store.add(cart, shirt, 3)
    assert adjustments(cart) == [[(promotion["code"], D(20))]]


async def test_ties_that_were_cut_off_are_made_good_by_the_next_change(market: Market, store: Store, shirt: str) -> None:
    kept, gone = await market.promote(), await market.promote()
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[kept["code"]])
    pairs = [{"cart_id": cart["id"], "promotion_id": promotion["id"]} for promotion in (kept, gone)]
    await market.modules.link.detach("cart_promotion", pairs[:1])
    await market.modules.link.attach("cart_promotion", pairs[1:])
    cart = await store.add(cart, shirt)
    assert [each["code"] for each in cart["promotions"]] == [kept["code"]]
    assert (await store.show(cart))["promotions"] == cart["promotions"]


async def test_a_promotion_that_is_deleted_takes_nothing_off_any_more(market: Market, store: Store, shirt: str) -> None:
    promotion = await market.promote()
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[promotion["code"]])
    await market.modules.promotion.delete("promotion", [promotion["id"]])
    cart = await store.add(cart, shirt)
    assert (cart["promotions"], D(cart["discount_total"])) == ([], 0)
    assert (await enter(store, cart, promotion["code"])).status == 400


async def test_codes_entered_at_once_all_count(market: Market, store: Store, shirt: str) -> None:
    codes = [(await market.promote(kind="fixed", value="1", currency_code="usd"))["code"] for _ in range(4)]
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}])
    await asyncio.gather(*(enter(store, cart, code) for code in codes))
    shown = await store.show(cart)
    assert sorted(each["code"] for each in shown["promotions"]) == sorted(codes)
    assert D(shown["discount_subtotal"]) == 4


@pytest.fixture
async def automatic(market: Market, shirt: str) -> AsyncIterator[Row]:
    """A tenth off the shirts, for shoppers in Kuwait."""
    product = (await market.modules.product.retrieve("product_variant", shirt))["product_id"]
    promotion = await market.promote(
        is_automatic=True,
        rules=[{"attribute": "shipping_address.country_code", "operator": "in", "values": ["kw", "xx"]}],
        target_rules=[{"attribute": "items.product.id", "operator": "eq", "values": product}],
    )
    yield promotion
    await market.modules.promotion.update("promotion", [{"id": promotion["id"], "status": "inactive"}])


async def test_what_is_automatic_applies_by_itself(market: Market, store: Store, shirt: str, automatic: Row) -> None:
    other = await market.new_variant({"kwd": "1"})
    cart = await store.cart("kw", items=[{"variant_id": shirt, "quantity": 1}, {"variant_id": other, "quantity": 1}])
    assert adjustments(cart) == [[(automatic["code"], D("0.105"))], []]
    assert [(each["id"], each["is_automatic"]) for each in cart["promotions"]] == [(automatic["id"], True)]
    code = await market.promote(value="50", allocation="across")
    cart = (await enter(store, cart, code["code"]))["cart"]
    assert adjustments(cart) == [[(automatic["code"], D("0.105")), (code["code"], D("0.473"))], [(code["code"], D("0.5"))]]
    cart = await take_back(store, cart, code["code"], automatic["code"])
    assert adjustments(cart) == [[(automatic["code"], D("0.105"))], []]
    assert (await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}]))["promotions"] == []
    await market.modules.promotion.update("promotion", [{"id": automatic["id"], "status": "inactive"}])
    cart = await store.add(cart, other)
    assert (cart["promotions"], D(cart["discount_total"])) == ([], 0)


async def test_what_a_merchant_changes_is_seen_by_the_next_cart(market: Market, store: Store, merchant: Store, shirt: str) -> None:
    product = (await market.modules.product.retrieve("product_variant", shirt))["product_id"]
    target = {"attribute": "items.product.id", "operator": "in", "values": [product]}
    method = {"type": "percentage", "value": 10, "target_type": "items", "allocation": "across", "target_rules": [target]}
    body = {"code": f"AUTO{ulid()}", "type": "standard", "status": "active", "is_automatic": True, "application_method": method}
    items = [{"variant_id": shirt, "quantity": 1}]

    async def discount(country: str = "us") -> Decimal:
        return D((await store.cart(country, items=items))["discount_subtotal"])

    assert await discount() == 0
    path = f"/admin/promotions/{(await merchant.post('/admin/promotions', body))['promotion']['id']}"
    assert await discount() == 1
    await merchant.post(path, {"application_method": {"value": 25}})
    assert await discount() == D("2.5")
    rule = {"attribute": "region_id", "operator": "eq", "values": market.regions["us"]}
    made = await merchant.post(f"{path}/rules/batch", {"create": [rule]})
    assert (await discount(), await discount("kw")) == (D("2.5"), 0)
    await merchant.post(f"{path}/rules/batch", {"delete": [made["created"][0]["id"]]})
    assert await discount("kw") == D("0.263")
    await merchant.post(path, {"status": "inactive"})
    assert await discount() == 0
    await merchant("DELETE", path)


async def test_groups_of_customers_have_their_own(market: Market, store: Store, shirt: str) -> None:
    group = (await market.modules.customer.create("customer_group", [{"name": f"VIP {ulid()}"}]))[0]
    rules = [{"attribute": "customer.groups.id", "operator": "in", "values": [group["id"]]}]
    promotion = await market.promote(rules=rules)
    customer = (await market.modules.customer.create("customer", [{"email": f"{ulid().lower()}@example.com", "has_account": True}]))[0]
    await market.modules.customer.add_to_groups([{"customer_id": customer["id"], "customer_group_id": group["id"]}])
    items = [{"variant_id": shirt, "quantity": 1}]
    member = await (await store.signed_in(customer["id"])).cart("us", items=items, promo_codes=[promotion["code"]], email=customer["email"])
    assert D(member["discount_subtotal"]) == 1
    guest = await store.cart("us", items=items, promo_codes=[promotion["code"]])
    assert (guest["promotions"], D(guest["discount_total"])) == ([], 0)


async def paid(store: Store, variant: str, *codes: str, country: str = "us") -> Row:
    """A cart with codes that only has to be completed."""
    cart = await store.cart(country, items=[{"variant_id": variant, "quantity": 1}])
    await store.ship(cart)
    cart = (await enter(store, cart, *codes))["cart"]
    await store.pay(cart)
    return cart


async def test_the_order_has_what_the_cart_had_and_is_counted_once(market: Market, store: Store, shirt: str) -> None:
    items = await market.promote(limit=9)
    shipping = await market.promote(value="50", target_type="shipping_methods")
    cart = await paid(store, shirt, items["code"], shipping["code"])
    answers = await asyncio.gather(*(store.complete(cart) for _ in range(3)))
    assert {answer["order"]["id"] for answer in answers} == {answers[0]["order"]["id"]}
    order = (await store.get(f"/store/orders/{answers[0]['order']['id']}", fields="*promotions,*items.adjustments"))["order"]
    assert sorted(each["code"] for each in order["promotions"]) == sorted([items["code"], shipping["code"]])
    order = (await store.get(f"/store/orders/{answers[0]['order']['id']}"))["order"]
    assert (D(order["total"]), D(order["discount_total"])) == (D(cart["total"]), D(cart["discount_total"]))
    assert (await uses_of(market, items), await uses_of(market, shipping)) == (1, 1)


async def test_an_order_that_fails_is_not_counted(market: Market, store: Store, shirt: str) -> None:
    promotion = await market.promote(limit=1)
    cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[promotion["code"]])
    await store.ship(cart)
    await store.pay(cart, "pp_moody_m", mood="declined")
    assert (await store.complete(cart))["type"] == "cart"
    assert await uses_of(market, promotion) == 0
    await store.pay(cart)
    assert (await store.complete(cart))["type"] == "order"
    assert await uses_of(market, promotion) == 1


async def test_of_twenty_at_once_five_use_what_may_be_used_five_times(market: Market, store: Store, shirt: str) -> None:
    promotion = await market.promote(limit=5)
    carts = [await paid(store, shirt, promotion["code"]) for _ in range(20)]
    answers = await asyncio.gather(*(store.complete(cart) for cart in carts))
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) == 15
    assert {(answer.status, answer.body["type"]) for answer in refused} == {(400, "not_allowed")}
    assert all(D(answer["order"]["discount_total"]) > 0 for answer in answers if answer.status == 200)
    assert await uses_of(market, promotion) == 5
    late = next(cart for cart, answer in zip(carts, answers, strict=True) if answer.status != 200)
    again = (await store.post(f"/store/carts/{late['id']}", {"metadata": {"tried": "again"}}))["cart"]
    assert (again["promotions"], D(again["discount_total"])) == ([], 0)
    await store.pay(again)
    assert (await store.complete(again))["type"] == "order"


async def campaign(market: Market, **given: Any) -> Row:
    row = {"name": "Spring", "campaign_identifier": ulid(), **given}
    made: Row = (await market.modules.promotion.create_campaigns([row]))[0]
    return made


async def test_a_campaign_spends_no_more_than_its_budget(market: Market, store: Store, shirt: str) -> None:
    budget = {"type": "spend", "currency_code": "usd", "limit": D("2.50")}
    spring = await campaign(market, budget=budget)
    promotion = await market.promote(value="20", campaign_id=spring["id"])
    first = await paid(store, shirt, promotion["code"])
    assert adjustments(first) == [[(promotion["code"], D(2))]]
    assert (await store.complete(first))["type"] == "order"
    second = await paid(store, shirt, promotion["code"])
    assert adjustments(second) == [[(promotion["code"], D("0.5"))]]
    assert (await store.complete(second))["type"] == "order"
    assert (await enter(store, await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}]), promotion["code"]))["cart"][
        "promotions"
    ] == []


async def test_a_campaign_counts_each_buyer(market: Market, store: Store, shirt: str) -> None:
    budget = {"type": "use_by_attribute", "attribute": "customer_email", "limit": D(1)}
    promotion = await market.promote(campaign_id=(await campaign(market, budget=budget))["id"])
    email = f"{ulid().lower()}@example.com"
    for expected in (True, False):
        cart = await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}], email=email, promo_codes=[promotion["code"]])
        assert bool(cart["promotions"]) is expected
        await store.ship(cart)
        await store.pay(cart)
        assert (await store.complete(cart))["type"] == "order"
    assert (await store.cart("us", items=[{"variant_id": shirt, "quantity": 1}], promo_codes=[promotion["code"]]))["promotions"] != []


async def test_what_a_cart_is_compared_with_does_not_grow_with_the_buyers_of_a_campaign(market: Market, store: Store, shirt: str) -> None:
    service = market.modules.promotion
    budget = {"type": "use_by_attribute", "attribute": "customer_email", "limit": D(1)}
    campaigns = [await campaign(market, budget=budget) for _ in range(2)]
    first, second = [await market.promote(campaign_id=each["id"]) for each in campaigns]
    emails = [f"{ulid().lower()}@example.com" for _ in range(3)]
    before = [len(pack(await service.by_codes([first["code"]]))), len(pack(await service.by_ids([first["id"]])))]
    for email in emails:
        await service.register_usage(ulid(), [{"promotion_id": first["id"], "amount": "1"}], {"customer_email": email})
    after = [len(pack(await service.by_codes([first["code"]]))), len(pack(await service.by_ids([first["id"]])))]
    assert max(now - was for now, was in zip(after, before, strict=True)) < 8, "one row for each would be hundreds"
    items, codes = [{"variant_id": shirt, "quantity": 1}], [first["code"], second["code"]]
    cart = await store.cart("us", items=items, email=emails[1], promo_codes=codes)
    assert [each["id"] for each in cart["promotions"]] == [second["id"]]
    other = (await store.post(f"/store/carts/{cart['id']}", {"email": f"{ulid().lower()}@example.com"}))["cart"]
    assert {each["id"] for each in (await enter(store, other, *codes))["cart"]["promotions"]} == {first["id"], second["id"]}


async def test_what_is_left_of_a_campaign_that_is_deleted_limits_nothing(market: Market, store: Store, merchant: Store, shirt: str) -> None:
    spring = await campaign(market, budget={"type": "usage", "limit": D(1)})
    promotion = await market.promote(campaign_id=spring["id"])
    for expected in (True, False):
        cart = await paid(store, shirt, promotion["code"])
        assert bool(cart["promotions"]) is expected
        assert (await store.complete(cart))["type"] == "order"
    assert (await merchant("DELETE", f"/admin/campaigns/{spring['id']}")).status == 200
    cart = await paid(store, shirt, promotion["code"])
    assert cart["promotions"] != []
    assert (await store.complete(cart))["type"] == "order"
    assert await uses_of(market, promotion) == 2
    summer = await campaign(market)
    assert (await merchant.post(f"/admin/campaigns/{summer['id']}/promotions", {"add": [promotion["id"]]})).status == 200
    assert (await market.modules.promotion.retrieve("promotion", promotion["id"]))["campaign_id"] == summer["id"]


async def test_campaigns_begin_and_end(market: Market, store: Store, shirt: str) -> None:
    items = [{"variant_id": shirt, "quantity": 1}]
    for dates, applies in (({"starts_at": "2999-01-01T00:00:00Z"}, False), ({"ends_at": "2020-01-01T00:00:00Z"}, False), ({}, True)):
        promotion = await market.promote(campaign_id=(await campaign(market, **dates))["id"])
        assert bool((await store.cart("us", items=items, promo_codes=[promotion["code"]]))["promotions"]) is applies


async def test_a_percentage_of_one_currency_is_for_carts_of_that_currency(market: Market, store: Store, shirt: str) -> None:
    euros = await market.promote(value="10", currency_code="eur")
    items = [{"variant_id": shirt, "quantity": 1}]
    assert adjustments(await store.cart("us", items=items, promo_codes=[euros["code"]])) == [[]]
    cart = await store.cart("de", items=items, promo_codes=[euros["code"]])
    assert (D(cart["discount_total"]), [each["code"] for each in cart["promotions"]]) == (D("1.19"), [euros["code"]])
    moved = (await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["us"]}))["cart"]
    assert (adjustments(moved), D(moved["discount_total"])) == ([[]], 0)
