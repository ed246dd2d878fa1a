"""Lines of a cart, over HTTP."""

from __future__ import annotations

from .conftest import Market, Store


async def test_a_line_has_what_is_known_of_its_variant(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90"}, stock=10)
    cart = await store.cart()
    cart = await store.add(cart, variant, 2, metadata={"engraving": "A"})
    [line] = cart["items"]
    assert (line["variant_id"], line["quantity"], line["metadata"]) == (variant, 2, {"engraving": "A"})
