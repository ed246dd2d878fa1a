"""The routes of the API, as a table.

Every file under http/store, http/admin and http/auth makes one `routes = Routes()` and fills it; the front end finds
them all. A route declares its input and output, its function does the rest:

    routes = Routes()

    @routes.post("/store/carts/{id}/line-items", body=AddLineItem, returns=CART)
    async def add_line_item(request: Request) -> Answer:
        '''First line: the summary in the API's description.'''
        await request.run(add_to_cart, cart_id=request.params["id"], items=[request.body])
        return await request.fetch(CART, request.params["id"])

    @routes.get("/store/orders", returns=ORDER, query=Filters(id=MANY, status=MANY), many=True, auth=CUSTOMER)
    async def list_orders(request: Request) -> Answer:
        return await request.fetch_list(ORDER, {**request.filters, "customer_id": request.customer_id})

Plain create, read, update and delete are one row, with options for deviations (see `Write` and `resource`):

    routes.resource("/admin/product-tags", TAG, PRODUCT_TAGS, list=Filters(q=TEXT, …), create=CreateTag, update=UpdateTag)

So is a route that runs a workflow and shows the row that its path names (see `action`):

    routes.action("/admin/collections/{id}/products", COLLECTION, link_products, "Put products into a collection.", body=LinkBody)

By the time a function runs, its request is authenticated (`auth`, by default from the prefix), the storefront's key
is known under /store, the query string is checked against `query` (`request.filters`, `.fields`, `.page`) and the body
against `body`. An error of core.errors that the function raises is the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...workflows.kit import Workflow
from .access import Auth, auth_of
from .bodies import Part
from .cached import Cached
from .extending import Asked, Before, Extra, Middleware
from .filters import NOTHING, Filters, ParameterKind
from .reply import Answer
from .request import Request
from .resource import Resource, action, batch
from .route import Handler, Route
from .view import View, words
from .write import Within, Write

if TYPE_CHECKING:
    from ...workflows.plain import Plain


BATCH_LIMIT = 2 * 1024 * 1024
"""Body limit of batch routes."""
BATCHED = ("created", "updated", "deleted")
"""The lists in answers of batch routes, unless they name others."""


class Routes:
    """The routes of one file."""

    def __init__(self) -> None:
        self._routes: list[Route] = []
        self.before: list[Before] = []
        """What stands before routes, also of other files."""
        self.extras: list[Extra] = []
        """What the `additional_data` of routes may hold, also of other files."""
        self.asked: list[Asked] = []
        """What query strings may say besides, also of routes of other files."""

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(self, route: Route) -> None:
        self._routes.append(route)

    def route(
        self,
        method: str,
        path: str,
        *,
        body: type[Part] | None = None,
        query: Filters | None = NOTHING,
        returns: View | None = None,
        many: bool = False,
        auth: Auth | None = None,
        status: int = 200,
        body_limit: int | None = None,
        raw_body: bool = False,
        streams: bool = False,
        cached: Cached | None = None,
        limit: int | None = None,
        envelope: str | None = None,
        answers: str = "application/json",
        summary: str | None = None,
        flag: str | None = None,
        overrides: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated function as a route. The options are `Route`'s."""

        def declare(handler: Handler) -> Handler:
            self.add(
                Route(
                    method,
                    path,
                    handler,
                    auth if auth is not None else auth_of(path),
                    body=body,
                    query=query,
                    returns=returns,
                    many=many,
                    status=status,
                    body_limit=body_limit if body_limit is not None else BATCH_LIMIT if path.endswith("/batch") else None,
                    raw_body=raw_body,
                    streams=streams,
                    cached=cached,
                    summary=(summary or handler.__doc__ or handler.__name__.replace("_", " ").capitalize()).strip().splitlines()[0],
                    limit=limit if limit is not None else returns.limit if returns is not None else 50,
                    envelope=words(envelope) if envelope is not None else BATCHED if path.endswith("/batch") else (),
                    answers=answers,
                    flag=flag,
                    overrides=overrides,
                    says_auth=auth is not None,
                )
            )
            return handler

        return declare

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route("POST", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route("DELETE", path, **options)

    def middleware(self, path: str, methods: Iterable[str] = ()) -> Callable[[Middleware], Middleware]:
        """Have the decorated function stand before the routes that `path` matches (`*`: any rest), of these methods or of all.

        It is called once the request is authenticated and checked, with the request and with what carries out the rest. It may refuse,
        change `request.body` or `request.filters`, and change the answer. Answers of these routes aren't remembered. Of several, that of
        the plugin that the settings name first is the outermost.
        """

        def declare(function: Middleware) -> Middleware:
            self.before.append(Before(path, tuple(methods), function))
            return function

        return declare

    def additional_data(self, method: str, path: str, model: type[Part]) -> None:
        """Say what the `additional_data` of a route may hold, beside what other plugins say of it: it is checked like the rest of the body,
        described in `/openapi.json`, and handed to the workflow's hooks. Names that no plugin has said are refused then."""
        self.extras.append(Extra(method, path, model))

    def additional_query(self, method: str, path: str, **kinds: ParameterKind) -> None:
        """Let the query string of a route say this, too: it is checked and described in `/openapi.json`.

        What a kind means (`brand_id=meaning(MANY, "brand.id")`, on routes that answer with lists) filters. Other values are found in
        `request.additional_query`, by a middleware or by what overrides the route.
        """
        self.asked.append(Asked(method, path, kinds))

    def resource(
        self,
        path: str,
        view: View,
        flows: Plain | None = None,
        *,
        list: Filters | None = None,
        get: bool = True,
        create: type[Part] | Write | None = None,
        update: type[Part] | Write | bool = False,
        delete: bool | Workflow[..., Any] | Callable[[Request, str], Awaitable[Any]] | None = None,
        object: str | None = None,
        param: str = "id",
        by: str = "id",
        within: Within | None = None,
        parent: View | None = None,
        like_list: str = "",
        sources: str = "",
        summaries: Mapping[str, str] | None = None,
        auth: Auth | None = None,
    ) -> None:
        """The plain routes of one entity: `GET path`, `GET path/{id}`, `POST path`, `POST path/{id}`, `DELETE path/{id}`.

        Each exists if it is asked for. Writes run workflows: those of `flows`, unless the row names others.

        Args:
            flows: the workflows by which rows are written.
            list: the filters of the list; None: there is no list.
            get: whether one row can be read.
            create: the body, or a `Write` with more options; None: no rows are created here.
            update: the same; True: create's body with every field optional. False: rows aren't updated here.
            delete: whether a row can be deleted, or another workflow or function that deletes. Default: if `flows` has a workflow for it.
            object: the `object` in the answer to DELETE. Default: the entity's name.
            param: name of the path's parameter, if `id` is taken by a parent.
            by: the column that the path names (`code` for currencies).
            within: column → parameter of the path, or a function of the request: only rows of that parent exist here; new rows get it.
            parent: the view of the parent that rows `within` it are a part of: writes answer with it, and deleting a missing row is no
            error. sources: modules and links that answers are made from besides those that their fields and filters lead to (see `Cached`).
            summaries: for the API's description, for those of `list get create update delete` that need more than the default.
            like_list: which of `get create update delete` accept the list's query parameters, without effect.

        Raises TypeError for a write without a workflow, or with a workflow that doesn't take the arguments.
        """
        row = Resource(path, view, param, by, within or {}, parent, sources, summaries or {}, auth)
        for route in row.routes(
            flows, list=list, get=get, create=create, update=update, delete=delete, object=object or view.entity, like_list=like_list
        ):
            self.add(route)

    def action(
        self,
        path: str,
        view: View,
        flow: Workflow[..., Any],
        summary: str,
        *,
        body: type[Part] | None = None,
        query: Filters | None = NOTHING,
        id: str | None = None,
        who: str | None = None,
        envelope: str | None = None,
        show: Callable[[Request, str], Awaitable[Answer]] | None = None,
    ) -> None:
        """`POST path`: run a workflow with the path's parameters and the members of the body, by name, then show the row of the first
        parameter. `body=LinkBody` takes `{add: [id], remove: [id]}`: what to link to it, and what to unlink.

        Args:
            id: the workflow's name for the first parameter of the path. Default: the path's name.
            who: the workflow's name for the calling user or API key, if it wants that.
            envelope: names in the answer, if they aren't the view's.
            show: makes the answer, if that is more than the view's row.

        Raises TypeError for a workflow that doesn't take these arguments.
        """
        handler = action(path, view, flow, body, id or path.partition("{")[2].partition("}")[0], who, show)
        self.post(path, body=body, query=query, returns=view, summary=summary, envelope=envelope)(handler)

    def batch(
        self,
        path: str,
        view: View,
        flow: Workflow[..., Any],
        summary: str,
        *,
        body: type[Part],
        object: str,
        query: Filters | None = NOTHING,
        given: Mapping[str, Any] | None = None,
        flag: str | None = None,
    ) -> None:
        """`POST path`: create, update and delete at once, by a workflow that takes the path's parameters, the `given` arguments, and the
        lists `create`, `update` and `delete`, and returns the ids `created`, `updated` and `deleted`.

        Args:
            object: the `object` in the answer's list of deleted rows.

        Raises TypeError for a workflow that doesn't take these arguments.
        """
        self.post(path, body=body, query=query, returns=view, summary=summary, flag=flag)(batch(path, view, flow, object, given or {}))


@dataclass(frozen=True, slots=True)
class Match:
    """The route of a path, and the values of its parameters."""

    route: Route
    params: dict[str, str]


@dataclass(slots=True)
class Branch:
    """A node in the tree of paths: the branches that follow, and the routes that end here."""

    fixed: dict[str, Branch] = field(default_factory=dict)
    any: Branch | None = None
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)
    """By method, with the names of the parameters on the way."""


