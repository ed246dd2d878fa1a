"""Handles are typed: what a module's service doesn't offer, or a thing doesn't have, is an error before it runs."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
"""Where mypy has its settings, and what it found out about the modules when it last checked them."""
CALLS = """
from velella.http.kit import Request
from velella.http.kit.flows import once
from velella.modules import Modules
from velella.testing import Shop
from velella.workflows.cart.complete import complete_cart
from velella.workflows.cart.lines import add_to_cart
from velella.workflows.kit import Flow

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

async def routes(request: Request) -> None:
    reveal_type(await request.run(add_to_cart, cart_id="cart_1", items=[]))
    await request.run(add_to_cart, cart="cart_1", items=[])
    await request.run_once("key", complete_cart, cart_idd="cart_1")
    await once(request, complete_cart, cart_id=1)

async def flows(flow: Flow, shop: Shop) -> None:
    await flow.run(add_to_cart, cart_id="cart_1", itmes=[])
    await shop.run(complete_cart, cartid="cart_1")
"""


@pytest.fixture(scope="module")
async def checked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of `CALLS`."""
    tmp_path = tmp_path_factory.mktemp("calls")
    (tmp_path / "calls.py").write_text(CALLS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mypy", str(tmp_path / "calls.py"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    return (await process.communicate())[0].decode()


async def test_a_type_checker_holds_messages_and_fields_against_the_service(checked: str) -> None:
    said = checked
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


async def test_a_misspelt_argument_of_a_workflow_is_a_type_error(checked: str) -> None:
    for name, runs in (("cart", "run"), ("cart_idd", "run_once"), ("itmes", "run"), ("cartid", "run")):
        assert re.search(rf'Unexpected keyword argument "{name}" for "{runs}" of', checked), checked
    assert 'Argument "cart_id" to "once" has incompatible type "int"; expected "str"' in checked, checked
