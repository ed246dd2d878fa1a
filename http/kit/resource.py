"""Routes declared as rows: plain create, read, update and delete of one entity, and workflows after which a row is shown.

    routes.resource("/admin/product-tags", TAG, PRODUCT_TAGS, list=TAGS, create=CreateTag, update=UpdateTag)
    routes.action("/admin/collections/{id}/products", COLLECTION, link_products, "Put products into a collection.", body=LinkBody)

`Routes.resource` and `Routes.action` describe the options.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import NotFound
from ...core.rows import Row
from ...workflows.kit import Workflow
from ...workflows.plain import Plain
from .access import Auth, auth_of
from .bodies import Part
from .cached import Cached
from .filters import NOTHING, Filters
from .flows import creates, deletes, once, takes, updates
from .nested import belonging, belongs, deleted_from
from .reply import Answer, deleted
from .request import Request
from .route import Handler, Route
from .view import View
from .write import Within, Write


@dataclass(frozen=True, slots=True)
class Resource:
    """One row of `Routes.resource`, from which its routes are made."""

    path: str
    view: View
    param: str
    by: str
    within: Within
    parent: View | None
    sources: str
    summaries: Mapping[str, str]
    auth: Auth | None

    def routes(
        self,
        flows: Plain | None,
        *,
        list: Filters | None,
        get: bool,
        create: type[Part] | Write | None,
        update: type[Part] | Write | bool,
        delete: bool | Workflow[..., Any] | Callable[[Request, str], Awaitable[Any]] | None,
        object: str,
        like_list: str,
    ) -> list[Route]:
        words = self.view.entity.replace("_", " ")
        says = {"list": f"List {words} rows", **{each: f"{each.capitalize()} a {words}" for each in ("get", "create", "update", "delete")}}
        says |= self.summaries
        item = f"{self.path}/{{{self.param}}}"
        ignored = dict.fromkeys(like_list.split(), list.ignoring() if list is not None else NOTHING)
        made = []
        if list is not None:
            made.append(self._route("GET", self.path, self._list(), says["list"], query=list, many=True, cached=self._remembered()))
        if get:
            made.append(
                self._route(
                    "GET",
                    item,
                    self._get(),
                    says["get"],
                    query=ignored.get("get", NOTHING),
                    cached=self._remembered(one=True),
                )
            )
        if create is not None:
            write = create if isinstance(create, Write) else Write(create)
            by = write.run or getattr(flows, "create", None)
            handler = self._create(write, creates(by) if isinstance(by, Workflow) else by or self._no_flow("create"))
            made.append(self._route("POST", self.path, handler, says["create"], query=ignored.get("create", write.query), write=write))
        if update is True and create is None:
            raise TypeError(f"{self.path} has no body of create that could be the body of update, too")
        if update:
            write = update if isinstance(update, Write) else Write(write.body.partial() if update is True else update)
            by = write.run or getattr(flows, "update", None)
            handler = self._update(write, updates(by) if isinstance(by, Workflow) else by or self._no_flow("update"))
            made.append(self._route("POST", item, handler, says["update"], query=ignored.get("update", write.query), write=write))
        if delete is None or delete is True:
            delete = getattr(flows, "delete", None) or (delete is not None and self._no_flow("delete"))
        if delete:
            remove = deletes(delete) if isinstance(delete, Workflow) else delete
            query = ignored.get("delete", None if self.parent is None else NOTHING)
            made.append(self._route("DELETE", item, self._delete(remove, object), says["delete"], query=query))
        return made

    def _remembered(self, *, one: bool = False) -> Cached | None:
        """How answers are cached; None for answers that depend on the caller."""
        if not all(isinstance(of, str) for of in self.within.values()):
            return None
        return Cached(one=()) if one and self.view.shown is None else Cached(self.sources)

    def _no_flow(self, what: str) -> Any:
        raise TypeError(f"{self.path} has no workflow to {what} by")

    def _route(
        self,
        method: str,
        path: str,
        handler: Handler,
        summary: str,
        *,
        query: Filters | None,
        many: bool = False,
        write: Write | None = None,
        cached: Cached | None = None,
    ) -> Route:
        view = self.view if method == "GET" else self.parent or self.view
        return Route(
            method,
            path,
            handler,
            self.auth if self.auth is not None else auth_of(path),
            body=write.body if write else None,
            query=query,
            returns=view,
            many=many,
            status=write.status if write else 200,
            body_limit=write.body_limit if write else None,
            cached=cached,
            summary=summary,
            limit=view.limit,
        )

    def _parents(self, request: Request) -> dict[str, str]:
        return {column: request.params[of] if isinstance(of, str) else of(request) for column, of in self.within.items()}

    def _parent_id(self, request: Request) -> str:
        (id,) = self._parents(request).values()
        return id

    def _key_column(self, request: Request) -> str:
        return request.graph.catalogue.entity(self.view.entity).key

    async def _key(self, request: Request) -> str:
        """The row's key. If the path names another column, or a parent, the row is looked up: it must exist and belong there."""
        named, key = request.params[self.param], self._key_column(request)
        if self.parent is not None:
            await belonging(request, self.view.entity, named, **self._parents(request))
            return named
        if not self.within and self.by == key:
            return named
        filters = {self.by: named, **self._parents(request)}
        rows = await request.owner_of(self.view.entity).list(self.view.entity, filters, fields=(key,), limit=1)
        if not rows:
            raise request.not_found(self.view, named, self.by)
        return str(rows[0][key])

    async def _written(self, request: Request, key: str) -> Answer:
        """The answer to a write: the row, or its parent if it is written as a part of that."""
        if self.parent is not None:
            return await request.fetch(self.parent, self._parent_id(request))
        return await request.fetch(self.view, key, by=self._key_column(request))

    def _list(self) -> Handler:
        async def list_rows(request: Request) -> Answer:
            return await request.fetch_list(self.view, {**request.filters, **self._parents(request)} if self.within else None)

        return list_rows

    def _get(self) -> Handler:
        async def get_row(request: Request) -> Answer:
            named = request.params[self.param].lower() if self.by == "code" else request.params[self.param]
            return await request.fetch(self.view, named, by=self.by, filters=self._parents(request))

        return get_row

    def _create(self, write: Write, run: Callable[[Request, Row], Awaitable[Any]]) -> Handler:
        async def create_row(request: Request) -> Answer:
            if self.parent is not None:
                await require(request, self.parent.entity, [self._parent_id(request)])
            row = {**await _prepared(write, request), **self._parents(request)}
            return await self._written(request, str(await run(request, row)))

        return create_row

    def _update(self, write: Write, run: Callable[[Request, Row], Awaitable[Any]]) -> Handler:
        async def update_row(request: Request) -> Answer:
            key = await self._key(request)
            await run(request, {**await _prepared(write, request), self._key_column(request): key})
            return await self._written(request, key)

        return update_row

    def _delete(self, run: Callable[[Request, str], Awaitable[Any]], object: str) -> Handler:
        async def delete_row(request: Request) -> Answer:
            key = await self._key(request)
            await run(request, key)
            return deleted(key, object)

        async def delete_part(request: Request) -> Answer:
            assert self.parent is not None
            key, parents = request.params[self.param], self._parents(request)
            if await belongs(request, self.view.entity, key, **parents):
                await run(request, key)
            return await deleted_from(request, self.parent, self._parent_id(request), key, object)

        return delete_row if self.parent is None else delete_part


