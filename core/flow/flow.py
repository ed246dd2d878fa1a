"""What a workflow's function and its steps work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from ..clock import utc_now
from ..errors import UnexpectedState
from ..graph.graph import Graph
from ..settings import Settings
from .definitions import Step, Workflow
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


class Held(Protocol):
    """A lock while it is held."""

    @property
    def lost(self) -> bool:
        """Whether the lease could not be renewed: somebody else may hold the key by now."""


class Calls(Protocol):
    """Where durable workflows are begun and joined."""

    async def __call__(self, workflow: str, input: dict[str, Any], key: str | None) -> Any:
        """The result of the execution of that key, begun here or joined. Raises what it failed with; GoesOn while it isn't over."""


class Starts(Protocol):
    """Where durable workflows are begun without waiting for them."""

    async def __call__(self, workflow: str, input: dict[str, Any], key: str | None, /) -> str:
        """The id of the execution of that key, begun here or before."""


class Locks(Protocol):
    """Where locks come from."""

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> Held:
        """The key, or Conflict after `wait` seconds. It is kept by renewing the lease until `give_back`."""

    async def give_back(self, held: Any) -> None:
        """Release what `take` gave. What is lost already is left alone."""


@dataclass(frozen=True)
class FlowContext:
    """What the engine hands to flows."""

    modules: Any
    """One handle a module, by its name."""
    graph: Graph
    settings: Settings
    locks: Locks
    clock: Callable[[], datetime] = utc_now
    call: Calls | None = None
    start: Starts | None = None
    """None: no durable workflow can be called or started from here."""
    wants: Callable[[str], bool] = lambda _: False
    """Whether anybody in the shop subscribes to an event."""


