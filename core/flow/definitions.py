"""What flows are made of: workflows, steps, hooks and subscribers, and where they are found by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints, overload

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import InvalidData, Misconfigured, NotAllowed, NotFound

P = ParamSpec("P")
R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

Undo = Callable[[Any, R_contra], Awaitable[object]]
"""(flow, what the step returned): takes back what the step did. May be called again after it failed or was interrupted."""
StepFunction = Callable[Concatenate[Any, P], Awaitable[R]]
"""Its first parameter is the flow: a `Flow`, whose class stands above this file."""

HOUR = 3600.0
THREE_DAYS = 72 * HOUR


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as subscribers get it."""

    id: str
    name: str
    data: dict[str, Any]
    created_at: datetime


SubscriberFunction = Callable[[Any, Event], Awaitable[object]]
"""(flow, event)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """When a step is tried again that failed other than by a refusal (4xx). Between two attempts the execution waits in the table, for
    minutes or days: no process, no lock and no connection is kept."""

    interval: float = 1.0
    """Seconds before the second attempt."""
    factor: float = 2.0
    """How much longer each pause is than the one before."""
    most: float = 300.0
    """Seconds that a pause lasts at most."""
    during: float | None = None
    """Seconds after the first failure from which a failure is final: then the flow fails by it. None: it is tried again for ever.
    Beyond the point of no return nothing is final."""

    def pause(self, failures: int) -> float:
        """Seconds before the next attempt, after so many failures."""
        return min(self.most, self.interval * self.factor ** min(failures - 1, 64))


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[P, R]):
    """One thing a flow does. Run by `flow.run` and `flow.parallel`; called directly, it is part of the step that calls it."""

    name: str
    """As operators see it: `reserve-stock`."""
    function: StepFunction[P, R]
    undo: Undo[Any] | None = None
    timeout: float | None = None
    """Seconds for one attempt."""
    retries: int = 0
    """Attempts after the first one failed. An error of the asker's side (4xx) is never tried again."""
    reads: bool = False
    """Changes nothing."""
    pivot: bool = False
    """The point of no return of a durable flow: see the package's head."""
    retry: Retry | None = None
    """How it is tried again when the attempts at once (`retries`) have failed. Durable flows only; None: the flow fails."""

    @property
    def reference(self) -> str:
        """Where the step is found again after a crash."""
        return f"{self.function.__module__}:{self.function.__qualname__}"

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
    """A named flow. Run by `flow.run` inside another one, by the coordinator (`workflows.run`) from outside."""

    name: str
    function: StepFunction[P, R]
    durable: bool = False
    timeout: float | None = None
    """Seconds for one run of the function; then it fails with DeadlineExceeded and is undone. Default: short flows have the time of the
    request they belong to, durable ones two minutes."""
    retries: int = 0
    """How often the whole flow is run again after it failed (not by an error of the asker's side) and everything was undone."""
    key: str | None = None
    """Parameter whose value names the execution of a durable flow: of all starts with one key, one is carried out, and all get its
    result."""
    hooks: tuple[str, ...] | None = None
    """Names of its hooks; None: any. Naming them catches a handler for a hook that isn't there."""
    retention: float = HOUR
    """Seconds for which a finished durable execution answers repeated starts, and can be looked at. By default three days where starts can
    be repeated under a key, else an hour."""
    by_hand: bool = False
    """Whether a merchant may run it by its name with an input of their own. Only where nothing that a route makes sure of (who asks, what
    is in a row) is missing then: what it is given has to be found in the shop, and asked of it again."""
    every: float | None = None
    """Each coordinator runs it about every so many seconds, without input. Only a short one, that may run beside itself."""
    emits: tuple[str, ...] | None = None
    """The events that it emits; None: any."""
    handlers: dict[str, list[Step[..., Any]]] = field(default_factory=dict, repr=False)
    """Hook → what applications added there, in the order they were registered."""
    _signature: list[inspect.Signature] = field(default_factory=list, repr=False)

    def __call__(self, flow: Any, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return self.function(flow, *args, **kwargs)

    def outlives(self, wants: Callable[[str], bool]) -> bool:
        """Whether every run of it has to be finished or undone after a crash: it is durable, or what applications added to it writes, or
        somebody `wants` one of its events, which would be lost."""
        if self.durable or (self.emits and any(map(wants, self.emits))):
            return True
        return bool(self.handlers) and any(not handler.reads for handlers in self.handlers.values() for handler in handlers)

    def may_emit(self, event: str) -> bool:
        return self.durable or self.emits is None or event in self.emits

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The arguments by name: what `workflows.run` takes as input. Raises TypeError like a call would."""
        if not args:
            return dict(kwargs)
        if not self._signature:
            parameters = list(inspect.signature(self.function).parameters.values())[1:]
            self._signature.append(inspect.Signature(parameters))
        return dict(self._signature[0].bind(*args, **kwargs).arguments)

    def check_by_hand(self, input: Mapping[str, Any], key: str | None) -> None:
        """Make sure that a merchant may run it with these arguments, under this key.

        Raises:
            NotAllowed: it isn't `by_hand`.
            InvalidData: it doesn't take these arguments, by name or by type; or its own argument is its key, and this is another one:
                whoever waits for that one would get this one's result.
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
    """A function that is called after something happened: at least once an event, later than the flow that emitted it.

    Its writes are recorded under the event's id, so an event that comes twice doesn't change things twice.
    """

    name: str
    events: tuple[str, ...]
    function: SubscriberFunction


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
    emits: tuple[str, ...] = (),
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
        made = Workflow(name, function, durable, timeout, retries, key, hooks, kept, by_hand, every, emits)
        for hook in _hooks:
            if hook.workflow == name:
                _attach(made, hook)
        _workflows[name] = made
        return made

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
    *, undo: Undo[R], timeout: float | None = None, retries: int = 0, retry: Retry | None = None, name: str | None = None
) -> Callable[[StepFunction[P, R]], Step[P, R]]: ...
def step(
    function: StepFunction[P, R] | None = None,
    /,
    *,
    undo: Undo[Any] | None = None,
    timeout: float | None = None,
    retries: int = 0,
    reads: bool = False,
    pivot: bool = False,
    retry: Retry | None = None,
    name: str | None = None,
) -> Any:
    """Make a function a step. See `Step` for what the options mean."""
    if function is None:
        return functools.partial(
            _register_step, undo=undo, timeout=timeout, retries=retries, reads=reads, pivot=pivot, retry=retry, name=name
        )
    return _register_step(function)


