"""Views: which fields of an entity a route shows, by default and at most.

    REGION = View(
        "region",
        "id name currency_code created_at updated_at deleted_at metadata *countries",
        allowed="id name currency_code … countries countries.iso_2 …",
    )

A view is written once and used by every route that answers with that entity. It knows the envelope's keys, and turns the
`fields` parameter of a request into the fields for the graph.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any

from ...core.budget import DEPTH, NAMES
from ...core.errors import InvalidData
from ...core.kept import TIMES, BoundedCache, weight

if TYPE_CHECKING:
    from ...core.graph.graph import Visible

Fields = tuple[str, ...]
"""Field paths as the graph takes them: `id`, `*variants` (all columns of a relation), `variants.options.value`."""

KEPT = 1024 * 1024
"""Bytes of `fields` texts, and of their parsed forms, that a view keeps."""


def words(text: str | Iterable[str]) -> Fields:
    """Names separated by blanks or commas, in order, each once."""
    parts = text.replace(",", " ").split() if isinstance(text, str) else text
    return tuple(dict.fromkeys(parts))


@dataclass(frozen=True, init=False)
class View:
    """How one entity is shown by the routes of one area.

    Answers look like `{key: {…}}` and `{plural: […], count, offset, limit}`.
    """

    entity: str
    """Root entity of the graph: `product_variant`."""
    key: str
    """Default: the entity's name."""
    plural: str
    """Default: the key with an s."""
    defaults: Fields
    """The fields when the request names none. Of relations in `stars` those that they have there."""
    allowed: frozenset[str] | None
    """Store: paths that may be asked for; others are silently dropped. None: all that exist."""
    stars: Mapping[str, Fields]
    """Relation → its fields where all of it is asked for (`*customer`), by a request or by default. Other relations are shown with all
    their columns."""
    disallowed: frozenset[str]
    """Segments that are dropped wherever they occur in a path."""
    limit: int
    """Rows of a page when the request names no limit."""
    order: str | None
    """Order when the request names none (`-created_at`). None: the entity's own."""
    orderable: frozenset[str] | None
    """Fields that `order` may name. None: those of `allowed`, or any if that is None too."""
    relations_limit: int | None
    """Store: how deep a path may go before it is refused. None: 3 on store routes, no limit elsewhere."""
    visible: Callable[[Any], Visible] | None
    """Entity → conditions on its rows wherever an answer shows them, or is filtered or ordered by them, below the view's own rows. None:
    all rows are visible."""
    shown: Callable[[dict[str, Any]], dict[str, Any]] | None
    """Converts a row to what clients see, where that isn't the row itself."""
    label: str | None
    """Its name in errors: `Region with id: x was not found`. None: the module's name for it."""
    _known: BoundedCache[Fields] = field(compare=False, repr=False)

    def __init__(
        self,
        entity: str,
        defaults: str | Iterable[str],
        *,
        key: str | None = None,
        plural: str | None = None,
        allowed: str | Iterable[str] | None = None,
        stars: Mapping[str, Fields] | None = None,
        disallowed: str | Iterable[str] = (),
        limit: int = 50,
        order: str | None = None,
        orderable: str | Iterable[str] | None = None,
        relations_limit: int | None = None,
        visible: Callable[[Any], Visible] | None = None,
        shown: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        label: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "entity", entity)
        put(self, "key", key or entity)
        put(self, "plural", plural or f"{self.key}s")
        put(self, "stars", dict(stars or {}))
        put(self, "defaults", tuple(dict.fromkeys(path for name in words(defaults) for path in self._all_of(name))))
        put(self, "allowed", None if allowed is None else frozenset(words(allowed)))
        put(self, "disallowed", frozenset(words(disallowed)))
        put(self, "limit", limit)
        put(self, "order", order)
        put(self, "orderable", self.allowed if orderable is None else frozenset(words(orderable)))
        put(self, "relations_limit", relations_limit)
        put(self, "visible", visible)
        put(self, "shown", shown)
        put(self, "label", label)
        put(self, "_known", BoundedCache(KEPT))

    def __hash__(self) -> int:
        return id(self)

    def but(self, **changes: Any) -> View:
        """A copy of the view with some options changed: `PRODUCT.but(limit=20)`."""
        given: dict[str, Any] = {name.name: getattr(self, name.name) for name in dataclass_fields(self) if name.name != "_known"}
        return View(**{**given, **changes})

    def allow(self, names: str | Iterable[str]) -> None:
        """Let requests ask for these paths, too: for plugins that add relations to entities of other modules.

            PRODUCT.allow("reviews reviews.rating reviews.title")

        Called where a plugin's routes are made, before the first request. Views that were copied from this one before aren't changed.
        """
        if self.allowed is not None:
            object.__setattr__(self, "allowed", self.allowed | frozenset(words(names)))
            self._known.clear()

    def fields(self, asked: str | None, *, restricted: frozenset[str] = frozenset(), depth: int | None = None, key: str = "id") -> Fields:
        """The fields for the graph from a request's `fields` text (None: it has none).

        `restricted` are segments that may not be asked for here unless `allowed` lists them; `depth` is the relation limit of
        the area, which the view's own limit replaces; `key` is the entity's key, which is always shown.

        Raises:
            InvalidData: a path is deeper than allowed, or there are too many.
        """
        if asked is None:
            return self.defaults
        limit = self.relations_limit if depth is not None and self.relations_limit is not None else depth
        cache_key = (asked, restricted, limit, key)
        known = self._known.get(cache_key)
        if known is None:
            known = self._resolve(asked, restricted, limit, key)
            self._known.keep(cache_key, known, TIMES * weight(asked))
        return known

    def _resolve(self, asked: str, restricted: frozenset[str], limit: int | None, key: str) -> Fields:
        entries = asked.split(",", NAMES) if asked.strip() else []
        if len(entries) > NAMES:
            raise InvalidData(f"The parameter fields may have {NAMES} entries.")
        plain: list[str] = []
        added: list[str] = []
        dropped: list[str] = []
        replaces = not entries
        for entry in entries:
            # "+" arrives as a blank if a client didn't escape it
            sign = entry[:1]
            name = entry.strip().lstrip("+").strip() if sign in "+ " else entry.strip()
            if not name or name == "-":
                continue
            if not _bare(name).strip("*"):  # a star alone names nothing
                continue
            if sign == "-":
                dropped.append(name[1:].strip())
            elif sign in "+ " or name.startswith("*") or name.endswith(".*"):
                added.append(name)
            else:
                replaces = True
                plain.append(name)
        base = [] if replaces else [f for f in self.defaults if not any(_under(f, gone) for gone in dropped)]
        asked_for = [*plain, *added]
        for name in asked_for:
            if name.count(".") > DEPTH:
                raise InvalidData(f"Field '{name[:100]}…' goes through more than {DEPTH} relations.")
        if limit is not None:
            deep = [name for name in asked_for if _depth(name) > limit]
            if deep:
                raise InvalidData(f"The following fields expand more than the maximum of {limit} allowed relations: {', '.join(deep)}")
        barred = self.disallowed if self.allowed is not None else self.disallowed | restricted
        shown = [
            path
            for name in asked_for
            for path in self._all_of(name)
            if (self.allowed is None or _bare(name) in self.allowed) and not (barred and barred.intersection(_segments(name)))
        ]
        return tuple(dict.fromkeys([*base, *shown, key]))

    def _all_of(self, name: str) -> Fields:
        return self.stars.get(_bare(name), (_starred(name),))


def _bare(name: str) -> str:
    """The path without its star."""
    return name.removeprefix("*").removesuffix(".*").strip(".")


def _starred(name: str) -> str:
    """`variants.*` and `*variants` mean the same; the graph takes the latter."""
    return f"*{_bare(name)}" if name.startswith("*") or name.endswith(".*") else name


def _under(name: str, gone: str) -> bool:
    path, gone = _bare(name), _bare(gone)
    return path == gone or path.startswith(gone + ".")


def _depth(name: str) -> int:
    """The number of relations in a path: `variants.options.value` has 2, `*variants.options` too."""
    dots = _bare(name).count(".")
    return dots + 1 if name.startswith("*") or name.endswith(".*") else dots


def _segments(name: str) -> list[str]:
    """Segments normalised in case and width, so that a look-alike of a restricted name is restricted as well."""
    return [unicodedata.normalize("NFKC", part).strip().lower() for part in _bare(name).split(".")]
