"""A shop with the plugin, beside an Odoo of the tests' own."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stand_in import OdooStandIn

from velella.testing import Shop

pytest_plugins = ["velella.testing"]


@pytest.fixture(scope="session")
async def at_odoo() -> AsyncIterator[OdooStandIn]:
    async with OdooStandIn() as odoo:
        yield odoo


@pytest.fixture(scope="session")
def velella_settings(pytestconfig: pytest.Config, at_odoo: OdooStandIn) -> dict[str, Any]:
    settings = tomllib.loads((pytestconfig.rootpath / "velella.toml").read_text())
    return {**settings, "plugins": {"velella_odoo": at_odoo.options}}


@pytest.fixture
async def odoo(at_odoo: OdooStandIn, shop: Shop) -> OdooStandIn:
    """Up, well, and quiet."""
    await shop.settled()
    at_odoo.asked.clear()
    return at_odoo
