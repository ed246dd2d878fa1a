"""The search module's messages."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, Literal, TypedDict, cast

from ...core.clock import utc_now
from ...core.errors import InvalidData, Misconfigured, NotFound, Unavailable
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.context import ModuleContext
from ...core.service.module import ModuleService
from . import queries
from .asking import Asked, asked
from .indexes import INDEXES, IndexDefinition
from .marking import Marks
from .provider import SearchProvider
from .tables import SCHEMA

Strategy = Literal["swap", "in_place"]
LAST_VERSION: Final = 2**31 - 1
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds for which a provider that was out of reach is left alone by what changes."""

log = logger("velella.search")


class Waiting(TypedDict):
    """What is to be indexed next."""

    ticket: int
    """Of whoever reads it now."""
    documents: list[str]
    parts: list[str]
    """Of which documents are made."""
    positions: list[int]


class Sync(TypedDict):
    """The filling of one version."""

    id: str
    index: str
    version_id: str
    version: int
    strategy: Strategy
    ticket: int
    """Whatever isn't read again has a lower one."""


class Standing(TypedDict):
    """How an index stands."""

    name: str
    made: int
    """Versions that it ever had."""
    current: bool
    """Whether nobody has to begin to build it: its newest version is of today's definition (also one that failed), or it was deleted."""
    status: str
    live: list[str]
    """Versions that are kept up to date, oldest first."""
    leftover: list[str]
    """Versions that nobody wants any more, of which the provider may still keep something."""
    elsewhere: bool
    """Whether a provider that the shop had before keeps a version, which isn't kept up to date."""


