"""The service of the auth module."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...core.clock import utc_now
from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.messages import reads, writes
from ...core.module import ModuleService, Row
from . import queries
from .provider import AuthProvider, Outcome
from .tables import SCHEMA


class AuthService(ModuleService):
    """Who somebody is. An identity is vouched for by providers and linked to actors (a user, a customer)."""

    schema = SCHEMA

    # -- providers
    @reads
    async def auth_providers(self) -> list[Row]:
        """`{id, display_name}` of those that are set up."""
        return [{"id": id, "display_name": provider.display_name} for id, provider in self.providers.items()]

    async def authenticate(self, provider: str, given: Mapping[str, Any]) -> Outcome:
        """Let a provider find out who somebody is. Raises NotFound for a provider that isn't set up."""
        return await self._provider(provider).authenticate(given, _Known(self, provider))

    async def register(self, provider: str, given: Mapping[str, Any]) -> Outcome:
        """Make somebody known to a provider. Asking again is refused: they are known."""
        return await self._provider(provider).register(given, _Known(self, provider))

    async def update_provider(self, provider: str, given: Mapping[str, Any]) -> Outcome:
        """Change what a provider keeps of `given["entity_id"]` (a new password). May be repeated."""
        return await self._provider(provider).update(given, _Known(self, provider))

    async def validate_callback(self, provider: str, given: Mapping[str, Any]) -> Outcome:
        """Finish what a provider began elsewhere."""
        return await self._provider(provider).validate_callback(given, _Known(self, provider))

    # -- identities
    @reads
    async def identity(self, id: str) -> Row:
        """An identity with its `provider_identities`. Raises NotFound."""
        return await self.retrieve("auth_identity", id, fields=("*", *_IDENTITIES))

    @writes
    async def set_actor(self, identity_id: str, actor_type: str, actor_id: str | None) -> Row:
        """Link an identity to an actor (`customer`, `cus_…`), or with None unlink it. Repeating it changes nothing.

        Raises:
            NotFound: there is no such identity.
            InvalidData: it is linked to another actor of that type.
        """
        key = f"{actor_type}_id"
        rows = await self.database.fetch(queries.LOCK_IDENTITY, {"id": identity_id})
        if not rows:
            raise NotFound(f"AuthIdentity with id: {identity_id} was not found")
        linked: dict[str, Any] = dict(rows[0]["app_metadata"] or {})
        if actor_id is None:
            linked.pop(key, None)
        elif linked.setdefault(key, actor_id) != actor_id:
            raise InvalidData(f"Key {key} already exists in app metadata")
        await self.update("auth_identity", [{"id": identity_id, "app_metadata": linked}])
        return await self.identity(identity_id)

    @reads
    async def identities_of(self, actor_type: str, actor_id: str) -> list[Row]:
        """The identities that are linked to an actor, with their `provider_identities`."""
        linked = await self.database.fetch(queries.LINKED, {"linked": {f"{actor_type}_id": actor_id}})
        if not linked:
            return []
        return await self.list("auth_identity", {"id": [row["id"] for row in linked]}, fields=("*", *_IDENTITIES))

    @writes
    async def create_identity(
        self, provider: str, entity_id: str, secret: Mapping[str, Any], user_metadata: Mapping[str, Any] | None = None
    ) -> Row | None:
        """For providers: a new identity. None when the name is taken; of two at once one gets it."""
        try:
            async with self.database.savepoint():
                identity = (await self.create("auth_identity", [{"app_metadata": {}}]))[0]
                await self.create(
                    "provider_identity",
                    [
                        {
                            "entity_id": entity_id,
                            "provider": provider,
                            "auth_identity_id": identity["id"],
                            "provider_metadata": dict(secret),
                            "user_metadata": dict(user_metadata or {}),
                        }
                    ],
                )
        except InvalidData as error:
            if "already exists" not in error.message:
                raise
            return None
        return await self.identity(identity["id"])

    @writes
    async def keep_secret(self, provider: str, entity_id: str, secret: Mapping[str, Any]) -> Row | None:
        """For providers: replace what is kept of somebody. None when there is nobody of that name."""
        rows = await self.database.fetch(queries.KEEP, {"provider": provider, "entity_id": entity_id, "secret": dict(secret)})
        self.touch("provider_identity")
        return await self.identity(rows[0]["auth_identity_id"]) if rows else None

    # -- sessions
    @writes
    async def open_session(self, data: Mapping[str, Any], seconds: float) -> str:
        """Begin a session that remembers `data`. Returns the id for the cookie, which is kept nowhere else."""
        session_id = secrets.token_urlsafe(24)
        await self.database.execute(queries.FORGET_SESSIONS)
        await self.database.execute(
            queries.OPEN_SESSION, {"id": _digest(session_id), "data": dict(data), "expires_at": utc_now() + timedelta(seconds=seconds)}
        )
        return session_id

    @reads
    async def session(self, session_id: str) -> Row | None:
        """What a session remembers; None when there is none or it ran out. Using it lets it live on."""
        digest = _digest(session_id)
        rows = await self.database.fetch(queries.SESSION, {"id": digest})
        if not rows:
            return None
        data: Row = rows[0]["data"]
        life = timedelta(seconds=self.context.settings.session_expires)
        now = utc_now()
        if rows[0]["expires_at"] - now < life * 0.9:  # not with every request: that would be a write each
            await self.database.execute(queries.EXTEND_SESSION, {"id": digest, "until": now + life})
        return data

    @writes
    async def close_session(self, session_id: str) -> bool:
        """End a session. False when there was none."""
        gone = await self.database.fetch(queries.CLOSE_SESSION, {"id": _digest(session_id)})
        if gone:
            self.touch("auth_session")
        return bool(gone)

    # -- forgotten passwords
    @writes
    async def begin_reset(self, provider: str, entity_id: str, seconds: float) -> str | None:
        """A word that lets somebody change their password once, for some time; None when there is nobody of that name."""
        found = await self.database.fetch(queries.FIND, {"provider": provider, "entity_id": entity_id})
        if not found:
            return None
        word = secrets.token_urlsafe(32)
        await self.database.execute(queries.FORGET_RESETS)
        await self.database.execute(
            queries.BEGIN_RESET,
            {
                "id": new_id("authprt"),
                "auth_identity_id": found[0]["auth_identity_id"],
                "provider_identity_id": found[0]["id"],
                "entity_id": entity_id,
                "token_hash": _digest(word),
                "expires_at": utc_now() + timedelta(seconds=seconds),
            },
        )
        return word

    @writes
    async def use_reset(self, word: str, entity_id: str) -> bool:
        """Use that word up. False when it isn't one, is of somebody else, ran out, or was used."""
        return bool(await self.database.fetch(queries.USE_RESET, {"token_hash": _digest(word), "entity_id": entity_id}))

    def _provider(self, id: str) -> AuthProvider:
        provider: AuthProvider = self.providers.get(id)
        return provider


_IDENTITIES = (
    "provider_identities.id",
    "provider_identities.entity_id",
    "provider_identities.provider",
    "provider_identities.auth_identity_id",
    "provider_identities.user_metadata",
)


class _Known:
    """See `provider.Identities`."""

    def __init__(self, service: AuthService, provider: str) -> None:
        self._service = service
        self._provider = provider

    async def find(self, entity_id: str) -> tuple[Row, Mapping[str, Any]] | None:
        rows = await self._service.database.fetch(queries.FIND, {"provider": self._provider, "entity_id": entity_id})
        if not rows:
            return None
        return await self._service.identity(rows[0]["auth_identity_id"]), rows[0]["provider_metadata"] or {}

    async def create(self, entity_id: str, secret: Mapping[str, Any], user_metadata: Mapping[str, Any] | None = None) -> Row | None:
        return await self._service.create_identity(self._provider, entity_id, secret, user_metadata)

    async def keep(self, entity_id: str, secret: Mapping[str, Any]) -> Row | None:
        return await self._service.keep_secret(self._provider, entity_id, secret)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
