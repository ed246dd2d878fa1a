"""Where sessions are kept: in the database of the module (the default), or in Redis.

`providers.session` in the settings: `postgres`, `redis` (`redis_sessions.py`), or a class of the application that derives from
`SessionStore`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from ...core.clock import utc_now
from ...core.infrastructure import Infrastructure, InfrastructureProvider
from ...core.rows import Row
from ...core.sql.db.database import Database
from . import queries


class SessionStore(InfrastructureProvider):
    """Sessions of browsers (`providers.session`), by a digest of the id in their cookies: who reads the store can't be anybody.

    A session is good for nothing once its identity's secret or actor has changed, whatever the store says: each request looks. So a store
    only has to forget those that were closed, or ran out. Made with the auth module's service, and its options. Every method may be
    repeated, and raises SessionsAway, within a second or two, where the other side doesn't answer: buyers then go on as guests, where a
    route takes guests.
    """

    @abstractmethod
    async def open(self, digest: str, data: Mapping[str, Any], expires_at: datetime, ends_at: datetime) -> None:
        """Keep a session of the identity `data["auth_identity_id"]` until `expires_at`; no use prolongs it beyond `ends_at`."""

    @abstractmethod
    async def use(self, digest: str, life: timedelta) -> Row | None:
        """The data of a session, or None where there is none or it has ended. Lets it live for another `life` from now, at the latest
        when a tenth of that has passed since the last time."""

    @abstractmethod
    async def close(self, digest: str) -> bool:
        """End a session: when this returns, no `use` gives it any more. False if there was none."""


class SessionTable(Protocol):
    """What the service does in its database, each in a transaction."""

    database: Database

    async def _open_session(self, digest: str, data: Mapping[str, Any], expires_at: datetime, ends_at: datetime) -> None: ...

    async def _close_session(self, digest: str) -> bool: ...


class PostgresSessions(SessionStore):
    """In the table `auth_session`. Ended in the transaction that replaces a secret, too."""

    def __init__(self, table: SessionTable) -> None:
        self._table = table

    async def stop(self) -> None: ...

    async def open(self, digest: str, data: Mapping[str, Any], expires_at: datetime, ends_at: datetime) -> None:
        await self._table._open_session(digest, data, expires_at, ends_at)

    async def use(self, digest: str, life: timedelta) -> Row | None:
        database = self._table.database
        rows = await database.fetch(queries.SESSION, {"id": digest})
        if not rows:
            return None
        data: Row = rows[0]["data"]
        now = utc_now()
        # not with every request: that would be a write each time
        if rows[0]["expires_at"] - now < life * 0.9 and rows[0]["expires_at"] < rows[0]["ends_at"]:
            await database.execute(queries.EXTEND_SESSION, {"id": digest, "until": now + life})
        return data

    async def close(self, digest: str) -> bool:
        return await self._table._close_session(digest)


SESSIONS = Infrastructure(
    "session", SessionStore, {"postgres": "sessions:PostgresSessions", "redis": "redis_sessions:RedisSessions"}, __package__
)