class Runs(Protocol):
    """What carries a flow out: one attempt at an execution (`Run`)."""

    @property
    def id(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def context(self) -> FlowContext: ...
    @property
    def journal(self) -> Journal | None: ...
    async def read(self, at: str, name: str, digest: str, ask: Ask, /) -> Any: ...
    def work(
        self, flow: Flow[Any], work: Some[Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any], /
    ) -> Coroutine[Any, Any, Any]: ...
    async def parallel(self, flow: Flow[Any], calls: Sequence[tuple[Some[Any], str, tuple[Any, ...]]], /) -> tuple[Any, ...]: ...
    async def call(self, flow: Flow[Any], workflow: Workflow[..., Any], path: str, key: str | None, input: dict[str, Any], /) -> Any: ...
    async def start(self, flow: Flow[Any], workflow: Workflow[..., Any], path: str, key: str | None, input: dict[str, Any], /) -> str: ...
    async def sleep(self, flow: Flow[Any], path: str, seconds: float, /) -> None: ...
    def answer(self, flow: Flow[Any], value: Any, at_once: Any, /) -> None: ...
    def durably(self, workflow: Workflow[..., Any], /) -> None: ...
    async def lock(self, key: str, wait: float, lease: float, /) -> Held: ...
    async def unlock(self, key: str, /) -> None: ...


class Flow(Generic[M]):
    """One running workflow, as seen from its function or from one of its steps."""

    __slots__ = ("_count", "_run", "events", "graph", "modules", "path", "step", "undo", "workflow")

    def __init__(self, run: Runs, workflow: Workflow[..., Any], path: str, step: Step[..., Any] | None = None) -> None:
        self._run = run
        self._count = 0
        self.undo: list[Entry] = []
        self.events: list[tuple[str, dict[str, Any]]] | None = None
        self.workflow = workflow
        self.path = path
        """Where in the execution this is: `3` is the third step, `3.1` the first of the sub-workflow there."""
        self.step = step
        """The step, where this is the flow as a step sees it."""
        context = run.context
        self.modules: M = context.modules
        """One handle a module. The function of a durable workflow reads by them: what it was answered is kept. Steps write, too."""
        self.graph: Graph = context.graph
        """Queries across modules."""
        if run.journal is not None and step is None:  # run again, the function of a durable workflow has to get the same answers
            self.modules = cast("M", ReadModules(path, self.modules, run.read))
            self.graph = cast("Graph", Reader(path, "graph", self.graph, run.read))

    # -- what there is to work with

    @property
    def execution_id(self) -> str:
        return self._run.id

    @property
    def idempotency_key(self) -> str:
        """`execution:step`: the same however often this step is run. What third parties are told, to ask for one thing once."""
        return f"{self._run.id}:{self.path}"

    @property
    def settings(self) -> Settings:
        return self._run.context.settings

    @property
    def started_at(self) -> datetime:
        """When the execution began, UTC: the same when it is run again."""
        return self._run.started_at

    def now(self) -> datetime:
        """The time, UTC. For the function of a durable workflow it stands still at `started_at`."""
        run = self._run
        return run.started_at if run.journal is not None and self.step is None else run.context.clock()

    # -- what can be done

    def run(self, work: Work[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Run a step, or another workflow as part of this one: then it is undone together with this one. A durable one that has a key is
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

        All are waited for, also when one fails: then the first error is raised, and those that succeeded are undone.
        """
        return await self._run.parallel(self, [(work, self._next(), tuple(args)) for work, *args in calls])

    async def call(self, workflow: Workflow[P, R], /, key: str | None = None, **input: Any) -> R:
        """Have a durable workflow carried out by itself, once for its key, and give its result.

        It is an execution of its own: begun here or joined where it runs already, or is done. It is never undone by who called it. `key`:
        by default what the workflow's own `key` names, else this place of this execution. While it isn't over, a durable caller waits in
        the table; a short one hears of it by GoesOn. Hold no lock that it takes.

        Raises what it failed with, after it was undone.
        """
        result: R = await self._run.call(self, workflow, self._next(), key, input)
        return result

    async def start(self, workflow: Workflow[P, R], /, key: str | None = None, **input: Any) -> str:
        """Have a durable workflow carried out by itself, once for its key, and don't wait for it. The id of its execution.

        `key` as in `call`. Where one with that key is there, or was within the workflow's retention, that one is it.
        """
        return await self._run.start(self, workflow, self._next(), key, input)

    async def sleep(self, seconds: float) -> None:
        """Wait in the table, for seconds or months: no process, no lock and no connection is kept. In the function of a durable workflow.

        Afterwards its function is run again from the top, by any coordinator. Who waits for its result meanwhile hears GoesOn.
        """
        await self._run.sleep(self, self._next(), seconds)

    def answer(self, value: Any, *, at_once: Any = None) -> None:
        """Say what the result of this durable workflow is, once its pivot has succeeded: whoever waits for it has it, also where what is
        left to do has to be repeated for days. The function's own return value no longer counts. Not inside of a sub-workflow.

        `at_once`: what the one hears instead who has begun this execution and waits for it: the result with more that is in hand. It isn't
        kept, so it may be large."""
        self._outside_of_steps()
        self._run.answer(self, value, at_once)

    def durably(self) -> None:
        """Say that this flow writes more than once from here on, or is to be undone or finished after a crash for another reason: to be
        called before the first write. A short one is begun anew as a durable one; in a durable one nothing happens."""
        self._outside_of_steps()
        self._run.durably(self.workflow)

    @property
    def hooks(self) -> Hooks:
        """Named places for an application's own steps: `await flow.hooks.validate(cart)` gives the list of what they returned."""
        return Hooks(self)

    def emit(self, event: str, /, **data: Any) -> None:
        """Tell subscribers, once the whole execution has succeeded. What fails tells nothing.

        A workflow that isn't durable names its events (`emits`): where somebody subscribes to one of them it is carried out as a durable
        one, so that none is lost.
        """
        if not self.workflow.may_emit(event):
            raise UnexpectedState(f"The workflow {self.workflow.name} doesn't say that it emits {event}.")
        self.keep_events([(event, data)])

    def lock(self, key: str, *, wait: float = 10.0, lease: float = 10.0) -> AbstractAsyncContextManager[Held]:
        """Hold a lock: `async with flow.lock(f"cart:{cart_id}")`. Raises Conflict when it can't be had within `wait` seconds.

        A key that this execution holds already isn't taken again: sub-workflows may ask for the locks of those they are part of. When what
        is inside fails, the lock is kept until it has been undone. Whoever needs two takes them one in the other, everywhere in the same
        order.

        A lock makes changes take turns; it doesn't make them right. After a lost lease two may run at once: the guards in the
        database decide.
        """
        return _Locking(self._run, key, wait, lease)

    # -- inside

    def keep_events(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        if self.events is None:
            self.events = []
        self.events.extend(events)

    def _next(self) -> str:
        """The place of what is done next. Raises UnexpectedState in a step."""
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
    """The time for which a flow holds a lock."""

    __slots__ = ("_key", "_lease", "_run", "_wait")

    def __init__(self, run: Runs, key: str, wait: float, lease: float) -> None:
        self._run = run
        self._key = key
        self._wait = wait
        self._lease = lease

    async def __aenter__(self) -> Held:
        return await self._run.lock(self._key, self._wait, self._lease)

    async def __aexit__(self, cause: type[BaseException] | None, *_: object) -> None:
        if cause is None:  # when what is inside fails, the run gives it back after it has been undone
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

        async def call(*args: Any, **kwargs: Any) -> list[Any]:
            return [await flow.run(handler, *args, **kwargs) for handler in handlers]

        return call


async def _nothing(*_: Any, **__: Any) -> list[Any]:
    """A hook where nobody has added anything."""
    return []


__all__ = ["Flow", "FlowContext", "Held", "Hooks", "Locks"]
