"""The first promise: the official SDK buys something, unchanged, in every topology."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from velella.core.ids import ulid

from .conftest import run_node
from .served import Served
from .shop import Shop, sell

FIGURES = {
    # 3 × 25.00 = 75.00 with 25 % tax inside: 60.00 + 15.00; shipping 10.00: 8.00 + 2.00
    "dk": {
        "total": 85, "subtotal": 68, "tax_total": 17,
        "item_total": 75, "item_subtotal": 60, "item_tax_total": 15,
        "shipping_total": 10, "shipping_subtotal": 8, "shipping_tax_total": 2,
    },
    # 3 × 1000 = 3000, 10 % on top: 300; shipping 500 and 50
    "jp": {
        "total": 3850, "subtotal": 3500, "tax_total": 350,
        "item_total": 3300, "item_subtotal": 3000, "item_tax_total": 300,
        "shipping_total": 550, "shipping_subtotal": 500, "shipping_tax_total": 50,
    },
    # 3 × 1.220 = 3.660, 5 % on top: 0.183; shipping 0.500 and 0.025
    "kw": {
        "total": 4.368, "subtotal": 4.16, "tax_total": 0.208,
        "item_total": 3.843, "item_subtotal": 3.66, "item_tax_total": 0.183,
        "shipping_total": 0.525, "shipping_subtotal": 0.5, "shipping_tax_total": 0.025,
    },
}  # fmt: skip
PRICES = {"eur": 25, "jpy": 1000, "kwd": 1.22}


@pytest.mark.parametrize(("country", "currency"), [("dk", "eur"), ("jp", "jpy"), ("kw", "kwd")])
async def test_the_sdk_buys_to_the_last_cent(colony: Served, shop: Shop, node: Path, country: str, currency: str) -> None:
    handle = f"lamp-{ulid().lower()}"
    await sell(await colony.admin(), shop, handle, PRICES)
    email = f"{handle}@example.com"
    argument = {
        "base": colony.base, "key": shop.key, "region": shop.regions[country], "country": country,
        "email": email, "handle": handle, "quantity": 3,
    }  # fmt: skip
    seen = json.loads(await run_node(node, "purchase.mjs", json.dumps(argument)))
    assert seen["customer"] == {"email": email, "has_account": True}
    assert (seen["count"], seen["price"], seen["currency"]) == (1, PRICES[currency], currency)
    assert seen["providers"] == ["pp_system_default"]
    assert seen["cart"] == FIGURES[country]
    assert seen["payment"] == {"amount": FIGURES[country]["total"], "currency": currency, "sessions": 1}
    assert seen["type"] == "order"
    assert {name: seen["order"][name] for name in FIGURES[country]} == FIGURES[country]
    assert seen["order"]["email"] == email
    assert seen["same_order"]
    assert seen["retrieved"]
    assert seen["listed"]
