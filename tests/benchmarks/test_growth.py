"""What shops of several sizes are asked for is there in a small one, too, and looks as it should."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import growth
import pytest
from asked import REQUESTS, Asked
from shop import opened

from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.cli import instance
from velella.core.settings import Settings

from .conftest import SIZE


@pytest.fixture
async def asked(settings: Settings) -> AsyncIterator[Asked]:
    async with local_host(settings, service_names(settings)) as host:
        front: Any = host.services["http"]
        shop = await opened(f"http://127.0.0.1:{front.port}", instance.DEMO_ADMIN, instance.admin_password(settings))
        asked = Asked(shop, SIZE.variants, random.Random(7))
        await asked.prepare()
        yield asked
        await shop.session.close()


async def test_every_request_is_answered(asked: Asked) -> None:
    for request in REQUESTS.values():
        await request(asked)


def test_the_table_says_how_much_the_largest_costs() -> None:
    sizes = [growth.Size(1000, 1000, 50), growth.Size(4000, 1000, 50), growth.Size(1000, 1000, 0)]
    costs = zip(sizes, (2.0, 3.0, 1.0), strict=True)
    table = growth.table_of([growth.Figure("deep", size.name, 9.5, cost) for size, cost in costs], sizes).splitlines()
    assert table[0].startswith(
        "| CPU ms a request (ms in the middle) | 1,000 | 4,000 | 1,000 without price lists | × from 1,000 to 4,000 |"
    )
    assert table[2] == "| the same, in the last tenth | 2.0 (9.5) | 3.0 (9.5) | 1.0 (9.5) | 1.5 |"


def test_shops_have_orders_in_proportion(tmp_path: Path) -> None:
    options = growth.options_of(["--folder", str(tmp_path), "--variants", "100000", "1000"])
    assert [(size.variants, size.orders, size.price_lists) for size in growth.sizes_of(options)] == [
        (1000, 1000, 50),
        (100_000, 10_000, 50),
        (1000, 1000, 0),
    ]
