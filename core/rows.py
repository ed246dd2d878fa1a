"""What the kernel reads and writes: rows, loose ones or as their reader declares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypeVar

Row = dict[str, Any]
"""A thing by its columns, as a client would see it: JSON values, amounts as Decimal, times as ISO text, relations as rows or lists of rows.

Rows that business code reads field by field have a type of their own, in `types.py` beside it.
"""
Rows = list[Row]

Given = Mapping[str, Any]
"""A row that is only read: as a caller gives it, or as rules are about it."""

Typed = TypeVar("Typed", bound=Mapping[str, Any], default=Row)
"""The row's type as the caller declares it: `levels: list[Level] = await self.list("inventory_level")`; undeclared it is a loose `Row`.

A declaration for the type checker: at run time nothing looks whether the columns that were asked for are those of the type.
"""
TypedRows = list[Typed]
"""Rows that were read, as their reader declares them."""
