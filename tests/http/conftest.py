"""A front end in this process, with the modules for authentication and a few routes of the tests' own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import aiohttp
import pytest
from pydantic import Field

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import Host, local_host
from velella.core import json
from velella.core.errors import Conflict, UnexpectedState
from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.http.admin import api_keys, users
from velella.http.auth import beyond, factors, identities, session, verifications
from velella.http.kit import (
    ABSENT,
    BOOLEAN,
    MANY,
    NUMBERS,
    OPERATORS,
    PUBLIC,
    TEXT,
    Answer,
    BigNumber,
    Body,
    Cached,
    Email,
    Filters,
    Metadata,
    Number,
    Part,
    Request,
    Routes,
    View,
    Write,
    choice,
)
from velella.http.server import FrontEnd
from velella.workflows.plain import Plain

from ..conftest import clone
from ..signing import UNLIMITED, cheap_hashes, token_of

MODULES = ("api_key", "auth", "customer", "user", "sales_channel", "link", "notification", "store")

routes = Routes()
FILES = (api_keys, beyond, factors, identities, session, users, verifications)


# -- routes of the tests' own


class Rule(Part):
    reference: str
    reference_id: str


class Everything(Body):
    name: str
    code: str = ABSENT
    kind: Literal["standard", "other"] = "standard"
    rate: Annotated[Number, Field(ge=0)] = ABSENT
    amount: BigNumber = ABSENT
    email: Email = ABSENT
    rules: list[Rule] = ABSENT
    address: Rule | str = ABSENT
    metadata: Metadata = None


LISTED = Filters(
    logical=True,
    q=TEXT,
    id=MANY,
    created_at=OPERATORS,
    weight=NUMBERS,
    is_open=BOOLEAN,
    status=choice("open", "closed"),
    variants=Filters(sku=MANY),
)
PERSON = View("user", "id email", limit=15, order="-created_at", key="person", plural="people")
SHOWN = View("user", "id email first_name", allowed="id email first_name last_name", relations_limit=1, key="person", plural="people")


@routes.post("/store/echo", body=Everything)
async def echo(request: Request) -> Answer:
    return {"body": request.body, "channels": list(request.sales_channel_ids), "customer": request.customer_id}


@routes.get("/store/people", returns=SHOWN, query=Filters(email=MANY), many=True)
async def people(request: Request) -> Answer:
    return await request.fetch_list(SHOWN)


@routes.get("/store/customers/me/echo")
async def me(request: Request) -> Answer:
    return {"customer": request.customer_id}


@routes.get("/test/list", query=LISTED, returns=PERSON, many=True)
async def listed(request: Request) -> Answer:
    return {"filters": request.filters, "fields": list(request.fields), "order": list(request.page.order), "limit": request.page.limit}


@routes.get("/test/narrowed", query=LISTED)
async def narrowed(request: Request) -> Answer:
    """Changes its filters for who asks, as middlewares do."""
    who = request.header("x-who")
    request.filters["$or"].append({"id": who})
    request.filters["variants"]["owner"] = who
    return {"filters": request.filters}


@routes.post("/test/{id}/batch", query=None)
async def batch(request: Request) -> Answer:
    return {"id": request.params["id"], "body": request.body}


@routes.post("/test/any", auth=PUBLIC)
async def anything(request: Request) -> Answer:
    return {"body": request.body, "raw": len(request.raw)}


@routes.post("/test/hook", raw_body=True)
async def hook(request: Request) -> Answer:
    return {"raw": request.raw.decode()}


@routes.get("/test/large")
async def large(request: Request) -> Answer:
    return {"text": "velella " * 40_000}


@routes.get("/test/slow")
async def slow(request: Request) -> Answer:
    await asyncio.sleep(float(request.header("x-seconds") or 5))
    return {"done": True}


@routes.post("/test/late", auth=PUBLIC)
async def late(request: Request) -> Answer:
    await asyncio.sleep(5)
    return {"done": True}


@routes.get("/test/broken")
async def broken(request: Request) -> Answer:
    raise RuntimeError("the secret inside")


@routes.get("/test/conflict")
async def conflict(request: Request) -> Answer:
    raise Conflict("Cart is being completed")


@routes.get("/test/books")
async def books(request: Request) -> Answer:
    raise UnexpectedState("The books disagree")


routes.resource("/store/folk", SHOWN, list=Filters(email=MANY, q=TEXT))


@routes.get("/store/counted", returns=SHOWN, query=Filters(cart_id=TEXT), cached=Cached("user", unless=("cart_id",)))
async def counted(request: Request) -> Answer:
    """How often it was called, and by which actor."""
    COUNTED.append(request.customer_id)
    return {"asked": len(COUNTED), "customer": request.customer_id}


COUNTED: list[str | None] = []


class NewPerson(Body):
    email: Email
    first_name: str | None = None


class ChangedPerson(Body):
    first_name: str | None = None
    metadata: Metadata = None


def _shouted(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "email": row["email"].lower()}


PEOPLE = Plain("user", "test-create-people", "test-update-people", "test-delete-people", hooks="people", event="person")

routes.resource(
    "/admin/people",
    PERSON,
    PEOPLE,
    list=Filters(q=TEXT, email=MANY),
    create=Write(NewPerson, before=_shouted),
    update=ChangedPerson,
)


# -- the shop behind them


@dataclass
class Answered:
    """An answer."""

    status: int
    headers: Any
    text: str
    json: Any = field(init=False)

    def __post_init__(self) -> None:
        self.json = json.loads(self.text) if self.text and "json" in self.headers.get("Content-Type", "") else None


class Client:
    """A client of the API. `with_` returns the same with other headers."""

    def __init__(self, session: aiohttp.ClientSession, base: str, headers: dict[str, str] | None = None) -> None:
        self.session = session
        self.base = base
        self.headers = headers or {}

    def with_(self, **headers: str) -> Client:
        return Client(self.session, self.base, {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})

    async def __call__(self, method: str, path: str, body: Any = None, *, data: Any = None, **options: Any) -> Answered:
        headers = {**self.headers, **options.pop("headers", {})}
        if body is not None:
            data, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        async with self.session.request(method, self.base + path, data=data, headers=headers, **options) as response:
            return Answered(response.status, response.headers, await response.text())


@dataclass
class Shop:
    host: Host
    front: FrontEnd
    base: str

    async def token(self, actor_type: str, actor_id: str, **claims: Any) -> str:
        return await token_of(self.host.modules, self.front.tokens, actor_type, actor_id, **claims)


@pytest.fixture(scope="package")
async def shop(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """Served for the whole run, on a database of its own."""
    async with served(await clone(postgres, migrated), tmp_path_factory.mktemp("front")) as made:
        yield made


class served:
    """`async with served(url of a database with all tables, folder, port=0, …) as shop`"""

    def __init__(self, database_url: str, folder: Path, **settings: Any) -> None:
        self.database_url, self.folder, self.given = database_url, folder, settings

    async def __aenter__(self) -> Shop:
        made = {
            "database_url": self.database_url,
            "port": 0,
            "data_dir": self.folder,
            "store_cors": r"https://shop.example,/\.example\.org$/",
            "providers": cheap_hashes(),
            **UNLIMITED,
            **self.given,
        }
        settings = Settings(**made).with_secrets()
        self.local = local_host(settings, (*MODULES, "locking", "workflows"))
        host = await self.local.__aenter__()
        self.front = FrontEnd(host.context, [route for file in FILES for route in file.routes] + [*routes])
        await self.front.start()
        return Shop(host, self.front, f"http://127.0.0.1:{self.front.port}")

    async def __aexit__(self, *error: Any) -> None:
        await self.front.stop()
        await self.local.__aexit__(*error)


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Client]:
    """An anonymous client."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Client(session, shop.base)


@pytest.fixture
async def store(shop: Shop, client: Client) -> Client:
    """A storefront with a publishable key of one sales channel."""
    modules = shop.host.modules
    key = (await modules.api_key.create_keys([{"title": "web", "type": "publishable", "created_by": "test"}]))[0]
    channel = (await modules.sales_channel.create("sales_channel", [{"name": f"Web {ulid()}"}]))[0]
    await modules.link.attach("publishable_api_key_sales_channel", [{"publishable_key_id": key["id"], "sales_channel_id": channel["id"]}])
    return client.with_(x_publishable_api_key=key["token"])


@pytest.fixture
async def admin(shop: Shop, client: Client) -> Client:
    """A user of the shop."""
    user = (await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com"}]))[0]
    return client.with_(authorization=f"Bearer {await shop.token('user', user['id'])}")
