"""The kernel's little shop, on a database of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .kernel_shop import Changes, ShopService, shop_on


@pytest.fixture
async def shop_and_changes(fresh_database: str) -> AsyncIterator[tuple[ShopService, Changes]]:
    async with shop_on(fresh_database) as both:
        yield both


@pytest.fixture
def shop(shop_and_changes: tuple[ShopService, Changes]) -> ShopService:
    return shop_and_changes[0]


@pytest.fixture
def changes(shop_and_changes: tuple[ShopService, Changes]) -> Changes:
    return shop_and_changes[1]
