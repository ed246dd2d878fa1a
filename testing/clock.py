"""The time of a shop under test, which the test moves."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from ..core import clock
from .shop import Shop

_SET_UP = """
    CREATE SCHEMA test_clock;
    CREATE TABLE test_clock.ahead (seconds float8);
    INSERT INTO test_clock.ahead VALUES (extract(epoch FROM $ahead));
    CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS 'SELECT pg_catalog.now() + make_interval(secs => (SELECT seconds FROM test_clock.ahead))';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = test_clock, public, pg_catalog', current_database()); END $$;
"""


async def prepare(database_url: str) -> None:
    """Make `now()` return the clock's time in every session that begins from here on."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_SET_UP.replace("$ahead", f"interval '{clock.ahead().total_seconds()} s'"))
    finally:
        await connection.close()


class Clock:
    """The time of this process and of the shop in it. It only goes forward, for all tests of a run; `created_at` and tokens keep to the
    real time."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def now(self) -> datetime:
        return clock.utc_now()

    async def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, and wait until what became due by that is done: jobs, flows that slept, deliveries that were put off."""
        clock.move(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
        await self._shop.execute("UPDATE test_clock.ahead SET seconds = $1", clock.ahead().total_seconds())
        await self._shop.catch_up()
        await self._shop.settled()