async def _prepared(write: Write, request: Request) -> Row:
    """The module's row, made from the body."""
    if write.before is None:
        return request.body
    row = write.before(request, request.body)
    return await row if inspect.isawaitable(row) else row


def action(
    path: str,
    view: View,
    flow: Workflow[..., Any],
    body: type[Part] | None,
    id: str,
    who: str | None,
    show: Callable[[Request, str], Awaitable[Answer]] | None,
) -> Handler:
    """The handler of `Routes.action`."""
    first, *others = _params(path)
    takes(flow, (id, *others, *((who,) if who is not None else ()), *(body.model_fields if body is not None else ())))

    async def run_and_show(request: Request) -> Answer:
        given = {id if name == first else name: value for name, value in request.params.items()}
        if who is not None:
            given[who] = request.actor_id
        await once(request, flow, **given, **request.body)
        shown = request.params[first]
        return await (show(request, shown) if show is not None else request.fetch(view, shown))

    return run_and_show


def batch(path: str, view: View, flow: Workflow[..., Any], object: str, given: Mapping[str, Any]) -> Handler:
    """The handler of `Routes.batch`."""
    takes(flow, (*_params(path), *given, "create", "update", "delete"))

    async def write_at_once(request: Request) -> Answer:
        lists = {name: request.body.get(name, []) for name in ("create", "update", "delete")}
        done = await once(request, flow, **request.params, **given, **lists)
        rows = await request.by_ids(view, [*done["created"], *done["updated"]])
        return {
            **{name: [rows[id] for id in done[name] if id in rows] for name in ("created", "updated")},
            "deleted": {"ids": done["deleted"], "object": object, "deleted": True},
        }

    return write_at_once


def _params(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


async def require(request: Request, entity: str, ids: list[str]) -> None:
    """Check that all of these exist. Raises NotFound, which names the missing ones."""
    wanted = list(dict.fromkeys(ids))
    rows = await request.owner_of(entity).list(entity, {"id": wanted}, fields=("id",))
    there = {row["id"] for row in rows}
    lost = [one for one in wanted if one not in there]
    if lost:
        raise NotFound(f"{request.graph.catalogue.entity(entity).called} with id: {', '.join(lost)} was not found")
