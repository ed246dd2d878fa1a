"""What a write answers is what reading the cart gives: the answer is made from what was written."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from .conftest import Answer, Market, Row, Store

FIELDS = (
    {},
    {"fields": "*items,*items.tax_lines,*shipping_methods,*shipping_address,*region,*customer,*items.variant,items.product.title"},
    {"fields": "+items.raw_unit_price,+raw_total,+version,+items.cart.id,-items.title"},
    {"fields": "id,total"},
    {"fields": "*"},
)


def differences(written: Any, read: Any, path: str = "cart") -> Iterator[str]:
    """Where two answers differ. Tax lines come in any order."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name in written.keys() | read.keys():
            yield from differences(written.get(name, "nothing"), read.get(name, "nothing"), f"{path}.{name}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for pair in zip(sorted(written, key=_key), sorted(read, key=_key), strict=True):
            yield from differences(*pair, path)
    elif written != read:
        yield f"{path}: {written} written, {read} read"


def _key(row: Any) -> str:
    return str(row["id"]) if isinstance(row, dict) and "id" in row else str(row)


@pytest.mark.parametrize("country", ["de", "us", "jp", "kw"])
@pytest.mark.parametrize("query", FIELDS, ids=lambda query: query.get("fields", "default"))
async def test_a_write_answers_what_a_read_would(market: Market, store: Store, country: str, query: dict[str, str]) -> None:
    prices = {"eur": "11.90", "usd": "10", "jpy": "1200", "kwd": "3.125"}
    plain, tiered = [await market.new_variant(prices, stock=50) for _ in range(2)]

    async def same(answer: Answer, key: str = "cart") -> Row:
        written: Row = answer[key]
        read = (await store.get(f"/store/carts/{written['id']}", **query))["cart"]
        assert list(differences(written, read)) == []
        return written

    address = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1", "country_code": country}
    opened = {
        "region_id": market.regions[country],
        "email": "ada@example.com",
        "shipping_address": address,
        "metadata": {"b": 1.50, "a": None},
    }
    cart = await same(await store.post("/store/carts", opened, **query))
    path = f"/store/carts/{cart['id']}"
    await same(await store.post(f"{path}/line-items", {"variant_id": plain, "quantity": 2, "metadata": {"x": [1]}}, **query))
    await same(await store.post(f"{path}/line-items", {"variant_id": tiered, "quantity": 1}, **query))
    [line, *_] = (await store.show(cart))["items"]
    await same(await store.post(f"{path}/line-items/{line['id']}", {"quantity": 3}, **query))
    await same(await store.post(path, {"shipping_address": {**address, "city": "City"}, "email": "eve@example.com"}, **query))
    await same(await store.post(f"{path}/shipping-methods", {"option_id": market.option}, **query))
    await store.pay(cart)
    await same(await store.post(f"{path}/line-items", {"variant_id": plain, "quantity": 1, "metadata": {"x": [1]}}, **query))
    await same(await store.post(path, {"metadata": {"n": Decimal("0.10")}}, **query))
    for each in (await store.show(cart))["items"][:1]:
        await same(await store.post(f"{path}/line-items/{each['id']}", {"quantity": 0}, **query))
