"""Rate limits by account and by address, counted in the database, so for all processes together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

from limits import RateLimitItem, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter

from ...core.errors import Misconfigured, TooManyRequests
from ...core.settings import Settings
from ...core.sql.db.database import Database
from . import queries

NAMES = ("sign_in_address", "sign_in_account", "sign_up_address", "email_request", "email_account")
"""In the order in which they are counted."""


class Counts(Storage):
    """The storage of the library `limits`: rows that expire with their window.

    Counting is one statement, correct under concurrency.
    """

    STORAGE_SCHEME = None

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return int(await self._database.fetch_value(queries.COUNT_USE, {"id": key, "seconds": float(expiry), "amount": amount}))

    async def get(self, key: str) -> int:
        row = await self._database.fetch_one(queries.USES, {"id": key})
        return int(row["uses"]) if row is not None else 0

    async def get_expiry(self, key: str) -> float:
        row = await self._database.fetch_one(queries.USES, {"id": key})
        return float(row["seconds"]) + time.time() if row is not None else time.time()

    async def check(self) -> bool:
        return True  # it is the module's own database

    async def reset(self) -> int | None:
        raise NotImplementedError  # no caller resets all limits at once

    async def clear(self, key: str) -> None:
        await self._database.execute(queries.FORGET_USES, {"id": key})


class Limits:
    """The limits of the settings."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Raises Misconfigured for a setting that isn't a limit."""
        self._limiter = FixedWindowRateLimiter(Counts(database))
        self._items: dict[str, list[RateLimitItem]] = {}
        for name in NAMES:
            text: str = getattr(settings, f"{name}_limit")
            try:
                self._items[name] = parse_many(text) if text else []
            except ValueError:
                raise Misconfigured(
                    f"{name}_limit is no limit: {text!r}.", hint="10/minute, or 10/minute;100/day; empty for none"
                ) from None

    async def count(self, uses: Mapping[str, str]) -> None:
        """Count a use: name of the limit → account or address.

        Raises TooManyRequests if it is one too many for any limit: it then counts for none, since it wasn't made.
        """
        counted: list[tuple[RateLimitItem, str]] = []
        for name in (name for name in NAMES if name in uses):
            for item in self._items[name]:
                use = item, _digest(name, uses[name])
                counted.append(use)
                if not await self._limiter.hit(*use):
                    for each in counted:
                        await self._limiter.hit(*each, cost=-1)
                    seconds = (await self._limiter.get_window_stats(*use)).reset_time - time.time()
                    raise TooManyRequests("Too many attempts. Try again later.", retry_after=max(1.0, seconds))

    async def give_back(self, uses: Mapping[str, str]) -> None:
        """Undo `count`: the attempt isn't a kind that is limited."""
        for name, who in uses.items():
            for item in self._items[name]:
                await self._limiter.hit(item, _digest(name, who), cost=-1)


def _digest(name: str, who: str) -> str:
    """The id of a row: of one length for every name, and no plain list of addresses."""
    return hashlib.sha256(f"{name}:{who.strip().casefold()}".encode()).hexdigest()
