"""Building search indexes anew, and deleting them."""

from __future__ import annotations

from typing import Final

from ...core.errors import NotAllowed, Unavailable
from ...core.rows import Row
from ...modules.search.service import Strategy, Sync
from ..kit import Flow, Retry, step, workflow
from .documents import SOURCES, read_documents
from .hearing import heard, searched

AT_ONCE: Final = 200
"""Documents of a step."""
SECONDS: Final = 86_400.0
AGAIN: Final = Retry(interval=2.0, during=3600.0)
"""A database, or a provider, that is out of reach for an hour ends it."""


async def _fail(flow: Flow, sync: Sync) -> None:
    await flow.modules.search.fail_sync(sync, "it could not be carried out to its end")


@step(name="hear-changes", reads=True, retry=AGAIN)
async def hear(flow: Flow) -> None:
    """What is read before changes are heard of may change unheard: it isn't read then."""
    if not searched(flow.settings):
        raise NotAllowed("This shop has no search indexes: its setting `search` is off")
    if not await heard(flow):
        raise Unavailable("Modules don't tell yet what changes")


@step(name="begin-reindex", undo=_fail)
async def begin(flow: Flow, index: str, job_id: str, strategy: Strategy, filters: Row | None) -> Sync:
    return await flow.modules.search.begin_sync(index, job_id, strategy, filters)


@step(name="make-index", reads=True, retry=AGAIN)
async def prepare(flow: Flow, sync: Sync) -> None:
    await flow.modules.search.prepare(sync)


@step(name="reindex-search-indexes", retry=AGAIN)
async def fill(flow: Flow, sync: Sync, filters: Row, after: str) -> str | None:
    """Index the next things. Returns the key up to which they are; None after the last one, and where nobody wants the version any more."""
    ticket = await flow.modules.search.ticket()
    conditions = {"$and": [filters, {"id": {"$gt": after}}]}
    documents = await read_documents(flow, SOURCES[sync["index"]], conditions, AT_ONCE)
    if not documents:
        return None
    last = str(documents[-1]["id"])
    return last if await flow.modules.search.fill(sync, documents, ticket, last) else None


@step(name="finish-reindex", retry=AGAIN)
async def finish(flow: Flow, sync: Sync, everything: bool) -> None:
    await flow.modules.search.finish_sync(sync, everything=everything)


@workflow("reindex-search-indexes", durable=True, key="job_id", hooks=("searchIndexesReindexed",), timeout=SECONDS)
async def reindex_search_indexes(
    flow: Flow, job_id: str, index: list[str], strategy: Strategy = "swap", filters: Row | None = None, since: str | None = None
) -> None:
    """Build indexes anew beside what is searched, and search them from then on (`swap`); or bring what is searched up to date where it is
    (`in_place`): all of it, or what passes `filters` (of the admin API's lists), or has changed `since`.

    What changes meanwhile is indexed as well: see `refreshing`. Raises NotFound for an index that there is none of.
    """
    every = filters or {}
    conditions: Row = {"$and": [every, {"updated_at": {"$gte": since}}]} if since is not None else every
    await flow.run(hear)
    for name in index:
        sync = await flow.run(begin, name, job_id, strategy, conditions or None)
        if strategy == "swap":
            await flow.run(prepare, sync)
        after: str | None = ""
        while after is not None:
            after = await flow.run(fill, sync, conditions, after)
        await flow.run(finish, sync, strategy == "in_place" and not conditions)
    await flow.hooks.searchIndexesReindexed(job_id=job_id, indexes=index)


@step(name="drop-index")
async def drop(flow: Flow, index: str) -> int:
    return await flow.modules.search.delete_index(index)


@workflow("delete-search-index", hooks=("searchIndexDeleted",))
async def delete_search_index(flow: Flow, index: str) -> int:
    """Delete an index with all its versions: it can't be searched until it is built again. Returns how many versions there were.

    Raises NotFound. What a hook raises doesn't bring it back: building it anew does.
    """
    dropped = await flow.run(drop, index)
    await flow.hooks.searchIndexDeleted(index=index)
    return dropped
