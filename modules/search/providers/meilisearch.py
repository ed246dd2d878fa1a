"""Search by Meilisearch, version 1.10 or newer, by its HTTP API.

    [[providers.search]]
    use = "meilisearch"
    options = { url = "https://search.example.com", api_key = "…" }

A version of an index is an index over there, under its own name. Beside its fields a document has `velella`: its ticket, what it is made
of, its times as numbers (texts aren't compared reliably there), and whether it is gone. A writing is over when Meilisearch has carried out
its task: before that, reading shows what was there before. A task that is still waiting, of a writing whose answer was lost, is waited for
before the next one looks at tickets: tasks are carried out in their order.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, Final

from ....core import json
from ....core.errors import InvalidData, Misconfigured, NotFound, Unavailable, UnexpectedState, VelellaError
from ....core.rows import Row
from ....core.service.outside import Answer, OutsideParty
from ..asking import Asked, Condition, Facet, Is, Not, Several
from ..indexes import IndexDefinition
from ..provider import SearchProvider

OLDEST: Final = (1, 10)
KEY: Final = "velella_key"
"""The attribute by which Meilisearch tells documents apart. Its values are written with fewer characters than ids may have."""
AT_ONCE: Final = 1000
"""Documents that are looked at together."""
COUNTED: Final = 1000
"""Values of a facet that Meilisearch counts."""
FOUND: Final = 10_000_000
"""Hits that Meilisearch counts; to count them costs it nothing, and how far pages reach is bounded before it is asked."""
FIRST_LOOK: Final = 0.02
LONGEST_LOOK: Final = 1.0
"""Seconds between two looks whether a task is over."""
_SIGNS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "eq": "="}
_MISSING: Final = "index_not_found"


class MeilisearchSearch(SearchProvider):
    """Keeps documents in Meilisearch."""

    identifier: ClassVar[str] = "meilisearch"

    def __init__(self, url: str, api_key: str = "", *, timeout: float = 5.0, retries: int = 2, task_timeout: float = 15.0) -> None:
        """
        Args:
            api_key: may search, and do all to documents, indexes, settings and tasks. None: Meilisearch has no master key.
            timeout: seconds for one attempt, and the longest pause before another one.
            retries: attempts after one that failed (see `core.service.outside`).
            task_timeout: seconds in which Meilisearch carries out what is to be written. Later, it is tried again.
        """
        if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url):
            raise Misconfigured(f"Meilisearch has no URL: {url!r} is none.", hint="It looks like http://127.0.0.1:7700.")
        self._base = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        self._task_timeout = task_timeout
        self.outside: OutsideParty = OutsideParty("Meilisearch", timeout=timeout, retries=retries, most_bytes=64 * 1024 * 1024)

    async def check(self) -> str:
        version = str((await self._ask("GET", "/version"))["pkgVersion"])
        await self._ask("GET", "/indexes?limit=1")
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
            raise Misconfigured(f"Meilisearch is too old: {version}", hint="Version 1.10 or newer is needed.")
        return f"Meilisearch {version} lets this shop in"

    # -- writing

    async def create_index(self, version: str, definition: IndexDefinition) -> None:
        await self._done("POST", "/indexes", {"uid": version, "primaryKey": KEY}, but="index_already_exists")
        await self._done("PATCH", f"/indexes/{version}/settings", _settings(definition))

    async def upsert_documents(self, version: str, definition: IndexDefinition, documents: Sequence[Row], ticket: int) -> None:
        dates = [field.name for field in definition.fields if field.type == "date"]
        rows = {}
        for each in documents:
            fields = each["fields"]
            times = {name: _milliseconds(fields[name]) for name in dates if fields.get(name) is not None}
            rows[_key(each["id"])] = {**fields, "velella": {"ticket": ticket, "parts": list(each["parts"]), "gone": False, "dates": times}}
        await self._write(version, rows, ticket)

    async def delete_documents(self, version: str, ids: Sequence[str], ticket: int) -> None:
        await self._write(version, {_key(id): _gone(ticket) for id in ids}, ticket)

    async def delete_older(self, version: str, ticket: int) -> None:
        await self._settle(version)
        older = await self._documents(version, f"velella.ticket < {ticket} AND velella.gone = false", KEY)
        await self._write(version, {row[KEY]: _gone(ticket) for row in older}, ticket)

    async def made_of(self, version: str, parts: Sequence[str]) -> Sequence[str]:
        await self._settle(version)
        found: set[str] = set()
        for start in range(0, len(parts), AT_ONCE):
            rows = await self._documents(version, f"velella.parts IN {_listed(parts[start : start + AT_ONCE])}", "id")
            found.update(row["id"] for row in rows)
        return sorted(found)

    async def delete_index(self, version: str) -> None:
        await self._done("DELETE", f"/indexes/{version}", but=_MISSING)

    async def _write(self, version: str, rows: Mapping[str, Row], ticket: int) -> None:
        """Write documents by their keys, but those that have this ticket or a higher one."""
        await self._settle(version)
        keys = list(rows)
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            asked = f"{KEY} IN {_listed(some)} AND velella.ticket >= {ticket}"
            later = {row[KEY] for row in await self._documents(version, asked, KEY)}
            if written := [{KEY: key, **rows[key]} for key in some if key not in later]:
                await self._done("POST", f"/indexes/{version}/documents", written)

    async def _documents(self, version: str, filter: str, field: str) -> list[Row]:
        """One field of all documents that pass a filter."""
        rows: list[Row] = []
        while True:
            asked = {"filter": filter, "fields": [field], "offset": len(rows), "limit": AT_ONCE}
            page = (await self._ask("POST", f"/indexes/{version}/documents/fetch", asked))["results"]
            rows += page
            if len(page) < AT_ONCE:
                return rows

    async def _settle(self, version: str) -> None:
        """Wait until nothing is waiting to be written into an index."""

        async def settled() -> bool:
            return not (await self._ask("GET", f"/tasks?indexUids={version}&statuses=enqueued,processing&limit=1"))["results"]

        await self._until(settled)

    async def _done(self, method: str, path: str, body: Any = None, *, but: str = "") -> None:
        """Have something written, and wait until it is. `but`: the code of an error that means that it is so already."""
        answer = await self._send(method, path, body)
        if answer.status >= 400:
            if _code(answer) == but:
                return
            raise _refused(answer)
        uid = answer.json()["taskUid"]

        async def done() -> bool:
            task = await self._ask("GET", f"/tasks/{uid}")
            if task["status"] == "canceled":
                raise Unavailable("Meilisearch was told not to do what it was to do", hint=f"Its task {uid}, {path}")
            if task["status"] == "failed" and task["error"]["code"] != but:
                raise UnexpectedState(f"Meilisearch could not do it: {task['error']['message']}", hint=f"Its task {uid}, {path}")
            return task["status"] in ("succeeded", "failed")

        await self._until(done)

    async def _until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        pause, end = FIRST_LOOK, time.monotonic() + self._task_timeout
        while not await holds():
            if time.monotonic() + pause > end:
                raise Unavailable(f"Meilisearch has more to do than it does in {self._task_timeout:g} s: it is tried again")
            await asyncio.sleep(pause)
            pause = min(LONGEST_LOOK, pause * 2)

    # -- searching

    async def search(self, version: str, definition: IndexDefinition, asked: Asked) -> Row | None:
        filters = _Filters(definition)
        everything = f"velella.gone = false AND ({filters.of(asked.visible)}) AND ({filters.of(asked.condition)})"
        query: Row = {"indexUid": version, "q": _words(asked), "matchingStrategy": "last" if asked.strategy == "last" else "all"}
        if asked.within is not None:
            query["attributesToSearchOn"] = [".".join(path) for path in asked.within]
        if asked.least_score is not None:
            query["rankingScoreThreshold"] = asked.least_score
        first = {
            **query,
            "filter": everything,
            "offset": asked.skip,
            "limit": asked.take,
            "attributesToRetrieve": [field.name for field in definition.fields],
            "sort": [f"{'.'.join(path)}:{'asc' if ascends else 'desc'}" for path, ascends in asked.sorts],
            "facets": list(dict.fromkeys(facet.name for facet in asked.facets if facet.kind != "range")),
            "showRankingScore": True,
            "showMatchesPosition": bool(asked.words),
        }
        ranges = [each for facet in asked.facets for _, each in facet.ranges]
        counts = [{**query, "filter": f"{everything} AND ({filters.of(each)})", "limit": 0} for each in ranges]
        answer = await self._send("POST", "/multi-search", {"queries": [first, *counts]})
        if answer.status >= 400:
            if _code(answer) == _MISSING:
                return None
            raise _refused(answer)
        found, *counted = answer.json()["results"]
        in_ranges = iter([each["estimatedTotalHits"] for each in counted])
        return {
            "hits": [{"id": hit["id"], "score": float(hit["_rankingScore"]), "fields": hit} for hit in found["hits"]],
            "count": found["estimatedTotalHits"] if asked.counted else None,
            "facets": [
                [next(in_ranges) for _ in facet.ranges] if facet.kind == "range" else _facet(definition, facet, found)
                for facet in asked.facets
            ],
            "words": sorted({word.lower() for word in asked.words} | {word for hit in found["hits"] for word in _matched(hit)}),
        }

    # -- asking

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._send(method, path, body)
        if answer.status >= 400:
            raise _refused(answer)
        return answer.json()

    async def _send(self, method: str, path: str, body: Any = None) -> Answer:
        """All that is asked may be asked again: it finds, or it writes what is written already."""
        data = None if body is None else json.dumps(body)
        return await self.outside.ask(method, self._base + path, headers=self._headers, data=data, again=True)


def _code(answer: Answer) -> str:
    said = answer.json()
    return str(said.get("code")) if isinstance(said, dict) else ""


def _refused(answer: Answer) -> VelellaError:
    if _code(answer) == _MISSING:
        return NotFound("Meilisearch doesn't have the index", hint=answer.shown)
    if answer.status in (401, 403):
        return UnexpectedState("Meilisearch doesn't let this shop in", hint=answer.shown)
    if _code(answer).startswith(("invalid_search_", "invalid_multi_search_", "feature_not_enabled")):
        return InvalidData(f"Meilisearch can't be asked that: {answer.json().get('message')}")
    return UnexpectedState("Meilisearch refused what it was asked", hint=f"It answers {answer.status}: {answer.shown}")


# -- what is kept there


def _settings(definition: IndexDefinition) -> Row:
    fields = definition.fields
    weighed = sorted((field for field in fields if field.weight is not None), key=lambda field: str(field.weight))
    dates = [f"velella.dates.{field.name}" for field in fields if field.type == "date"]
    filterable = [field.name for field in fields if field.filterable or field.facetable]
    return {
        "searchableAttributes": [field.name for field in weighed],
        "filterableAttributes": [*filterable, KEY, "velella.ticket", "velella.parts", "velella.gone", *dates],
        "sortableAttributes": [field.name for field in fields if field.sortable],
        "rankingRules": ["sort", "words", "typo", "proximity", "attribute", "exactness"],
        "faceting": {"maxValuesPerFacet": COUNTED, "sortFacetValuesBy": {"*": "count"}},
        "pagination": {"maxTotalHits": FOUND},
    }


def _key(id: str) -> str:
    return id if re.fullmatch(r"[A-Za-z0-9_-]{1,200}", id) else f"-{sha256(id.encode()).hexdigest()}"


def _gone(ticket: int) -> Row:
    return {"velella": {"ticket": ticket, "parts": [], "gone": True, "dates": {}}}


def _milliseconds(moment: Any) -> int:
    return round((datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp() * 1000)


# -- what is asked


def _words(asked: Asked) -> str:
    """Meilisearch takes a minus for *without*, and quotes for words that stand together as they are written."""
    if asked.strategy == "any" and len(asked.words) > 1:
        raise InvalidData("Meilisearch finds all words or the first ones, not any of them (match_strategy)")
    words = [word.replace('"', " ").lstrip("-").strip() for word in asked.words]
    return " ".join(word if asked.typos else f'"{word}"' for word in words if word)


class _Filters:
    """Writes conditions as Meilisearch reads them."""

    def __init__(self, definition: IndexDefinition) -> None:
        self._dates = {field.name for field in definition.fields if field.type == "date"}

    def of(self, condition: Condition) -> str:
        match condition:
            case Not(of):
                return f"NOT ({self.of(of)})"
            case Several(how, of):
                parts = [f"({self.of(each)})" for each in of]
                return (" AND " if how == "all" else " OR ").join(parts) or f"velella.ticket {'>=' if how == 'all' else '<'} 0"
            case Is(path, "exists", _):
                name = _quoted(".".join(path))
                return f"{name} EXISTS AND {name} IS NOT NULL AND {name} IS NOT EMPTY"
            case Is(path, "eq", None):
                return f"{_quoted('.'.join(path))} IS NULL"
            case Is(path, "prefix", value):
                return f"{_quoted('.'.join(path))} STARTS WITH {_literal(value)}"
            case Is((name,), op, str() as moment) if name in self._dates and op in _SIGNS:
                return f"velella.dates.{name} {_SIGNS[op]} {_milliseconds(moment)}"
            case Is(path, op, value) if op == "eq" or (op in _SIGNS and not isinstance(value, str | bool)):
                return f"{_quoted('.'.join(path))} {_SIGNS[op]} {_literal(value)}"
            case Is(path, op, _):
                raise InvalidData(f"Meilisearch can't be asked for {'.'.join(path)} by ${op}")


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else format(Decimal(str(value)), "f")


def _quoted(text: str) -> str:
    """In its filters a backslash before a quote can't be said."""
    if "\\" in text:
        raise InvalidData("Meilisearch can't be asked for texts with a backslash")
    return '"' + text.replace('"', '\\"') + '"'


