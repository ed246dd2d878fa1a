"""A shop with search indexes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import Host, local_host
from velella.actors.services import service_names
from velella.cli.accounts import create_admin
from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.http.server import FrontEnd
from velella.workflows.defaults import seed_defaults

from ...conftest import clone
from ...signing import UNLIMITED, cheap_hashes, token_of

Row = dict[str, Any]


@dataclass
class Desk:
    """A shop with search indexes, and whom it is asked by."""

    host: Host
    front: FrontEnd
    session: aiohttp.ClientSession
    headers: dict[str, str]
    channel: str

    async def __call__(self, method: str, path: str, body: Any = None, status: int = 200, headers: Row | None = None) -> Row:
        url = f"http://127.0.0.1:{self.front.port}{path}"
        async with self.session.request(method, url, json=body, headers={**self.headers, **(headers or {})}) as answer:
            said: Row = await answer.json()
            assert answer.status == status, f"{method} {path} answered {answer.status}: {said}"
            return said

    async def search(self, q: str | None = None, **query: Any) -> Row:
        filters = {**query.pop("filters", {}), **({"q": q} if q is not None else {})}
        found = await self("POST", "/store/search", {"entity": "product", "filters": filters, **query})
        return dict(found["results"][0])

    async def titles(self, q: str | None = None, **query: Any) -> list[str]:
        return [row["title"] for row in (await self.search(q, **query))["data"]]

    async def refused(self, status: int = 400, **query: Any) -> str:
        return str((await self("POST", "/store/search", {"entity": "product", **query}, status))["message"])

    async def product(self, title: str, price: float = 10, **given: Any) -> Row:
        sku = ulid()
        variant = {"title": "One", "sku": sku, "options": {"Size": "M"}, "prices": [{"currency_code": "eur", "amount": price}]}
        row = {
            "title": title, "status": "published", "options": [{"title": "Size", "values": ["M", "L"]}], "variants": [variant],
            "sales_channels": [{"id": self.channel}], **given,
        }  # fmt: skip
        return dict((await self("POST", "/admin/products", row))["product"])

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Indexes follow changes within seconds."""
        async with asyncio.timeout(20):
            while not await holds():
                await asyncio.sleep(0.1)

    async def built(self, **body: Any) -> None:
        job = (await self("POST", "/admin/search-indexes/product/reindex", body, 202))["job_id"]

        async def done() -> bool:
            rows = await self.host.modules.search.list("search_index_sync", {"job_id": job}, fields=("status",))
            statuses = [row["status"] for row in rows]
            assert set(statuses) <= {"processing", "done", "canceled"}  # canceled: a newer one was faster
            return statuses in (["done"], ["canceled"])

        await self.until(done)


@asynccontextmanager
async def shop(database_url: str, folder: Path, providers: Row | None = None, **more: Any) -> AsyncIterator[Desk]:
    given = {"port": 0, "data_dir": folder, "providers": {**cheap_hashes(), **(providers or {})}, **UNLIMITED, **more}
    settings = Settings(database_url=database_url, **given).with_secrets()
    async with local_host(settings, service_names(settings), wire_check=True) as host, aiohttp.ClientSession() as session:
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        await seed_defaults(host.modules)
        admin = await create_admin(host.modules, f"{ulid()}@example.com", "correct horse")
        token = await token_of(host.modules, front.tokens, "user", admin)
        [key] = await host.modules.api_key.list("api_key", {"type": "publishable"})
        [channel] = await host.modules.sales_channel.list("sales_channel")
        headers = {"authorization": f"Bearer {token}", "x-publishable-api-key": key["token"]}
        yield Desk(host, front, session, headers, channel["id"])


@pytest.fixture(scope="package")
async def desk(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with shop(await clone(postgres, migrated), tmp_path_factory.mktemp("search"), search=True) as made:
        await made.until(lambda: made.host.modules.search.is_built("product"))  # it is built by itself
        yield made


@pytest.fixture(scope="package")
async def sails(desk: Desk) -> dict[str, Row]:
    """Some products, by title."""
    tag = (await desk("POST", "/admin/product-tags", {"value": "Nautical"}))["product_tag"]["id"]
    linen = (await desk("POST", "/admin/collections", {"title": "Linen"}))["collection"]["id"]
    made = [
        await desk.product("Spinnaker", 900, description="A light sail for running downwind.", tags=[{"id": tag}]),
        await desk.product("Storm jib", 300, description="A small sail: a spinnaker it is not.", collection_id=linen),
        await desk.product("Genoa sail", 700, subtitle="Overlaps <the> mast", tags=[{"id": tag}], collection_id=linen),
        await desk.product("Fender", 20, description="Keeps a hull from the quay."),
        await desk.product("Hidden sail", 1, status="draft"),
        await desk.product("Sail of elsewhere", 1, sales_channels=[]),
    ]
    await desk.until(lambda: found(desk, {each["id"] for each in made[:4]}))
    return {each["title"]: each for each in made}


async def found(desk: Desk, ids: set[str]) -> bool:
    return ids <= {row["id"] for row in (await desk.search(pagination={"take": 100}))["data"]}
