"""Make one message of a durable flow fail, wherever it sends one: refused, its answer lost, or its coordinator killed there.

The flow is carried out by a coordinator of its own beside the shop's. Everything it sends goes through `Plan.through`: messages to modules,
statements of the engine, locks, and within the payment module requests to providers: that is, between recording and
booking. A first run counts them, so that a test can try them one by one without knowing the flow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from velella.actors.engine.coordinator import Coordinator
from velella.actors.host import Host
from velella.core.errors import Busy, PaymentOutcomeUnknown, ReplyLost, Unavailable, VelellaError
from velella.core.message import CallContext, call_context
from velella.modules.payment.provider import Ask
from velella.modules.payment.service import PaymentService

from ..carrier import Carrier

Fault = Literal["refused", "lost", "killed before", "killed after"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
SHARED = frozenset(("query", "linked_many"))
"""Reads through the cache of this process, whose answers others may wait for, too: a coordinator killed there dies with the next
message."""


@dataclass
class Plan:
    """What happens to one execution."""

    at: int | None = None
    """The number of the message that fails; None: none."""
    fault: Fault = "refused"
    sent: list[str] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    held: list[Any] = field(default_factory=list)
    """Locks that are held."""

    async def through(self, name: str, send: Callable[[], Awaitable[Any]], lost: type[VelellaError] = ReplyLost) -> Any:
        """`lost`: the sender's error where the answer is lost."""
        shared = name.rpartition(".")[2] in SHARED
        if self.dead.is_set():
            return await (send() if shared else _nothing_more())
        index = len(self.sent)
        self.sent.append(name)
        if index == self.at:
            if shared and self.fault in ("killed before", "killed after"):
                self.dead.set()
                return await send()
            match self.fault:
                case "refused":
                    raise Busy(f"{name} was refused", retry_after=1.0)
                case "lost":
                    await send()
                    raise lost(f"The answer of {name} was lost")
                case "killed after":
                    await send()
            self.dead.set()
            await _nothing_more()
        result = await send()
        if self.dead.is_set() and not shared:  # the process died meanwhile
            await _nothing_more()
        return result


_plan: ContextVar[Plan | None] = ContextVar("fault_plan", default=None)


_buried = asyncio.Event()


async def _nothing_more() -> None:
    """A dead process does nothing. `bury` ends its tasks."""
    await _buried.wait()
    raise asyncio.CancelledError


async def _through(name: str, send: Callable[[], Awaitable[Any]], lost: type[VelellaError] = ReplyLost) -> Any:
    plan = _plan.get()
    return await (send() if plan is None else plan.through(name, send, lost))


class _Locks:
    """The shop's locks. Those of a killed process end with their lease."""

    def __init__(self, locks: Any) -> None:
        self._locks = locks

    async def take(self, keys: tuple[str, ...], owner: str, *, wait: float, lease: float) -> Any:
        granted: list[Any] = []

        async def take() -> Any:
            granted.append(await self._locks.take(keys, owner, wait=wait, lease=lease))
            if (plan := _plan.get()) is not None:
                plan.held.extend(granted)
            return granted[0]

        try:
            return await _through("locks.take", take)
        except ReplyLost:
            self._locks._drop(granted[0])  # the answer is lost, so it isn't renewed
            raise

    async def give_back(self, held: Any) -> None:
        await _through("locks.give_back", lambda: self._locks.give_back(held))

    def forget(self, plan: Plan) -> None:
        for held in plan.held:
            self._locks._drop(held)


class _Database:
    """The engine's database."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._database, name)
        if name not in ("execute", "fetch", "fetch_one", "fetch_value"):
            return real

        async def sent(*args: Any) -> Any:
            return await _through(f"engine.{name}", lambda: real(*args))

        return sent


@asynccontextmanager
async def breakable(host: Host) -> AsyncIterator[None]:
    """Inside, messages to modules and requests to providers can be made to fail."""
    payment = host.services["payment"]
    assert isinstance(payment, PaymentService)
    ask = payment._asked

    async def asked(provider: str, what: Any, about: Ask) -> Any:
        return await _through(f"provider.{what}", lambda: ask(provider, what, about), lost=PaymentOutcomeUnknown)

    payment._asked = asked  # type: ignore[method-assign]
    carrier = host.services["fulfillment"].providers.get("carrier_c")
    assert isinstance(carrier, Carrier)
    ask_carrier = carrier.ask

    async def asked_carrier(what: str, do: Callable[[], None]) -> None:
        await _through(f"provider.{what}", lambda: ask_carrier(what, do), lost=Unavailable)

    carrier.ask = asked_carrier  # type: ignore[method-assign]
    before = {}
    for module, handle in vars(host.modules).items():
        before[module] = resolve = handle.__dict__["_resolve"]

        def breaking(service: str, method: str, resolve: Any = resolve) -> Any:
            send = resolve(service, method)

            async def sent(*args: Any, **kwargs: Any) -> Any:
                return await _through(f"{service}.{method}", lambda: send(*args, **kwargs))

            return sent

        _reset(handle, breaking)
    try:
        yield
    finally:
        del payment._asked, carrier.ask
        for module, handle in vars(host.modules).items():
            _reset(handle, before[module])


def _reset(handle: Any, resolve: Any) -> None:
    for name in [name for name in handle.__dict__ if not name.startswith("_")]:
        del handle.__dict__[name]
    handle.__dict__["_resolve"] = resolve


async def strike(host: Host, plan: Plan, workflow: str, input: dict[str, Any], key: str | None) -> Any:
    """Carry a workflow out by a coordinator of its own, with the plan. Returns a result, an error, or None if the
    coordinator was killed."""
    main = host.services["workflows"]
    assert isinstance(main, Coordinator)
    locks = _Locks(main._flows.locks)
    victim = Coordinator(replace(main._flows, locks=locks), _Database(host.database("engine")))  # type: ignore[arg-type]

    async def run() -> Any:
        _plan.set(plan)
        call_context.set(CallContext().within(25.0))
        return await victim.run(workflow, input, key)

    running, killed = asyncio.ensure_future(run()), asyncio.ensure_future(plan.dead.wait())
    await asyncio.wait({running, killed}, return_when=asyncio.FIRST_COMPLETED)
    killed.cancel()
    if plan.dead.is_set():
        locks.forget(plan)
        running.cancel()
        for active in victim._durable._active.values():
            active.run.abandoned = True
        victim._durable._stopping = True
        _dead.append(victim)
        return None
    error = running.exception()
    return error if error is not None else running.result()


_dead: list[Coordinator] = []


async def bury() -> None:
    """End the tasks of killed coordinators, which did nothing since."""
    _buried.set()
    tasks = [active.task for victim in _dead for active in victim._durable._active.values()]
    if tasks:
        await asyncio.wait(tasks, timeout=10.0)
    _dead.clear()
    _buried.clear()
