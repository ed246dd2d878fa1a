"""The clock. It is passed in where time decides, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """A time as the API shows it: ISO 8601, UTC, milliseconds."""
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"
