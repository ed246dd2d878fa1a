"""Payment collections, sessions and providers of a storefront."""

from __future__ import annotations

import asyncio

from velella.core.ids import ulid

from .conftest import Market, Store


async def test_a_cart_has_one_collection_however_often_it_asks(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.add(await store.cart(), variant)
    answers = await asyncio.gather(*(store.post("/store/payment-collections", {"cart_id": cart["id"]}) for _ in range(5)))
    assert len({answer["payment_collection"]["id"] for answer in answers}) == 1
    collection = answers[0]["payment_collection"]
    assert set(collection) == {"id", "currency_code", "amount", "payment_sessions"}
    assert (collection["amount"], collection["currency_code"], collection["payment_sessions"]) == (10, "eur", [])
    assert (await store.show(cart))["payment_collection"]["id"] == collection["id"]


async def test_another_session_takes_the_place_of_the_first(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.add(await store.cart(), variant)
    await store.pay(cart)
    collection = await store.pay(cart, "pp_moody_m", mood="happy")
    [session] = collection["payment_sessions"]
    assert (session["provider_id"], session["amount"], session["data"]["mood"]) == ("pp_moody_m", 10, "happy")


async def test_only_providers_of_the_region_are_offered(market: Market, store: Store) -> None:
    [region] = await market.modules.region.create_regions([{"name": "Elsewhere", "currency_code": "eur", "countries": ["it"]}])
    await market.modules.link.attach("region_payment_provider", [{"region_id": region["id"], "payment_provider_id": "pp_system_default"}])
    shown = await store.get("/store/payment-providers", region_id=region["id"])
    assert shown.body == {"payment_providers": [{"id": "pp_system_default", "is_enabled": True}], "count": 1, "offset": 0, "limit": 20}
    assert (await store.get("/store/payment-providers")).status == 400
    cart = (await store.post("/store/carts", {"region_id": region["id"]}))["cart"]
    collection = (await store.post("/store/payment-collections", {"cart_id": cart["id"]}))["payment_collection"]
    path = f"/store/payment-collections/{collection['id']}/payment-sessions"
    assert (await store.post(path, {"provider_id": "pp_nobody"})).status == 404
    assert (await store.post(path, {})).status == 400
    assert (await store.post("/store/payment-collections/pay_col_0/payment-sessions", {"provider_id": "pp_system_default"})).status == 404
    assert (await store.post("/store/payment-collections", {"cart_id": "cart_0"})).status == 404


async def test_a_signed_in_customer_is_known_to_the_provider(market: Market, store: Store) -> None:
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    signed_in = await store.signed_in(customer["id"])
    variant = await market.new_variant({"eur": "10"})
    cart = await signed_in.add(await signed_in.cart(), variant)
    collection = await signed_in.pay(cart)
    [session] = await market.modules.payment.list("payment_session", {"id": collection["payment_sessions"][0]["id"]})
    assert session["context"]["customer"]["id"] == customer["id"]
