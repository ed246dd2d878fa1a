"""The demo shop with the reviews plugin installed, served in this process."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.cli import instance
from velella.cli.seeding import seed_defaults, seed_demo
from velella.core import json
from velella.core.flow import definitions
from velella.core.service import migrations
from velella.core.settings import Settings

from ..conftest import clone

HERE = Path(__file__).parent
INSTALLED: dict[str, Any] = tomllib.loads((HERE / "reviews" / "velella.toml").read_text())
"""The settings of a shop that has the plugin."""

sys.path.insert(0, str(HERE))  # what `pip install` would do


class Client:
    """One API of the shop: store, or admin."""

    def __init__(self, session: aiohttp.ClientSession, base: str, **headers: str) -> None:
        self.session, self.base, self.headers = session, base, headers

    async def __call__(self, method: str, path: str, body: Any = None, **params: str) -> tuple[int, Any]:
        headers = self.headers | ({"content-type": "application/json"} if body is not None else {})
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.base + path, data=data, params=params, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def get(self, path: str, **params: str) -> Any:
        status, body = await self("GET", path, **params)
        assert status == 200, (path, status, body)
        return body

    async def post(self, path: str, body: Any = None) -> Any:
        status, made = await self("POST", path, body if body is not None else {})
        assert status == 200, (path, status, made)
        return made


class Shop:
    def __init__(self, store: Client, admin: Client, regions: dict[str, str]) -> None:
        self.store, self.admin, self.regions = store, admin, regions

    async def product(self, handle: str, **params: str) -> Any:
        return (await self.store.get("/store/products", handle=handle, region_id=self.regions["Europe"], **params))["products"][0]

    async def order(self, variant_id: str, provider: str, quantity: int = 1) -> tuple[int, Any]:
        """Buy something. Returns the answer to completing the cart."""
        store = self.store
        address = {"first_name": "Ada", "address_1": "Quay 1", "city": "Kiel", "postal_code": "24103", "country_code": "de"}
        body = {"region_id": self.regions["Europe"], "email": "ada@example.com", "shipping_address": address}
        path = f"/store/carts/{(await store.post('/store/carts', body))['cart']['id']}"
        await store.post(f"{path}/line-items", {"variant_id": variant_id, "quantity": quantity})
        option = (await store.get("/store/shipping-options", cart_id=path.rpartition("/")[2]))["shipping_options"][0]
        await store.post(f"{path}/shipping-methods", {"option_id": option["id"]})
        collection = (await store.post("/store/payment-collections", {"cart_id": path.rpartition("/")[2]}))["payment_collection"]
        await store.post(f"/store/payment-collections/{collection['id']}/payment-sessions", {"provider_id": provider})
        return await store("POST", f"{path}/complete", {})


@pytest.fixture(scope="module")
def installed() -> Iterator[None]:
    """Remove what the plugin registers on import after the tests of this folder: other shops of this run don't have it."""
    yield
    for name in [name for name in definitions._subscribers if name.startswith("reviews.")]:
        del definitions._subscribers[name]
    for hook in [hook for hook in definitions._hooks if hook.step.reference.startswith("reviews.")]:
        definitions._hooks.remove(hook)
        definitions._workflows[hook.workflow].handlers[hook.name].remove(hook.step)


@pytest.fixture(scope="module")
async def shop(installed: None, postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("reviews")
    settings = Settings(database_url=await clone(postgres, migrated), port=0, data_dir=folder, **INSTALLED).with_secrets()
    assert "review" in await migrations.migrate_all(settings)
    await seed_defaults(settings)
    with (folder / "seeding.txt").open("w") as log:
        await seed_demo(settings, Console(file=log))
    async with (
        local_host(settings, service_names(settings), wire_check=True) as host,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        base = f"http://127.0.0.1:{host.services['http'].port}"  # type: ignore[attr-defined]
        [key] = await host.modules.api_key.list("api_key", {"type": "publishable"})
        login = {"email": instance.DEMO_ADMIN, "password": instance.admin_password(settings)}
        token = (await Client(session, base).post("/auth/user/emailpass", login))["token"]
        admin = Client(session, base, authorization=f"Bearer {token}")
        regions = {row["name"]: row["id"] for row in (await admin.get("/admin/regions"))["regions"]}
        yield Shop(Client(session, base, **{"x-publishable-api-key": key["token"]}), admin, regions)
