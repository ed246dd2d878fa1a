"""What a failure means, how long to wait before the next attempt, and work that runs to its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from ..errors import DeadlineExceeded, ReplyLost, TookDown, Unavailable, UnexpectedState, VelellaError
from ..logs import logger
from ..message import call_context, current_call
from ..tasks import Tasks

T = TypeVar("T")
log = logger("velella.flow")


def as_velella_error(error: BaseException) -> VelellaError:
    """An error as one that can be recorded and sent."""
    if isinstance(error, VelellaError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(str(error) or "It took too long.")
    if isinstance(error, asyncio.CancelledError):
        return Unavailable("The request was given up before it was done.")
    return UnexpectedState(f"{type(error).__name__}: {error}")


def is_refused(error: BaseException) -> bool:
    """Whether it is certain that nothing was done, and that a repetition gets the same answer."""
    return isinstance(error, VelellaError) and error.refuses


def worth_retrying(error: Exception) -> bool:
    """Whether another attempt, at once, may go better. Not of what its process died of: that would take the next one down."""
    return not is_refused(error) and not isinstance(error, TookDown)


def is_in_doubt(error: BaseException) -> bool:
    """Whether the failed operation may have taken effect all the same."""
    return isinstance(error, (DeadlineExceeded, ReplyLost, TimeoutError, asyncio.CancelledError))


def pause_after(attempt: int, error: Exception) -> float:
    """Seconds before the next attempt: doubling from 50 ms to 2 s, with jitter, so that callers that failed together don't return
    together."""
    pause: float = min(2.0, 0.05 * 2 ** (attempt - 1))
    if isinstance(error, Unavailable) and "retry_after" in error.data:
        pause = min(2.0, max(pause, error.retry_after))
    return pause * random.uniform(0.5, 1.0)


async def within(seconds: float, what: str, awaitable: Awaitable[T]) -> T:
    token = call_context.set(current_call().within(seconds))
    try:
        async with asyncio.timeout(seconds) as limit:
            return await awaitable
    except TimeoutError as error:
        if limit.expired():
            raise DeadlineExceeded(f"{what} took longer than {seconds:g} s.") from error
        raise
    finally:
        call_context.reset(token)


_last_things = Tasks("what had to be done to the end has failed", expected=BaseException)


async def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end even if the caller is cancelled: the cancellation is raised afterwards, and a failure of the work is logged."""
    task = _last_things.begin(coroutine)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_write_down)
        if not task.done():
            await asyncio.wait([task])
        raise


def _write_down(task: asyncio.Task[Any]) -> None:
    # an error that is no Exception means that another process goes on with the execution
    if not task.cancelled() and isinstance(error := task.exception(), Exception):
        log.warning("what had to be done to the end has failed", error=str(error))
