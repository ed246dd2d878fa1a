"""Search in PostgreSQL: words by full text, weighted by where they stand; one misspelt letter a word; filters and facets by JSON paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ....core import json
from ....core.rows import Row
from ....core.service.context import ModuleContext
from ....core.sql.db.database import Database
from .. import queries
from ..asking import MOST_VALUES, Asked, Condition, Facet, Is, Not, Several, words_of
from ..indexes import IndexDefinition
from ..provider import SearchProvider

MOST_LETTERS: Final = 100_000
"""Characters of a document that are searched, of each weight."""
CORRECTED: Final = 4
"""Letters of the shortest word that is corrected."""
MOST_SPELLINGS: Final = 5
"""What a misspelt word may have been meant to be."""
_SIGNS: Final = {"eq": "==", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class PostgresSearch(SearchProvider):
    """Keeps documents in the search module's own database."""

    identifier = "postgres"
    _database: Database

    def bind(self, context: ModuleContext) -> None:
        self._database = context.database

    async def upsert_documents(self, version: str, definition: IndexDefinition, documents: Sequence[Row], ticket: int) -> None:
        rows = [{**document, **_texts(definition, document["fields"])} for document in documents]
        await self._database.execute(queries.UPSERT, {"version": version, "ticket": ticket, "rows": rows})

    async def delete_documents(self, version: str, ids: Sequence[str], ticket: int) -> None:
        await self._database.execute(queries.GONE, {"version": version, "ids": list(ids), "ticket": ticket})

    async def delete_older(self, version: str, ticket: int) -> None:
        await self._database.execute(queries.OLDER, {"version": version, "ticket": ticket})

    async def made_of(self, version: str, parts: Sequence[str]) -> Sequence[str]:
        rows = await self._database.fetch(queries.MADE_OF, {"version": version, "parts": list(parts)})
        return [row["id"] for row in rows]

    async def delete_index(self, version: str) -> None:
        await self._database.execute(queries.FORGET, {"version": version})
        await self._database.execute(queries.FORGET_WORDS, {"version": version})

    async def search(self, version: str, definition: IndexDefinition, asked: Asked) -> Row | None:
        words: list[tuple[str, ...]] = [(word.lower(),) for word in asked.words]
        found = await self._find(version, asked, words)
        if found is not None and not found["found"] and words and asked.typos:
            corrected = await self._corrected(version, asked.words)
            if corrected != words:
                words = corrected
                found = await self._find(version, asked, words)
        if found is None:
            return None
        facets = [_facet(number, facet, found) for number, facet in enumerate(asked.facets)]
        marked = sorted({each for one in words for each in one})
        return {"hits": found["hits"], "count": found["count"], "facets": facets, "words": marked}

    async def _find(self, version: str, asked: Asked, words: Sequence[tuple[str, ...]]) -> Row | None:
        """What the statement finds. `found`: whether there is anything, on whichever page."""
        needed, ranked = _queries(words, asked.strategy)
        sorts = [*asked.sorts, ((), True), ((), True), ((), True)][:3]
        values = [(number, facet) for number, facet in enumerate(asked.facets) if facet.kind == "value"]
        ranges = [(n, r, each) for n, facet in enumerate(asked.facets) for r, (_, each) in enumerate(facet.ranges)]
        stats = [(number, facet) for number, facet in enumerate(asked.facets) if facet.kind == "stats"]
        params: Row = {
            "version": version,
            "needed": needed,
            "ranked": ranked,
            "visible": f"$ ? ({_predicate(asked.visible)})",
            "condition": f"$ ? ({_predicate(asked.condition)})",
            "selective": _is_selective(asked.condition),
            "within": None if asked.within is None else [list(path) for path in asked.within],
            "least": asked.least_score,
            "skip": asked.skip,
            "take": asked.take,
            "counted": asked.counted,
            "most": MOST_VALUES,
            "values": [
                {"facet": n, "path": f"{_at('$', f.path)}[*]", "alphabetic": f.alphabetic, "query": f.query and f.query.lower()}
                for n, f in values
            ],
            "ranges": [{"facet": n, "range": r, "condition": f"$ ? ({_predicate(each)})"} for n, r, each in ranges],
            "stats": [{"facet": n, "path": f"{_at('$', facet.path)}[*]"} for n, facet in stats],
        }
        for number, (path, ascends) in enumerate(sorts, 1):
            params |= {f"sort{number}": list(path) or None, f"up{number}": ascends}
        found = await self._database.fetch_value(queries.SEARCH, params)
        return None if found is None else dict(json.loads(found))

    async def _corrected(self, version: str, words: Sequence[str]) -> list[tuple[str, ...]]:
        """The words, each with those of the index that it may have been meant to be, where the index doesn't have it itself."""
        lower = [word.lower() for word in words]
        given = [{"number": n, "spellings": sorted(_spellings(word))} for n, word in enumerate(lower) if len(word) >= CORRECTED]
        if not given:
            return [(word,) for word in lower]
        close: dict[int, set[str]] = {}
        for number, word in await self._database.fetch(queries.SPELT, {"version": version, "words": given}):
            if one_off(lower[number], word):
                close.setdefault(number, set()).add(word)
        unknown = {number for number, known in close.items() if lower[number] not in known}
        meant = unknown or close.keys()  # all are known, but not together: any may be wrong
        return [tuple(dict.fromkeys((word, *sorted(close[n])[:MOST_SPELLINGS]))) if n in meant else (word,) for n, word in enumerate(lower)]