class SearchService(ModuleService):
    """Indexes of the shop's things: kept up to date, built anew and searched."""

    name: ClassVar[str] = "search"
    schema = SCHEMA

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        there = context.providers.items()
        if len(there) != 1:
            raise Misconfigured("Indexes are kept by exactly one provider.", hint="Name one in providers.search.")
        self._provider_id, provider = there[0]
        self._provider = cast("SearchProvider", provider)
        self._provider.bind(context)
        self._pause, self._alone_until = 0.0, 0.0

    async def stop(self) -> None:
        await self._provider.close()
        await super().stop()

    # -- searching

    @reads
    async def search(self, index: str, query: Row, visible: Row, *, store: bool) -> Row:
        """One search: `{entity, data, facets, metadata}`. `visible`: filters that every hit passes; `store`: with and by no other fields
        than storefronts may see.

        Raises NotFound for an index that isn't there, or not yet; InvalidData for what it can't be asked.
        """
        definition = _defined(index)
        question = asked(definition, query, visible, store=store)
        shown = _shown(definition, query.get("fields"), store)
        marks = Marks.of(definition, (query.get("search_options") or {}).get("highlight"), store=store)
        found = await self._found(definition, question)
        scored = (query.get("search_options") or {}).get("include_score")
        data = []
        for hit in found["hits"]:
            row = {"id": hit["id"], **{name: hit["fields"].get(name) for name in shown}}
            if scored:
                row["_score"] = hit["score"]
            if marks is not None:
                row["_highlights"] = marks.put(hit["fields"], found["words"])
            data.append(row)
        counted = {"count": found["count"], "skip": question.skip, "take": question.take}
        return {"entity": definition.entity, "data": data, "facets": _facets(question, found["facets"]), "metadata": counted}

    async def _found(self, definition: IndexDefinition, question: Asked) -> Row:
        """What is found in the version that is searched now: where it is dropped meanwhile, another one has taken its place."""
        dropped: str | None = None
        while (version := await self._active(definition.name)) not in (None, dropped):
            found = await self._provider.search(version, definition, question)
            if found is not None:
                return found
            dropped = version
        raise NotFound(f"The search index {definition.name} isn't built")

    async def _active(self, index: str) -> str | None:
        row = await self.database.fetch_one(queries.ACTIVE, {"name": index, "provider": self._provider_id})
        return None if row is None else row["id"]

    @reads
    async def standing(self) -> list[Standing]:
        """How each index of the shop stands."""
        rows = {row["name"]: row for row in await self.database.fetch(queries.STANDING, {"provider": self._provider_id})}
        return [_standing(definition, rows.get(name)) for name, definition in INDEXES.items()]

    @reads
    async def indexes(self) -> list[Row]:
        """The indexes as the API shows them: `{name, entity, provider, status, fields}`."""
        shown = ("name", "type", "filterable", "sortable", "facetable")
        return [
            {
                "name": each["name"],
                "entity": INDEXES[each["name"]].entity,
                "provider": self._provider_id,
                "status": each["status"],
                "fields": [
                    {**{name: getattr(field, name) for name in shown}, "searchable": field.weight is not None}
                    for field in INDEXES[each["name"]].fields
                ],
            }
            for each in await self.standing()
        ]

    @reads
    async def is_built(self, index: str) -> bool:
        """Whether the index can be searched."""
        return await self._active(index) is not None

    # -- keeping up to date

    @writes
    async def mark(self, documents: Sequence[str], parts: Sequence[str]) -> None:
        """Let documents be indexed again: these, and those that are made of these parts. May be repeated."""
        keys = [*dict.fromkeys(documents), *dict.fromkeys(parts)]
        whole = [n < len(set(documents)) for n in range(len(keys))]
        await self.database.execute(queries.MARK, {"keys": keys, "whole": whole})

    @reads
    async def waiting(self, most: int) -> Waiting | None:
        """What has been marked longest, with so many documents at most; None where nothing is, and while the provider is left alone because
        it was out of reach. The ticket is younger than the marks."""
        if time.monotonic() < self._alone_until:
            return None
        rows = await self.database.fetch(queries.WAITING, {"most": most * 10})
        if not rows:
            return None
        whole = [n for n, row in enumerate(rows) if row["whole"]][: most + 1]
        taken = rows[: whole[most]] if len(whole) > most else rows
        return Waiting(
            ticket=await self.database.fetch_value(queries.TICKET),
            documents=[row["key"] for row in taken if row["whole"]],
            parts=[row["key"] for row in taken if not row["whole"]],
            positions=[row["position"] for row in taken],
        )

    @writes
    async def refresh(self, index: str, waiting: Waiting, documents: Sequence[Row]) -> None:
        """Index the documents that wait, as they were read after `waiting` was; those that weren't found are gone. In every version, also
        one that is being built; what a former provider keeps misses them, and is dropped. Then mark what is made of the parts that wait: it
        is read after they have changed. While something is filled, these parts wait on for its end, too."""
        there = {document["id"] for document in documents}
        gone = [key for key in waiting["documents"] if key not in there]
        made: set[str] = set()
        live = await self._live(index)
        await self.database.execute(queries.DROP_ELSEWHERE, {"name": index, "provider": self._provider_id})
        for version in live:
            async with self._unless_lost(version), self._rarer_while_away():
                if documents:
                    await self._provider.upsert_documents(version, _defined(index), documents, waiting["ticket"])
                if gone:
                    await self._provider.delete_documents(version, gone, waiting["ticket"])
                if waiting["parts"]:
                    made.update(await self._provider.made_of(version, waiting["parts"]))
        await self.database.execute(queries.SETTLE, {"positions": waiting["positions"]})
        if made := made - set(waiting["documents"]):
            await self.mark(sorted(made), ())

    async def _live(self, index: str) -> list[str]:
        """The versions to be written into. Nobody else writes into them, or drops them, until the transaction is over."""
        await self.database.fetch(queries.LOCK, {"name": index})
        return [row["id"] for row in await self.database.fetch(queries.LIVE, {"name": index, "provider": self._provider_id})]

    @asynccontextmanager
    async def _unless_lost(self, version: str) -> AsyncIterator[None]:
        """Drop a version that its provider doesn't have any more: another one is built then."""
        try:
            yield
        except NotFound as error:
            log.warning("a search index is lost, and built anew", version=version, error=error.message)
            await self.database.execute(queries.DROP_LOST, {"id": version})

    @asynccontextmanager
    async def _rarer_while_away(self) -> AsyncIterator[None]:
        """After each failure wait twice as long before anything is read for the provider again."""
        try:
            yield
        except Unavailable:
            self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause))
            self._alone_until = time.monotonic() + self._pause * random.uniform(0.5, 1.0)
            raise
        self._pause = 0.0

    # -- building

    @writes
    async def begin_sync(self, index: str, job_id: str, strategy: Strategy, filters: Row | None) -> Sync:
        """Begin to fill an index: a new version of it, or what is searched now. An index that was deleted is there again.

        Raises NotFound for an index that there is none of, and for one `in_place` that was never built.
        """
        definition = _defined(index)
        row = await self.database.fetch_one(queries.INDEX, {"id": new_id("srhidx"), "name": index})
        assert row is not None
        if strategy == "swap":
            number = await self.database.fetch_value(queries.LAST, {"id": row["id"]}) + 1
            id = new_id("srhver")
            made = {"id": id, "version": number, "provider": self._provider_id, "physical_name": id, "definition_hash": definition.hash}
            await self.create("search_index_version", [{**made, "status": "building", "search_index_id": row["id"]}])
        else:
            active = await self._active(index)
            if active is None:
                raise NotFound(f"The search index {index} isn't built: there is nothing to bring up to date in place")
            number, id = row["active_version"], active
        sync = {"id": new_id("srhsync"), "job_id": job_id, "status": "processing", "filters": filters, "search_index_version_id": id}
        await self.create("search_index_sync", [{**sync, "started_at": utc_now()}])
        ticket = await self.database.fetch_value(queries.TICKET)
        return Sync(id=str(sync["id"]), index=index, version_id=id, version=number, strategy=strategy, ticket=ticket)

    @reads
    async def prepare(self, sync: Sync) -> None:
        """Have the provider make what a new version is kept in. May be repeated."""
        await self._provider.create_index(sync["version_id"], _defined(sync["index"]))

    @reads
    async def ticket(self) -> int:
        """A ticket for what is read from now on."""
        return int(await self.database.fetch_value(queries.TICKET))

    @writes
    async def fill(self, sync: Sync, documents: Sequence[Row], ticket: int, last_key: str) -> bool:
        """Write the next documents of a sync, up to a key. Returns whether its version is still wanted."""
        if sync["version_id"] not in await self._live(sync["index"]):
            return False
        async with self._unless_lost(sync["version_id"]):
            await self._provider.upsert_documents(sync["version_id"], _defined(sync["index"]), documents, ticket)
            await self.database.execute(queries.PROGRESS, {"id": sync["id"], "count": len(documents), "last_key": last_key})
            return True
        return False

    @writes
    async def finish_sync(self, sync: Sync, *, everything: bool) -> None:
        """End a sync that has read what it had to: a new version is searched from now on, unless a newer one is, and older ones are
        dropped. `everything`: what it didn't find is gone. Parts that changed meanwhile are looked for once more: by now all documents
        are there."""
        if sync["version_id"] not in await self._live(sync["index"]):
            await self._end(sync, "canceled")
            return
        if everything:
            await self._provider.delete_older(sync["version_id"], sync["ticket"])
        if sync["strategy"] == "swap":
            await self.database.fetch(queries.STATUS, {"id": sync["version_id"], "status": "ready"})
            [index] = await self.list("search_index", {"name": sync["index"]}, fields=("id",))
            if await self.database.fetch(queries.ACTIVATE, {"id": index["id"], "version": sync["version"]}):
                await self._drop_versions(index["id"], below=sync["version"])
        await self._end(sync, "done")

    @writes
    async def fail_sync(self, sync: Sync, error: str) -> None:
        """End a sync that could not be finished: the version that it built is dropped. One that is over stays as it is: what failed after
        it takes nothing from those who search. May be repeated."""
        await self.database.fetch(queries.LOCK, {"name": sync["index"]})
        if await self._end(sync, "failed", error) and sync["strategy"] == "swap":
            await self.database.fetch(queries.STATUS, {"id": sync["version_id"], "status": "error"})

    async def _end(self, sync: Sync, status: str, error: str | None = None) -> bool:
        """Whether it wasn't over yet."""
        ended = await self.database.fetch(queries.END, {"id": sync["id"], "status": status, "error": error})
        await self.database.execute(queries.APPLY_KEPT)
        return bool(ended)

    @writes
    async def delete_index(self, index: str) -> int:
        """Delete an index with all its versions, until it is built again. Returns how many versions there were. Raises NotFound."""
        _defined(index)
        row = await self.database.fetch_one(queries.DROP_INDEX, {"name": index})
        if row is None:
            raise NotFound(f"The search index {index} isn't built")
        return await self._drop_versions(row["id"], below=LAST_VERSION)

    @writes
    async def withdraw(self, indexes: Sequence[str]) -> None:
        """Drop all versions of indexes, so that they are built again like ones that never were. May be repeated."""
        for name in sorted(indexes):
            row = await self.database.fetch_one(queries.LOCK, {"name": name})
            if row is not None:
                await self._drop_versions(row["id"], below=LAST_VERSION)

    async def _drop_versions(self, index_id: str, *, below: int) -> int:
        return len(await self.database.fetch(queries.DROP_VERSIONS, {"id": index_id, "below": below}))

    @writes
    async def sweep(self, leftover: Sequence[str]) -> None:
        """Have the provider delete what it keeps of versions that nobody wants: once that is certain. May be repeated."""
        for version in leftover:
            await self._provider.delete_index(version)
        await self.database.execute(queries.SWEPT, {"ids": list(leftover)})


