"""The routes that are rows: plain create, read, update and delete of one entity, and links between modules.

    routes.resource("/admin/tax-rates", TAX_RATE, list=TAX_RATES, create=CreateTaxRate, update=UpdateTaxRate)

See `Routes.resource` for what a row may say.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import NotFound
from ...workflows.links import batch_links, delete_things
from .access import Auth, auth_of
from .bodies import Part
from .cached import Cached
from .filters import NOTHING, Filters
from .request import Answer, Request, deleted
from .routes import Route, Write
from .view import View


@dataclass(frozen=True, slots=True)
class Resource:
    """One row of `Routes.resource`, on its way to be routes."""

    path: str
    view: View
    param: str
    by: str
    within: dict[str, str]
    auth: Auth | None

    def routes(
        self,
        *,
        list: Filters | None,
        get: bool,
        create: type[Part] | Write | None,
        update: type[Part] | Write | None,
        delete: bool | Callable[[Request, str], Awaitable[Any]],
        object: str,
    ) -> list[Route]:
        words = self.view.entity.replace("_", " ")
        item = f"{self.path}/{{{self.param}}}"
        made = []
        if list is not None:
            made.append(self._route("GET", self.path, self._list(), f"List {words} rows", query=list, many=True, cached=Cached()))
        if get:
            made.append(self._route("GET", item, self._get(), f"Get a {words}", cached=Cached(one=())))
        if create is not None:
            write = create if isinstance(create, Write) else Write(create)
            made.append(self._route("POST", self.path, self._create(write), f"Create a {words}", query=write.query, write=write))
        if update is not None:
            write = update if isinstance(update, Write) else Write(update)
            made.append(self._route("POST", item, self._update(write), f"Update a {words}", query=write.query, write=write))
        if delete:
            run = delete if callable(delete) else None
            made.append(self._route("DELETE", item, self._delete(run, object), f"Delete a {words}", query=None))
        return made

    def _route(
        self,
        method: str,
        path: str,
        handler: Callable[[Request], Awaitable[Answer]],
        summary: str,
        *,
        query: Filters | None = NOTHING,
        many: bool = False,
        write: Write | None = None,
        cached: Cached | None = None,
    ) -> Route:
        return Route(
            method,
            path,
            handler,
            self.auth if self.auth is not None else auth_of(path),
            body=write.body if write else None,
            query=query,
            returns=self.view,
            many=many,
            status=write.status if write else 200,
            body_limit=write.body_limit if write else None,
            cached=cached,
            summary=summary,
            limit=self.view.limit,
        )

    def _parents(self, request: Request) -> dict[str, str]:
        return {column: request.params[param] for column, param in self.within.items()}

    def _key_column(self, request: Request) -> str:
        return request.graph.catalogue.entity(self.view.entity).key

    async def _key(self, request: Request) -> str:
        """The row's key. Where the path names another column, or a parent, the row is looked up: it must exist and belong there."""
        named, key = request.params[self.param], self._key_column(request)
        if not self.within and self.by == key:
            return named
        filters = {self.by: named, **self._parents(request)}
        rows = await request.owner_of(self.view.entity).list(self.view.entity, filters, fields=(key,), limit=1)
        if not rows:
            raise request.not_found(self.view, named, self.by)
        return str(rows[0][key])

    def _list(self) -> Callable[[Request], Awaitable[Answer]]:
        async def list_rows(request: Request) -> Answer:
            return await request.fetch_list(self.view, {**request.filters, **self._parents(request)} if self.within else None)

        return list_rows

    def _get(self) -> Callable[[Request], Awaitable[Answer]]:
        async def get_row(request: Request) -> Answer:
            named = request.params[self.param].lower() if self.by == "code" else request.params[self.param]
            return await request.fetch(self.view, named, by=self.by, filters=self._parents(request))

        return get_row

    def _create(self, write: Write) -> Callable[[Request], Awaitable[Answer]]:
        async def create_row(request: Request) -> Answer:
            row = {**await _prepared(write, request), **self._parents(request)}
            if write.run is not None:
                key = str(await write.run(request, row))
            else:
                made = await request.owner_of(self.view.entity).create(self.view.entity, [row])
                key = str(made[0][self._key_column(request)])
            if write.after is not None:
                await write.after(request, key, row)
            return await request.fetch(self.view, key, by=self._key_column(request))

        return create_row

    def _update(self, write: Write) -> Callable[[Request], Awaitable[Answer]]:
        async def update_row(request: Request) -> Answer:
            key = await self._key(request)
            row = {**await _prepared(write, request), self._key_column(request): key}
            if write.run is not None:
                await write.run(request, row)
            else:
                await request.owner_of(self.view.entity).update(self.view.entity, [row])
            if write.after is not None:
                await write.after(request, key, row)
            return await request.fetch(self.view, key, by=self._key_column(request))

        return update_row

    def _delete(self, run: Callable[[Request, str], Awaitable[Any]] | None, object: str) -> Callable[[Request], Awaitable[Answer]]:
        async def delete_row(request: Request) -> Answer:
            key = await self._key(request)
            if run is not None:
                await run(request, key)
            else:
                await request.run(delete_things, entity=self.view.entity, ids=[key])
            return deleted(key, object)

        return delete_row


async def _prepared(write: Write, request: Request) -> dict[str, Any]:
    """The module's row of a body."""
    if write.before is None:
        return request.body
    row = write.before(request, request.body)
    return await row if inspect.isawaitable(row) else row


def link_route(
    path: str, view: View, link: str, ours: str, theirs: str, of: str | None, param: str, extra: Mapping[str, Any], body: type[Part]
) -> Route:
    """`Routes.links`."""

    async def link_things(request: Request) -> Answer:
        id = request.params[param]
        added, removed = request.body.get("add", []), request.body.get("remove", [])
        await require(request, view.entity, [id], view.label)
        if of is not None and added:
            await require(request, of, added)
        new = [{ours: id, theirs: other, **extra} for other in dict.fromkeys(added)]
        old = [{ours: id, theirs: other} for other in dict.fromkeys(removed)]
        await request.run(batch_links, create={link: new}, delete={link: old})
        return await request.fetch(view, id)

    summary = f"Link things to a {view.entity.replace('_', ' ')}, and unlink them"
    return Route("POST", path, link_things, auth_of(path), body=body, returns=view, summary=summary)


async def require(request: Request, entity: str, ids: list[str], label: str | None = None, key: str = "id") -> None:
    """Make sure that all of these exist. Raises NotFound, which names those that don't."""
    wanted = list(dict.fromkeys(ids))
    rows = await request.owner_of(entity).list(entity, {key: wanted}, fields=(key,))
    there = {row[key] for row in rows}
    lost = [one for one in wanted if one not in there]
    if lost:
        raise NotFound(f"{label or request.graph.catalogue.entity(entity).called} with {key}: {', '.join(lost)} was not found")
