"""A shop through which the whole API is walked, once."""

from __future__ import annotations

import sys
import types
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.cli.accounts import create_admin
from velella.core.settings import ProviderSettings, Settings, default_providers
from velella.http.server import FrontEnd
from velella.modules.fulfillment.provider import Consignment, Data, FulfillmentProvider, ShippingPrice
from velella.workflows.defaults import seed_defaults

from ..conftest import clone
from ..e2e.harbour import Packet
from ..signing import UNLIMITED, token_of
from .api import Api
from .buying import buy
from .walk import PASSWORD, Shop, open_shop


class Reckoner(FulfillmentProvider):
    """Calculates shipping prices."""

    identifier = "reckoner"

    async def options(self) -> list[dict[str, Any]]:
        return [{"id": "by-weight"}]

    async def can_calculate(self, option: Data) -> bool:
        return True

    async def calculate_price(self, option: Data, data: Data, context: Data) -> ShippingPrice:
        return ShippingPrice(Decimal("7.50"))

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Mapping[str, Any]) -> Consignment:
        return Consignment()

    async def cancel(self, key: str, data: Data) -> None: ...


providers = types.ModuleType("contract_test_providers")
providers.Reckoner, providers.Packet = Reckoner, Packet  # type: ignore[attr-defined]
sys.modules[providers.__name__] = providers


@pytest.fixture(scope="package")
async def shop(
    postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory, no_subscribers_of_others: None
) -> AsyncIterator[Shop]:
    """A shop that the walk has passed through."""
    async with walked_shop(await clone(postgres, migrated), tmp_path_factory.mktemp("contract")) as made:
        yield made


@asynccontextmanager
async def walked_shop(database_url: str, folder: Path) -> AsyncIterator[Shop]:
    fulfillment = [*default_providers()["fulfillment"], ProviderSettings(use="contract_test_providers:Reckoner", id="r")]
    payment = [*default_providers()["payment"], ProviderSettings(use="contract_test_providers:Packet", id="p")]
    settings = Settings(
        database_url=database_url,
        port=0,
        data_dir=folder,
        view_configurations=True,
        search=True,
        **UNLIMITED,
        auth_methods={"user": ["emailpass", "elsewhere"]},
        providers={**default_providers(), "fulfillment": fulfillment, "payment": payment},
    ).with_secrets()
    async with (
        local_host(settings, service_names(settings), wire_check=True) as host,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        await seed_defaults(host.modules)
        user = await create_admin(host.modules, "grace@example.com", PASSWORD)
        merchant = await create_admin(host.modules, "merchant@example.com", PASSWORD)
        token = await token_of(host.modules, front.tokens, "user", merchant)
        key = (await host.modules.api_key.list("api_key", {"type": "publishable"}))[0]["token"]
        guest = Api(session, f"http://127.0.0.1:{front.port}")
        made = Shop(host, guest.as_(authorization=f"Bearer {token}"), guest.as_(x_publishable_api_key=key), guest, user)
        await open_shop(made)
        await buy(made)
        yield made


@pytest.fixture
def walked(shop: Shop) -> dict[str, list[str]]:
    """Departures by route, of every route that has answered as it should."""
    return shop.guest.departures
