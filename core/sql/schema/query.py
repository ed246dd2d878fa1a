"""Queries of the shop's data and their answers: one page of one entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Paths inside the root's module (`variants.calculated_price`) at which the page leaves room for values that the module doesn't know:
    a marker text that no row holds, with the key of its row, or what else the module says of it. See `Page.filled`."""
    visible: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Entity → filters that its rows have to pass wherever the query meets them below its own rows: in a relation that is shown, filtered
    or ordered by, in this module or another."""


@wire
@dataclass(frozen=True)
class Linked:
    """The value of the filter `$linked`, which no client can write: rows that a link connects with one of the given keys.

    For links in the module's own database (the planner knows which): the linked rows are found in the statement, not listed beforehand.
    """

    link: str
    """Name of the link, and of its table."""
    key: str
    """Its column that holds the key of our rows."""
    own_key: str
    where: Mapping[str, list[str]]
    """Column of the link → values, of which it has to have one."""
    keeps_deltas: bool = False
    """Whether the link's table keeps deltas."""


@wire
@dataclass
class Page:
    """The rows as the JSON text that the database made, so that an answer can be sent without being parsed.

    A page made with `of` from rows in memory becomes text only when `json` is read: a caller in the same process may not need it.
    """

    json: bytes
    """A JSON array."""
    count: int | None = None
    """Rows of all pages; None where it wasn't asked for."""
    _rows: list[dict[str, Any]] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, rows: list[dict[str, Any]], count: int | None = None) -> Page:
        """Make a page of these rows. The page owns them from now on."""
        page = cls.__new__(cls)
        page._rows, page.count = rows, count
        return page

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make `json` of a page of rows when it is first read."""
            if name != "json":
                raise AttributeError(name)
            self.json = made = json.dumps(self._rows)
            return made

    @property
    def empty(self) -> bool:
        """Whether it has no rows. Neither makes nor parses its JSON."""
        return not self._rows if self._rows is not None else self.json == b"[]"

    def own_rows(self) -> list[dict[str, Any]]:
        """The rows for a caller that changes them: the page's own if it was made `of` rows, else parsed for this caller alone."""
        return self._rows if self._rows is not None and "json" not in self.__dict__ else json.loads(self.json)

    def slots(self, name: str) -> list[str]:
        """Keys of the rows that have room under this name (the last part of the slot's path), in the order they are shown."""
        return [key for key, _ in self._behind(name)[1]]

    def filled(self, name: str, values: Mapping[str, bytes], default: bytes = b"null") -> Page:
        """The page with JSON texts put into its slots, by the keys of the rows, without parsing it."""
        label = json.dumps(name) + b":"
        before, slots = self._behind(name)
        made = [before]
        for key, rest in slots:
            made += (label, values.get(key, default), rest)
        return Page(b"".join(made), self.count)

    def _behind(self, name: str) -> tuple[bytes, list[tuple[str, bytes]]]:
        """The text before the first slot of this name; for each slot the key in it and the text from there to the next one. Texts hold no
        unescaped quotes, and JSON columns write a blank after the colon: nothing else looks like a slot."""
        before, *parts = self.json.split(json.dumps(name) + rb':"\u0001')
        return before, [(key.decode(), rest) for key, _, rest in (part.partition(b'"') for part in parts)]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dicts, amounts as Decimal. Parsed on the first use; the same objects each time."""
        if self._rows is None:
            self._rows = json.loads(self.json)
        return self._rows


SLOT = "\x01"
"""The first character of a slot's marker."""
