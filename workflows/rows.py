"""Steps over plain rows of one entity, for flows that are little more than create, update or delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.flow import Flow, Kept, keep, step, take_back
from ..core.query.page import Query

if TYPE_CHECKING:
    from ..core.module import ModuleService

Row = dict[str, Any]
Selector = dict[str, Any]
"""Filters: which rows an update is about."""


def owner(flow: Flow, entity: str) -> ModuleService:
    """The service of the module that owns an entity."""
    service: ModuleService = getattr(flow.modules, flow.graph.catalogue.module_of(entity))
    return service


async def selected(flow: Flow, entity: str, selector: Selector) -> list[str]:
    """Keys of the rows that a selector means, in order."""
    return [str(row["id"]) for row in await flow.graph.rows(Query(entity, ("id",), selector))]


@step(undo=take_back)
async def create_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Create rows; all their columns as they are stored."""
    return await keep(owner(flow, entity).create, entity, rows)


@step(undo=take_back)
async def update_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Update rows, each by its id. The rows as they are then. Raises NotFound."""
    return await keep(owner(flow, entity).update, entity, rows)


async def update_selected(flow: Flow, entity: str, selector: Selector, update: Row) -> list[Row]:
    """Give all rows that a selector means the same values. The rows as they are then."""
    ids = await selected(flow, entity, selector)
    return (await flow.run(update_rows, entity, [{**update, "id": id} for id in ids]))["answer"]


@step(undo=take_back)
async def delete_rows(flow: Flow, entity: str, ids: Sequence[str]) -> Kept[list[str]]:
    """Delete rows with what goes along. The ids of those that were there."""
    return await keep(owner(flow, entity).delete, entity, ids)
