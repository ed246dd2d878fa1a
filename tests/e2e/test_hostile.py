"""One request costs no more than a request, whatever it asks for: nobody else waits for it, nothing of it stays, and no process dies."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import psutil
from yarl import URL

from .hostile import Hostile, Target, hostile_requests
from .served import Api, Served
from .shop import Shop, sell

CPU_SECONDS = 0.5
STAYS = 50 * 1024 * 1024
WAIT_SECONDS = 1.0
"""A deadline for others. A request keeps them for as long as it holds the loop, and longer only if it holds what they need: a lock, or all
connections to the database."""


WORK = 300_000
WORK_SECONDS = 0.018


def slowness() -> float:
    """How many times as long as alone the processor takes for the same work now: its clock and its caches are shared."""
    began = time.process_time()
    total = 0
    for number in range(WORK):
        total += number * number
    return max(1.0, (time.process_time() - began) / WORK_SECONDS)


class Processes:
    """The replicas and the server processes of the database, by their own counters."""

    def __init__(self, running: Served, pids: list[int]) -> None:
        self.replicas = [psutil.Process(pid) for pid in pids]
        self._root = psutil.Process(running.process.pid)

    def cpu(self) -> float:
        """Seconds since they began."""
        total = 0.0
        for process in [*self.replicas, *self._root.children(recursive=True)]:
            try:
                if process in self.replicas or "postgres" in process.name():
                    used = process.cpu_times()
                    total += used.user + used.system
            except psutil.NoSuchProcess:  # a server process of the database that ends with its connection
                continue
        return total

    def memory(self) -> int:
        """Bytes that the replicas have of their own."""
        return sum(process.memory_info().rss for process in self.replicas)


class Bystander:
    """Somebody who asks for `path` again and again. `waited`: the longest answer, less what this test itself was late."""

    def __init__(self, api: Api, path: str) -> None:
        self.waited = 0.0
        self.answered = 0
        self.failed: list[int] = []
        self._api, self._path = api, path
        self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.02)
            late = max(0.0, time.monotonic() - before - 0.02)
            started = time.monotonic()
            status, _ = await self._api.raw("GET", self._path)
            if status != 200:
                self.failed.append(status)
            self.answered += 1
            self.waited = max(self.waited, time.monotonic() - started - late)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@dataclass(frozen=True)
class Cost:
    """What one request took: seconds of CPU, bytes that stay, and how long others waited."""

    status: int
    seconds: float
    stays: int
    waited: float
    others_failed: bool

    @property
    def is_too_dear(self) -> bool:
        dear = self.seconds > CPU_SECONDS or self.stays > STAYS or self.waited > WAIT_SECONDS
        return dear or self.status >= 500 or self.others_failed

    def __str__(self) -> str:
        failed = ", and were refused" if self.others_failed else ""
        kept = f"{self.stays / 1024**2:+.0f} MB"
        return f"{self.status}, {self.seconds:.2f} s of CPU, {kept}, others waited {self.waited:.2f} s{failed}"


async def target(running: Served, shop: Shop) -> Target:
    """A shop with one of everything that can be asked for."""
    admin, store = await running.admin(), await running.store(shop.key)
    product = await sell(admin, shop, f"asked-for-{time.monotonic_ns()}", {"eur": 10}, stock=1_000_000, variants=3)
    variant = product["variants"][0]["id"]
    wide_options = [{"title": "Kind", "values": [f"v{n}" for n in range(1000)]}]
    wide = (await admin.post("/admin/products", {"title": f"Wide {time.monotonic_ns()}", "options": wide_options}))["product"]
    cart = (await store.post("/store/carts", {"region_id": shop.regions["dk"], "items": [{"variant_id": variant, "quantity": 1}]}))["cart"]
    price_list = await admin.post("/admin/price-lists", {"title": "x", "description": "x"})
    method: dict[str, Any] = {"type": "percentage", "target_type": "order", "value": 10, "currency_code": "eur"}
    code = f"CODE{time.monotonic_ns()}"
    promotion = await admin.post("/admin/promotions", {"code": code, "type": "standard", "application_method": method, "status": "active"})
    group = await admin.post("/admin/customer-groups", {"name": code})
    regions = (await admin.get("/admin/tax-regions"))["tax_regions"]
    return Target(
        admin, store, Api(running.session, running.base), shop.regions["dk"], cart["id"], cart["items"][0]["id"], product["id"],
        wide["id"], variant, shop.channel, price_list["price_list"]["id"], promotion["promotion"]["id"],
        group["customer_group"]["id"], shop.location, regions[0]["id"],
    )  # fmt: skip


async def take_away(at: Target) -> None:
    """The large products that it made: whoever comes next would list them."""
    first = (await at.admin.get(f"/admin/products/{at.product}", fields="created_at"))["product"]
    made = await at.admin.get("/admin/products", **{"created_at[$gte]": first["created_at"], "fields": "id", "limit": "500"})
    ids = [row["id"] for row in made["products"]]
    await at.admin.post("/admin/products/batch", {"delete": ids})


async def send(request: Hostile) -> tuple[int, str]:
    """Its status and the beginning of its answer; 0 where the connection was closed."""
    api = request.api
    try:
        async with api.session.request(
            request.method,
            URL(api.base + request.path, encoded=True),
            data=request.body,
            headers={**api.headers, **request.headers},
            skip_auto_headers=["Accept-Encoding"],
        ) as answer:
            return answer.status, (await answer.read())[:120].decode("utf-8", "replace")
    except aiohttp.ClientError as error:
        return 0, str(error)


async def test_no_request_costs_more_than_a_request(colony: Served, shop: Shop) -> None:
    at = await target(colony, shop)
    pids = {replica["pid"] for pool in (await colony.status())["pools"] for replica in pool["replicas"]}
    processes = Processes(colony, sorted(pids))
    requests = list(hostile_requests(at))
    for path in sorted({request.path.partition("?")[0] for request in requests if request.method == "GET" and len(request.path) < 9000}):
        # what is loaded when it is first asked for
        await send(replace(requests[0], api=at.admin if "/admin" in path else at.store, path=path))
    bystander = Bystander(at.store, f"/store/products/{at.product}?fields=id")
    before, began = processes.cpu(), time.monotonic()
    await asyncio.sleep(2.0)
    anyway = (processes.cpu() - before) / (time.monotonic() - began)  # what the bystander and the processes themselves take, a second

    async def asked(request: Hostile) -> Cost:
        bystander.waited = 0.0
        bystander.failed.clear()
        slow, before, held, began = slowness(), processes.cpu(), processes.memory(), time.monotonic()
        status, text = await send(request)
        await asyncio.sleep(0.05)
        taken = processes.cpu() - before - anyway * (time.monotonic() - began)
        cost = Cost(status, max(0.0, taken) / slow, processes.memory() - held, bystander.waited, bool(bystander.failed))
        print(f"{request.name}: {cost}", text if status != 200 else "")
        return cost

    too_dear: list[str] = []
    for request in requests:
        cost = await asked(request)
        # a burst of other work isn't the request's: what is too dear is so twice
        if cost.is_too_dear and ((again := await asked(request)).is_too_dear or again.status != cost.status):
            too_dear.append(f"{request.name}: {cost}, and again {again}")
    await bystander.leave()
    await take_away(at)
    assert {replica["pid"] for pool in (await colony.status())["pools"] for replica in pool["replicas"]} == pids, "a process died"
    assert not too_dear, "\n".join(too_dear)


async def test_a_crowd_that_signs_in_keeps_nobody_waiting_who_is_signed_in(colony: Served) -> None:
    """Each word costs a twentieth of a second to check: a crowd is let in a few at a time or told when to come again."""
    admin, anybody = await colony.admin(), Api(colony.session, colony.base)
    merchant = Bystander(admin, "/admin/users/me")

    async def guess(number: int) -> int:
        guessed = {"email": f"guess-{number}@example.com", "password": "a wrong word"}
        return (await anybody.raw("POST", "/auth/customer/emailpass", guessed))[0]

    began = time.monotonic()
    answers = Counter(await asyncio.gather(*(guess(number) for number in range(200))))
    took = time.monotonic() - began
    await merchant.leave()
    assert answers[401] > 0
    assert set(answers) <= {401, 429, 503}, answers
    assert not merchant.failed
    assert merchant.answered >= 5, "meanwhile"
    assert merchant.waited <= max(WAIT_SECONDS, took / 2), "a machine that has more to do is slower for the crowd as well"
    await colony.admin()  # the merchant's own sign-in goes through as soon as they are gone
