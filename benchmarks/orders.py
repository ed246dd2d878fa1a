#!/usr/bin/env python3
"""Carry orders through their whole lives in two served shops, and report what each step costs either of them.

Examples:
  benchmarks/orders.py --peer http://127.0.0.1:9001 --peer-also 1234,1250 --ours http://127.0.0.1:9000 --ours-also 4321
  benchmarks/orders.py … --courses returns edits --orders 20 --out orders.json --write docs/performance.md

A course takes some orders through the same steps. Each step is done to all of them, a few at a time, by the peer first and by ours at once
after it; then comes the next step. CPU is that of the processes that listen on the port, their descendants, and the named ones. `--write`
puts the table between the lines <!-- verbs --> and <!-- /verbs --> of a file.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from compare import SIDES, both_shops, parsed, parser_of, processes_of
from measuring import Processes, keep, write_into
from rich.console import Console
from rich.progress import track
from shop import ADDRESS, Refused, Shop

from velella.core.rows import Row

AT_ONCE = 4
MOST = 200
"""Orders of one course at most."""
WARM = 12
"""Orders that go first and aren't counted: what either makes once for all requests is made by then."""
FACTOR = 10
"""So many times as many orders for ours: fewer would take less than a tick of the clock."""


@dataclass
class Life:
    """One order, and what steps need to know of it: ids by name, which paths and bodies take."""

    shop: Shop
    rng: random.Random
    ids: dict[str, str] = field(default_factory=dict)

    async def admin(self, method: str, path: str, body: Any = None) -> Row:
        answer: Row = await self.shop.call(method, path, body, self.shop.admin)
        return answer

    def filled(self, template: Any) -> Any:
        """A body or a path with ids in the place of their names: `{order}`."""
        if isinstance(template, str):
            return template.format_map(self.ids)
        if isinstance(template, Mapping):
            return {name: self.filled(value) for name, value in template.items()}
        return [self.filled(each) for each in template] if isinstance(template, list) else template

    def learn(self, answer: Row) -> None:
        """Take over the ids that an answer tells."""
        for name in ("return", "claim", "exchange", "draft_order"):
            if isinstance(answer.get(name), Mapping):
                self.ids[name] = answer[name]["id"]
        order = answer.get("order")
        if isinstance(order, Mapping) and order.get("fulfillments"):
            self.ids["parcel"] = order["fulfillments"][-1]["id"]


@dataclass(frozen=True)
class Step:
    """One request: its path with the names of ids, and its body."""

    path: str
    body: Any = None
    method: str = "POST"

    @property
    def title(self) -> str:
        path = self.path.partition("?")[0].replace("{", ":").replace("}", "")
        return f"{self.method} {path}" if self.method != "POST" else path

    async def take(self, life: Life) -> None:
        life.learn(await life.admin(self.method, life.filled(self.path), life.filled(self.body)))


Begin = Callable[[Life], Awaitable[None]]


async def drafted(life: Life) -> None:
    """A draft of two lines with a way of sending."""
    life.learn(await life.admin("POST", "/admin/draft-orders", life.filled(DRAFT)))


async def placed(life: Life) -> None:
    """An order made of a draft."""
    await drafted(life)
    order = (await life.admin("POST", life.filled("/admin/draft-orders/{draft_order}/convert-to-order")))["order"]
    other, line = sorted(order["items"], key=lambda item: item["quantity"])
    life.ids |= {"order": order["id"], "line": line["id"], "other": other["id"]}


async def sent(life: Life) -> None:
    """An order that was sent."""
    await placed(life)
    await SEND.take(life)


async def bought(life: Life) -> None:
    """An order that a buyer has placed, and its payment."""
    cart = await life.shop.ready_cart(life.rng)
    done = await life.shop.post(f"/store/carts/{cart}/complete", {})
    if done["type"] != "order":
        raise Refused(f"no order: {done.get('error')}")
    shown = (await life.admin("GET", f"/admin/orders/{done['order']['id']}?fields=payment_collections.payments.id"))["order"]
    life.ids |= {"order": shown["id"], "payment": shown["payment_collections"][0]["payments"][0]["id"]}


