"""Which answers may be cached, and what makes them stale.

    @routes.get("/store/products", …, cached=Cached("pricing region tax product_sales_channel", unless=("cart_id",), also=stock_if_asked))

An answer is cached under everything it depends on: route, path, query string, locale, the storefront's sales channels and the
customer who is logged in. It is dropped when anything changes in the modules it was made from: the modules that the view's
fields and the request's filters lead to, and the ones named here. `Routes.resource` declares this by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ...core.graph.dependencies import Dependencies, dependencies
from ...core.graph.reach import paths_of, reached
from ...core.sql.schema.fields import FieldTree
from .view import words

if TYPE_CHECKING:
    from ...core.graph.graph import Graph, Visible
    from .reply import Paging
    from .view import Fields, View


LONGEST_QUERY = 512
"""Characters. Longer query strings rarely repeat; caching their answers would only evict others."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer, with its entity tag."""

    body: bytes
    tag: str
    made_at: float
    """Seconds since 1970."""

    def __len__(self) -> int:
        """The bytes it takes."""
        return len(self.body) + len(self.tag)


class Asked(Protocol):
    """The parts of a request that a cacheable answer depends on."""

    fields: Fields
    filters: dict[str, Any]
    page: Paging
    locale: str | None

    @property
    def graph(self) -> Graph: ...

    def visible(self, view: View, /) -> Visible: ...


@dataclass(frozen=True, init=False)
class Cached:
    """Declares that a route's answers may be cached."""

    sources: tuple[str, ...]
    """Modules and links (by their names) that answers are made from, besides those that the fields and filters lead to."""
    unless: frozenset[str]
    """Query parameters with which an answer isn't cached."""
    also: Callable[[Any], str] | None
    """(request) → further sources of a single request (stock, where quantities were asked for). May depend on `fields`, `filters` and
    whether a customer is logged in, and on nothing else."""

    one: frozenset[str] | None
    """For routes that answer with one row of the view: the parameters that don't choose it. Such an answer is dropped when a row in it
    changes, and not when other rows do."""

    def __init__(
        self,
        sources: str = "",
        *,
        unless: Iterable[str] = (),
        also: Callable[[Any], str] | None = None,
        one: Iterable[str] | None = None,
    ) -> None:
        object.__setattr__(self, "sources", words(sources))
        object.__setattr__(self, "unless", frozenset(unless))
        object.__setattr__(self, "also", also)
        object.__setattr__(self, "one", frozenset(one) if one is not None else None)

    def remembers(self, request: Asked, text: str) -> bool:
        """Whether the answer to this request may be cached; `text` is its query string."""
        return len(text) <= LONGEST_QUERY and self.unless.isdisjoint(request.filters)

    def shown(self, request: Asked, view: View | None) -> Dependencies | None:
        """Finds the rows of the view's module in an answer that contains no others; None where the answer doesn't follow from its rows."""
        if self.one is None or view is None or not request.filters.keys() <= self.one or request.visible(view):
            return None
        return dependencies(request.graph.catalogue, view.entity, FieldTree.parse(request.fields))

    def tags(self, request: Asked, view: View | None) -> frozenset[str] | None:
        """The cache tags of the answer to a request, besides the rows that `shown` finds. None: part of it comes from a module that sends
        no invalidation, so it can't be cached."""
        catalogue = request.graph.catalogue
        names = set(self.sources) | set(words(self.also(request)) if self.also is not None else ())
        if request.locale is not None:
            names.add("translation")
        if view is not None:
            paths = (*request.fields, *(name.removeprefix("-") for name in request.page.order), *paths_of(request.filters))
            names |= {view.entity} | reached(catalogue, view.entity, paths)
            for entity, filters in request.visible(view).items():  # which rows are visible depends on these
                names |= reached(catalogue, entity, paths_of(filters))
        own = catalogue.module_of(view.entity) if view is not None and self.shown(request, view) is not None else None
        tags: set[str] = set()
        for name in names:
            module = name if catalogue.has_module(name) else catalogue.module_of(name)
            if module in catalogue.quiet and (name == module or not catalogue.entity(name).remembered):
                return None
            if module == own:
                continue
            if module in catalogue.quiet:
                tags.add(name)
                continue
            # each link has a tag of its own: some change with every order
            tags |= {name} if module == "link" else catalogue.entities_of(module)
        return frozenset(tags)
