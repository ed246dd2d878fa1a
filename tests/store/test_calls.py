"""What a request costs in Python at most: calls of our own functions. These figures only fall."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

import velella
from velella.core import json
from velella.core.sql.schema import query

from .conftest import Market, Store

CALLS = {"add a line": 940, "a purchase": 7200, "look at products again": 28}
"""In a shop that is warm, with room for what other tests leave in it. A coroutine counts once for each time that it goes on."""
OURS = str(Path(next(iter(velella.__path__))))
BESIDE = str(Path(OURS) / "core" / "codec.py")
"""Where messages are copied in tests only."""


class Calls:
    """Counts calls of our functions."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (name := frame.f_code.co_filename).startswith(OURS) and "/tests/" not in name and name != BESIDE:
            self.count += 1


async def _counted(ask: Awaitable[Any]) -> tuple[Any, int]:
    calls = Calls()
    sys.setprofile(calls)
    try:
        answer = await ask
    finally:
        sys.setprofile(None)
    return answer, calls.count


@pytest.mark.usefixtures("no_hooks_of_others")
async def test_a_request_keeps_to_its_calls(market: Market, store: Store) -> None:
    options = await market.modules.fulfillment.list("shipping_option", {}, fields=("id",))
    others = [option["id"] for option in options if option["id"] != market.option]
    await market.modules.fulfillment.delete("shipping_option", others)  # a buyer is shown every one, those of other tests too
    variants = [await market.new_variant({"eur": "11.90"}, stock=50) for _ in range(2)]
    least: dict[str, int] = {}

    async def ask(name: str, request: Awaitable[Any]) -> Any:
        answer, count = await _counted(request)
        least[name] = min(count, least.get(name, count))
        return answer

    for _ in range(6):  # until it is warm; what others do beside it in this process counts, so the least of each is looked at
        cart = await ask("open", store.cart("de"))
        cart = await ask("add the first", store.add(cart, variants[0]))
        cart = await ask("add a line", store.add(cart, variants[1]))
        await ask("offer", store.get("/store/shipping-options", cart_id=cart["id"]))
        cart = await ask("ship", store.ship(cart))
        made = await ask("collect", store.post("/store/payment-collections", {"cart_id": cart["id"]}))
        sessions = f"/store/payment-collections/{made['payment_collection']['id']}/payment-sessions"
        await ask("begin to pay", store.post(sessions, {"provider_id": "pp_system_default"}))
        done = await ask("complete", store.complete(cart))
        assert done["type"] == "order"
    least["a purchase"] = sum(least.values())
    for _ in range(6):
        await ask("look at products again", store.get("/store/products", region_id=market.regions["de"], limit="17"))
    assert {name: least[name] for name, most in CALLS.items() if least[name] > most} == {}, least


async def test_the_json_of_a_product_is_made_once(market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices and channels are joined to it, and prices shown as merchants see them, so it isn't the database's text."""
    made: list[bytes] = []

    def dumps(value: Any) -> bytes:
        made.append(json.dumps(value))
        return made[-1]

    monkeypatch.setattr(query, "json", SimpleNamespace(dumps=dumps, loads=json.loads))
    variant = await market.modules.product.retrieve("product_variant", await market.new_variant({"eur": "11.90"}))
    product = (await merchant.get(f"/admin/products/{variant['product_id']}"))["product"]
    listed = (await merchant.get("/admin/products", id=product["id"]))["products"]
    assert (product["variants"][0]["prices"][0]["amount"], listed) == (Decimal("11.9"), [product])
    assert len(made) == 2, "one for each answer"