_PLACE: Row = {**ADDRESS, "country_code": "{country}"}
DRAFT: Row = {
    "region_id": "{region}",
    "sales_channel_id": "{channel}",
    "email": "{email}",
    "shipping_address": _PLACE,
    "billing_address": _PLACE,
    "items": [{"variant_id": "{one}", "quantity": 3}, {"variant_id": "{two}", "quantity": 1}],
    "shipping_methods": [{"name": "Parcel", "shipping_option_id": "{option}", "amount": 5}],
}
WAY = {"shipping_option_id": "{option}"}
TWO = {"items": [{"id": "{line}", "quantity": 2}]}
NEW = {"items": [{"variant_id": "{one}", "quantity": 1}]}
BOTH = {"location_id": "{location}", "items": [{"id": "{line}", "quantity": 3}, {"id": "{other}", "quantity": 1}]}
SEND = Step("/admin/orders/{order}/fulfillments?fields=*fulfillments", BOTH)

_RETURN, _CLAIM, _EXCHANGE = "/admin/returns/{return}", "/admin/claims/{claim}", "/admin/exchanges/{exchange}"
_EDIT, _DRAFT_EDIT = "/admin/order-edits/{order}", "/admin/draft-orders/{draft_order}/edit"
COURSES: Mapping[str, tuple[Begin, Sequence[Step]]] = {
    "parcels": (
        placed,
        (
            SEND,
            Step("/admin/orders/{order}/fulfillments/{parcel}/shipments", {"items": BOTH["items"]}),
            Step("/admin/orders/{order}/fulfillments/{parcel}/mark-as-delivered", {}),
            Step("/admin/orders/{order}/complete", {}),
        ),
    ),
    "calling off": (
        sent,
        (
            Step("/admin/orders/{order}/fulfillments/{parcel}/cancel", {}),
            Step("/admin/orders/{order}/cancel"),
        ),
    ),
    "payments": (
        bought,
        (
            Step("/admin/payments/{payment}/capture", {}),
            Step("/admin/payments/{payment}/refund", {"amount": 1}),
            Step("/admin/orders/{order}/cancel"),
        ),
    ),
    "returns": (
        sent,
        (
            Step("/admin/returns", {"order_id": "{order}", "location_id": "{location}"}),
            Step(f"{_RETURN}/request-items", TWO),
            Step(f"{_RETURN}/shipping-method", WAY),
            Step(f"{_RETURN}/request", {}),
            Step(f"{_RETURN}/receive", {}),
            Step(f"{_RETURN}/receive-items", {"items": [{"id": "{line}", "quantity": 1}]}),
            Step(f"{_RETURN}/dismiss-items", {"items": [{"id": "{line}", "quantity": 1}]}),
            Step(f"{_RETURN}/receive/confirm", {}),
        ),
    ),
    "claims": (
        sent,
        (
            Step("/admin/claims", {"order_id": "{order}", "type": "replace"}),
            Step(f"{_CLAIM}/claim-items", {"items": [{"id": "{line}", "quantity": 1, "reason": "wrong_item"}]}),
            Step(f"{_CLAIM}/inbound/items", TWO),
            Step(f"{_CLAIM}/outbound/items", NEW),
            Step(f"{_CLAIM}/outbound/shipping-method", WAY),
            Step(f"{_CLAIM}/request"),
            Step(f"{_CLAIM}/cancel", {}),
        ),
    ),
    "exchanges": (
        sent,
        (
            Step("/admin/exchanges", {"order_id": "{order}"}),
            Step(f"{_EXCHANGE}/inbound/items", TWO),
            Step(f"{_EXCHANGE}/inbound/shipping-method", WAY),
            Step(f"{_EXCHANGE}/outbound/items", NEW),
            Step(f"{_EXCHANGE}/outbound/shipping-method", WAY),
            Step(f"{_EXCHANGE}/request"),
        ),
    ),
    "edits": (
        placed,
        (
            Step("/admin/order-edits", {"order_id": "{order}"}),
            Step(f"{_EDIT}/items", NEW),
            Step(f"{_EDIT}/items/item/{{line}}", {"quantity": 2}),
            Step(f"{_EDIT}/shipping-method", WAY),
            Step(f"{_EDIT}/request", {}),
            Step(f"{_EDIT}/confirm"),
            Step("/admin/orders/{order}/cancel"),
        ),
    ),
    "drafts": (
        drafted,
        (
            Step("/admin/draft-orders", DRAFT),
            Step(_DRAFT_EDIT),
            Step(f"{_DRAFT_EDIT}/items", NEW),
            Step(f"{_DRAFT_EDIT}/shipping-methods", WAY),
            Step(f"{_DRAFT_EDIT}/request"),
            Step(f"{_DRAFT_EDIT}/confirm"),
            Step("/admin/draft-orders/{draft_order}/convert-to-order"),
        ),
    ),
    "transfers": (
        placed,
        (
            Step("/admin/orders/{order}/transfer", {"customer_id": "{customer}"}),
            Step("/admin/orders/{order}/transfer/cancel"),
            Step("/admin/orders/{order}", {"metadata": {"gift": True}}),
        ),
    ),
}


