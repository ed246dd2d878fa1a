"""All routes of a shop, of the files that declare them and of those that change what others declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import create_model

from ...core.errors import Misconfigured
from .bodies import Body, Part
from .extending import Middleware, anonymous
from .reply import Answer
from .request import Request
from .route import Handler, Route
from .routes import Routes

TAKEN = ("fields", "offset", "limit", "order", "with_deleted", "locale")
"""Parameters that routes have without saying so."""


def assembled(files: Iterable[tuple[str, Routes]]) -> list[Route]:
    """The routes of all files (their import paths, and what they declare), in this order, with what files do to routes of others.

    Raises Misconfigured, with the files that it is about, where two declare the same, or something is meant that isn't there.
    """
    files = list(files)
    routes = _chosen(files)
    return list(_guarded(_asking(_widened(routes, files), files), files))


def _chosen(files: Sequence[tuple[str, Routes]]) -> list[Route]:
    """Each route once: what overrides another stands in its place."""
    chosen: dict[tuple[str, str], tuple[str, Route]] = {}
    for overriding in (False, True):
        replaced: dict[tuple[str, str], str] = {}
        for file, routes in files:
            for route in routes:
                key = (route.method, anonymous(route.path))
                if route.overrides is not overriding:
                    continue
                other = replaced.get(key) if overriding else chosen[key][0] if key in chosen else None
                if other is not None:
                    does = "override" if overriding else "declare"
                    hint = (
                        "One of them has to go." if overriding else "Say `overrides=True` where one is to stand in the place of the other."
                    )
                    raise Misconfigured(f"{other} and {file} both {does} {route.method} {route.path}.", hint=hint)
                if overriding and key not in chosen:
                    raise Misconfigured(f"{file} overrides {route.method} {route.path}, which there isn't.", hint="Is its path misspelt?")
                if overriding and not route.says_auth:
                    route = replace(route, auth=chosen[key][1].auth)
                chosen[key], replaced[key] = (file, route), file
    return [route for _, route in chosen.values()]


def _widened(routes: Sequence[Route], files: Sequence[tuple[str, Routes]]) -> list[Route]:
    """The routes with what plugins say of their `additional_data` in the place of any data."""
    extras: dict[tuple[str, str], list[tuple[str, type[Part]]]] = {}
    for file, declared in files:
        for extra in declared.extras:
            extras.setdefault((extra.method, anonymous(extra.path)), []).append((file, extra.model))
    there = {(route.method, anonymous(route.path)): route for route in routes}
    for key, [(file, _), *_] in extras.items():
        if key not in there or there[key].body is None or "additional_data" not in there[key].body.model_fields:  # type: ignore[union-attr]
            raise Misconfigured(f"{file} says what the additional_data of {key[0]} {key[1]} is, which takes none.", hint="Is it misspelt?")
    return [
        replace(route, body=_with_data(route, extras[key])) if (key := (route.method, anonymous(route.path))) in extras else route
        for route in routes
    ]


def _asking(routes: Sequence[Route], files: Sequence[tuple[str, Routes]]) -> list[Route]:
    """The routes with the parameters that plugins add to their query strings."""
    there = {(route.method, anonymous(route.path)): route for route in routes}
    owners: dict[tuple[str, str, str], str] = {}
    for file, declared in files:
        for asked in declared.asked:
            key = (asked.method, anonymous(asked.path))
            what = f"the query of {asked.method} {asked.path}"
            route = there.get(key)
            if route is None or route.query is None:
                raise Misconfigured(f"{file} adds to {what}, which takes none.", hint="Is it misspelt?")
            for name, kind in asked.kinds.items():
                taken = "Velella" if name in TAKEN or name in route.query.kinds else None
                if other := owners.get((*key, name), taken):
                    raise Misconfigured(
                        f"{other} and {file} both say what `{name}` in {what} is.", hint="One of them has to call it otherwise."
                    )
                if kind.meaning is not None and not route.many:
                    raise Misconfigured(f"{file} filters by `{name}` in {what}, which answers with no list.")
                owners[*key, name] = file
            kinds = {name: kind if kind.meaning is not None else replace(kind, aside=True) for name, kind in asked.kinds.items()}
            there[key] = replace(route, query=route.query.plus(kinds))
    return list(there.values())


def _with_data(route: Route, extras: Sequence[tuple[str, type[Part]]]) -> type[Part]:
    fields: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for file, model in extras:
        for name, info in model.model_fields.items():
            if name in owners:
                raise Misconfigured(
                    f"{owners[name]} and {file} both say what `{name}` in the additional_data of {route.method} {route.path} is.",
                    hint="One of them has to call it otherwise.",
                )
            owners[name] = file
            fields[name] = (info.rebuild_annotation(), info)
    assert route.body is not None
    data = create_model(f"{route.body.__name__}Data", __base__=Body, **fields)
    needed = any(info.is_required() for info in data.model_fields.values())
    about: Any = (data, ...) if needed else (data | None, None)
    return create_model(route.body.__name__, __base__=route.body, additional_data=about)


def _guarded(routes: Sequence[Route], files: Sequence[tuple[str, Routes]]) -> Iterator[Route]:
    """The routes, each with the middlewares before it. Their answers aren't remembered: a middleware decides anew for each request."""
    for file, declared in files:
        for before in declared.before:
            if not any(before.matches(route) for route in routes):
                raise Misconfigured(f"{file} has a middleware before {before.path}, which no route matches.", hint="Is it misspelt?")
    all_before = [before for _, declared in files for before in declared.before]
    for route in routes:
        handler = route.handler
        for before in reversed([before for before in all_before if before.matches(route)]):
            handler = _behind(before.function, handler)
        yield route if handler is route.handler else replace(route, handler=handler, cached=None)


def _behind(middleware: Middleware, handler: Handler) -> Handler:
    async def handle(request: Request) -> Answer:
        return await middleware(request, handler)

    return handle
