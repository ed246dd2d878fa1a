"""What is asked of the shop's data, and what comes back: one page of one entity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ... import json
from ...codec import wire


@wire
@dataclass(frozen=True)
class Query:
    """One page of one entity, with as much of what belongs to it as `fields` names."""

    entity: str
    """Its name in the shop: `product_variant`."""
    fields: tuple[str, ...] = ("*",)
    """Strings of the fields grammar: `id`, `*` (all columns), `*variants` or `variants.*`, `variants.options.value`."""
    filters: Mapping[str, Any] = field(default_factory=dict)
    """Column or relation → value, list of values, `{$operator: value}` or a nested object; also `$and`, `$or`, `$not`, `q`."""
    order: tuple[str, ...] = ()
    """Columns, `-` in front means descending, dots lead through relations. Empty: the entity's own order."""
    limit: int | None = None
    offset: int = 0
    with_deleted: bool = False
    """Include rows that are softly deleted."""
    count: bool = False
    """Also count the rows of all pages."""
    slots: tuple[str, ...] = ()
    """Paths inside the root's module (`variants.calculated_price`) at which the page shall leave room for what the module doesn't know:
    a text that no row holds, with the key of the row it is in. See `Page.filled`."""
    visible: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Entity → filters that its rows have to pass wherever the query meets them below its own rows: in a relation that is shown, filtered
    or ordered by, in this module or another."""


@wire
@dataclass(frozen=True)
class Tied:
    """The value of the filter `$tied`, which no client can write: rows that a link ties to one of some things.

    For links that lie in the module's own database (the planner knows): what is tied is found there, and not listed beforehand.
    """

    link: str
    """Name of the link, and of its table."""
    key: str
    """Its column that holds the key of our rows."""
    own_key: str
    where: Mapping[str, list[str]]
    """Column of the link → values, of which it has to have one."""
    tallied: bool = False
    """Whether the link's table has a tally."""


@wire
@dataclass
class Page:
    """The rows as the JSON text that the database made, so that an answer can go out without being parsed.

    A page `of` rows, which somebody had to work on, becomes text when somebody asks for that: in one process none may have to.
    """

    json: bytes
    """A JSON array."""
    count: int | None = None
    """Rows of all pages; None where it wasn't asked for."""
    _rows: list[dict[str, Any]] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, rows: list[dict[str, Any]], count: int | None = None) -> Page:
        """`rows` are the page's from now on."""
        page = cls.__new__(cls)
        page._rows, page.count = rows, count
        return page

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Of a page of rows `json` isn't there before it is asked for."""
            if name != "json":
                raise AttributeError(name)
            self.json = made = json.dumps(self._rows)
            return made

    def own_rows(self) -> list[dict[str, Any]]:
        """The rows, for whoever changes them: those that the page is of, which nobody else has, or parsed for this caller alone."""
        return self._rows if self._rows is not None and "json" not in self.__dict__ else json.loads(self.json)

    def slots(self, name: str) -> list[str]:
        """Keys of the rows that have room under this name (the last part of the slot's path), in the order they are shown."""
        return [found.decode() for found in _slot(name).findall(self.json)]

    def filled(self, name: str, values: Mapping[str, bytes], default: bytes = b"null") -> Page:
        """The page with JSON texts put where there is room, by the keys of the rows: without parsing it."""
        label = json.dumps(name) + b":"
        made = _slot(name).sub(lambda found: label + values.get(found[1].decode(), default), self.json)
        return Page(made, self.count)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dicts, amounts as Decimal. Parsed on the first use; the same objects each time."""
        if self._rows is None:
            self._rows = json.loads(self.json)
        return self._rows


SLOT = "\x01"
"""Begins what stands in a slot."""


@cache
def _slot(name: str) -> re.Pattern[bytes]:
    """Unescaped quotes are never inside a text, and JSON columns write a blank behind the colon: nothing else looks like this."""
    return re.compile(re.escape(json.dumps(name)) + rb':"\\u0001([^"\\]*)"')
