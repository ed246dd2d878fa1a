"""Rows that the kernel reads and writes: untyped, or of the type that their reader declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypeVar

Row = dict[str, Any]
"""A row by its columns, as a client would see it: JSON values, amounts as Decimal, times as ISO text, relations as rows or lists of rows.

Rows that business code reads field by field have a type of their own, in `types.py` beside it.
"""
Rows = list[Row]

Given = Mapping[str, Any]
"""A row that is only read: a caller's input, or an object of rules."""

Typed = TypeVar("Typed", bound=Mapping[str, Any], default=Row)
"""The row's type as the caller declares it: `levels: list[Level] = await self.list("inventory_level")`; default: an untyped `Row`.

For the type checker only: at run time nothing checks that the columns read are those of the type.
"""
TypedRows = list[Typed]
"""Rows that were read, of the type that their reader declares."""
