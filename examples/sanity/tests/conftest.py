"""A shop with the plugin, beside a Sanity of the tests' own."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stand_in import SanityStandIn

from velella.testing import Shop

pytest_plugins = ["velella.testing"]


@pytest.fixture(scope="session")
async def at_sanity() -> AsyncIterator[SanityStandIn]:
    async with SanityStandIn() as sanity:
        yield sanity


@pytest.fixture(scope="session")
def velella_settings(pytestconfig: pytest.Config, at_sanity: SanityStandIn) -> dict[str, Any]:
    settings = tomllib.loads((pytestconfig.rootpath / "velella.toml").read_text())
    return {**settings, "plugins": {"velella_sanity": at_sanity.options}}


@pytest.fixture
async def sanity(at_sanity: SanityStandIn, shop: Shop) -> SanityStandIn:
    """Up, well, and known to the shop; what happens there is counted from here."""
    await shop.settled()
    at_sanity.asked.clear()
    at_sanity.webhook, at_sanity.sent = f"{shop.store.base}/hooks/sanity", 0
    return at_sanity
