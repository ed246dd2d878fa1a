"""Whatever carriers and banks do when an order is sent, taken back, refunded or called off: nothing is doubled, nothing is lost, and all
ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pytest

from velella.core.errors import VelellaError
from velella.core.message import CallContext, call_context

from ..carrier import Carrier
from ..tricks import Trick as CarrierTrick
from ..vault import Trick, Vault
from .conftest import Market, Store
from .fault_cases import Capture, Case, Refund
from .fault_cases_orders import AskBack, CallOff, CancelOrder, Claim, OfOrder, Send
from .test_faults_everywhere import MINUTE, again, over


@pytest.fixture(autouse=True)
def impatient(market: Market, carried: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A shop that waits for no provider for long."""
    Vault.reset()
    OfOrder.option = carried
    for kind in ("payment", "fulfillment"):
        monkeypatch.setattr(market.host.settings, f"{kind}_provider_timeout", 0.4)
    yield
    Vault.come_back()


async def begun(case: Case) -> object:
    """Begin it, as somebody who waits for two seconds; what is heard."""
    call_context.set(CallContext().within(2.0))
    try:
        return await case.market.host.workflows.run(case.workflow, case.input, case.key)
    except (VelellaError, TimeoutError) as error:
        return error


async def ends(case: Case, heard: object) -> None:
    """It is as if it was done, or as if it wasn't; whoever asks again gets it done."""
    until = time.monotonic() + MINUTE
    state = await over(case.market, case, until)
    assert state in ("done", "reverted"), (type(case), state, heard)
    await case.agree(done=state == "done")
    await again(case, until)
    assert await over(case.market, case, until) == "done"
    await case.agree(done=True)


async def meet(cases: Sequence[Case], provider: type[Carrier | Vault], tricks: dict[str, Any]) -> list[object]:
    """Carry them out while a provider plays tricks, which then comes back. What was heard of each."""
    await asyncio.gather(*(case.prepare() for case in cases))
    provider.tricks.update(tricks)
    heard = await asyncio.gather(*(asyncio.create_task(begun(case)) for case in cases))
    provider.come_back()
    await asyncio.gather(*(ends(case, each) for case, each in zip(cases, heard, strict=True)))
    return heard


@pytest.mark.parametrize("trick", get_args(CarrierTrick))
async def test_whatever_a_carrier_does_its_books_are_those_of_the_order(
    market: Market, store: Store, merchant: Store, trick: CarrierTrick
) -> None:
    cases = [kind(market, store, merchant) for kind in (Send, CallOff, AskBack, Claim)]
    heard = await meet(cases, Carrier, dict.fromkeys(("create", "create_return", "cancel"), trick))
    if trick == "refuses":
        assert [str(each) for each in heard] == ["the carrier refuses"] * len(cases)


@pytest.mark.parametrize("trick", ["lost", "dark", "hangs", "late", "broken", "refuses"])
async def test_whatever_a_bank_does_money_is_taken_and_given_back_once(market: Market, store: Store, merchant: Store, trick: Trick) -> None:
    cases = [kind(market, store, merchant) for kind in (Capture, Refund, CancelOrder)]
    heard = await meet(cases, Vault, dict.fromkeys(("capture", "refund"), trick))
    if trick == "refuses":
        assert [str(each) for each in heard] == ["the vault refuses"] * len(cases)
