"""The request as a route's function sees it, and what the function may return.

    async def add_line_item(request: Request) -> Answer:
        await request.run(add_to_cart, cart_id=request.params["id"], items=[request.body])
        return await request.fetch(CART, request.params["id"])

An answer is JSON as bytes (`fetch`, `fetch_list`: rows pass through as the module's database wrote them), or a dict,
or a `Reply` with another status or headers.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from aiohttp import web

from ...core.errors import NotFound
from ...core.graph.reach import paths_of, reached
from ...core.json import dumps
from ...core.settings import Settings
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Page, Query
from ...modules import Modules
from ...workflows.kit import Workflow
from ...workflows.translating import translate
from .access import Actor, Callers, PublishableKey
from .client import client_address
from .reply import Paging, envelope, list_envelope
from .route import Route
from .view import Fields, View

if TYPE_CHECKING:
    from ...actors.caching import Cache
    from ...actors.context import HostContext
    from ...actors.engine.coordinator import Coordinator
    from ...core.graph.graph import Graph, Visible
    from ...core.service.module import ModuleService
    from ...modules.file.files import Files


P = ParamSpec("P")
R = TypeVar("R")


class Request:
    """One HTTP request, authenticated, parsed and validated."""

    __slots__ = (
        "_host",
        "actor",
        "additional_query",
        "arrived",
        "body",
        "credentials",
        "fields",
        "files",
        "filters",
        "http",
        "key",
        "locale",
        "page",
        "params",
        "raw",
        "route",
        "trace_id",
    )

    def __init__(
        self,
        host: HostContext,
        credentials: Callers,
        files: Files,
        route: Route,
        http: web.BaseRequest,
        params: dict[str, str],
        trace_id: str,
    ) -> None:
        self._host = host
        self.credentials = credentials
        """Signs and reads tokens and sessions; for the routes under /auth."""
        self.files = files
        """Receives uploads."""
        self.route = route
        self.http = http
        """aiohttp's request, for headers and the like."""
        self.params = params
        """Values of the path's `{names}`."""
        self.trace_id = trace_id
        self.arrived = time.monotonic()
        """When its head had come, by `time.monotonic`."""
        self.actor: Actor | None = None
        """The caller. Never None where the route's `auth` isn't optional."""
        self.key: PublishableKey | None = None
        """The storefront's key; never None under /store."""
        self.locale: str | None = None
        """The locale that a storefront's request names: what it is shown is translated. None elsewhere."""
        self.fields: Fields = ()
        """The fields of the route's view that the request wants."""
        self.filters: dict[str, Any] = {}
        """The checked query string without fields and paging. The handler may change it."""
        self.additional_query: dict[str, Any] = {}
        """What `Routes.additional_query` lets requests of this route say, checked."""
        self.page = Paging(50, 0, (), False)
        self.body: dict[str, Any] = {}
        """The checked body: what was sent, and defaults that are filled in. Empty where the route takes none."""
        self.raw: bytes = b""
        """The body's bytes as received (webhooks sign it)."""

    # -- what a handler works with
    @property
    def settings(self) -> Settings:
        return self._host.settings

    @property
    def modules(self) -> Modules:
        modules: Modules = self._host.modules
        return modules

    @property
    def workflows(self) -> Coordinator:
        """The coordinators, for anything but running a workflow (`run`)."""
        workflows: Coordinator = self._host.workflows
        return workflows

    @property
    def graph(self) -> Graph:
        return self._host.graph

    @property
    def memory(self) -> Cache:
        memory: Cache = self._host.memory
        return memory

    def owner_of(self, entity: str) -> ModuleService:
        """The service of the module that an entity belongs to."""
        return cast("ModuleService", getattr(self._host.modules, self._host.graph.catalogue.module_of(entity)))

    # -- the caller
    @property
    def customer_id(self) -> str | None:
        """Id of the customer who is logged in, or None."""
        return self.actor.id or None if self.actor is not None and self.actor.type == "customer" else None

    @property
    def actor_id(self) -> str:
        """For `created_by` and the like: the user's or API key's id. Only where `auth` isn't optional."""
        return self.actor.id if self.actor is not None else ""

    @property
    def sales_channel_ids(self) -> tuple[str, ...]:
        """Sales channels of the storefront's key."""
        return self.key.sales_channel_ids if self.key is not None else ()

    @property
    def client_address(self) -> str:
        """The client's address. See `client.client_address`."""
        return client_address(self.http, self.settings.trusted_proxies)

    def header(self, name: str) -> str | None:
        return self.http.headers.get(name)

    @property
    def idempotency_key(self) -> str | None:
        """The client's `Idempotency-Key` for this request, so that sending it twice counts once; None without one.

        It is made unique: another actor, or another request with the same header, has another key.
        """
        given = self.header("Idempotency-Key")
        if not given:
            return None
        who = f"{self.actor.type}:{self.actor.id}" if self.actor is not None else self.key.token if self.key is not None else ""
        asked = (who, self.http.method, self.http.path, given, self.body)
        return hashlib.sha256(dumps(asked)).hexdigest()

    # -- actions
    async def run(self, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> R:
        """Run a workflow to its end and return its result; its errors are raised here.

        A durable workflow that derives a key from its input (`key`) is carried out once for that, however often it is asked for. Others
        run with every call.
        """
        return await self.run_once(None, workflow, *args, **input)

    async def run_once(self, key: str | None, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> R:
        """`run` under a key, for which it is carried out once, however often it is asked for. None: as `run`."""
        workflows, given = self._host.workflows, workflow.bind(*args, **input)
        if key is None and workflow.durable:
            key = workflow.key_of(given)
        if key is not None:
            # it may be sent again if its coordinator dies
            once: R = await workflows.run_once(workflow.name, given, key)
            return once
        result: R = await workflows.run(workflow.name, given)
        return result

    async def start(self, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> str:
        """Start a durable workflow without waiting for it. Returns its transaction: what it is asked after and answered by.

        Of all starts with one key, which the workflow derives from its input (`key`), one is carried out; without a key each is. It is
        written down when this returns, whatever dies. Nothing takes it back: not what the route does afterwards, nor its failure.
        """
        given = workflow.bind(*args, **input)
        key = workflow.key_of(given)
        id = await self._host.workflows.start_durable(workflow.name, given, key)
        return key if key is not None else str(id)

    async def outcome(self, workflow: Workflow[..., Any], transaction: str) -> dict[str, Any]:
        """How a durable workflow stands: id, state (invoking, finishing, compensating, done, reverted, failed), `waits` (the names of its
        steps that wait for the outside), result, error. Raises NotFound."""
        outcome: dict[str, Any] = await self._host.workflows.outcome(workflow.name, transaction)
        return outcome

    # -- reading
    def asks(self, path: str) -> bool:
        """Whether the request wants this path or anything under it: `asks("variants.calculated_price")`."""
        return path in FieldTree.parse(self.fields)

    def fields_of(self, view: View) -> Fields:
        """The request's fields if the view is the route's own and its query string counts, else the view's defaults."""
        return self.fields if view is self.route.returns and self.route.query is not None else view.defaults

    def visible(self, view: View, filters: Mapping[str, Any] | None = None, fields: Fields | None = None) -> Visible:
        """The conditions on rows that the answer meets below the view's own: see `View.visible`. `filters`, `fields`: if they aren't the
        request's."""
        if view.visible is None:
            return {}
        looked_at = paths_of(self.filters if filters is None else filters)
        paths = (*(fields or self.fields_of(view)), *(name.removeprefix("-") for name in self.page.order), *looked_at)
        met = reached(self.graph.catalogue, view.entity, paths)
        return {entity: rule for entity, rule in view.visible(self).items() if entity in met}

    async def rows(self, view: View, filters: Mapping[str, Any] | None = None, *, fields: Fields | None = None, **query: Any) -> Page:
        """A page of the view's entity, without an envelope, for routes that add to the rows."""
        fields = fields or self.fields_of(view)
        visible = self.visible(view, filters or {}, fields)
        page = await self.graph.query(Query(view.entity, fields=fields, filters=filters or {}, visible=visible, **query))
        return await self.translated(view, page, fields)

    async def translated(self, view: View, page: Page, fields: Fields | None = None) -> Page:
        """The page in the locale that the request names. Only of what can be translated itself: carts and orders have a locale of their
        own."""
        if self.locale is None or page.empty or not self.graph.catalogue.entity(view.entity).translatable:
            return page
        rows = page.own_rows()
        await translate(self.modules, self.graph, view.entity, fields or self.fields_of(view), rows, self.locale)
        return Page.of(rows, page.count)

    async def fetch(
        self, view: View, id: str | None = None, *, filters: Mapping[str, Any] | None = None, fields: Fields | None = None, by: str = "id"
    ) -> bytes:
        """`{"cart": {…}}`: one entity by its id and further filters.

        Raises:
            NotFound: no row passes.
        """
        conditions = dict(filters or {})
        if id is not None:
            conditions[by] = id
        page = await self.rows(view, conditions, fields=fields, limit=1, with_deleted=self.page.with_deleted)
        if page.empty:
            raise self.not_found(view, id, by)
        return envelope(view.key, as_shown(view, page))

    def not_found(self, view: View, id: str | None, by: str = "id") -> NotFound:
        """The error for a row that doesn't exist."""
        return not_found(view if view.label else view.but(label=self.graph.catalogue.entity(view.entity).called), id, by)

    async def page_of(
        self, view: View, filters: Mapping[str, Any] | None = None, *, fields: Fields | None = None, slots: Sequence[str] = ()
    ) -> Page:
        """The page that the request asks for, with its count, and with room for `slots` (see `Query.slots`).

        Filters default to the request's own; pass `{**request.filters, …}` to add to them.
        """
        paging = self.page
        return await self.rows(
            view,
            self.filters if filters is None else filters,
            fields=fields,
            order=paging.order,
            limit=paging.limit,
            offset=paging.offset,
            with_deleted=paging.with_deleted,
            count=True,
            slots=tuple(slots),
        )

    async def fetch_list(self, view: View, filters: Mapping[str, Any] | None = None, *, fields: Fields | None = None) -> bytes:
        """`{"carts": […], "count": …, "offset": …, "limit": …}`: `page_of` in its envelope."""
        return list_envelope(view.plural, as_shown(view, await self.page_of(view, filters, fields=fields)), self.page)

    async def by_ids(self, view: View, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The existing rows with these ids, as the view shows them."""
        found = (await self.rows(view, {"id": list(ids)})).rows if ids else []
        return {row["id"]: row if view.shown is None else view.shown(row) for row in found}


def as_shown(view: View, page: Page) -> Page:
    """A page with its rows as clients see them (`View.shown`)."""
    return page if view.shown is None else Page.of([view.shown(row) for row in page.rows], page.count)


def not_found(view: View, id: str | None, by: str = "id") -> NotFound:
    """The error for a row that doesn't exist, with the view's label."""
    label = view.label or view.entity.replace("_", " ").capitalize()
    return NotFound(f"{label} with {by}: {id} was not found" if id is not None else f"{label} was not found")
