"""Rows that were just written, as the database would show them: what a writer knows needn't be read again.

shown(cart_line_item, row, at)      # every column: defaults filled in, amounts plain and with their raw_ twins
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Column, False_, Integer, Numeric, Table, True_
from sqlalchemy.types import TypeDecorator

from ... import numbers
from ..schema.columns import ROOT, Money, Quantity


def shown(table: Table, row: Mapping[str, Any], at: str, *, twins: bool = True) -> dict[str, Any]:
    """A row that was written as a whole at a time (as the API shows times). `created_at` stays where the row has one.

    What the row doesn't name is the column's default, or null; names that no column has are left out. `twins`: with the raw_ twins.
    """
    made: dict[str, Any] = {}
    for name, default, plain, twin in _columns(table):
        value = row.get(name)
        if value is None:
            value = default
        elif plain is not None:
            value = plain(value)
        made[name] = value
        if twin is not None and twins:
            made[twin] = numbers.raw(value)
    made["created_at"] = row.get("created_at") or at
    made["updated_at"] = at
    made["deleted_at"] = None
    return made


@cache
def _columns(table: Table) -> tuple[tuple[str, Any, Callable[[Any], Any] | None, str | None], ...]:
    """Name, default, how a value is shown, name of the twin."""
    named = [(f"{c.name}", c) for c in table.c if c.name != ROOT]  # a plain str: names that SQL quotes are of a class of their own
    return tuple((name, _default(c), _plain(c), f"raw_{name}" if isinstance(c.type, Money | Quantity) else None) for name, c in named)


def _default(c: Column[Any]) -> Any:
    given = getattr(c.server_default, "arg", None)
    if isinstance(given, True_ | False_):
        return isinstance(given, True_)
    if isinstance(given, str) and isinstance(c.type, Integer | Boolean):
        return int(given) if isinstance(c.type, Integer) else given == "true"
    return given if isinstance(given, str) else None


def _plain(c: Column[Any]) -> Callable[[Any], Any] | None:
    type_ = c.type.impl_instance if isinstance(c.type, TypeDecorator) else c.type
    return (lambda value: numbers.plain(Decimal(value))) if isinstance(type_, Numeric) else None
