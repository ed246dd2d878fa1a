"""What the messages of the translation module take and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

Translatable = Mapping[str, Sequence[str]]
"""Entity → its columns that can be translated, as its module declares."""


class Decision(TypedDict):
    """Which columns of an entity are translated."""

    id: str
    entity_type: str
    fields: list[str]
    is_active: bool
    created_at: str
    updated_at: str
    deleted_at: str | None


class Decided(TypedDict):
    created: list[Decision]
    updated: list[Decision]
    deleted: list[str]


class Counts(TypedDict):
    """How many texts there would be, how many there are, and how many are missing."""

    expected: int
    translated: int
    missing: int


class Statistics(Counts):
    by_locale: dict[str, Counts]
