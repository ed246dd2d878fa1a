"""Steps over plain rows of one entity, for flows that are little more than create, update or delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from ..core.errors import NotFound
from ..core.flow import Flow, step
from ..core.query.page import Query

if TYPE_CHECKING:
    from ..core.module import ModuleService

Row = dict[str, Any]
Selector = dict[str, Any]
"""Filters: which rows an update is about."""


class Kept(TypedDict):
    """What a step did, for undoing it."""

    entity: str
    rows: list[Row]


def owner(flow: Flow, entity: str) -> ModuleService:
    """The service of the module that owns an entity."""
    service: ModuleService = getattr(flow.modules, flow.graph.catalogue.module_of(entity))
    return service


async def selected(flow: Flow, entity: str, selector: Selector) -> list[str]:
    """Keys of the rows that a selector means, in order."""
    return [str(row["id"]) for row in await flow.graph.rows(Query(entity, ("id",), selector))]


async def _delete_created(flow: Flow, made: Kept) -> None:
    await owner(flow, made["entity"]).delete(made["entity"], [row["id"] for row in made["rows"]])


@step(undo=_delete_created)
async def create_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept:
    """Create rows; all their columns as they are stored."""
    return {"entity": entity, "rows": await owner(flow, entity).create(entity, rows)}


async def _put_back(flow: Flow, before: Kept) -> None:
    await owner(flow, before["entity"]).update(before["entity"], before["rows"])


@step(undo=_put_back)
async def update_rows(flow: Flow, entity: str, rows: Sequence[Row]) -> Kept:
    """Update rows, each by its id. What the changed columns held before. Raises NotFound."""
    service = owner(flow, entity)
    before = {row["id"]: row for row in await service.list(entity, {"id": [row["id"] for row in rows]})}
    await service.update(entity, rows)
    return {"entity": entity, "rows": [{name: before[row["id"]][name] for name in row} for row in rows]}


async def update_selected(flow: Flow, entity: str, selector: Selector, update: Row) -> list[Row]:
    """Give all rows that a selector means the same values. The rows as they are then."""
    ids = await selected(flow, entity, selector)
    await flow.run(update_rows, entity, [{**update, "id": id} for id in ids])
    return await owner(flow, entity).list(entity, {"id": ids})


async def _restore(flow: Flow, gone: Kept) -> None:
    await owner(flow, gone["entity"]).restore(gone["entity"], [row["id"] for row in gone["rows"]])


@step(undo=_restore)
async def delete_rows(flow: Flow, entity: str, ids: Sequence[str]) -> Kept:
    """Delete rows softly, with what goes along. Those that were there."""
    return {"entity": entity, "rows": [{"id": id} for id in await owner(flow, entity).delete(entity, ids)]}


class Released(TypedDict):
    ties: dict[str, list[str]]
    cascade: dict[str, list[str]]


async def _revive_ties(flow: Flow, released: Released) -> None:
    for entity, ids in released["cascade"].items():
        await owner(flow, entity).restore(entity, ids)
    await flow.modules.link.revive(released["ties"])


@step(undo=_revive_ties)
async def release_ties(flow: Flow, entity: str, ids: Sequence[str]) -> Released:
    """Undo all links of things that are being deleted; what doesn't outlive them is deleted too."""
    released = await flow.modules.link.release(entity, ids)
    for owned, gone in released["cascade"].items():
        await owner(flow, owned).delete(owned, gone)
    return {"ties": released["ties"], "cascade": released["cascade"]}


Ties = dict[str, list[Row]]
"""Keys of ties by link."""


async def _detach_ties(flow: Flow, made: Ties) -> None:
    await flow.modules.link.detach_all(made)


@step(undo=_detach_ties)
async def attach_ties(flow: Flow, ties: Ties) -> Ties:
    """Link things, over several links at once. The ties that are new."""
    return await flow.modules.link.attach_all({link: each for link, each in ties.items() if each})


@step(reads=True)
async def check_there(flow: Flow, entity: str, ids: Sequence[str]) -> None:
    """Make sure, after things were tied to others, that nobody has deleted them meanwhile. Raises NotFound: the ties are undone then.

    Whoever deletes something releases its ties afterwards. So either the ties are found there, or the thing isn't found here.
    """
    there = {row["id"] for row in await owner(flow, entity).list(entity, {"id": list(ids)}, fields=("id",))}
    for id in ids:
        if id not in there:
            raise NotFound(f"{flow.graph.catalogue.entity(entity).called} with id: {id} was not found")


async def _attach_again(flow: Flow, undone: Ties) -> None:
    await flow.modules.link.attach_all(undone)


@step(undo=_attach_again)
async def detach_ties(flow: Flow, ties: Ties) -> Ties:
    """Unlink things, over several links at once. The ties that were there."""
    return await flow.modules.link.detach_all({link: each for link, each in ties.items() if each})
