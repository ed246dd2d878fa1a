"""Ids: a prefix that says what it is, and a ULID that sorts by time (https://github.com/ulid/spec)."""

from __future__ import annotations

from ulid import ULID


def ulid() -> str:
    return str(ULID())


def new_id(prefix: str) -> str:
    """`prod_01J9…`"""
    return f"{prefix}_{ULID()}"
