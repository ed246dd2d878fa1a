"""Steps over plain rows of one entity, for flows that only create, update or delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..core.rows import Row
from ..core.sql.schema.query import Query
from .kit import Flow, Kept, Step, keep, step, take_back

if TYPE_CHECKING:
    from ..core.service.module import ModuleService
    from ..modules import Modules

P = ParamSpec("P")
R = TypeVar("R")

Selector = dict[str, Any]
"""Filters that select the rows of an update."""


def owner(flow: Flow, entity: str) -> ModuleService:
    """The service of the module that owns an entity."""
    service: ModuleService = getattr(flow.modules, flow.graph.catalogue.module_of(entity))
    return service


async def selected(flow: Flow, entity: str, selector: Selector) -> list[str]:
    """Keys of the selected rows, in order."""
    return [str(row["id"]) for row in await flow.graph.rows(Query(entity, ("id",), selector))]


@step(undo=take_back)
async def create_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Create rows. Returns all their columns as they are stored."""
    return await keep(owner(flow, entity).create, entity, rows)


@step(undo=take_back)
async def update_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Update rows, each by its id. Returns the changed rows. Raises NotFound."""
    return await keep(owner(flow, entity).update, entity, rows)


async def update_selected(flow: Flow, entity: str, selector: Selector, update: Row) -> list[Row]:
    """Give all selected rows the same values. Returns the changed rows."""
    ids = await selected(flow, entity, selector)
    return (await flow.run(update_rows, entity, [{**update, "id": id} for id in ids]))["answer"]


@step(undo=take_back)
async def delete_rows(flow: Flow, entity: str, ids: Sequence[str]) -> Kept[list[str]]:
    """Delete rows with what is deleted along. Returns the ids of those that existed."""
    return await keep(owner(flow, entity).delete, entity, ids)


def written(name: str, method: Callable[[Modules], Callable[P, Awaitable[R]]]) -> Step[P, Kept[R]]:
    """The step for one write of a module, undone when the flow fails: it takes the arguments of the write, and keeps what it changes.

    insert_regions = written("insert-regions", lambda modules: modules.region.create_regions)
    """

    async def write(flow: Flow, /, *args: P.args, **kwargs: P.kwargs) -> Kept[R]:
        return await keep(method(flow.modules), *args, **kwargs)

    write.__module__, write.__qualname__ = method.__module__, name
    return step(undo=take_back, name=name)(write)
