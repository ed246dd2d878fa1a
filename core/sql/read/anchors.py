"""Anchors: rows of a list whose position is known.

A page that begins at an anchor is found without counting the rows before it. This works only where the list is ordered by columns of the
table that are never null and that its delta table holds: then the changes since the anchor was found can be counted (`lists.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam, not_, or_, true

from ..schema.catalog import Catalog
from ..schema.deltas import deltas_of
from ..schema.entity import Entity
from ..schema.values import Field
from .filters import Shape

MOST_SORT_KEYS = 8


class Anchor(NamedTuple):
    number: int
    """How many rows came before it, in the snapshot that the list was counted under."""
    snapshot: str
    row: tuple[Any, ...]
    """Its values of the columns that the list is ordered by."""


class Counted(NamedTuple):
    rows: int
    snapshot: str


@dataclass(frozen=True, slots=True)
class SortKey:
    """A sort key: a column that a list is ordered by."""

    field: Field
    descending: bool

    def of(self, source: FromClause) -> ColumnElement[Any]:
        return self.field.of(source)

    def ordered(self, source: FromClause) -> ColumnElement[Any]:
        return self.of(source).desc() if self.descending else self.of(source).asc()

    def reaches(self, value: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a value sorts equal to another one or after it."""
        return value <= other if self.descending else value >= other


def sort_keys_of(catalog: Catalog, entity: Entity, order: Sequence[str]) -> tuple[SortKey, ...] | None:
    """The sort keys of a list, down to the table's key, which tells rows apart; None where the list can't have anchors."""
    deltas = deltas_of(entity.table)
    if deltas is None:
        return None
    sort_keys: list[SortKey] = []
    for name in (*(order or entity.default_order), entity.key):
        path = name.removeprefix("-")
        field = catalog.fields(entity).get(path)
        if field is None or field.hidden or field.column is None or field.kind in ("raw", "json", "array"):
            return None
        if entity.table.c[field.column].nullable or field.column not in deltas.c:
            return None
        sort_keys.append(SortKey(field, name.startswith("-")))
        if path == entity.key:
            break
    return tuple(sort_keys) if len(sort_keys) <= MOST_SORT_KEYS else None


def covered_by(entity: Entity, shape: Shape) -> bool:
    """Whether the table's deltas hold everything that a filter asks of rows; links to these rows must keep deltas, too."""
    match shape[0]:
        case "and" | "or" | "not":
            return all(covered_by(entity, part) for part in shape[1:])
        case "relation" | "q":
            return False
        case "linked":
            return bool(shape[4]) and shape[3] == entity.key
    deltas = deltas_of(entity.table)
    return deltas is not None and shape[1] in deltas.c


def pairs_in(shape: Shape) -> Iterator[tuple[str, str]]:
    """Names of the links that a filter looks at, each with its column that holds keys of the rows."""
    if shape[0] in ("and", "or", "not"):
        for part in shape[1:]:
            yield from pairs_in(part)
    elif shape[0] == "linked":
        yield shape[1], shape[2]


def from_anchor(sort_keys: Sequence[SortKey], source: FromClause) -> ColumnElement[bool]:
    """Whether a row is at or after the anchor whose values are the parameters `anchor_0`, …"""
    sort_key, value = sort_keys[0], _value(sort_keys[0], 0)
    reaches = sort_key.reaches(sort_key.of(source), value)
    return reaches if len(sort_keys) == 1 else and_(reaches, _rest(sort_keys, source, 0))


def before_anchor(sort_keys: Sequence[SortKey], source: FromClause) -> ColumnElement[bool]:
    return not_(from_anchor(sort_keys, source))


def _rest(sort_keys: Sequence[SortKey], source: FromClause, at: int) -> ColumnElement[bool]:
    """`from_anchor` for a row that doesn't sort before the anchor by the sort key number `at`."""
    if at + 1 == len(sort_keys):
        return true()
    following = sort_keys[at + 1]
    equal = and_(following.reaches(following.of(source), _value(following, at + 1)), _rest(sort_keys, source, at + 1))
    return or_(sort_keys[at].of(source) != _value(sort_keys[at], at), equal)


def _value(sort_key: SortKey, at: int) -> BindParameter[Any]:
    return bindparam(f"anchor_{at}", type_=sort_key.field.type)