def _texts(definition: IndexDefinition, fields: Row) -> dict[str, str]:
    """What is searched of a document, by weight."""
    texts: dict[str, list[str]] = {}
    for field in definition.fields:
        if field.weight is not None:
            texts.setdefault(field.weight.lower(), []).extend(words_of(fields.get(field.name)))
    return {weight: "\n".join(each)[:MOST_LETTERS] for weight, each in texts.items()}


# -- words


def _queries(words: Sequence[tuple[str, ...]], strategy: str) -> tuple[str | None, str | None]:
    """What has to be found, and what counts, in the words of `to_tsquery`. The last word may be the beginning of one."""
    if not words:
        return None, None
    each = ["(" + " | ".join(_lexeme(one, open=n == len(words)) for one in meant) + ")" for n, meant in enumerate(words, 1)]
    anything = " | ".join(each)
    return {"all": " & ".join(each), "any": anything, "last": each[0]}[strategy], anything


def _lexeme(word: str, *, open: bool) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' if open else ''}"


def _spellings(word: str) -> set[str]:
    """A word, and what is left of it without one of its letters."""
    return {word, *(word[:n] + word[n + 1 :] for n in range(len(word)))}


def one_off(a: str, b: str) -> bool:
    """Whether two words are the same but for one letter that is wrong, missing, too many, or has changed places with the next."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    x, y = a[start:], b[start:]
    swapped = len(x) > 1 and len(y) > 1 and x[0] == y[1] and x[1] == y[0] and x[2:] == y[2:]
    return x[1:] == y[1:] or x[1:] == y or x == y[1:] or swapped


# -- filters and facets


def _at(root: str, path: Sequence[str]) -> str:
    return root + "".join(f".{_literal(name)}" for name in path)


def _literal(value: Any) -> str:
    return json.dumps(value).decode()


def _predicate(condition: Condition) -> str:
    """A condition as a JSON path has it. Of a list one value has to meet it, which is what JSON paths say."""
    match condition:
        case Not(of):
            return f"!({_predicate(of)})"
        case Several(how, of):
            parts = [f"({_predicate(each)})" for each in of]
            return (" && " if how == "all" else " || ").join(parts) or ("1 == 1" if how == "all" else "1 == 0")
        case Is(path, "exists", _):
            return f"exists({_at('@', path)}[*] ? (@ != null))"
        case Is(path, "prefix", value):
            return f"{_at('@', path)}[*] starts with {_literal(value)}"
        case Is(path, "like", value):
            return f'{_at("@", path)}[*] like_regex {_literal(_pattern(str(value)))} flag "is"'
        case Is(path, op, value):
            return f"{_at('@', path)}[*] {_SIGNS[op]} {_literal(value)}"


def _is_selective(condition: Condition) -> bool:
    """Whether the index of fields finds what meets a condition: by a value that all of that has."""
    match condition:
        case Is(_, "eq", _):
            return True
        case Several("all", of):
            return any(map(_is_selective, of))
        case Several("any", of):
            return all(map(_is_selective, of))
        case _:
            return False


def _pattern(like: str) -> str:
    wild = {"%": ".*", "_": "."}
    return "^" + "".join(wild.get(each) or (each if each.isalnum() or each.isspace() else f"\\{each}") for each in like) + "$"


def _facet(number: int, facet: Facet, found: Row) -> Any:
    def of(kind: str) -> Iterator[list[Any]]:
        return (row[1:] for row in found[kind] or () if row[0] == number)

    if facet.kind == "value":
        return [{"value": value, "count": count} for value, count in list(of("values"))[: facet.most]]
    if facet.kind == "range":
        counts = dict(of("ranges"))
        return [counts[place] for place in range(len(facet.ranges))]
    least, most, average, total, count = next(of("stats"), (None, None, None, None, 0))
    return {"min": least, "max": most, "avg": average, "sum": total, "count": count}