def _register_step(
    function: StepFunction[P, R],
    *,
    undo: Undo[R] | None = None,
    timeout: float | None = None,
    retries: int = 0,
    reads: bool = False,
    pivot: bool = False,
    retry: Retry | None = None,
    name: str | None = None,
) -> Step[P, R]:
    if pivot and (undo is not None or reads):
        raise Misconfigured(f"The step {function.__qualname__} is a pivot: it changes something, and is never undone.")
    made = Step(name or function.__name__.strip("_").replace("_", "-"), function, undo, timeout, retries, reads, pivot, retry)
    _steps[made.reference] = made
    return made


def on_hook(workflow: str, hook: str) -> Callable[[StepFunction[P, R] | Step[P, R]], Step[P, R]]:
    """Have a function (or a step with its undo) run at a hook of a workflow, which may be loaded before or after.

    It gets the flow and what the workflow hands to the hook; what it returns is in the list that the workflow gets back.
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
    # a module that is imported again replaces its handlers
    handlers[:] = [*(known for known in handlers if known.reference != hook.step.reference), hook.step]


def subscriber(*events: str, name: str | None = None) -> Callable[[SubscriberFunction], SubscriberFunction]:
    """Have a function called with every event of these names; `*` is any."""

    def make(function: SubscriberFunction) -> SubscriberFunction:
        made = Subscriber(name or _place(function), events, function)
        _subscribers[made.name] = made
        return function

    return make


# -- finding them again


def workflow_named(name: str) -> Workflow[..., Any]:
    """Raises NotFound."""
    try:
        return _workflows[name]
    except KeyError:
        raise NotFound(f"Workflow with name: {name} was not found") from None


def recurring_workflows() -> Sequence[Workflow[..., Any]]:
    """Those that are run again and again."""
    return [one for one in _workflows.values() if one.every is not None]


def step_at(reference: str) -> Step[..., Any]:
    """The step of that `reference`. Raises NotFound where the code that made it is no longer there."""
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
