"""What a workflow's function and its steps work with."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from ..clock import utc_now
from ..errors import UnexpectedState
from ..graph.graph import Graph
from ..settings import Settings
from .definitions import Retry, Step, Workflow
from .journal import Entry, Journal
from .reading import Ask, Reader, ReadModules

M = TypeVar("M")
"""The handles of the modules: `velella.modules.Modules` in the shop's own workflows."""
P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")

Work = Step[P, R] | Workflow[P, R]
Some = Step[..., A] | Workflow[..., A]


class FlowLock(Protocol):
    """A lock while it is held."""

    @property
    def lost(self) -> bool:
        """Whether the lease could not be renewed: another owner may hold the key by now."""


class Calls(Protocol):
    """Starts and joins durable workflows."""

    async def __call__(self, workflow: str, input: dict[str, Any], key: str | None, joined: str | None = None) -> Any:
        """The result of the execution with that key, started here or joined. Raises the error it failed with; GoesOn while it is
        running, which says by its `execution` which one that is, if it is known.

        `joined`: the execution that the caller has waited for before. That one's result, or error, is given, for as long as it is kept,
        unless it has failed and another one runs, or has succeeded, by now.
        """


class Starts(Protocol):
    """Starts durable workflows without waiting for them."""

    async def __call__(self, workflow: str, input: dict[str, Any], key: str | None, /) -> str:
        """The id of the execution with that key, started now or before."""


class Locks(Protocol):
    """Takes and releases locks."""

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> FlowLock:
        """Take the lock of a key. Raises NotLocked after `wait` seconds. The lease is renewed until `give_back`."""

    async def give_back(self, held: Any) -> None:
        """Release what `take` returned. A lock that is lost already is left alone."""


@dataclass(frozen=True)
class FlowContext:
    """What the engine hands to flows."""

    modules: Any
    """One handle for each module, by its name."""
    graph: Graph
    settings: Settings
    locks: Locks
    clock: Callable[[], datetime] = utc_now
    call: Calls | None = None
    start: Starts | None = None
    """None: no durable workflow can be called or started from here."""
    wants: Callable[[str], bool] = lambda _: False
    """Whether an event has a subscriber in the shop."""


class Beyond(Protocol):
    """What an execution has to do with what isn't part of it (`Outside`)."""

    async def call(
        self, workflow: Workflow[..., Any], path: str, key: str | None, retry: Retry | None, input: dict[str, Any], /
    ) -> Any: ...
    async def start(self, flow: Flow[Any], workflow: Workflow[..., Any], path: str, key: str | None, input: dict[str, Any], /) -> str: ...
    async def sleep(self, path: str, seconds: float, /) -> None: ...


