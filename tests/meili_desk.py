"""Meilisearch as tests have it: the part of its HTTP API that the shop uses, as its documentation describes it, on a loopback port.

It keeps indexes in memory, and carries out tasks one after the other, `pause` seconds after they were taken; until then all reading shows
what was there before. It filters and sorts only by what an index's settings allow, finds words with typos (one from 5 letters on, two from
9) and the last one as a beginning, compares texts without their case, and refuses keys of documents that have other characters.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

Row = dict[str, Any]
KEY = "master"
DEFAULTS: Row = {
    "searchableAttributes": ["*"],
    "filterableAttributes": [],
    "sortableAttributes": [],
    "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness"],
    "faceting": {"maxValuesPerFacet": 100},
    "pagination": {"maxTotalHits": 1000},
}


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def shown(self) -> Row:
        return {"message": str(self), "code": self.code, "type": "invalid_request", "link": f"https://docs.example/errors#{self.code}"}


class Index:
    def __init__(self, primary: str | None) -> None:
        self.primary = primary
        self.settings = json.loads(json.dumps(DEFAULTS))
        self.documents: dict[str, Row] = {}
        self.begins = True
        """Whether filters know `STARTS WITH`: it was experimental up to 1.17."""


class MeiliDesk:
    """`async with MeiliDesk() as desk: desk.options`"""

    def __init__(self) -> None:
        self.pause = 0.0
        self.indexes: dict[str, Index] = {}
        self.tasks: list[Row] = []
        self.url = ""
        self.version = "1.18.0"
        self._work: asyncio.Queue[tuple[Row, Callable[[], None]]] = asyncio.Queue()
        self._runner: web.AppRunner | None = None

    @property
    def options(self) -> Row:
        return {"url": self.url, "api_key": KEY, "timeout": 3.0}

    async def __aenter__(self) -> MeiliDesk:
        app = web.Application(client_max_size=100 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._worker = asyncio.create_task(self._carry_out())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        assert self._runner is not None
        await self._runner.cleanup()

    # -- tasks

    def _enqueue(self, uid: str, kind: str, work: Callable[[], None]) -> tuple[int, Row]:
        task: Row = {"uid": len(self.tasks), "indexUid": uid, "status": "enqueued", "type": kind, "error": None}
        self.tasks.append(task)
        self._work.put_nowait((task, work))
        return 202, {"taskUid": task["uid"], "indexUid": uid, "status": "enqueued", "type": kind}

    async def _carry_out(self) -> None:
        while True:
            task, work = await self._work.get()
            task["status"] = "processing"
            await asyncio.sleep(self.pause)
            try:
                work()
                task["status"] = "succeeded"
            except Refused as error:
                task |= {"status": "failed", "error": error.shown}

    # -- HTTP

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            given = request.headers.get("Authorization")
            if given is None:
                raise Refused(401, "missing_authorization_header", "The Authorization header is missing.")
            if given != f"Bearer {KEY}":
                raise Refused(403, "invalid_api_key", "The provided API key is invalid.")
            body = await request.json() if request.can_read_body else None
            status, said = self._asked(request.method, [*filter(None, request.path.split("/"))], body, dict(request.query))
        except Refused as error:
            status, said = error.status, error.shown
        return web.json_response(said, status=status)

    def _asked(self, method: str, path: list[str], body: Any, query: dict[str, str]) -> tuple[int, Any]:
        match method, path:
            case "GET", ["version"]:
                return 200, {"commitSha": "0", "commitDate": "0", "pkgVersion": self.version}
            case "GET", ["indexes"]:
                return 200, {"results": [{"uid": uid} for uid in self.indexes], "offset": 0, "limit": 20, "total": len(self.indexes)}
            case "POST", ["indexes"]:
                return self._enqueue(body["uid"], "indexCreation", lambda: self._create(body["uid"], body.get("primaryKey")))
            case "DELETE", ["indexes", uid]:
                return self._enqueue(uid, "indexDeletion", lambda: self._delete(uid))
            case "PATCH", ["indexes", uid, "settings"]:
                return self._enqueue(uid, "settingsUpdate", lambda: self._there(uid).settings.update(body))
            case "POST", ["indexes", uid, "documents"]:
                return self._enqueue(uid, "documentAdditionOrUpdate", lambda: self._add(uid, body))
            case "POST", ["indexes", uid, "documents", "fetch"]:
                return 200, self._fetch(self._there(uid), body)
            case "GET", ["tasks"]:
                names, statuses = query["indexUids"].split(","), query["statuses"].split(",")
                found = [task for task in reversed(self.tasks) if task["indexUid"] in names and task["status"] in statuses]
                return 200, {"results": found[: int(query.get("limit", 20))], "total": len(found)}
            case "GET", ["tasks", uid]:
                return 200, self.tasks[int(uid)]
            case "POST", ["multi-search"]:
                return 200, {"results": [Search(self._there(each["indexUid"], 400), each).answer() for each in body["queries"]]}
        raise Refused(404, "not_found", f"{method} {'/'.join(path)} isn't there")

    def _there(self, uid: str, status: int = 404) -> Index:
        if uid not in self.indexes:
            raise Refused(status, "index_not_found", f"Index `{uid}` not found.")
        return self.indexes[uid]

    def _create(self, uid: str, primary: str | None) -> None:
        if uid in self.indexes:
            raise Refused(409, "index_already_exists", f"Index `{uid}` already exists.")
        self.indexes[uid] = Index(primary)

    def _delete(self, uid: str) -> None:
        self._there(uid)
        del self.indexes[uid]

    def _add(self, uid: str, documents: list[Row]) -> None:
        index = self.indexes.setdefault(uid, Index("id"))
        assert index.primary is not None
        wrong = [each for each in documents if not re.fullmatch(r"[A-Za-z0-9_-]{1,511}", str(each.get(index.primary, "")))]
        if wrong:
            raise Refused(400, "invalid_document_id", f"Document identifier {wrong[0].get(index.primary)!r} is invalid.")
        index.documents |= {each[index.primary]: each for each in documents}

    def _fetch(self, index: Index, body: Row) -> Row:
        found = [each for each in index.documents.values() if Filter(index, body.get("filter") or "").passes(each)]
        start, most = body.get("offset", 0), body.get("limit", 20)
        rows = [{name: each[name] for name in body.get("fields") or each if name in each} for each in found[start : start + most]]
        return {"results": rows, "offset": start, "limit": most, "total": len(found)}


def values_of(document: Any, path: str) -> list[Any]:
    """What lies at a path, lists opened; empty where nothing does."""
    if isinstance(document, list):
        return [value for each in document for value in values_of(each, path)]
    if not path:
        return [document]
    if not isinstance(document, dict):
        return []
    return [
        value
        for name, inner in document.items()
        if path == name or path.startswith(f"{name}.")
        for value in values_of(inner, path[len(name) + 1 :])
    ]


def allowed(path: str, attributes: list[str]) -> bool:
    """An attribute allows what lies in it."""
    return any(path == each or path.startswith(f"{each}.") for each in attributes)


TOKEN = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[<>!]?=|[<>]|[()\[\],]|[^\s()\[\],<>=!"']+)""")
Test = Callable[[Row], bool]


