"""What is asked of the shop's data, and what comes back: one page of one entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import json
from ..codec import wire


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


@wire
@dataclass
class Page:
    """The rows as the JSON text that the database made, so that an answer can go out without being parsed."""

    json: bytes
    """A JSON array."""
    count: int | None = None
    """Rows of all pages; None where it wasn't asked for."""
    _rows: list[dict[str, Any]] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dicts, amounts as Decimal. Parsed on the first use; the same objects each time."""
        if self._rows is None:
            self._rows = json.loads(self.json)
        return self._rows
