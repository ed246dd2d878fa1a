"""Writes of modules that are taken back when their flow fails.

@step(undo=take_back)
async def change_stores(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.store.update_stores, rows)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from ..messages import addressed
from ..writing import Kept
from .flow import Flow

P = ParamSpec("P")
R = TypeVar("R")


async def keep(method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> Kept[R]:
    """Carry out a write of a module and keep what it changes: `await keep(flow.modules.store.update_stores, rows)`.

    Returns what `take_back` takes; `answer` is what the write answered. Raises what the write raises.
    """
    service, name = addressed(method)
    done: Kept[R] = await service.kept(name, args, kwargs)
    return done


async def take_back(flow: Flow, done: Kept[R]) -> None:
    """The undo of a step that returns what `keep` gave: what the write changed is what it was, where it still stands as left."""
    if done["change"]:
        await getattr(flow.modules, done["module"]).undo(done["change"])


def unchanged(answer: R) -> Kept[R]:
    """What a step returns that had nothing to write."""
    return {"module": "", "answer": answer, "change": []}


__all__ = ["Kept", "keep", "take_back", "unchanged"]