class Filter:
    """A filter expression, by its grammar: OR, AND, NOT, parentheses, conditions."""

    def __init__(self, index: Index, text: str) -> None:
        self._index, self._tokens, at = index, list[str](), 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                self._wrong(f"Was not expecting `{text[at:]}`")
            self._tokens.append(found[1])
            at = found.end()
        self._at = 0
        self.passes: Test = self._or() if self._tokens else lambda _: True
        if self._at < len(self._tokens):
            self._wrong(f"Found unexpected characters at the end of the filter: `{self._tokens[self._at]}`")

    def _wrong(self, message: str) -> Any:
        raise Refused(400, "invalid_search_filter", message)

    def _next(self, *words: str) -> bool:
        """Whether these come next; they are passed then."""
        if tuple(self._tokens[self._at : self._at + len(words)]) == words:
            self._at += len(words)
            return True
        return False

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            self._wrong("The filter is over too early")
        self._at += 1
        token = self._tokens[self._at - 1]
        return token[1:-1].replace(f"\\{token[0]}", token[0]) if token[0] in "\"'" else token

    def _or(self) -> Test:
        tests = [self._and()]
        while self._next("OR"):
            tests.append(self._and())
        return lambda row: any(test(row) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._next("AND"):
            tests.append(self._not())
        return lambda row: all(test(row) for test in tests)

    def _not(self) -> Test:
        if self._next("NOT"):
            test = self._not()
            return lambda row: not test(row)
        if self._next("("):
            inner = self._or()
            if not self._next(")"):
                self._wrong("A parenthesis isn't closed")
            return inner
        return self._condition()

    def _condition(self) -> Test:
        path = self._take()
        if not allowed(path, self._index.settings["filterableAttributes"]):
            self._wrong(f"Attribute `{path}` is not filterable.")
        if self._next("EXISTS"):
            return lambda row: bool(values_of_kept(row, path))
        if self._next("IS"):
            negated, empty = self._next("NOT"), self._next("EMPTY")
            if not empty and not self._next("NULL"):
                self._wrong("Was expecting EMPTY or NULL")
            wanted: tuple[Any, ...] = ("", [], {}) if empty else (None,)
            return lambda row: any(each in wanted for each in values_of_kept(row, path)) is not negated
        if self._next("IN", "["):
            listed = []
            while not self._next("]"):
                listed.append(self._take().lower())
                self._next(",")
            return lambda row: any(_text(value) in listed for value in values_of(row, path))
        if self._next("STARTS", "WITH"):
            if not self._index.begins:
                raise Refused(
                    400, "feature_not_enabled", "Using `STARTS WITH` in a filter requires enabling the `contains filter` feature."
                )
            begins = self._take().lower()
            return lambda row: any(_text(value).startswith(begins) for value in values_of(row, path))
        sign, given = self._take(), self._take()
        if sign in ("=", "!="):
            equal: Test = lambda row: any(_same(value, given) for value in values_of(row, path))  # noqa: E731
            return equal if sign == "=" else lambda row: not equal(row)
        compare = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}.get(sign)
        if compare is None:
            self._wrong(f"Was expecting an operation `=`, `!=`, `>=`, … but found `{sign}`")
        assert compare is not None
        return lambda row: any(
            compare(float(value), float(given)) for value in values_of(row, path) if isinstance(value, int | float) and value is not True
        )