# -- what is found


def _matched(hit: Row) -> Iterator[str]:
    """The words of a hit that were found, as they stand there: places are given in bytes."""
    for path, places in (hit.get("_matchesPosition") or {}).items():
        whole: Any = hit
        for name in path.split(".", 1):
            whole = whole.get(name) if isinstance(whole, Mapping) else None
        for place in places:
            text = whole
            for index in place.get("indices") or ():
                text = text[index] if isinstance(text, list) and index < len(text) else None
            if isinstance(text, str):
                yield text.encode()[place["start"] : place["start"] + place["length"]].decode(errors="ignore").lower()


def _facet(definition: IndexDefinition, facet: Facet, found: Row) -> Any:
    number = (field := definition.field(facet.name)) is not None and field.type == "number"
    counts = [(_number(value) if number else value, count) for value, count in found["facetDistribution"].get(facet.name, {}).items()]
    if facet.kind == "value":
        begins = (facet.query or "").lower()
        kept = [each for each in counts if str(each[0]).lower().startswith(begins)]
        kept.sort(key=lambda each: (0 if facet.alphabetic else -each[1], each[0]))
        return [{"value": value, "count": count} for value, count in kept[: facet.most]]
    ends = found.get("facetStats", {}).get(facet.name, {})
    stats: Row = {"min": ends.get("min"), "max": ends.get("max"), "avg": None, "sum": None, "count": None}
    if len(counts) < COUNTED:  # else these aren't all
        count, total = sum(n for _, n in counts), sum((value * n for value, n in counts), Decimal())
        stats |= {"count": count, "sum": total if count else None, "avg": total / count if count else None}
    return stats


def _number(text: str) -> Decimal:
    return Decimal(text).normalize() + 0
