"""A whole shop with its front end: every module, the workflows, and the defaults of a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.core.errors import Unavailable
from velella.core.flow import Step
from velella.core.flow.run import Run
from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.http.admin import (
    api_keys,
    campaigns,
    catalog,
    customers,
    dashboard,
    fulfillment_sets,
    inventory_items,
    invites,
    notifications,
    price_lists,
    product_options,
    products,
    promotions,
    providers,
    refund_reasons,
    reservations,
    return_reasons,
    sheets,
    shipping_options,
    shipping_profiles,
    stock_locations,
    tax_rates,
    tax_regions,
    uploads,
    users,
    views,
    workflows_executions,
)
from velella.http.admin import (
    settings as store_settings,
)
from velella.http.auth import identities, session
from velella.http.server import FrontEnd
from velella.http.store import customers as store_customers
from velella.workflows.auth.actors import link_actor
from velella.workflows.defaults import seed_defaults

from ...conftest import clone
from ...signing import UNLIMITED, cheap_hashes
from ..conftest import Client, Shop

FILES = (
    api_keys, campaigns, catalog, customers, dashboard, fulfillment_sets, identities, inventory_items, invites, notifications, price_lists,
    product_options, products, promotions, providers, refund_reasons, reservations, return_reasons, session, sheets, shipping_options,
    shipping_profiles,
    stock_locations, store_customers, store_settings, tax_rates, tax_regions, uploads, users, views, workflows_executions,
)  # fmt: skip
"""Files whose routes are served."""


@pytest.fixture(scope="package")
async def shop(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """Served for all these tests: each creates its own things, under unique names."""
    url, folder = await clone(postgres, migrated), tmp_path_factory.mktemp("admin")
    settings = Settings(database_url=url, data_dir=folder, port=0, providers=cheap_hashes(), view_configurations=True, **UNLIMITED)
    async with local_host(settings.with_secrets()) as host:
        await seed_defaults(host.modules)
        front = FrontEnd(host.context, [route for file in FILES for route in file.routes])
        await front.start()
        try:
            yield Shop(host, front, f"http://127.0.0.1:{front.port}")
        finally:
            await front.stop()


class Merchant:
    """The admin API, for things that a test only needs to exist: any status but 200 fails the test."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def get(self, path: str, **params: str) -> Any:
        return await self._ask("GET", path, None, params)

    async def post(self, path: str, body: Any = None, **params: str) -> Any:
        return await self._ask("POST", path, {} if body is None else body, params)

    async def delete(self, path: str, **params: str) -> Any:
        return await self._ask("DELETE", path, None, params)

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, type and message of an error."""
        answer = await self.client(method, path, body)
        assert answer.status >= 400, answer.text
        return answer.status, answer.json["type"], answer.json["message"]

    async def _ask(self, method: str, path: str, body: Any, params: dict[str, str]) -> Any:
        answer = await self.client(method, path, body, params=params)
        assert answer.status == 200, f"{method} {path} answered {answer.status}: {answer.text}"
        return answer.json

    # -- what many tests need
    async def location(self) -> str:
        address = {"address_1": "Quay 7", "country_code": "dk"}
        made = await self.post("/admin/stock-locations", {"name": f"Warehouse {ulid()}", "address": address})
        return str(made["stock_location"]["id"])

    async def item(self, *, stocked: dict[str, int | Decimal] | None = None) -> str:
        """An inventory item, stocked at locations."""
        levels = [{"location_id": place, "stocked_quantity": quantity} for place, quantity in (stocked or {}).items()]
        made = await self.post("/admin/inventory-items", {"sku": ulid(), "location_levels": levels})
        return str(made["inventory_item"]["id"])


@pytest.fixture
async def merchant(admin: Client) -> Merchant:
    return Merchant(admin)


class Books:
    """Everything in the shop, except the engine's tables, the inboxes and the deltas."""

    OWN = (
        "%\\_message",
        "%\\_deltas",
        "workflow\\_%",
        "event\\_outbox",
        "alembic%",
        "%version%",
        "locking%",
        "notification%",
        "auth\\_session",
        "event\\_sub%",
    )

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._statement: Any = None
        """One statement for all tables, prepared on first use: one for each takes three times as long."""

    async def state(self) -> dict[str, list[str]]:
        """By table its rows as text, without softly deleted ones and without the time of the last change."""
        if self._statement is None:
            tables = await self._connection.fetch(
                "SELECT table_name AS name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND NOT table_name LIKE ANY ($1::text[])",
                list(self.OWN),
            )
            self._statement = await self._connection.prepare(" UNION ALL ".join(self._rows_of(name) for (name,) in tables))
        return {name: rows for name, rows in await self._statement.fetch()}

    @staticmethod
    def _rows_of(table: str) -> str:
        return f"""SELECT '{table}', ARRAY(SELECT (to_jsonb(t) - 'updated_at' - 'version')::text FROM "{table}" AS t
            WHERE to_jsonb(t) ->> 'deleted_at' IS NULL ORDER BY 1)"""

    async def orphans(self, table: str, column: str, of: str) -> list[str]:
        """Rows that refer to deleted rows."""
        rows = await self._connection.fetch(f"""
            SELECT child.id FROM "{table}" AS child JOIN "{of}" AS parent ON parent.id = child.{column}
            WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL""")
        return [row["id"] for row in rows]


@pytest.fixture(scope="package")
async def books(shop: Shop) -> AsyncIterator[Books]:
    connection = await asyncpg.connect(shop.front.settings.database_url)
    yield Books(connection)
    await connection.close()


CutOff = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> CutOff:
    """While it is on, a process that is about to link an identity to its actor dies: nothing more is done, and nothing undone."""

    @contextmanager
    def dying() -> Iterator[None]:
        async def dies(*_: Any) -> Any:
            raise Unavailable("The process is gone")

        async def nothing(*_: Any) -> None:
            """A dead process undoes nothing."""

        with monkeypatch.context() as patch:
            patch.setattr(Step, "__setattr__", object.__setattr__)
            patch.setattr(link_actor, "function", dies)
            patch.setattr(Run, "take_back", nothing)
            yield

    return dying
