"""What was checked when it entered a cart is checked when the cart is bought: the buyer is told, and finds the cart as it can be bought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from velella.core.clock import iso, utc_now
from velella.core.ids import ulid

from .conftest import Answer, Market, Row, Store

D = Decimal


async def bought_again(store: Store, cart: Row) -> Row:
    """What the cart, as it is now, is sold for."""
    await store.pay(cart)
    order: Row = (await store.complete(cart))["order"]
    return order


# -- promotions


async def switch_off(market: Market, merchant: Store, promotion: Row) -> Answer:
    return await merchant.post(f"/admin/promotions/{promotion['id']}", {"status": "inactive"})


async def delete(market: Market, merchant: Store, promotion: Row) -> Answer:
    return await merchant("DELETE", f"/admin/promotions/{promotion['id']}")


async def end(market: Market, merchant: Store, promotion: Row) -> Answer:
    body = {"starts_at": "2020-01-01T00:00:00.000Z", "ends_at": iso(utc_now())}
    return await merchant.post(f"/admin/campaigns/{promotion['campaign_id']}", body)


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("over", [switch_off, delete, end])
async def test_a_promotion_that_is_over_is_not_given(
    market: Market, store: Store, merchant: Store, over: Callable[..., Awaitable[Answer]], automatic: bool
) -> None:
    campaign = (await market.modules.promotion.create_campaigns([{"name": "S", "campaign_identifier": ulid()}]))[0]
    email = f"{ulid().lower()}@example.com"
    mine = [{"attribute": "customer_email", "operator": "eq", "values": [email]}]
    promotion = await market.promote(value="50", campaign_id=campaign["id"], is_automatic=automatic, rules=mine if automatic else [])
    codes = [] if automatic else [promotion["code"]]
    items = [{"variant_id": await market.new_variant({"eur": "100"}), "quantity": 1}]
    cart = await store.ship(await store.cart("de", items=items, email=email, promo_codes=codes))
    assert cart["total"] == D("55.95")
    await store.pay(cart)
    assert (await over(market, merchant, promotion)).status == 200
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    assert refused.body["message"] == f"Promotion {promotion['code']} isn't given any more"
    shown = await store.show(cart)
    assert (shown["promotions"], shown["discount_total"], shown["total"]) == ([], 0, D("105.95"))
    assert (shown["payment_collection"]["amount"], shown["payment_collection"]["payment_sessions"]) == (D("105.95"), [])
    order = await bought_again(store, cart)
    assert (order["total"], order["discount_total"]) == (D("105.95"), 0)
    considered = {each["id"] for each in await market.modules.promotion.automatic()}
    assert promotion["id"] not in considered, "no later cart is compared with it"


async def test_a_budget_that_others_have_used_up_is_said_and_the_rest_is_given(market: Market, store: Store) -> None:
    budget = {"type": "spend", "currency_code": "eur", "limit": D("12")}
    campaign = (await market.modules.promotion.create_campaigns([{"name": "S", "campaign_identifier": ulid(), "budget": budget}]))[0]
    code = (await market.promote(value="10", is_tax_inclusive=True, campaign_id=campaign["id"]))["code"]
    items = [{"variant_id": await market.new_variant({"eur": "100"}), "quantity": 1}]
    carts = [await store.ship(await store.cart("de", items=items, promo_codes=[code])) for _ in range(2)]
    for cart in carts:
        await store.pay(cart)
    assert (await store.complete(carts[0]))["order"]["discount_total"] == 10
    refused = await store.complete(carts[1])
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    assert (await bought_again(store, carts[1]))["discount_total"] == 2


# -- things


async def unpublish(market: Market, merchant: Store, variant: Row) -> Answer:
    return await merchant.post(f"/admin/products/{variant['product_id']}", {"status": "draft"})


async def delete_product(market: Market, merchant: Store, variant: Row) -> Answer:
    return await merchant("DELETE", f"/admin/products/{variant['product_id']}")


async def delete_variant(market: Market, merchant: Store, variant: Row) -> Answer:
    return await merchant("DELETE", f"/admin/products/{variant['product_id']}/variants/{variant['id']}")


async def leave_the_channel(market: Market, merchant: Store, variant: Row) -> Answer:
    return await merchant.post(f"/admin/sales-channels/{market.channel}/products", {"remove": [variant["product_id"]]})


async def delete_price(market: Market, merchant: Store, variant: Row) -> Answer:
    return await merchant.post(f"/admin/products/{variant['product_id']}/variants/{variant['id']}", {"prices": []})


@pytest.mark.parametrize("lost", [unpublish, delete_product, delete_variant, leave_the_channel, delete_price])
async def test_what_is_not_sold_any_more_is_taken_out_of_the_cart(
    market: Market, store: Store, merchant: Store, lost: Callable[..., Awaitable[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market.host.settings, "strict_channels", True)
    going, staying = await market.new_variant({"eur": "100"}, stock=1), await market.new_variant({"eur": "10"})
    cart = await store.ready(going, staying)
    variant = await market.modules.product.retrieve("product_variant", going)
    assert (await lost(market, merchant, variant)).status == 200
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert "Not sold any more, and taken out of the cart: Shirt" in refused.body["message"]
    shown = await store.show(cart)
    assert ([line["variant_id"] for line in shown["items"]], shown["total"]) == ([staying], D("15.95"))
    order = await bought_again(store, cart)
    assert ([line["variant_id"] for line in order["items"]], order["total"]) == ([staying], D("15.95"))


@pytest.mark.parametrize("how", ["unlinked", "deleted"])
async def test_what_has_to_come_from_a_stock_that_is_gone_is_not_sold(market: Market, store: Store, merchant: Store, how: str) -> None:
    shirt = await market.new_variant({"eur": "10"}, stock=5)
    cart, item = await store.ready(shirt), await market.item_of(shirt)
    variant = await market.modules.product.retrieve("product_variant", shirt)
    items = [{"variant_id": shirt, "quantity": 1}]
    draft = {"region_id": market.regions["de"], "sales_channel_id": market.channel, "email": "a@example.com", "items": items}
    at = f"/admin/draft-orders/{(await merchant.post('/admin/draft-orders', draft))['draft_order']['id']}"
    sold = (await store.complete(await store.ready(await market.new_variant({"eur": "10"}))))["order"]["id"]
    assert (await merchant.post("/admin/order-edits", {"order_id": sold})).status == 200
    assert (await merchant.post(f"/admin/order-edits/{sold}/items", {"items": items})).status == 200
    linked = f"/admin/products/{variant['product_id']}/variants/{shirt}/inventory-items/{item}"
    assert (await merchant("DELETE", linked if how == "unlinked" else f"/admin/inventory-items/{item}")).status == 200
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert refused.body["message"] == f"Variant {shirt} does not have any inventory items associated with it."
    shown = await store.show(cart)
    assert (shown["completed_at"], len(shown["items"])) == (None, 1)
    said = refused.body["message"]
    conclusions = (f"{at}/convert-to-order", f"/admin/order-edits/{sold}/confirm")
    for path in conclusions:
        refused = await merchant.post(path)
        assert (refused.status, refused.body["message"]) == (400, said), path
    assert (await merchant.get(at))["draft_order"]["status"] == "draft"
    assert (await merchant.post(f"/admin/products/{variant['product_id']}/variants/{shirt}", {"manage_inventory": False})).status == 200
    assert (await store.complete(cart))["type"] == "order"
    for path in conclusions:
        assert (await merchant.post(path)).status == 200, path


async def end_list(merchant: Store, id: str) -> Answer:
    return await merchant.post(f"/admin/price-lists/{id}", {"ends_at": iso(utc_now())})


async def draft_list(merchant: Store, id: str) -> Answer:
    return await merchant.post(f"/admin/price-lists/{id}", {"status": "draft"})


async def delete_list(merchant: Store, id: str) -> Answer:
    return await merchant("DELETE", f"/admin/price-lists/{id}")


@pytest.mark.parametrize("over", [end_list, draft_list, delete_list])
async def test_a_sale_that_is_over_is_not_given(
    market: Market, store: Store, merchant: Store, over: Callable[[Store, str], Awaitable[Answer]]
) -> None:
    shirt = await market.new_variant({"eur": "20"})
    price = {"variant_id": shirt, "currency_code": "eur", "amount": 15}
    body = {"title": "S", "description": "S", "status": "active", "type": "sale", "prices": [price]}
    sale = (await merchant.post("/admin/price-lists", body))["price_list"]["id"]
    cart = await store.ready(shirt)
    assert cart["total"] == D("20.95")
    assert (await over(merchant, sale)).status in (200, 204)
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert refused.body["message"].startswith("Not on sale any more: Shirt")
    shown = await store.show(cart)
    assert (shown["items"][0]["unit_price"], shown["items"][0]["compare_at_unit_price"], shown["total"]) == (20, None, D("25.95"))
    assert (await bought_again(store, cart))["total"] == D("25.95")


# -- ways to send it


async def disable(market: Market, merchant: Store, option: Row) -> Answer:
    [rule] = [rule for rule in option["rules"] if rule["attribute"] == "enabled_in_store"]
    body = {"update": [{"id": rule["id"], "attribute": "enabled_in_store", "operator": "eq", "value": "false"}]}
    return await merchant.post(f"/admin/shipping-options/{option['id']}/rules/batch", body)


async def delete_option(market: Market, merchant: Store, option: Row) -> Answer:
    return await merchant("DELETE", f"/admin/shipping-options/{option['id']}")


async def delete_prices(market: Market, merchant: Store, option: Row) -> Answer:
    return await merchant.post(f"/admin/shipping-options/{option['id']}", {"prices": [{"currency_code": "usd", "amount": 5}]})


async def leave_the_country(market: Market, merchant: Store, option: Row) -> Answer:
    [zone] = await market.modules.fulfillment.list("service_zone", {"id": option["service_zone_id"]}, fields=("fulfillment_set_id",))
    path = f"/admin/fulfillment-sets/{zone['fulfillment_set_id']}/service-zones/{option['service_zone_id']}"
    return await merchant.post(path, {"geo_zones": [{"type": "country", "country_code": "us"}]})


@pytest.mark.parametrize("lost", [disable, delete_option, delete_prices, leave_the_country])
async def test_a_way_to_send_it_that_is_not_offered_any_more_is_not_sold(
    market: Market, store: Store, merchant: Store, lost: Callable[..., Awaitable[Answer]]
) -> None:
    going = await market.new_option(f"Going {ulid()}", {"eur": "9"})
    cart = await store.add(await store.cart(), await market.new_variant({"eur": "10"}))
    assert (await store.ship(cart, going))["total"] == 19
    await store.pay(cart)
    [option] = await market.modules.fulfillment.list("shipping_option", {"id": going}, fields=("*", "rules.*"))
    assert (await lost(market, merchant, option)).status == 200
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert refused.body["message"] == f"Can't be chosen any more to send the cart: {option['name']}"
    shown = await store.show(cart)
    assert (shown["shipping_methods"], shown["total"]) == ([], 10)
    assert (await bought_again(store, await store.ship(cart)))["total"] == D("15.95")


# -- where it is sold


async def test_a_region_or_a_channel_that_is_gone_sells_nothing(market: Market, store: Store, merchant: Store) -> None:
    items: Any = [{"variant_id": await market.new_variant({"eur": "10"}), "quantity": 1}]
    region = await market.new_region("eur", None)
    cart = (await store.post("/store/carts", {"region_id": region, "items": items}))["cart"]
    assert (await merchant("DELETE", f"/admin/regions/{region}")).status == 200
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert refused.body["message"] == f"Region with id: {region} does not exist any more"
    cart = await store.ready(items[0]["variant_id"])
    path = f"/admin/sales-channels/{market.channel}"
    assert (await merchant.post(path, {"is_disabled": True})).status == 200
    try:
        refused = await store.complete(cart)
        assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    finally:
        await merchant.post(path, {"is_disabled": False})
    assert (await store.complete(cart))["type"] == "order"


async def test_a_payment_by_a_provider_that_the_region_does_not_offer_is_not_asked_for(market: Market, store: Store) -> None:
    variant, pair = await market.new_variant({"jpy": "100"}), {"payment_provider_id": "pp_moody_m", "region_id": market.regions["jp"]}
    cart = await store.ready(variant, country="jp", provider="pp_moody_m")
    await market.modules.link.detach("region_payment_provider", [pair])
    try:
        refused = await store.complete(cart)
        assert (refused.status, refused.body["type"]) == (400, "invalid_data")
        assert refused.body["message"] == f"Payment provider pp_moody_m is not available in region {pair['region_id']}"
    finally:
        await market.modules.link.attach("region_payment_provider", [pair])
    assert (await store.complete(cart))["type"] == "order"