def _defined(index: str) -> IndexDefinition:
    try:
        return INDEXES[index]
    except KeyError:
        raise NotFound(f"There is no search index {index}: there are {', '.join(INDEXES)}") from None


def _standing(definition: IndexDefinition, row: Any) -> Standing:
    if row is None:
        return Standing(name=definition.name, made=0, current=False, status="pending", live=[], leftover=[], elsewhere=False)
    return Standing(
        name=definition.name,
        made=row["made"],
        current=row["deleted"] or row["definition_hash"] == definition.hash,
        status="pending" if row["deleted"] else row["status"] or row["newest"] or "pending",
        live=[] if row["deleted"] else row["live"],
        leftover=row["leftover"],
        elsewhere=row["elsewhere"],
    )


def _shown(definition: IndexDefinition, fields: Sequence[str] | None, store: bool) -> list[str]:
    """Raises InvalidData for fields that aren't shown."""
    known = [field.name for field in definition.fields if field.store or not store]
    if fields is None or "*" in fields:
        return known
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise InvalidData(f"{unknown[0]} is no field of {definition.name} to show: there are {', '.join(known)}")
    return list(dict.fromkeys(fields))


def _facets(question: Asked, counts: Sequence[Any]) -> Row:
    shown: Row = {}
    for facet, count in zip(question.facets, counts, strict=True):
        into: Row = shown.setdefault(facet.name, {})
        if facet.kind == "value":
            into["values"] = count
        elif facet.kind == "stats":
            into["stats"] = count
        else:
            into["ranges"] = [{**range, "count": n} for (range, _), n in zip(facet.ranges, count, strict=True)]
    return shown
