"""Rows of several links in one statement, so that a flow reads everything about a cart's lines at once."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import ColumnElement, Numeric, Table, func, literal_column, select

from ...commerce.links import LINK
from ...core.graph.links import Link
from ...core.sql.db.compiled import Compiled, any_of, compiled
from .tables import metadata


@lru_cache(maxsize=256)
def pairs_of(asks: tuple[tuple[str, str], ...]) -> Compiled:
    """The rows of several (link, key column) pairs, as one JSON list of lists. Parameters: the ids `ids0`, `ids1`, … in that order."""
    lists = [_pairs_of(LINK[link], metadata.tables[link], key, f"ids{number}") for number, (link, key) in enumerate(asks)]
    return compiled(select(func.json_build_array(*lists)))


def _pairs_of(link: Link, table: Table, key: str, name: str) -> ColumnElement[object]:
    """Both keys and the further columns of the rows that aren't deleted, in the order they were created."""
    link_row = table.alias(name)
    shown: list[ColumnElement[object]] = []
    for column in (link.left.key, link.right.key, *(extra.name for extra in link.extra)):
        value = link_row.c[column]
        shown += [literal_column(f"'{column}'"), func.trim_scale(value) if isinstance(value.type, Numeric) else value]
    found = select(func.json_build_object(*shown).label("pair")).where(any_of(link_row.c[key], name), link_row.c.deleted_at.is_(None))
    rows = found.order_by(link_row.c.id).subquery(f"{name}_rows")
    return select(func.coalesce(func.json_agg(rows.c.pair), literal_column("'[]'::json"))).scalar_subquery()
