"""The way to pay."""

from __future__ import annotations

import pytest

from velella.testing import Client, Shop

PROVIDER = "pp_thing_default"


@pytest.fixture(autouse=True)
async def offered(shop: Shop, admin: Client) -> None:
    await admin.post(f"/admin/regions/{shop.regions['Europe']}", {"payment_providers": ["pp_system_default", PROVIDER]})


async def test_an_order_is_paid(shop: Shop) -> None:
    order = await shop.order(await shop.product(price=20), provider=PROVIDER)
    assert order["payment_collections"][0]["status"] == "authorized"


async def test_an_order_that_costs_too_much_is_declined(shop: Shop) -> None:
    answer = await shop.complete(await shop.cart(await shop.product(price=600)), PROVIDER)
    assert answer.body["type"] == "cart"
