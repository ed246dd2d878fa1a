"""Which price is paid, and which one it is shown beside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from velella.core.ids import ulid

from .conftest import Market, Row, Store

D = Decimal
BASE = "49.95"


@pytest.fixture
async def member(market: Market) -> Row:
    """A customer with an account, in a group of their own."""
    modules = market.modules
    group: Row = (await modules.customer.create("customer_group", [{"name": f"Members {ulid()}"}]))[0]
    customer: Row = (await modules.customer.create("customer", [{"email": f"{ulid().lower()}@example.com", "has_account": True}]))[0]
    await modules.customer.add_to_groups([{"customer_id": customer["id"], "customer_group_id": group["id"]}])
    return {**customer, "group": group["id"]}


@pytest.mark.parametrize(
    ("override", "sale", "sale_is_theirs", "paid", "was"),
    [
        ("34.96", "29.95", False, "29.95", "34.96"),
        ("34.96", "29.95", True, "29.95", "34.96"),
        ("34.96", "39.95", False, "34.96", "34.96"),  # on sale it would be dearer
        ("59.95", "54.95", False, "54.95", "59.95"),  # an override may be dearer than the base
        (None, "29.95", False, "29.95", "49.95"),
        ("34.96", None, False, "34.96", "34.96"),
    ],
)
async def test_a_sale_is_shown_beside_what_the_buyer_would_pay_without_it(
    market: Market,
    store: Store,
    merchant: Store,
    member: Row,
    override: str | None,
    sale: str | None,
    sale_is_theirs: bool,
    paid: str,
    was: str,
) -> None:
    variant = await market.new_variant({"eur": BASE})
    product = (await market.modules.product.retrieve("product_variant", variant))["product_id"]
    for kind, amount, theirs in (("override", override, True), ("sale", sale, sale_is_theirs)):
        if amount is not None:
            body: Any = {"title": kind, "description": kind, "status": "active", "type": kind}
            body["prices"] = [{"variant_id": variant, "currency_code": "eur", "amount": float(amount)}]
            body["rules"] = {"customer.groups.id": [member["group"]]} if theirs else {}
            assert (await merchant.post("/admin/price-lists", body)).status == 200

    async def shown(buyer: Store) -> tuple[Decimal, Decimal]:
        query = {"region_id": market.regions["de"], "fields": "*variants.calculated_price"}
        price = (await buyer.get(f"/store/products/{product}", **query))["product"]["variants"][0]["calculated_price"]
        return price["calculated_amount"], price["original_amount"]

    theirs = await store.signed_in(member["id"])
    assert await shown(theirs) == (D(paid), D(was))
    everybody = sale if sale is not None and not sale_is_theirs and D(sale) < D(BASE) else BASE
    assert await shown(store) == (D(everybody), D(BASE))
    line = (await theirs.cart("de", items=[{"variant_id": variant, "quantity": 1}], email=member["email"]))["items"][0]
    compared = line["compare_at_unit_price"]
    assert (D(line["unit_price"]), None if compared is None else D(compared)) == (D(paid), D(was) if paid == sale else None)
