"""The clock. It is passed in where time decides, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ahead = timedelta()


def utc_now() -> datetime:
    return datetime.now(UTC) + _ahead


def ahead() -> timedelta:
    """How far this process's clock was moved. Nothing, but in tests."""
    return _ahead


def move(by: timedelta) -> None:
    """Move this process's clock: for tests (`velella.testing`)."""
    global _ahead
    _ahead += by


def iso(moment: datetime) -> str:
    """A time as the API shows it: ISO 8601, UTC, milliseconds."""
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"
