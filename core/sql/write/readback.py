"""Rows that were just written, as the database would show them, so that the writer needn't read them again.

shown(cart_line_item, row, at)      # every column: defaults filled in, amounts plain and with their raw_ twins
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Column, False_, Integer, Numeric, Table, True_
from sqlalchemy.types import TypeDecorator

from ... import numbers
from ..schema.columns import ROOT, Money, Quantity


def shown(table: Table, row: Mapping[str, Any], at: str, *, twins: bool = True) -> Any:
    """A row that was written as a whole at a time `at` (as the API shows times). A `created_at` that the row has is kept.

    A column that the row doesn't name gets its default, or null; names that aren't columns are left out. `twins`: with the raw_ twins.
    """
    columns = _columns(table)
    made: Any = dict(zip(columns.names, map(row.get, columns.names), strict=True))
    for name, default in columns.defaults:
        if made[name] is None:
            made[name] = default
    for name in columns.amounts:
        if (value := row.get(name)) is not None:
            made[name] = numbers.plain(value if type(value) is Decimal else Decimal(value))
    if twins:
        for name, twin in columns.twins:
            made[twin] = numbers.raw(made[name])
    made["created_at"] = row.get("created_at") or at
    made["updated_at"] = at
    made["deleted_at"] = None
    return made


class _Columns(NamedTuple):
    names: tuple[str, ...]
    defaults: tuple[tuple[str, Any], ...]
    amounts: tuple[str, ...]
    """Amounts that are shown as plain numbers."""
    twins: tuple[tuple[str, str], ...]
    """Columns with raw_ twins, and the names of the twins."""


@cache
def _columns(table: Table) -> _Columns:
    named = [(f"{c.name}", c) for c in table.c if c.name != ROOT]  # plain str: names that SQL quotes are instances of a subclass
    return _Columns(
        tuple(name for name, _ in named),
        tuple((name, default) for name, c in named if (default := _default(c)) is not None),
        tuple(name for name, c in named if _is_amount(c)),
        tuple((name, f"raw_{name}") for name, c in named if isinstance(c.type, Money | Quantity)),
    )


def _default(c: Column[Any]) -> Any:
    given = getattr(c.server_default, "arg", None)
    if isinstance(given, True_ | False_):
        return isinstance(given, True_)
    if isinstance(given, str) and isinstance(c.type, Integer | Boolean):
        return int(given) if isinstance(c.type, Integer) else given == "true"
    return given if isinstance(given, str) else None


def _is_amount(c: Column[Any]) -> bool:
    return isinstance(c.type.impl_instance if isinstance(c.type, TypeDecorator) else c.type, Numeric)
