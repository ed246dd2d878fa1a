"""A client that compares every answer with what the API promises for its route."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

from .facts import Fact, anonymous, facts

Row = dict[str, Any]
Text = str | bytes | aiohttp.FormData


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal) if self.text.startswith(("{", "[")) else None


@dataclass
class Api:
    """`await api.post("/admin/regions/{id}", {"name": "North"}, id=region)` returns the body of the answer.

    An answer other than the promised status fails the test at once. Other departures are collected in `departures`.
    """

    session: aiohttp.ClientSession
    base: str
    headers: dict[str, str] = field(default_factory=dict)
    departures: dict[str, list[str]] = field(default_factory=dict)
    """By route, for every route that has answered with the promised status."""

    def as_(self, **headers: str) -> Api:
        """The same client with other credentials."""
        return Api(self.session, self.base, {name.replace("_", "-"): value for name, value in headers.items()}, self.departures)

    async def raw(
        self, method: str, path: str, body: Any = None, *, text: str | bytes | aiohttp.FormData | None = None, **options: Any
    ) -> Answer:
        headers = {**self.headers, **options.pop("headers", {})}
        data = text
        if body is not None:
            data, headers = json.dumps(body, default=str), {"content-type": "application/json", **headers}
        async with self.session.request(method, self.base + path, data=data, headers=headers, **options) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.text())

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        form: aiohttp.FormData | None = None,
        **params: str,
    ) -> Any:
        name = anonymous(f"{method} {path}")
        fact = facts()[name]
        answer = await self.raw(method, path.format(**params), body, text=form, params=dict(query or {}))
        assert answer.status == fact["status"], f"{method} {path.format(**params)} answered {answer.status}: {answer.text}"
        self.departures.setdefault(name, []).extend(departures(fact, answer.json) if answer.json is not None else ())
        return answer.json

    async def get(self, path: str, query: Mapping[str, str] | None = None, **params: str) -> Any:
        return await self.ask("GET", path, None, query, **params)

    async def upload(self, path: str, form: aiohttp.FormData) -> Any:
        return await self.ask("POST", path, None, None, form)

    async def post(self, path: str, body: Any = None, query: Mapping[str, str] | None = None, **params: str) -> Any:
        return await self.ask("POST", path, {} if body is None else body, query, **params)

    async def delete(self, path: str, body: Any = None, **params: str) -> Any:
        return await self.ask("DELETE", path, body, **params)


# -- what an answer should look like


def departures(fact: Fact, answer: Row) -> Iterator[str]:
    """Missing and unpromised keys: of the answer, and of its rows as far as the default fields name them."""
    keys = fact.get("keys", "").split()
    if keys and set(answer) != set(keys) and "type" not in keys:
        yield f"keys: {keys} promised, {list(answer)} served"
    for name, value in fact.get("const", {}).items():
        if answer.get(name) != value:
            yield f"{name}: {value!r} promised, {answer.get(name)!r} served"
    if "defaults" in fact and keys and fact["status"] != 202:  # that is a receipt: the fields are those of a file
        shown = "order" if "order" in keys else keys[0] if keys[0] != "id" else "parent"
        for key in ("created", "updated") if shown == "created" else (shown,):
            if key in answer:
                yield from rows_differ(answer[key], field_tree(fact["defaults"]), key)


def field_tree(text: str) -> Row:
    """`id *tags tags.x.y` as `{"id": {}, "tags": {"*": {}, "x": {"y": {}}}}`."""
    tree: Row = {}
    for name in text.split():
        at = tree
        for step in name.replace("*", "").strip(".").split("."):
            at = at.setdefault(step, {})
        if "*" in name:
            at["*"] = {}
    return tree


def rows_differ(value: Any, tree: Row, path: str) -> Iterator[str]:
    """A row may include its id without being asked, and the keys of the rows shown in it."""
    if isinstance(value, list):
        for each in value:
            yield from rows_differ(each, tree, path)
    elif isinstance(value, dict):
        named = set(tree) - {"*"}
        for name in sorted(named - set(value)):
            yield f"{path}.{name} is missing"
        if "*" not in tree:
            for name in sorted(set(value) - named - {"id"} - {f"{name}_id" for name in named}):
                yield f"{path}.{name} is not promised"
        for name in named & set(value):
            if tree[name]:
                yield from rows_differ(value[name], tree[name], f"{path}.{name}")
    elif value is not None:
        yield f"{path} is {value!r}"