class Runs(Protocol):
    """Carries out one attempt at an execution (`Run`)."""

    @property
    def id(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def context(self) -> FlowContext: ...
    @property
    def journal(self) -> Journal | None: ...
    @property
    def outside(self) -> Beyond: ...
    async def read(self, at: str, name: str, digest: str, ask: Ask, /) -> Any: ...
    def work(
        self, flow: Flow[Any], work: Some[Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any], /
    ) -> Coroutine[Any, Any, Any]: ...
    async def parallel(self, flow: Flow[Any], calls: Sequence[tuple[Some[Any], str, tuple[Any, ...]]], /) -> tuple[Any, ...]: ...
    def answer(self, flow: Flow[Any], value: Any, at_once: Any, /) -> None: ...
    def durably(self, workflow: Workflow[..., Any], /) -> None: ...
    async def lock(self, key: str, wait: float, lease: float, /) -> FlowLock: ...
    async def unlock(self, key: str, /) -> None: ...


class Flow(Generic[M]):
    """One running workflow, as seen from its function or from one of its steps."""

    __slots__ = ("_count", "_given", "_run", "events", "graph", "modules", "path", "step", "undo", "workflow")

    def __init__(self, run: Runs, workflow: Workflow[..., Any], path: str, step: Step[..., Any] | None = None) -> None:
        self._run = run
        self._count = 0
        self._given: tuple[tuple[Any, ...], dict[str, Any]] = (), {}
        self.undo: list[Entry] = []
        self.events: list[tuple[str, dict[str, Any]]] | None = None
        self.workflow = workflow
        self.path = path
        """The position in the execution: `3` is the third step, `3.1` the first of the sub-workflow there."""
        self.step = step
        """The step, where this is the flow as a step sees it."""
        context = run.context
        self.modules: M = context.modules
        """One handle for each module. The function of a durable workflow reads by them, and the answers are recorded. Steps write, too."""
        self.graph: Graph = context.graph
        """Queries across modules."""
        if run.journal is not None and step is None:  # a repeated run must get the same answers in the function
            self.modules = cast("M", ReadModules(path, self.modules, run.read))
            self.graph = cast("Graph", Reader(path, "graph", self.graph, run.read))

    # -- what there is to work with

    @property
    def execution_id(self) -> str:
        return self._run.id

    @property
    def idempotency_key(self) -> str:
        """`execution:step`: the same however often this step is run. To be passed to third parties, so that a repeated request counts
        once."""
        return f"{self._run.id}:{self.path}"

    @property
    def settings(self) -> Settings:
        return self._run.context.settings

    @property
    def input(self) -> dict[str, Any]:
        """What this workflow was run with, by the names of its parameters."""
        args, kwargs = self._given
        return self.workflow.bind(*args, **kwargs)

    @property
    def started_at(self) -> datetime:
        """When the execution began, UTC. The same in a repeated run."""
        return self._run.started_at

    def now(self) -> datetime:
        """The time, UTC. For the function of a durable workflow it stands still at `started_at`."""
        run = self._run
        return run.started_at if run.journal is not None and self.step is None else run.context.clock()

    # -- what can be done

    def run(self, work: Work[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Run a step, or another workflow as part of this one, to be undone together with it. A durable workflow with a key must be
        called instead."""
        return self._run.work(self, work, self._next(), args, kwargs)

    # fmt: off
    @overload
    async def parallel(self, a: tuple[Some[A], *tuple[Any, ...]], /) -> tuple[A]: ...
    @overload
    async def parallel(self, a: tuple[Some[A], *tuple[Any, ...]], b: tuple[Some[B], *tuple[Any, ...]], /) -> tuple[A, B]: ...
    @overload
    async def parallel(
        self, a: tuple[Some[A], *tuple[Any, ...]], b: tuple[Some[B], *tuple[Any, ...]], c: tuple[Some[C], *tuple[Any, ...]], /
    ) -> tuple[A, B, C]: ...
    @overload
    async def parallel(
        self, a: tuple[Some[A], *tuple[Any, ...]], b: tuple[Some[B], *tuple[Any, ...]], c: tuple[Some[C], *tuple[Any, ...]],
        d: tuple[Some[D], *tuple[Any, ...]], /
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def parallel(
        self, a: tuple[Some[A], *tuple[Any, ...]], b: tuple[Some[B], *tuple[Any, ...]], c: tuple[Some[C], *tuple[Any, ...]],
        d: tuple[Some[D], *tuple[Any, ...]], e: tuple[Some[E], *tuple[Any, ...]], /
    ) -> tuple[A, B, C, D, E]: ...
    @overload
    async def parallel(
        self, a: tuple[Some[A], *tuple[Any, ...]], b: tuple[Some[B], *tuple[Any, ...]], c: tuple[Some[C], *tuple[Any, ...]],
        d: tuple[Some[D], *tuple[Any, ...]], e: tuple[Some[E], *tuple[Any, ...]], f: tuple[Some[F], *tuple[Any, ...]], /
    ) -> tuple[A, B, C, D, E, F]: ...
    @overload
    async def parallel(self, *calls: tuple[Some[A], *tuple[Any, ...]]) -> tuple[A, ...]: ...
    # fmt: on
    async def parallel(self, *calls: tuple[Any, ...]) -> Any:
        """Run several at once: `order, _ = await flow.parallel((create_order, cart), (reserve_stock, cart))`.

        Waits for all of them, also when one fails: then it raises the first error, and those that succeeded are undone.
        """
        return await self._run.parallel(self, [(work, self._next(), tuple(args)) for work, *args in calls])

    async def call(self, workflow: Workflow[P, R], /, key: str | None = None, *, retry: Retry | None = None, **input: Any) -> R:
        """Carry out a durable workflow as an execution of its own, once for its key, and return its result.

        The execution is started here, or joined where it is running or finished. It is never undone by its caller. `key`:
        by default the value of the parameter that the workflow's own `key` names, else this position in this execution. While it is
        running, a durable caller waits in the table; a short caller gets GoesOn. The caller must hold no lock that the workflow takes.
        `retry`: when a durable caller has it carried out again that failed other than by a refusal, as of a step; by default its first
        failure is final.

        Raises the error that the workflow failed with, after it was undone.
        """
        result: R = await self._run.outside.call(workflow, self._next(), key, retry, input)
        return result

    async def start(self, workflow: Workflow[P, R], /, key: str | None = None, **input: Any) -> str:
        """Start a durable workflow as an execution of its own, without waiting for it. Returns its transaction: its key, or else its id.

        Of all starts with one key one is carried out, while it runs and for the workflow's retention; `key` is by default the value of the
        parameter that the workflow's own `key` names. Without a key, one is started for this place of this flow. In a durable flow it is
        written down when this returns, with the journal, and a flow that isn't durable becomes so. What a subscriber starts begins in the
        statement that settles the event: exactly once, and not if the subscriber fails.

        It isn't taken back when this flow fails later: what may not outlive a failure belongs into a sub-workflow (`run`).
        """
        return await self._run.outside.start(self, workflow, self._next(), key, input)

    async def sleep(self, seconds: float) -> None:
        """Wait in the table, for seconds or months, without a process, a lock or a connection. In the function of a durable workflow.

        Afterwards its function is run again from the top, by any coordinator. Callers that wait for its result meanwhile get GoesOn.
        """
        await self._run.outside.sleep(self._next(), seconds)

    def answer(self, value: Any, *, at_once: Any = None) -> None:
        """Set the result of this durable workflow once its pivot has succeeded: waiting callers get it even if the remaining steps must be
        repeated for days. The function's own return value no longer counts. Not inside of a sub-workflow.

        `at_once`: the result for the caller that started this execution and is waiting, with more that is in memory. It isn't
        recorded, so it may be large."""
        self._outside_of_steps()
        self._run.answer(self, value, at_once)

    def durably(self) -> None:
        """Declare that this flow writes more than once from here on, or must be undone or finished after a crash for another reason. To be
        called before the first write. A short flow starts again as a durable one; in a durable one nothing happens."""
        self._outside_of_steps()
        self._run.durably(self.workflow)

    @property
    def hooks(self) -> Hooks:
        """Named places for an application's own steps: `await flow.hooks.validate(cart=cart)` gives the list of what they returned.

        A handler takes those of the named arguments that it wants. It is always offered the `input` of the workflow, and the
        `additional_data` in it. An argument that is a function without parameters, async or not, is called only for a handler that takes
        it.
        """
        return Hooks(self)

    def emit(self, event: str, /, **data: Any) -> None:
        """Send an event to its subscribers once the whole execution has succeeded. An execution that fails sends none.

        A workflow that isn't durable names its events (`emits`): if one of them has a subscriber, it is carried out as a durable
        one, so that no event is lost.
        """
        if not self.workflow.may_emit(event):
            raise UnexpectedState(f"The workflow {self.workflow.name} doesn't say that it emits {event}.")
        self.keep_events([(event, data)])

    def lock(self, key: str, *, wait: float = 10.0, lease: float = 10.0) -> AbstractAsyncContextManager[FlowLock]:
        """Hold a lock: `async with flow.lock(f"cart:{cart_id}")`. Raises Conflict if it can't be had within `wait` seconds and
        somebody waits for this flow. A durable flow that nobody waits for (a job, what was started or taken up again, what such a flow
        calls) tries again, for a day.

        It waits in the table meanwhile, between a second and a minute. The locks that it holds already are given back then: where anything
        was read or done under them it gets the Conflict after all. So a flow takes all its locks before it looks at what they are about.

        A key that this execution holds already isn't taken again: sub-workflows may ask for the locks of the flow they are part of. If the
        block fails, the lock is held until the block has been undone. A flow that needs two locks nests them, everywhere in the same
        order.

        A lock makes changes take turns; it doesn't make them right. After a lost lease two flows may run at once: the guards in the
        database decide.
        """
        return _Locking(self._run, key, wait, lease)

    # -- inside

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note what the workflow is run with."""
        self._given = args, kwargs

    def keep_events(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        if self.events is None:
            self.events = []
        self.events.extend(events)

    def _next(self) -> str:
        """The position of the next call. Raises UnexpectedState in a step."""
        if self.step is not None:
            self._outside_of_steps()
        self._count += 1
        return f"{self.path}.{self._count}" if self.path else str(self._count)

    def _outside_of_steps(self) -> None:
        if self.step is not None:
            raise UnexpectedState(
                f"The step {self.step.name} runs another step: only workflows do. Call it as a function, or make this one a workflow."
            )


class _Locking:
    """Holds a lock for a flow."""

    __slots__ = ("_key", "_lease", "_run", "_wait")

    def __init__(self, run: Runs, key: str, wait: float, lease: float) -> None:
        self._run = run
        self._key = key
        self._wait = wait
        self._lease = lease

    async def __aenter__(self) -> FlowLock:
        return await self._run.lock(self._key, self._wait, self._lease)

    async def __aexit__(self, cause: type[BaseException] | None, *_: object) -> None:
        if cause is None:  # when the block fails, the run releases the lock after the undo
            await self._run.unlock(self._key)


class Hooks:
    """The hooks of a workflow, by name."""

    __slots__ = ("_flow",)

    def __init__(self, flow: Flow[Any]) -> None:
        self._flow = flow

    def __getattr__(self, name: str) -> Callable[..., Awaitable[list[Any]]]:
        flow = self._flow
        known = flow.workflow.hooks
        if known is not None and name not in known:
            raise AttributeError(f"The workflow {flow.workflow.name} names no hook {name}")

        handlers = flow.workflow.handlers.get(name)
        if not handlers:
            return _nothing

        async def call(*args: Any, **offered: Any) -> list[Any]:
            given = flow.input
            offered = {"input": given, "additional_data": given.get("additional_data"), **offered}
            return [await flow.run(handler, *args, **await _taken(handler, len(args), offered)) for handler in handlers]

        return call


async def _taken(handler: Step[..., Any], after: int, offered: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a handler asks for by their names, beside the first ones that it gets by position."""
    names = handler.takes(after)
    for name in offered if names is None else names & offered.keys():
        if inspect.isfunction(offered[name]):
            value = offered[name]()
            offered[name] = await value if inspect.isawaitable(value) else value
    return offered if names is None else {name: offered[name] for name in names & offered.keys()}


async def _nothing(*_: Any, **__: Any) -> list[Any]:
    """A hook without handlers."""
    return []


__all__ = ["Flow", "FlowContext", "FlowLock", "Hooks", "Locks"]
