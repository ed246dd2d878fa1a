"""Links between things of different modules.

Two modules have no transaction in common, and no foreign key. An order of steps keeps links from leading to deleted things: a flow that
links things checks afterwards that both exist, and a flow that deletes something unlinks it afterwards. So one of the two sees
what the other did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypedDict

from ..commerce.links import LINK
from ..core.errors import NotFound
from ..core.flow.keeping import deleted_by
from ..core.rows import Row
from ..core.sql.write.undo import Change
from ..core.sql.write.writes import cascades
from ..modules.link.service import Replaced
from .kit import Flow, Kept, keep, step, take_back, workflow
from .rows import delete_rows, owner

Links = Mapping[str, Sequence[Row]]
"""By the name of the link (`product_sales_channel`): the keys of both ends, and further columns (`required_quantity`)."""
Things = Mapping[str, Sequence[str]]
"""Ids by entity."""


def is_linked(flow: Flow, entity: str) -> bool:
    """Whether things of this entity may be linked, or things that are deleted with them."""
    catalogue = flow.graph.catalogue
    schema, seen, ahead = catalogue.catalog_of(entity).schema, set[str](), [entity]
    while ahead:
        name = ahead.pop()
        if name in catalogue.linked:
            return True
        seen.add(name)
        ahead += [relation.target for relation in cascades(schema[name]) if relation.target not in seen]
    return False


async def link(flow: Flow, links: Links) -> None:
    """Link things, over several links at once; existing links stay.

    Raises NotFound where one of two things doesn't exist (any more), InvalidData where only one may be linked and another one is. Nothing
    is linked then.
    """
    wanted = {name: list(each) for name, each in links.items() if each}
    if wanted:
        await flow.run(make_links, wanted)
        await flow.run(check_ends, ends_of(flow, wanted))


async def link_new(flow: Flow, links: Links) -> None:
    """`link` for things that nobody can delete meanwhile: the flow has just made one, and holds the other."""
    await flow.run(make_links, links)


async def unlink(flow: Flow, links: Links) -> None:
    """Unlink things, over several links at once."""
    wanted = {name: list(each) for name, each in links.items() if each}
    if wanted:
        await flow.run(undo_links, wanted)


async def relink(flow: Flow, name: str, key: str, id: str, others: Sequence[str]) -> None:
    """Link one thing, whose column is `key`, to exactly these others. Raises what `link` raises."""
    done = await flow.run(replace_links, name, key, id, others)
    if made := done["done"]["answer"]["attached"]:
        await flow.run(check_ends, ends_of(flow, {name: made}))


async def unlink_all(flow: Flow, change: Change) -> None:
    """Remove all links of what a write has deleted, and delete what must be deleted with it (price sets, fulfillment sets)."""
    gone = deleted_by(change, flow.graph.catalogue.linked_tables)
    if gone:
        owned = (await flow.run(undo_all_links, gone))["done"]["answer"]
        for entity, ids in owned.items():
            await delete(flow, entity, ids)


async def delete(flow: Flow, entity: str, ids: Sequence[str]) -> list[str]:
    """Delete things with what is deleted along, then their links. Returns the ids of those that existed."""
    if is_linked(flow, entity):
        flow.durably()
    done = await flow.run(delete_rows, entity, ids)
    await unlink_all(flow, done["change"])
    return done["answer"]


def ends_of(flow: Flow, links: Links, *, but: Things | None = None) -> dict[str, list[str]]:
    """The things that links lead to and that can be deleted by others, `but` for some."""
    ends: dict[str, dict[str, None]] = {}
    known = flow.graph.catalogue.links
    for name, each in links.items():
        for side in (known[name].left, known[name].right):
            if not (side.cascade and name in LINK) and side.entity not in (but or ()):
                ends.setdefault(side.entity, {}).update((row[side.key], None) for row in each)
    return {entity: list(ids) for entity, ids in ends.items()}


async def _missing(flow: Flow, things: Things) -> dict[str, list[str]]:
    """The things that don't exist."""

    async def of(entity: str, ids: Sequence[str]) -> list[str]:
        there = {row["id"] for row in await owner(flow, entity).list(entity, {"id": list(ids)}, fields=("id",))}
        return [id for id in ids if id not in there]

    lost = await asyncio.gather(*(of(entity, ids) for entity, ids in things.items()))
    return {entity: ids for entity, ids in zip(things, lost, strict=True) if ids}


# -- steps


@step(undo=take_back)
async def make_links(flow: Flow, links: Links) -> Kept[dict[str, list[Row]]]:
    return await keep(flow.modules.link.attach_all, links)


@step(reads=True)
async def check_ends(flow: Flow, things: Things) -> None:
    """Make sure, after things were linked, that none has been deleted meanwhile."""
    for entity, ids in (await _missing(flow, things)).items():
        raise NotFound(f"{flow.graph.catalogue.entity(entity).called} with id: {ids[0]} was not found")


async def _link_again(flow: Flow, done: Kept[dict[str, list[Row]]]) -> None:
    await take_back(flow, done)
    if gone := await _missing(flow, ends_of(flow, done["answer"])):
        await flow.modules.link.release(gone)


@step(undo=_link_again)
async def undo_links(flow: Flow, links: Links) -> Kept[dict[str, list[Row]]]:
    return await keep(flow.modules.link.detach_all, links)


class Relinked(TypedDict):
    name: str
    done: Kept[Replaced]


async def _link_as_before(flow: Flow, relinked: Relinked) -> None:
    await take_back(flow, relinked["done"])
    if gone := await _missing(flow, ends_of(flow, {relinked["name"]: relinked["done"]["answer"]["detached"]})):
        await flow.modules.link.release(gone)


@step(undo=_link_as_before)
async def replace_links(flow: Flow, name: str, key: str, id: str, others: Sequence[str]) -> Relinked:
    return {"name": name, "done": await keep(flow.modules.link.replace, name, key, id, others)}


class Unlinked(TypedDict):
    things: dict[str, list[str]]
    done: Kept[dict[str, list[str]]]


async def _link_all_again(flow: Flow, unlinked: Unlinked) -> None:
    """The things themselves are restored after this; what they were linked to may be deleted for good."""
    await take_back(flow, unlinked["done"])
    links: dict[str, list[Row]] = {}
    for name, pairs in unlinked["done"]["change"]:
        links.setdefault(name, []).extend(left for _, left in pairs if left is not None)
    if gone := await _missing(flow, ends_of(flow, links, but=unlinked["things"])):
        await flow.modules.link.release(gone)


@step(undo=_link_all_again)
async def undo_all_links(flow: Flow, things: dict[str, list[str]]) -> Unlinked:
    return {"things": things, "done": await keep(flow.modules.link.release, things)}


@workflow("batch-links")
async def batch_links(flow: Flow, create: Links | None = None, delete: Links | None = None) -> None:
    """Link things, and unlink others. Raises what `link` raises."""
    if any((create or {}).values()) and any((delete or {}).values()):
        flow.durably()
    await unlink(flow, delete or {})
    await link(flow, create or {})
