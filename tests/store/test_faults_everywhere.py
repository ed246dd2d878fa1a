"""Durable flows about money, and about what is made in several modules, with one message refused or lost, or their coordinator killed, at
every place where they wait for one.

The places are found by a first run that counts messages. Afterwards everything ends within a minute: money, stock, orders and books agree,
and nothing is half-made; whoever asks again gets what the flow promises. `scripts/test-kills` tries every place; here it is a sample with
every pivot.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from velella.core.errors import Conflict, NotFound, Unavailable, VelellaError

from ..vault import Vault
from .conftest import Market, Store
from .fault_cases import (
    Buy,
    BuyOnAccount,
    BuyTheLast,
    Cancel,
    Capture,
    Case,
    DropProduct,
    ImportPart,
    MakeProduct,
    MakeRegion,
    MakeShippingOption,
    MarkAsPaid,
    Refund,
    Settle,
    Webhook,
)  # fmt: skip
from .fault_cases_orders import (
    AskBack,
    BackAtOnce,
    CallOff,
    CallOffExchange,
    CancelOrder,
    Claim,
    ConvertDraft,
    Edit,
    EditDraft,
    Exchange,
    OfOrder,
    Send,
    TakeBack,
)  # fmt: skip
from .faults import FAULTS, Fault, Plan, breakable, bury, strike

WHERE = os.environ.get("VELELLA_FAULTS", "")
"""`everywhere`, or names of cases to be hit everywhere, and no other."""
AFTER: Sequence[Fault] = ("lost", "killed after")
MINUTE = 60.0
AT_ONCE = 24
"""Cases that run beside each other; most of their time they wait for a lease to end."""


CASES: Sequence[type[Case]] = (
    Buy, BuyOnAccount, BuyTheLast, Capture, Refund, MarkAsPaid, Cancel, Webhook, Settle,
    Send, CallOff, AskBack, TakeBack, BackAtOnce, Exchange, CallOffExchange, Claim, Edit, CancelOrder, ConvertDraft, EditDraft,
    MakeProduct, DropProduct, ImportPart, MakeShippingOption, MakeRegion,
)  # fmt: skip


@pytest.fixture
async def broken(market: Market, carried: str) -> AsyncIterator[None]:
    Vault.reset()
    OfOrder.option = carried
    async with breakable(market.host):
        yield
        await bury()


async def over(market: Market, case: Case, until: float) -> str | None:
    """Wait until an execution is over; how it ended."""
    while True:
        rows = await market.host.workflows.list(workflow=case.workflow, limit=1000)
        mine = [row for row in rows if row["key"] == case.key]
        if not mine or mine[0]["state"] in ("done", "reverted", "failed"):
            return mine[0]["state"] if mine else None
        assert time.monotonic() < until, mine
        await asyncio.sleep(0.5)


async def again(case: Case, until: float) -> None:
    while True:
        try:
            await case.again()
            return
        except (Unavailable, Conflict):
            assert time.monotonic() < until, "it can't be asked again"
            await asyncio.sleep(0.5)


async def tried(case: Case, plan: Plan) -> str | None:
    """What is wrong after all, if something is."""
    name = f"{type(case).__name__} {plan.fault} at {plan.at}"
    said: Any = "not begun"
    try:
        await case.prepare()
        until = time.monotonic() + MINUTE
        said = await strike(case.market.host, plan, case.workflow, case.input, case.key)
        assert plan.sent, "it sent nothing"
        state = await over(case.market, case, until)
        assert state != "failed"
        await case.agree(done=state == "done")
        await again(case, until)
        assert await over(case.market, case, until) == "done"
        await case.agree(done=True)
    except (AssertionError, VelellaError, NotFound) as error:
        where = plan.sent[plan.at] if plan.at is not None and plan.at < len(plan.sent) else "?"
        wrong = f"{name} ({where}), which said {said!r}: {type(error).__name__} {error}"
        print("wrong:", wrong)
        return wrong
    return None


async def test_all_that_modules_keep_agrees_wherever_a_flow_is_hit(
    market: Market, store: Store, merchant: Store, broken: None, shed: str
) -> None:
    seed = int(os.environ.get("VELELLA_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    dice = random.Random(seed)
    plans: list[tuple[type[Case], int, Fault]] = []
    for kind in (kind for kind in CASES if WHERE in ("", "everywhere") or kind.__name__ in WHERE.split(",")):
        whole = Plan()
        assert await tried(kind(market, store, merchant), whole) is None
        assert kind.pivot is None or kind.pivot in whole.sent, (kind.__name__, whole.sent)
        if WHERE:
            plans += [(kind, at, fault) for at in range(len(whole.sent)) for fault in FAULTS]
        else:
            if kind.pivot is not None:
                pivot = whole.sent.index(kind.pivot)
                plans += [(kind, pivot, fault) for fault in dice.sample(FAULTS, 2)]
                asked = [at for at, name in enumerate(whole.sent) if name.startswith("provider.")]
                assert asked or not kind.pivot.startswith("payment."), (kind.__name__, whole.sent)
                if asked:
                    plans.append((kind, dice.choice(asked), dice.choice(("killed before", "killed after"))))
            plans += [(kind, dice.randrange(len(whole.sent)), dice.choice(FAULTS)) for _ in range(2)]
            plans += [(kind, whole.sent.index(name), fault) for name in kind.always for fault in AFTER]
    places = asyncio.Semaphore(AT_ONCE)

    async def one(kind: type[Case], at: int, fault: Fault) -> str | None:
        async with places:
            return await tried(kind(market, store, merchant), Plan(at, fault))

    wrong = [said for said in await asyncio.gather(*(one(*plan) for plan in plans)) if said is not None]
    print(len(plans), "faults")
    assert wrong == [], f"seed {seed}: {len(wrong)} of {len(plans)}\n" + "\n".join(wrong)
