"""Many rows in one parameter: a JSON array that PostgreSQL reads as a table.

    insert_rows("items", line_item, guard, cart_id=guard.c.id)      # INSERT … SELECT … FROM jsonb_to_recordset(:items) JOIN guard

However many rows there are, the statement's text is the same, so it is compiled and prepared once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Table, bindparam, cast, column, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

_MADE_HERE = frozenset({"updated_at", "deleted_at"})


def insert_rows(name: str, table: Table, beside: FromClause, **given: ColumnElement[Any]) -> Insert:
    """Insert the rows of the parameter `name`, once for each row of `beside` (which has one row, or none: then nothing is inserted).

    `given` columns come from the expressions, the others from the rows. A column that a row doesn't name gets its default, or null; names
    that aren't columns are ignored.
    """
    columns = [c for c in table.c if c.name not in _MADE_HERE and c.identity is None]
    rows = (
        func.jsonb_to_recordset(bindparam(name, type_=JSONB))
        .table_valued(*(column(c.name, c.type) for c in columns if c.name not in given), name=f"{name}_rows")
        .render_derived(with_types=True)
    )
    values = [given[c.name] if c.name in given else _value(c, rows) for c in columns]
    return insert(table).from_select([c.name for c in columns], select(*values).select_from(rows.join(beside, true())))


def _value(c: Column[Any], rows: FromClause) -> ColumnElement[Any]:
    default = c.server_default
    if default is None:
        return rows.c[c.name]
    value = default.arg  # type: ignore[attr-defined]
    if isinstance(value, str):
        value = cast(literal_column("'" + value.replace("'", "''") + "'"), c.type)
    return func.coalesce(rows.c[c.name], value)
