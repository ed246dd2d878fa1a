"""Rows of several links in one statement, so that a flow reads everything about a cart's lines at once."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import ColumnElement, Numeric, Table, func, literal_column, select

from ...commerce.links import LINK
from ...core.graph.links import Link
from ...core.sql.db.compiled import Compiled, any_of, compiled
from .tables import metadata


@lru_cache(maxsize=256)
def ties_of(asks: tuple[tuple[str, str], ...]) -> Compiled:
    """The rows of several (link, key column) pairs, as one JSON list of lists. Parameters: the ids `ids0`, `ids1`, … in that order."""
    lists = [_ties(LINK[link], metadata.tables[link], key, f"ids{number}") for number, (link, key) in enumerate(asks)]
    return compiled(select(func.json_build_array(*lists)))


def _ties(link: Link, table: Table, key: str, name: str) -> ColumnElement[object]:
    """Both keys and the further columns of the rows that aren't deleted, in the order they were created."""
    tie = table.alias(name)
    shown: list[ColumnElement[object]] = []
    for column in (link.left.key, link.right.key, *(extra.name for extra in link.extra)):
        value = tie.c[column]
        shown += [literal_column(f"'{column}'"), func.trim_scale(value) if isinstance(value.type, Numeric) else value]
    found = select(func.json_build_object(*shown).label("tie")).where(any_of(tie.c[key], name), tie.c.deleted_at.is_(None))
    rows = found.order_by(tie.c.id).subquery(f"{name}_rows")
    return select(func.coalesce(func.json_agg(rows.c.tie), literal_column("'[]'::json"))).scalar_subquery()
