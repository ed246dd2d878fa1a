"""The loose row: what the kernel reads and writes where no type says more."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
"""A thing by its columns, as a client would see it: JSON values, amounts as Decimal, times as ISO text, relations as rows or lists of rows.

Rows that business code reads field by field have a type of their own (`modules/*/types.py`, `commerce/types.py`).
"""
Rows = list[Row]
