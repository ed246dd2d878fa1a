"""What flows are made of: workflows, steps, hooks and subscribers, and how they are found by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints, overload

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import InvalidData, Misconfigured, NotAllowed, NotFound
from ..settings import Settings
from .schedule import Missed, Schedule

P = ParamSpec("P")
R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

Undo = Callable[[Any, R_contra], Awaitable[object]]
"""(flow, what the step returned): undoes the step. May be called again after it failed or was interrupted."""
StepFunction = Callable[Concatenate[Any, P], Awaitable[R]]
"""Its first parameter is the flow: a `Flow`, whose class is in a file that imports this one."""

HOUR = 3600.0
THREE_DAYS = 72 * HOUR


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as subscribers receive it."""

    id: str
    name: str
    data: dict[str, Any]
    created_at: datetime


SubscriberFunction = Callable[[Any, Event], Awaitable[object]]
"""(flow, event)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """When a step is tried again that failed other than by a refusal (4xx). Between two attempts the execution waits in the table, for
    minutes or days: it keeps no process, no lock and no connection."""

    interval: float = 1.0
    """Seconds before the second attempt."""
    factor: float = 2.0
    """The ratio of each pause to the one before."""
    most: float = 300.0
    """The longest pause, in seconds."""
    during: float | None = None
    """Seconds after the first failure from which on a failure is final and the flow fails with it. None: the step is tried for ever.
    Beyond the point of no return no failure is final."""

    times: int | None = None
    """Attempts after the first one of which the last failure is final, like `during`. None: any number."""

    def pause(self, failures: int) -> float:
        """Seconds before the next attempt, after this many failures."""
        return min(self.most, self.interval * self.factor ** min(failures - 1, 64))


@dataclass(frozen=True, slots=True)
class Waits:
    """That a step is over when somebody outside says so: by a route (`POST /admin/workflows-executions/…/steps/success`), or by
    `workflows.set_step_success`. Until then the execution waits in the table.

    The step's function asks for it, under `flow.idempotency_key`; what it returns is for the step's undo, which is also called when the
    answer is that it failed, or doesn't come. `flow.run` gives the answer.
    """

    timeout: float | None = None
    """Seconds after which it isn't waited for any more: the step fails with NotAnswered. None: it is waited for ever."""


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[P, R]):
    """One step of a flow. Run by `flow.run` and `flow.parallel`; called directly, it is part of the step that calls it."""

    name: str
    """The name that operators see: `reserve-stock`."""
    function: StepFunction[P, R]
    undo: Undo[Any] | None = None
    timeout: float | None = None
    """Seconds for one attempt."""
    retries: int = 0
    """Attempts after the first one failed. A refusal (4xx) is never tried again."""
    reads: bool = False
    """Changes nothing."""
    pivot: bool = False
    """The point of no return of a durable flow: see the package's docstring."""
    retry: Retry | None = None
    """How the step is tried again when its immediate attempts (`retries`) have failed. Durable flows only; None: the flow fails."""

    waits: Waits | None = None
    """Durable flows only: the step waits for the outside after its function is done."""

    @property
    def reference(self) -> str:
        """The name under which the step is found again after a crash."""
        return f"{self.function.__module__}:{self.function.__qualname__}"

    def takes(self, after: int) -> frozenset[str] | None:
        """The names of its parameters behind the flow and this many others; None: any."""
        parameters = list(inspect.signature(self.function).parameters.values())
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return None
        return frozenset(parameter.name for parameter in parameters[1 + after :] if parameter.kind is not parameter.VAR_POSITIONAL)

    def __call__(self, flow: Any, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return self.function(flow, *args, **kwargs)


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """A function that an application adds at a named place of a workflow."""

    workflow: str
    name: str
    step: Step[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Workflow(Generic[P, R]):
    """A named flow. Run by `flow.run` inside another flow, by the coordinator (`workflows.run`) from outside."""

    name: str
    function: StepFunction[P, R]
    durable: bool = False
    timeout: float | None = None
    """Seconds for one run of the function; then it fails with DeadlineExceeded and is undone. Default: short flows have the time of the
    request they belong to, durable ones two minutes."""
    retries: int = 0
    """How often the whole flow is run again after it failed (other than by a refusal) and everything was undone. A short flow isn't run
    again where it is unknown whether its write was done."""
    key: str | None = None
    """The parameter whose value names the execution of a durable flow: of all starts with one key, one is carried out, and all get its
    result."""
    hooks: tuple[str, ...] | None = None
    """Names of its hooks; None: any. With the names given, a handler for a hook that doesn't exist is detected."""
    retention: float = HOUR
    """Seconds for which a finished durable execution answers repeated starts, and can be looked at. Default: three days where starts can
    be repeated under a key, else an hour."""
    by_hand: bool = False
    """Whether a merchant may run it by its name with any input. Only for workflows that rely on no check of a route (who the caller is,
    what is in a row): they must look up and check in the shop everything that they are given."""
    every: float | None = None
    """Each coordinator runs it about every this many seconds, without input. Only for short workflows that may run concurrently."""
    emits: tuple[str, ...] | None = None
    """The events that it emits; None: any."""
    schedule: Schedule | None = None
    """When it begins by itself, without input: see `job`."""
    once: bool = False
    """Whether it begins by itself, without input, until it is done once in the shop: see `once`."""
    handlers: dict[str, list[Step[..., Any]]] = field(default_factory=dict, repr=False)
    """Hook → the handlers of applications, in the order of registration."""
    _signature: list[inspect.Signature] = field(default_factory=list, repr=False)

    def __call__(self, flow: Any, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return self.function(flow, *args, **kwargs)

    def outlives(self, wants: Callable[[str], bool]) -> bool:
        """Whether every run of it has to be finished or undone after a crash: it is durable, or a handler of an application writes, or
        one of its events has a subscriber (`wants`), which would be lost."""
        if self.durable or (self.emits and any(map(wants, self.emits))):
            return True
        return bool(self.handlers) and any(not handler.reads for handlers in self.handlers.values() for handler in handlers)

    def may_emit(self, event: str) -> bool:
        return self.durable or self.emits is None or event in self.emits

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The arguments by name: the input of `workflows.run`. Raises TypeError like a call would."""
        if not args:
            return dict(kwargs)
        if not self._signature:
            parameters = list(inspect.signature(self.function).parameters.values())[1:]
            self._signature.append(inspect.Signature(parameters))
        return dict(self._signature[0].bind(*args, **kwargs).arguments)

    def check_by_hand(self, input: Mapping[str, Any], key: str | None) -> None:
        """Check that a merchant may run it with these arguments, under this key.

        Raises:
            NotAllowed: it isn't `by_hand`.
            InvalidData: it doesn't take these arguments, by name or by type; or one of its arguments is its key, and `key` is another:
                a caller that waits for that key would get this execution's result.
        """
        if not self.by_hand:
            raise NotAllowed(f"The workflow {self.name} can't be run by hand: it is part of what routes of the API do.")
        try:
            inspect.signature(self.function).bind(None, **input)
            hints = get_type_hints(self.function)
            for name, value in input.items():
                TypeAdapter(hints[name], config=ConfigDict(strict=True)).validate_python(value)
        except (TypeError, ValidationError) as error:
            said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            raise InvalidData(f"The workflow {self.name} can't be run with this input: {said}") from None
        own = self.key_of(input)
        if own is not None and key not in (None, own):
            raise InvalidData(f"The transaction of the workflow {self.name} is called {own}, by its input, not {key}")

    def key_of(self, input: Mapping[str, Any]) -> str | None:
        """The key that an input stands for; None where every start is an execution of its own."""
        value = input.get(self.key) if self.key is not None else None
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Subscriber:
    """A function that is called after an event: at least once for each event, later than the flow that emitted it.

    Its writes are recorded under the event's id, so an event that is delivered twice changes things once.
    """

    name: str
    events: tuple[str, ...]
    function: SubscriberFunction
    when: Callable[[Settings], bool] = lambda _: True
    """Whether a shop with these settings wants it. What it doesn't want costs nothing: no event is kept for it."""


_workflows: dict[str, Workflow[..., Any]] = {}
_steps: dict[str, Step[..., Any]] = {}
_subscribers: dict[str, Subscriber] = {}
_hooks: list[Hook] = []


def workflow(
    name: str,
    *,
    durable: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    key: str | None = None,
    hooks: tuple[str, ...] | None = None,
    retention: float | None = None,
    by_hand: bool = False,
    every: float | None = None,
    emits: tuple[str, ...] | None = (),
    schedule: Schedule | None = None,
    once: bool = False,
) -> Callable[[StepFunction[P, R]], Workflow[P, R]]:
    """Make a function a workflow and register it under its name. See `Workflow` for what the options mean."""

    def make(function: StepFunction[P, R]) -> Workflow[P, R]:
        known = _workflows.get(name)
        if known is not None and _place(known.function) != _place(function):
            raise Misconfigured(f"Two workflows are called {name}: in {known.function.__module__} and {function.__module__}.")
        if key is not None and key not in inspect.signature(function).parameters:
            raise Misconfigured(f"The workflow {name} has no parameter {key} to take its key from.")
        if every is not None and durable:
            raise Misconfigured(f"The workflow {name} runs every {every:g} s: a short one does, and begins durable ones (flow.start).")
        kept = retention if retention is not None else THREE_DAYS if key is not None or by_hand else HOUR
        if schedule is not None and not durable:
            raise Misconfigured(f"The workflow {name} has a schedule, so it has to be durable: a tick outlives the process that begins it.")
        if schedule is not None and len(inspect.signature(function).parameters) != 1:
            raise Misconfigured(f"The workflow {name} has a schedule, so it takes a flow, and nothing else.")
        made = Workflow(name, function, durable, timeout, retries, key, hooks, kept, by_hand, every, emits, schedule, once)
        for hook in _hooks:
            if hook.workflow == name:
                _attach(made, hook)
        _workflows[name] = made
        return made

    return make


def job(
    cron: str,
    *,
    name: str | None = None,
    time_zone: str = "UTC",
    missed: Missed = "once",
    timeout: float | None = None,
    retries: int = 0,
) -> Callable[[StepFunction[[], R]], Workflow[[], R]]:
    """Run a function at times: a durable workflow without input, which begins once a tick in the whole cluster, whoever dies.

        @job("0 3 * * *", time_zone="Europe/Berlin")
        async def remind_of_carts(flow: Flow) -> None: ...

    One run at a time: a tick that falls into the run before it counts as missed (see `Schedule`). Operators see it and begin it by hand by
    `velella jobs`, merchants like any workflow that is `by_hand`. `name`: by default the function's (`remind-of-carts`).
    Raises Misconfigured.
    """

    def make(function: StepFunction[[], R]) -> Workflow[[], R]:
        named = name or function.__name__.strip("_").replace("_", "-")
        schedule = Schedule(cron, time_zone, missed)
        made = workflow(named, durable=True, timeout=timeout, retries=retries, by_hand=True, emits=None, schedule=schedule)
        return made(function)

    return make


def once(*, name: str | None = None, timeout: float | None = None) -> Callable[[StepFunction[[], R]], Workflow[[], R]]:
    """Run a function once in the life of a shop: a durable workflow without input, which begins when the first coordinator starts that has
    it, and goes on in another one when that dies.

        @once()
        async def fetch_catalogue(flow: Flow) -> None: ...

    One that is refused or fails is undone, and begins again about a minute later; one that can't be undone waits for an operator. Done it
    is never run again, unless it gets another name. `name`: by default the function's (`fetch-catalogue`). Raises Misconfigured.
    """

    def make(function: StepFunction[[], R]) -> Workflow[[], R]:
        named = name or function.__name__.strip("_").replace("_", "-")
        if len(inspect.signature(function).parameters) != 1:
            raise Misconfigured(f"The workflow {named} runs once, so it takes a flow, and nothing else.")
        return workflow(named, durable=True, timeout=timeout, emits=None, once=True)(function)

    return make


@overload
def step(function: StepFunction[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    undo: None = None,
    timeout: float | None = None,
    retries: int = 0,
    reads: bool = False,
    pivot: bool = False,
    retry: Retry | None = None,
    name: str | None = None,
) -> Callable[[StepFunction[P, R]], Step[P, R]]: ...
@overload
def step(
    *,
    waits: Waits,
    undo: Undo[Any] | None = None,
    timeout: float | None = None,
    retries: int = 0,
    retry: Retry | None = None,
    name: str | None = None,
) -> Callable[[StepFunction[P, R]], Step[P, Any]]: ...
@overload
def step(
    *, undo: Undo[R], timeout: float | None = None, retries: int = 0, retry: Retry | None = None, name: str | None = None
) -> Callable[[StepFunction[P, R]], Step[P, R]]: ...
def step(function: StepFunction[P, R] | None = None, /, **options: Any) -> Any:
    """Make a function a step. See `Step` for what the options mean."""
    if function is None:
        return functools.partial(_register_step, **options)
    return _register_step(function)


def _register_step(function: StepFunction[P, R], *, name: str | None = None, **options: Any) -> Step[P, R]:
    made = Step(name or function.__name__.strip("_").replace("_", "-"), function, **options)
    if made.pivot and (made.undo is not None or made.reads):
        raise Misconfigured(f"The step {function.__qualname__} is a pivot: it changes something, and is never undone.")
    _steps[made.reference] = made
    return made


def on_hook(workflow: str, hook: str) -> Callable[[StepFunction[P, R] | Step[P, R]], Step[P, R]]:
    """Run a function (or a step with its undo) at a hook of a workflow, which may be loaded before or after.

    The function gets the flow, and of what the workflow offers at the hook what it has parameters for, by their names (`input`, `cart`,
    `additional_data`, …: docs/events-and-hooks.md); the workflow gets the list of what all handlers return.
    """

    def make(handler: StepFunction[P, R] | Step[P, R]) -> Step[P, R]:
        added = handler if isinstance(handler, Step) else _register_step(handler)
        registered = Hook(workflow, hook, added)
        if workflow in _workflows:
            _attach(_workflows[workflow], registered)
        _hooks.append(registered)
        return added

    return make


def _attach(to: Workflow[..., Any], hook: Hook) -> None:
    if to.hooks is not None and hook.name not in to.hooks:
        there = ", ".join(to.hooks) or "none"
        raise Misconfigured(f"The workflow {to.name} has no hook {hook.name}.", hint=f"It has: {there}.")
    handlers = to.handlers.setdefault(hook.name, [])
    # a module that is imported again replaces its own handlers
    handlers[:] = [*(known for known in handlers if known.reference != hook.step.reference), hook.step]


def subscriber(
    *events: str, name: str | None = None, when: Callable[[Settings], bool] = lambda _: True
) -> Callable[[SubscriberFunction], SubscriberFunction]:
    """Call a function with every event of these names; `*` means any. `when`: whether a shop with these settings wants it."""

    def make(function: SubscriberFunction) -> SubscriberFunction:
        made = Subscriber(name or _place(function), events, function, when)
        _subscribers[made.name] = made
        return function

    return make


# -- look-up


def workflow_named(name: str) -> Workflow[..., Any]:
    """The workflow of that name. Raises NotFound."""
    try:
        return _workflows[name]
    except KeyError:
        raise NotFound(f"Workflow with name: {name} was not found") from None


def workflow_names() -> list[str]:
    """Names of the workflows whose code this process has."""
    return list(_workflows)


def recurring_workflows() -> Sequence[Workflow[..., Any]]:
    """The workflows that coordinators run at intervals (`every`)."""
    return [one for one in _workflows.values() if one.every is not None]


def scheduled_workflows() -> dict[str, Schedule]:
    """The schedules of workflows that have one, by name."""
    return {one.name: one.schedule for one in _workflows.values() if one.schedule is not None}


def once_workflows() -> list[str]:
    """Names of the workflows that are done once in a shop."""
    return [one.name for one in _workflows.values() if one.once]


def step_at(reference: str) -> Step[..., Any]:
    """The step of that `reference`. Raises NotFound if its code no longer exists."""
    try:
        return _steps[reference]
    except KeyError:
        raise NotFound(f"Step {reference} is not part of this installation.", hint="It was there when the execution began.") from None


def subscribers() -> Sequence[Subscriber]:
    return list(_subscribers.values())


def unmatched_hooks() -> list[Hook]:
    """Handlers whose workflow was never loaded: most likely a misspelt name."""
    return [hook for hook in _hooks if hook.workflow not in _workflows]


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"