def values_of_kept(row: Any, path: str) -> list[Any]:
    """What lies at a path, as it is: an empty list is one."""
    head, _, rest = path.partition(".")
    if not isinstance(row, dict) or head not in row:
        return []
    return values_of_kept(row[head], rest) if rest else [row[head]]


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value).lower()


def _same(value: Any, given: str) -> bool:
    if value is None:
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return re.fullmatch(r"-?\d+(\.\d+)?", given) is not None and float(given) == value
    return _text(value) == given.lower()


class Search:
    """One query."""

    def __init__(self, index: Index, asked: Row) -> None:
        self._index, self._asked, settings = index, asked, index.settings
        within = asked.get("attributesToSearchOn")
        if within is not None and not all(allowed(each, settings["searchableAttributes"]) for each in within):
            raise Refused(400, "invalid_search_attributes_to_search_on", f"Attribute of {within} is not searchable.")
        self._attributes = within if within is not None else settings["searchableAttributes"]
        self._words = re.findall(r'"[^"]*"|\w+', asked.get("q") or "")
        self._filter = Filter(index, asked.get("filter") or "")
        for each in asked.get("sort") or ():
            if not allowed(each.rpartition(":")[0], settings["sortableAttributes"]):
                raise Refused(400, "invalid_search_sort", f"Attribute `{each}` is not sortable.")
        for each in asked.get("facets") or ():
            if not allowed(each, settings["filterableAttributes"]):
                raise Refused(400, "invalid_search_facets", f"Invalid facet distribution: attribute `{each}` is not filterable.")

    def answer(self) -> Row:
        asked, least = self._asked, self._asked.get("rankingScoreThreshold") or 0.0
        scored = [(self._score(row), row) for row in self._index.documents.values() if self._filter.passes(row)]
        hits = [(score, row) for score, row in scored if score is not None and score >= least]
        hits.sort(key=lambda hit: -hit[0])
        rules = self._index.settings["rankingRules"]
        assert rules.index("sort") < rules.index("words")
        for each in reversed(asked.get("sort") or []):
            path, _, way = each.rpartition(":")
            there = [(values_of(row, path), (score, row)) for score, row in hits]
            known = sorted(
                (pair for pair in there if pair[0] and pair[0][0] is not None), key=lambda pair: pair[0][0], reverse=way == "desc"
            )
            hits = [hit for _, hit in known] + [hit for values, hit in there if not values or values[0] is None]
        start = asked.get("offset", 0)
        found = min(len(hits), self._index.settings["pagination"]["maxTotalHits"])
        end = min(start + asked.get("limit", 20), found)
        shown = asked.get("attributesToRetrieve")
        answer: Row = {"hits": [self._shown(score, row, shown) for score, row in hits[start:end]], "estimatedTotalHits": found}
        if asked.get("facets") is not None:
            answer |= self._facets([row for _, row in hits])
        return answer

    def _shown(self, score: float, row: Row, shown: list[str] | None) -> Row:
        hit = {name: value for name, value in row.items() if shown is None or name in shown}
        if self._asked.get("showRankingScore"):
            hit["_rankingScore"] = score
        if self._asked.get("showMatchesPosition"):
            hit["_matchesPosition"] = {path: places for path in self._attributes if (places := [*self._places(row, path)])}
        return hit

    def _score(self, row: Row) -> float | None:
        """From 0 to 1; None: it isn't found."""
        if not self._words:
            return 1.0
        ranks = [self._rank(row, word, n == len(self._words) - 1) for n, word in enumerate(self._words)]
        needed = ranks[:1] if self._asked["matchingStrategy"] == "last" else ranks
        if any(rank is None for rank in needed):
            return None
        return sum(rank for rank in ranks if rank is not None) / len(ranks)

    def _rank(self, row: Row, word: str, last: bool) -> float | None:
        """By typos, and by the attribute in which it is found."""
        best: float | None = None
        for place, path in enumerate(self._attributes):
            for text in _texts(row, path):
                for found in re.findall(r"\w+", text.lower()):
                    typos = _typos(word, found, last)
                    if typos is not None:
                        best = max(best or 0.0, (1 - 0.3 * typos) * (1 - 0.5 * place / len(self._attributes)))
        return best

    def _places(self, row: Row, path: str) -> Iterator[Row]:
        value = (values_of_kept(row, path) or [None])[0]
        for n, text in enumerate(value if isinstance(value, list) else [value]):
            for found in re.finditer(r"\w+", text) if isinstance(text, str) else ():
                if any(_typos(word, found[0].lower(), at == len(self._words) - 1) is not None for at, word in enumerate(self._words)):
                    place = {"start": len(text[: found.start()].encode()), "length": len(found[0].encode())}
                    yield {**place, "indices": [n]} if isinstance(value, list) else place

    def _facets(self, rows: list[Row]) -> Row:
        most, distribution, stats = self._index.settings["faceting"]["maxValuesPerFacet"], {}, {}
        for path in self._asked["facets"]:
            counts: dict[str, int] = {}
            numbers = []
            for row in rows:
                values = {value for value in values_of(row, path) if value is not None}
                numbers += [value for value in values if isinstance(value, int | float)]
                for value in values:
                    shown = f"{value:.1f}" if isinstance(value, float) and value == int(value) else str(value)
                    counts[shown] = counts.get(shown, 0) + 1
            distribution[path] = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most])
            if numbers:
                stats[path] = {"min": min(numbers), "max": max(numbers)}
        return {"facetDistribution": distribution, "facetStats": stats}


def _texts(row: Row, path: str) -> Iterator[str]:
    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for each in value.values():
                yield from inside(each)
        elif isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for each in value:
                yield from inside(each)

    for value in values_of_kept(row, path):
        yield from inside(value)


def _typos(word: str, found: str, last: bool) -> int | None:
    """How many there are; None: too many. A word in quotes is meant as it is."""
    if word.startswith('"'):
        return 0 if found == word.strip('"').lower() else None
    word = word.lower()
    most = 0 if len(word) < 5 else 1 if len(word) < 9 else 2
    ends = range(len(word) - most, len(found) + 1) if last else [len(found)]
    best = min((_distance(word, found[: max(0, end)]) for end in ends), default=99)
    return best if best <= most else None


def _distance(a: str, b: str) -> int:
    """By Damerau and Levenshtein."""
    rows = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, j in ((i, j) for i in range(len(a) + 1) for j in range(len(b) + 1)):
        if not i or not j:
            rows[i][j] = i + j
            continue
        rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[len(a)][len(b)]
