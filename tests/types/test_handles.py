"""Handles are typed: what a module's service doesn't offer, or a thing doesn't have, is an error before it runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where mypy has its settings, and what it found out about the modules when it last checked them."""
CALLS = """
from velella.modules import Modules

async def calls(modules: Modules) -> None:
    reveal_type(await modules.product.list_products({"status": "published"}, limit=3))
    await modules.product.list_products(limit="three")
    await modules.product.no_such_message()

async def fields(modules: Modules) -> None:
    (await modules.inventory.release_reservations(["resitem_1"]))[0]["amount"]
    (await modules.pricing.calculate_prices(["pset_1"], {}))["pset_1"]["amount"]
    (await modules.payment.capture_payment("pay_1"))["captured"]
    (await modules.cart.load("cart_1"))["items"][0]["price"]
    (await modules.order.load("order_1"))["items"][0]["amount"]
    await modules.inventory.adjust([{"inventory_item_id": "iitem_1", "location_id": "sloc_1", "quantity": 1}])
"""


async def test_a_type_checker_holds_messages_and_fields_against_the_service(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mypy", str(tmp_path / "calls.py"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    assert 'Revealed type is "list[dict[str, Any]]"' in said, said
    assert 'Argument "limit"' in said, said
    assert 'has no attribute "no_such_message"' in said, said
    for thing, field in (
        ("HeldForLine", "amount"),
        ("CalculatedPrice", "amount"),
        ("Payment", "captured"),
        ("Line", "price"),
        ("OrderLine", "amount"),
    ):
        assert f'TypedDict "{thing}" has no key "{field}"' in said, said
    assert 'for TypedDict "LevelAdjustment"' in said, said
