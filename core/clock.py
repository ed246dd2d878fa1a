"""The clock, handed in where time decides: tests move it, code doesn't ask the machine directly."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """As the API shows a time: ISO 8601, UTC, milliseconds."""
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"
