"""A shop that `velella up` has started on three nodes, and concurrent buyers while things happen to the nodes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from velella.core.ids import ulid

from ..conftest import VELELLA
from .buyer import Buyer
from .nodes import Nodes
from .served import ADMIN, Api, free_port
from .shop import Country, Shop, open_shop, sell
from .test_stock import books

NODES = {
    "head": {"num_cpus": 1, "labels": {"door": "yes"}},
    "left": {"num_cpus": 1, "labels": {"door": "no"}},
    "right": {"num_cpus": 1, "labels": {"door": "yes"}},
}
ENGINE = ["locking", "caching", "workflows"]
BUYERS = 4
HANDED_OVER = "another one goes on with it"
"""The answer about an execution that a draining replica could not finish within 5 s, as on a busy machine: no failure."""


@dataclass
class Colony:
    """A shop that `velella up` has started on nodes."""

    nodes: Nodes
    port: int
    data_dir: Path
    environment: dict[str, str]
    session: aiohttp.ClientSession
    shop: Shop | None = None

    async def velella(self, *words: str, ok: bool | None = True) -> str:
        """A command, given on a node that stays."""
        return await self._run(*VELELLA, *words, "--data-dir", str(self.data_dir), ok=ok)

    async def script(self, file: Path, *words: str) -> str:
        """Run a script there, with the cluster's address as its first argument. Returns its output."""
        return await self._run(sys.executable, str(file), self.nodes.address, *words)

    async def _run(self, *command: str, ok: bool | None = True) -> str:
        process = await asyncio.create_subprocess_exec(
            *self.nodes["right"].plug.inside, *command,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=self.data_dir.parent, env=self.environment,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        assert ok is None or (process.returncode == 0) == ok, f"{' '.join(command)} exited with {process.returncode}: {output}"
        return output

    async def report(self) -> Any:
        """The output of `velella status`."""
        return json.loads(await self.velella("status", "--json"))

    async def status(self) -> dict[str, list[dict[str, Any]]]:
        """Replicas by pool."""
        return {pool["name"]: pool["replicas"] for pool in (await self.report())["pools"]}

    async def replicas(self) -> list[dict[str, Any]]:
        return [replica for pool in (await self.status()).values() for replica in pool]

    async def settles(self, seconds: float = 300, *, on: Collection[str] = (), without: Collection[int] = ()) -> None:
        """Wait until all replicas run, in other processes than `without`, on all nodes of `on`, and those of a pool on as many as there
        are."""
        end = time.monotonic() + seconds
        while True:
            output = await self.velella("status", "--json", ok=None)  # no answer while the supervisor itself is restarted
            pools = [pool["replicas"] for pool in json.loads(output)["pools"]] if output.startswith("{") else []
            run = [one["state"] == "ready" and one["pid"] not in without for pool in pools for one in pool]
            places = [{one["node"] for one in pool} for pool in pools]
            there = {self.nodes[name].address for name in on} <= set().union(*places)
            if pools and all(run) and (not on or (there and all(map(_are_apart, places, pools)))):
                return
            assert time.monotonic() < end, output
            await asyncio.sleep(0.5)

    def door(self, node: str) -> Api:
        return Api(self.session, f"http://{self.nodes[node].address}:{self.port}")

    async def admin(self, node: str) -> Api:
        api = self.door(node)
        token = (await api.post("/auth/user/emailpass", {"email": ADMIN[0], "password": ADMIN[1]}))["token"]
        return Api(self.session, api.base, {"authorization": f"Bearer {token}"})

    async def crowd(self, *doors: str) -> Crowd:
        """Buyers that use the front ends of these nodes."""
        admin = await self.admin(doors[0])
        if self.shop is None:
            self.shop = await open_shop(admin, [Country("dk", "eur", rate=25, inclusive=True, shipping=10)])
        product = await sell(admin, self.shop, f"wanted-{ulid().lower()}", {"eur": 10}, stock=100_000)
        headers = {"x-publishable-api-key": self.shop.key}
        stores = [Api(self.session, self.door(node).base, headers) for node in doors]
        return Crowd(self, doors[0], product["variants"][0], [Buyer(store, self.shop) for store in stores])


@dataclass
class Crowd:
    """Buyers who buy one variant again and again, and record every answer."""

    colony: Colony
    door: str
    """The front end of a node that stays."""
    variant: dict[str, Any]
    buyers: list[Buyer]
    orders: dict[str, str] = field(default_factory=dict)
    open_carts: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    last_failure: float = 0.0
    last_order: float = 0.0
    lag: float = 0.0
    """The longest delay of our own loop in seconds: measurements here may be off by as much."""
    stopped: bool = False

    @asynccontextmanager
    async def shopping(self) -> AsyncIterator[None]:
        self.last_failure = time.monotonic()
        tasks = [asyncio.create_task(self._shop(buyer)) for buyer in self.buyers for _ in range(BUYERS // len(self.buyers))]
        tasks.append(asyncio.create_task(self._clock()))
        try:
            await self.goes_well_again()
            self.failures.clear()
            self.lag = 0.0
            yield
        finally:
            self.stopped = True
            await asyncio.gather(*tasks)

    async def goes_well_again(self) -> None:
        """Wait until orders come through, and no request has failed for three seconds."""
        since = time.monotonic()
        while min(self.last_order, time.monotonic() - 3.0) < max(since, self.last_failure):
            assert time.monotonic() < since + 60, self.failures[-5:]
            await asyncio.sleep(0.1)

    def failed_for(self, since: float) -> float:
        """Seconds after `since` in which requests failed."""
        seconds = max(0.0, self.last_failure - since)
        print(f"{len(self.failures)} requests failed, the last one after {seconds:.2f} s; our own loop was late by {self.lag:.2f} s")
        for why in sorted({why[:200] for why in self.failures}):
            print("   ", why)
        return seconds

    async def _clock(self) -> None:
        while not self.stopped:
            asked = time.monotonic()
            await asyncio.sleep(0.05)
            self.lag = max(self.lag, time.monotonic() - asked - 0.05)

    async def _shop(self, buyer: Buyer) -> None:
        while not self.stopped:
            try:
                cart = await buyer.ready(self.variant["id"])
                self.open_carts.add(cart)
                await self._complete(buyer, cart)
            except (AssertionError, aiohttp.ClientError, TimeoutError) as error:
                self._failed(f"{type(error).__name__}: {error}")
                await asyncio.sleep(0.05)

    async def _complete(self, buyer: Buyer, cart: str) -> None:
        status, answer = await buyer.complete(cart)
        if answer.get("type") == "order":
            self.orders[cart] = answer["order"]["id"]
            self.open_carts.discard(cart)
            self.last_order = time.monotonic()
        elif HANDED_OVER not in answer.get("message", ""):  # `check_books` completes the cart
            self._failed(f"{status} {answer}")

    def _failed(self, why: str) -> None:
        self.failures.append(why)
        self.last_failure = time.monotonic()

    async def check_books(self) -> None:
        """No order is lost or duplicated, and no stock is reserved without an order."""
        for cart in sorted(self.open_carts):
            for _ in range(20):
                await self._complete(self.buyers[0], cart)
                if cart in self.orders:
                    break
                await asyncio.sleep(0.5)
        assert not self.open_carts, "a cart is stuck"
        admin = await self.colony.admin(self.door)
        reserved = (await books(admin, self.variant["sku"]))["reserved"]
        assert len(set(self.orders.values())) == len(self.orders) == reserved
        for order in list(self.orders.values())[-20:]:
            assert (await admin.get(f"/admin/orders/{order}"))["order"]["id"] == order


def _are_apart(places: set[str], replicas: list[Any]) -> bool:
    return len(places) == len(replicas)


def write_topology(file: Path, modules: int) -> None:
    """Three pools; `modules` replicas of the one that holds all modules."""
    from velella.actors.services import service_names
    from velella.core.settings import Settings

    names = [name for name in service_names(Settings()) if name not in (*ENGINE, "http")]
    pools = [
        {"name": "doors", "services": ["http"], "replicas": 2, "labels": {"door": "yes"}},
        {"name": "engine", "services": ENGINE, "replicas": 2},
        {"name": "modules", "services": names, "replicas": modules, "connections": 4},
    ]
    file.write_text(yaml.safe_dump({"metadata": {"velella": {"pools": pools}}}))


@asynccontextmanager
async def colony_on(nodes: Nodes, folder: Path, database_url: str) -> AsyncIterator[Colony]:
    file = folder / "cluster.yaml"
    write_topology(file, modules=2)
    environment = os.environ | nodes.environment | {"VELELLA_DATABASE_URL": database_url, "VELELLA_LOG_LEVEL": "warning"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()) as session:
        colony = Colony(nodes, free_port(), folder / "data", environment, session)
        await colony.velella("migrate")
        up = await colony.velella("up", str(file), "--address", nodes.address, "--host", "node", "--port", str(colony.port))
        assert "with 6 replicas on 3 nodes" in up
        await colony.velella("user", "create", "--email", ADMIN[0], "--password", ADMIN[1])
        yield colony
