"""Writes of modules that are undone when their flow fails.

@step(undo=take_back)
async def change_stores(flow: Flow[Any], rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.store.update_stores, rows)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from ..message import addressed
from ..service.writing import Kept
from ..sql.write.undo import Change
from .flow import Flow

P = ParamSpec("P")
R = TypeVar("R")


async def keep(method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> Kept[R]:
    """Carry out a write of a module and keep what it changes: `await keep(flow.modules.store.update_stores, rows)`.

    Returns the argument of `take_back`; its `answer` is what the write answered. Raises what the write raises.
    """
    service, name = addressed(method)
    done: Kept[R] = await service.kept(name, args, kwargs)
    return done


async def take_back(flow: Flow[Any], done: Kept[R]) -> None:
    """The undo of a step that returns what `keep` gave: restores what the write changed, where that still is as the write left it.

    A deleted row that can't be restored, because what it belonged to was deleted meanwhile, loses its links again, and the rows that are
    deleted with it: both had been restored before it.
    """
    if not done["change"]:
        return
    module = getattr(flow.modules, done["module"])
    await module.undo(done["change"])
    lost: dict[str, list[str]] = {}
    for entity, ids in deleted_by(done["change"], flow.graph.catalogue.linked_tables).items():
        there = {row["id"] for row in await module.list(entity, {"id": ids}, fields=("id",))}
        if gone := [id for id in ids if id not in there]:
            lost[entity] = gone
    owned = await flow.modules.link.release(lost) if lost else {}
    for entity, ids in owned.items():
        await getattr(flow.modules, flow.graph.catalogue.module_of(entity)).delete(entity, ids)


def deleted_by(change: Change, linked: Mapping[str, str]) -> dict[str, list[str]]:
    """Ids, by entity, of the rows that a change has deleted. `linked`: table → entity of those that count."""
    gone: dict[str, list[str]] = {}
    for table, pairs in change:
        if table in linked:
            ids = [was["id"] for was, left in pairs if was is not None and (left is None or left.get("deleted_at") is not None)]
            gone.setdefault(linked[table], []).extend(ids)
    return {entity: ids for entity, ids in gone.items() if ids}


def unchanged(answer: R) -> Kept[R]:
    """The return value of a step that had nothing to write."""
    return {"module": "", "answer": answer, "change": []}


__all__ = ["Kept", "deleted_by", "keep", "take_back", "unchanged"]