async def known_ids(shop: Shop) -> dict[str, str]:
    """What all lives have in common."""

    async def first(path: str, key: str) -> str:
        return str((await shop.call("GET", f"/admin/{path}", headers=shop.admin))[key][0]["id"])

    channel = (await shop.call("GET", "/admin/api-keys?type=publishable&fields=*sales_channels", headers=shop.admin))["api_keys"][0]
    return {
        "region": shop.region,
        "country": shop.country,
        "channel": channel["sales_channels"][0]["id"],
        "option": await first("shipping-options", "shipping_options"),
        "location": await first("stock-locations", "stock_locations"),
        "customer": await account(shop),
    }


async def account(shop: Shop) -> str:
    """The id of a new customer with an account, to whom orders are handed over."""
    who = {"email": f"heir-{uuid.uuid4().hex}@example.com", "password": uuid.uuid4().hex}
    token = (await shop.call("POST", "/auth/customer/emailpass/register", who))["token"]
    signed = {**shop.store, "authorization": f"Bearer {token}"}
    return str((await shop.call("POST", "/store/customers", {"email": who["email"]}, signed))["customer"]["id"])


async def each(lives: Sequence[Life], work: Callable[[Life], Awaitable[None]]) -> None:
    waiting = iter(lives)

    async def some() -> None:
        for life in waiting:
            await work(life)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def measured(lives: Sequence[Life], step: Step, processes: Processes) -> float:
    """Milliseconds of CPU of one such request."""
    before = processes.seconds()
    await each(lives, step.take)
    return round(1000 * (processes.seconds() - before) / len(lives), 3)


def table_of(figures: dict[str, list[Row]], names: tuple[str, str]) -> str:
    lines = [f"| | POST, or what it says | CPU ms: {names[0]} | {names[1]} | × |", "| --- | --- | --: | --: | --: |"]
    for course, steps in figures.items():
        for at, row in enumerate(steps):
            peer, ours = row["peer"], row["ours"]
            lines.append(f"| {'' if at else course} | `{row['step']}` | {peer:.0f} | {ours:.2f} | {peer / max(ours, 0.01):.0f} |")
    return "\n".join(lines)


async def main(options: argparse.Namespace) -> None:
    console = Console()
    figures: dict[str, list[Row]] = {}
    async with both_shops(options) as shops:
        processes = processes_of(options)
        rng = random.Random(options.seed)
        ids = {side: await known_ids(shops[side]) for side in SIDES}
        for course in track(options.courses, "Living", console=console, transient=True):
            begin, steps = COURSES[course]
            lives = {side: lives_of(shops[side], ids[side], options.orders * (FACTOR if side == "ours" else 1), rng) for side in SIDES}
            for side in SIDES:
                for life in (warm := lives_of(shops[side], ids[side], WARM, rng)):
                    await begin(life)
                for step in steps:
                    await each(warm, step.take)
                await each(lives[side], begin)
            figures[course] = [
                {"step": step.title, **{side: await measured(lives[side], step, processes[side]) for side in SIDES}} for step in steps
            ]
    table = table_of(figures, (options.peer_name, options.ours_name))
    console.print(table, soft_wrap=True, markup=False)
    if options.out:
        keep(options.out, {"orders": options.orders, "seed": options.seed, "figures": figures})
    if options.write:
        write_into(options.write, table, "verbs")


def lives_of(shop: Shop, ids: Mapping[str, str], count: int, rng: random.Random) -> list[Life]:
    lives = []
    for _ in range(count):
        one, two = rng.sample(shop.variants, 2)
        lives.append(Life(shop, rng, {**ids, "one": one, "two": two, "email": f"life-{rng.getrandbits(48):x}@example.com"}))
    return lives


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--courses", nargs="+", default=list(COURSES), choices=list(COURSES), metavar="NAME", help=", ".join(COURSES))
    parser.add_argument("--orders", type=int, default=12, help=f"of each course in the peer; {FACTOR} times as many in ours (default: 12)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="repeat a run's random choices")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    options = parsed(parser, arguments)
    if not 1 <= options.orders <= MOST:
        parser.error(f"--orders is 1 to {MOST}")
    return options


if __name__ == "__main__":
    try:
        uvloop.run(main(options_of(sys.argv[1:])))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
