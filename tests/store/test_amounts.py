"""Amounts that come from outside are held to what their currency can move, and what is left over can always be moved."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from velella.core.ids import ulid

from .conftest import Answer, Market, Row, Store

D = Decimal


def refused(answer: Answer) -> bool:
    return (answer.status, answer.body.get("type")) == (400, "invalid_data")


async def payment_of(store: Store, merchant: Store, cart: Row) -> tuple[str, str]:
    """The order of a cart, and its payment."""
    order = (await store.complete(cart))["order"]["id"]
    shown = (await merchant.get(f"/admin/orders/{order}"))["order"]
    return order, shown["payment_collections"][0]["payments"][0]["id"]


@pytest.mark.parametrize(
    ("country", "prices", "fine", "part", "rest"),
    [
        ("de", {"eur": "10"}, 0.005, 9.99, "5.96"),
        ("jp", {"jpy": "1000"}, 0.5, 999, "551"),
        ("kw", {"kwd": "1"}, 0.0005, 0.999, "1.232"),  # 1.05 and 1.18125 of shipping: 2.231
    ],
)
async def test_a_part_of_a_payment_leaves_a_part_that_can_be_moved(
    market: Market, store: Store, merchant: Store, country: str, prices: Mapping[str, str], fine: float, part: float, rest: str
) -> None:
    cart = await store.ready(await market.new_variant(dict(prices)), country=country)
    order, payment = await payment_of(store, merchant, cart)
    path = f"/admin/payments/{payment}"
    for move in ("capture", "refund"):
        assert refused(await merchant.post(f"{path}/{move}", {"amount": fine}))
        moved = (await merchant.post(f"{path}/{move}", {"amount": part}))["payment"]
        assert sum(each["amount"] for each in moved[f"{move}s"]) == D(str(part))
        assert refused(await merchant.post(f"{path}/{move}", {"amount": fine}))
        moved = (await merchant.post(f"{path}/{move}"))["payment"]
        assert [each["amount"] for each in moved[f"{move}s"]] == [D(str(part)), D(rest)]
    summary = (await merchant.get(f"/admin/orders/{order}"))["order"]["summary"]
    assert (summary["paid_total"], summary["refunded_total"]) == (moved["amount"], moved["amount"])
    assert (summary["pending_difference"], summary["credit_line_total"]) == (0, D(rest)), "what was credited last, as Medusa counts it"


async def test_what_an_order_has_to_be_paid_beyond_its_cart_is_of_its_currency(market: Market, store: Store, merchant: Store) -> None:
    order, _ = await payment_of(store, merchant, await store.ready(await market.new_variant({"eur": "10"})))
    for amount in (7.005, -1):
        assert refused(await merchant.post("/admin/payment-collections", {"order_id": order, "amount": amount}))
    made = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 7.01}))["payment_collection"]
    paid = await merchant.post(f"/admin/payment-collections/{made['id']}/mark-as-paid", {"order_id": order})
    assert paid["payment_collection"]["captured_amount"] == D("7.01")


@pytest.mark.parametrize(
    ("value", "currency", "taken"), [(0.005, "eur", False), (0.5, "jpy", False), (0.005, "kwd", True), (-1, "eur", False), (5, "jpy", True)]
)
async def test_a_fixed_discount_and_a_budget_are_of_their_currency(
    market: Market, merchant: Store, value: float, currency: str, taken: bool
) -> None:
    method = {"type": "fixed", "target_type": "order", "value": value, "currency_code": currency}
    body: Any = {"code": ulid(), "type": "standard", "status": "draft", "application_method": method}
    made = await merchant.post("/admin/promotions", body)
    assert made.status == 200 if taken else refused(made)
    budget = {"type": "spend", "currency_code": currency, "limit": value}
    made = await merchant.post("/admin/campaigns", {"name": "S", "campaign_identifier": ulid(), "budget": budget})
    assert made.status == 200 if taken else refused(made)
    good = {"name": "S", "campaign_identifier": ulid(), "budget": {**budget, "limit": 100}}
    campaign = (await merchant.post("/admin/campaigns", good))["campaign"]["id"]
    changed = await merchant.post(f"/admin/campaigns/{campaign}", {"budget": {"limit": value}})
    assert changed.status == 200 if taken else refused(changed)


async def test_no_price_is_below_zero(market: Market, store: Store, merchant: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    product = (await market.modules.product.retrieve("product_variant", variant))["product_id"]
    bad: Any = [{"currency_code": "eur", "amount": -1}]
    assert refused(await merchant.post(f"/admin/products/{product}/variants/{variant}", {"prices": bad}))
    assert refused(await merchant.post(f"/admin/shipping-options/{market.option}", {"prices": bad}))
    lists = {"title": "L", "description": "L", "prices": [{**bad[0], "variant_id": variant}]}
    assert refused(await merchant.post("/admin/price-lists", lists))
    made = (await merchant.post("/admin/price-lists", {**lists, "prices": []}))["price_list"]["id"]
    assert refused(await merchant.post(f"/admin/price-lists/{made}/prices/batch", {"create": lists["prices"]}))
    assert (await store.cart("de", items=[{"variant_id": variant, "quantity": 1}]))["item_total"] == 10


@pytest.mark.parametrize(("rate", "taken"), [(-1, False), (1001, False), (0, True), (1000, True)])
async def test_a_tax_takes_no_less_than_nothing_and_no_more_than_ten_times_the_price(
    market: Market, merchant: Store, rate: int, taken: bool
) -> None:
    country = next(market.unsold)
    default = {"rate": rate, "code": "x", "name": "X"}
    made = await merchant.post("/admin/tax-regions", {"country_code": country, "provider_id": "tp_system", "default_tax_rate": default})
    assert made.status == 200 if taken else refused(made)
    region = made if taken else await merchant.post("/admin/tax-regions", {"country_code": country, "provider_id": "tp_system"})
    body = {"tax_region_id": region["tax_region"]["id"], "rate": rate, "code": "y", "name": "Y"}
    made = await merchant.post("/admin/tax-rates", body)
    assert made.status == 200 if taken else refused(made)
    good = (await merchant.post("/admin/tax-rates", {**body, "rate": 5}))["tax_rate"]["id"]
    changed = await merchant.post(f"/admin/tax-rates/{good}", {"rate": rate})
    assert changed.status == 200 if taken else refused(changed)