class RouteTree:
    """Finds the route of a path. Fixed segments take precedence over parameters: `/users/me` isn't the user `me`."""

    def __init__(self, routes: Iterator[Route]) -> None:
        self.root = Branch()
        for route in routes:
            self._add(route.method, route.path, route)

    def _add(self, method: str, path: str, route: Route) -> None:
        at, names = self.root, []
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                at.any = at.any or Branch()
                at = at.any
            else:
                at = at.fixed.setdefault(segment, Branch())
        if method in at.routes:
            raise ValueError(f"Two routes for {method} {path}")
        at.routes[method] = (route, tuple(names))

    def find(self, method: str, path: str) -> Match | None:
        """The route; HEAD is served by GET. None: no such path, or not with this method."""
        wanted = "GET" if method == "HEAD" else method
        found = _walk(self.root, _segments(path), 0, [], wanted)
        if found is None:
            return None
        (route, names), values = found
        return Match(route, dict(zip(names, values, strict=True)))

    def exists(self, path: str) -> bool:
        """Whether any method is served under this path."""
        return _walk(self.root, _segments(path), 0, [], None) is not None


def _segments(path: str) -> list[str]:
    """`/store/carts/` and `/store/carts` are the same; `//store/carts` is neither."""
    return path.removeprefix("/").removesuffix("/").split("/")


def _walk(
    at: Branch, segments: list[str], depth: int, values: list[str], method: str | None
) -> tuple[tuple[Route, tuple[str, ...]], list[str]] | None:
    if depth == len(segments):
        if method is None:
            return (next(iter(at.routes.values())), values) if at.routes else None
        route = at.routes.get(method)
        return None if route is None else (route, values)
    segment = segments[depth]
    branch = at.fixed.get(segment)
    if branch is not None:
        found = _walk(branch, segments, depth + 1, values, method)
        if found is not None:
            return found
    if at.any is not None and segment:
        return _walk(at.any, segments, depth + 1, [*values, segment], method)
    return None
