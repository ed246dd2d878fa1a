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
from ..schema.deltas import tally_of
from ..schema.entity import Entity
from ..schema.values import Field
from .filters import Shape

MOST_TERMS = 8


class Place(NamedTuple):
    number: int
    """How many rows came before it, in the snapshot that the list was counted under."""
    snapshot: str
    row: tuple[Any, ...]
    """Its values of the columns that the list is ordered by."""


class Counted(NamedTuple):
    rows: int
    snapshot: str


@dataclass(frozen=True, slots=True)
class Term:
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


def terms_of(catalog: Catalog, entity: Entity, order: Sequence[str]) -> tuple[Term, ...] | None:
    """The sort keys of a list, down to the table's key, which tells rows apart; None where the list can't have anchors."""
    tally = tally_of(entity.table)
    if tally is None:
        return None
    terms: list[Term] = []
    for name in (*(order or entity.default_order), entity.key):
        path = name.removeprefix("-")
        field = catalog.fields(entity).get(path)
        if field is None or field.hidden or field.column is None or field.kind in ("raw", "json", "array"):
            return None
        if entity.table.c[field.column].nullable or field.column not in tally.c:
            return None
        terms.append(Term(field, name.startswith("-")))
        if path == entity.key:
            break
    return tuple(terms) if len(terms) <= MOST_TERMS else None


def told_by(entity: Entity, shape: Shape) -> bool:
    """Whether the table's deltas hold everything that a filter asks of rows; links to these rows must keep deltas, too."""
    match shape[0]:
        case "and" | "or" | "not":
            return all(told_by(entity, part) for part in shape[1:])
        case "relation" | "q":
            return False
        case "linked":
            return bool(shape[4]) and shape[3] == entity.key
    tally = tally_of(entity.table)
    return tally is not None and shape[1] in tally.c


def pairs_in(shape: Shape) -> Iterator[tuple[str, str]]:
    """Names of the links that a filter looks at, each with its column that holds keys of the rows."""
    if shape[0] in ("and", "or", "not"):
        for part in shape[1:]:
            yield from pairs_in(part)
    elif shape[0] == "linked":
        yield shape[1], shape[2]


def from_place(terms: Sequence[Term], source: FromClause) -> ColumnElement[bool]:
    """Whether a row is at or after the anchor whose values are the parameters `place_0`, …"""
    term, value = terms[0], _value(terms[0], 0)
    reaches = term.reaches(term.of(source), value)
    return reaches if len(terms) == 1 else and_(reaches, _rest(terms, source, 0))


def before_place(terms: Sequence[Term], source: FromClause) -> ColumnElement[bool]:
    return not_(from_place(terms, source))


def _rest(terms: Sequence[Term], source: FromClause, at: int) -> ColumnElement[bool]:
    """`from_place` for a row that doesn't sort before the anchor by the sort key number `at`."""
    if at + 1 == len(terms):
        return true()
    following = terms[at + 1]
    equal = and_(following.reaches(following.of(source), _value(following, at + 1)), _rest(terms, source, at + 1))
    return or_(terms[at].of(source) != _value(terms[at], at), equal)


def _value(term: Term, at: int) -> BindParameter[Any]:
    return bindparam(f"place_{at}", type_=term.field.type)
