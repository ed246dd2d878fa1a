"""The service of the auth module."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...core.clock import utc_now
from ...core.emails import email_address, folded
from ...core.errors import Busy, InvalidData, NotFound, Unauthorized
from ...core.ids import new_id
from ...core.message import reads, repeatable, writes
from ...core.rows import Row
from ...core.service.context import ModuleContext
from . import queries
from .factors import SecondFactors
from .provider import AuthenticationResponse, AuthProvider, Known
from .resets import Reset
from .sessions import SESSIONS, SessionStore
from .tables import SCHEMA
from .verifications import Verifications


class AuthService(SecondFactors, Verifications):
    """Identities of people. Providers authenticate an identity; it is linked to actors (a user, a customer)."""

    schema = SCHEMA

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._sessions: SessionStore = SESSIONS.set_up(context.settings, self)

    async def stop(self) -> None:
        await self._sessions.stop()
        for _, provider in self.providers.items():
            await provider.close()
        await super().stop()

    # -- providers
    @reads
    async def auth_providers(self) -> list[Row]:
        """`{id, display_name}` of the providers that are set up."""
        return [{"id": id, "display_name": provider.display_name} for id, provider in self.providers.items()]

    async def authenticate(self, provider: str, given: Mapping[str, Any], address: str | None = None) -> AuthenticationResponse:
        """Have a provider authenticate a person. Raises NotFound for a provider that isn't set up.

        The identity of the outcome has the `secret_version` that was proven. Failed attempts count for the limits of the account, and
        of the `address` that they come from (None: from the shop itself, which isn't limited). Raises TooManyRequests beyond.
        """
        asked = self._provider(provider)
        account = asked.account(given)
        uses = {"sign_in_account": f"{provider}:{account}"} if account is not None else {}
        return await self._limited(address, uses, lambda: asked.authenticate(given, _Identities(self, provider)))

    async def register(self, provider: str, given: Mapping[str, Any], address: str | None = None) -> AuthenticationResponse:
        """Register a person with a provider. A repetition is refused, because the name exists. Raises TooManyRequests beyond an `address`'s
        limit."""
        if address is not None:
            await self._limits.count({"sign_up_address": address})
        return await self._provider(provider).register(given, _Identities(self, provider))

    async def update_by_reset(self, token: str, provider: str, actor_type: str, given: Mapping[str, Any]) -> AuthenticationResponse:
        """Change the provider's private data (a new password) of the identity whose email holds this token, as `given` says. Once.

        Everything made with the old secret ends with it: sessions, tokens and other emails of the identity.

        Raises Unauthorized where the token isn't from such an email, is for another provider or type of actor, or was used or superseded.
        """
        reset = Reset.read(self.context.settings, token)
        if reset is None or (reset.provider, reset.actor_type) != (provider, actor_type):
            raise Unauthorized("Invalid token")
        if not await self.database.fetch(queries.IS_OPEN, _open_word(reset)):  # before any expensive work
            raise Unauthorized("Invalid token")
        about = {**given, "entity_id": reset.entity_id, "actor_type": actor_type}
        return await self._provider(provider).update(about, _Identities(self, provider, reset))

    async def validate_callback(self, provider: str, given: Mapping[str, Any], address: str | None = None) -> AuthenticationResponse:
        """Finish an attempt that a provider began elsewhere. Limited as `authenticate` is."""
        asked = self._provider(provider)
        return await self._limited(address, {}, lambda: asked.validate_callback(given, _Identities(self, provider)))

    async def count_email(self, to: str, address: str | None = None) -> None:
        """Count an email that is requested, by its recipient and by the client's address (None: requested by the shop's staff).

        Raises TooManyRequests if that is one too many.
        """
        await self._limits.count({"email_account": folded(to), **({"email_request": address} if address is not None else {})})

    async def _limited(
        self, address: str | None, uses: dict[str, str], attempt: Callable[[], Awaitable[AuthenticationResponse]]
    ) -> AuthenticationResponse:
        """Count an attempt before it is made, so that concurrent attempts don't exceed the limit; give it back if it succeeds."""
        if address is None:
            return await attempt()
        uses = {"sign_in_address": address, **uses}
        await self._limits.count(uses)
        try:
            outcome = await attempt()
        except Busy:  # nothing was tried
            await self._limits.give_back(uses)
            raise
        if outcome["success"] and outcome["location"] is None:  # one that goes on elsewhere has written something, and proven nothing
            await self._limits.give_back(uses)
        return outcome

    # -- identities
    @reads
    async def identity(self, id: str) -> Row:
        """An identity with its `provider_identities`. Raises NotFound."""
        return await self.retrieve("auth_identity", id, fields=_IDENTITY)

    @reads
    async def standing(self, identity_id: str) -> Row | None:
        """What tokens and sessions of an identity are checked against: its `secret_version`, and `app_metadata`: its actors.

        None if the identity is deleted.
        """
        rows = await self.database.fetch(queries.STANDING, {"id": identity_id})
        return {**dict(rows[0]), "app_metadata": rows[0]["app_metadata"] or {}} if rows else None

    @writes
    async def set_actor(self, identity_id: str, actor_type: str, actor_id: str | None, *, secret_version: int | None = None) -> Row:
        """Link an identity to an actor (`customer`, `cus_…`), or with None unlink it. May be repeated.

        `secret_version`: the secret that the caller has proven, where the caller is the identity itself.

        Raises:
            NotFound: there is no such identity.
            InvalidData: it is linked to another actor of that type.
            Unauthorized: its secret has changed since it was proven.
        """
        key = f"{actor_type}_id"
        rows = await self.database.fetch(queries.LOCK_IDENTITY, {"id": identity_id})
        if not rows:
            raise NotFound(f"AuthIdentity with id: {identity_id} was not found")
        if secret_version not in (None, rows[0]["secret_version"]):
            raise Unauthorized("The secret has changed since: sign in again")
        linked: dict[str, Any] = dict(rows[0]["app_metadata"] or {})
        if actor_id is None:
            linked.pop(key, None)
        elif linked.setdefault(key, actor_id) != actor_id:
            raise InvalidData(f"Key {key} already exists in app metadata")
        await self.update("auth_identity", [{"id": identity_id, "app_metadata": linked}])
        return await self.identity(identity_id)

    @writes
    async def change_email(self, actor_type: str, actor_id: str, email: str, new: str) -> bool:
        """Let an actor who logs in by `email` do so by the `new` address from now on. Returns whether there was such an identity.

        An identity that is linked to another actor, too, stays as it is: it goes on logging in by the old address. Emails that were sent to
        the old address become invalid. May be repeated.

        Raises InvalidData where the new address is taken, or isn't an address.
        """
        named = {
            "email": folded(email),
            "new": email_address(new),
            "providers": [id for id, each in self.providers.items() if each.by_email],
        }
        moved = await self.database.fetch(queries.CHANGE_EMAIL, {**named, "key": f"{actor_type}_id", "actor_id": actor_id})
        if moved:
            self.touch("provider_identity")
            self.touch_rows("auth_identity", [row["auth_identity_id"] for row in moved])
        return bool(moved)

    @reads
    async def identities_of(self, actor_type: str, actor_id: str) -> list[Row]:
        """The identities that are linked to an actor, with their `provider_identities`."""
        linked = await self.database.fetch(queries.LINKED, {"linked": {f"{actor_type}_id": actor_id}})
        if not linked:
            return []
        return await self.list("auth_identity", {"id": [row["id"] for row in linked]}, fields=_IDENTITY)

    @reads
    async def identities_by(self, email: str) -> list[Row]:
        """The identities that sign in by an address, with their `app_metadata`."""
        providers = [id for id, each in self.providers.items() if each.by_email]
        named = await self.list("provider_identity", {"entity_id": folded(email), "provider": providers}, fields=("auth_identity_id",))
        return await self.list("auth_identity", {"id": [row["auth_identity_id"] for row in named]}, fields=("id", "app_metadata"))

    @writes
    async def create_identity(
        self,
        provider: str,
        entity_id: str,
        secret: Mapping[str, Any],
        user_metadata: Mapping[str, Any] | None = None,
        verified_email: str | None = None,
    ) -> Row | None:
        """For providers: create an identity. None if the name is taken; of two concurrent calls one succeeds."""
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
                            "verified_email": verified_email and folded(verified_email),
                        }
                    ],
                )
        except InvalidData as error:
            if "already exists" not in error.message:
                raise
            return None
        return await self.identity(identity["id"])

    @writes
    async def _keep_secret(self, provider: str, entity_id: str, secret: Mapping[str, Any], reset: Reset | None = None) -> Row | None:
        """For providers: replace the private data of an identity, and end everything made with the old: sessions, tokens, emails about a
        reset.

        None if there is no such name, or if the word of `reset` is no longer valid: then nothing is changed.
        """
        if reset is not None and not await self.database.fetch(queries.USE_RESET, _open_word(reset)):
            return None
        rows = await self.database.fetch(queries.KEEP, {"provider": provider, "entity_id": entity_id, "secret": dict(secret)})
        if not rows:
            return None
        identity = {"id": rows[0]["auth_identity_id"]}
        await self.database.execute(queries.RENEW_SECRET, identity)
        await self.database.execute(queries.FORGET_RESETS_OF, identity)
        closed = await self.database.fetch(queries.CLOSE_SESSIONS_OF, identity)
        self.touch("provider_identity")
        self.touch_rows("auth_identity", identity.values())
        self.touch_rows("auth_session", (row["id"] for row in closed))
        return await self.identity(identity["id"])

    @writes
    async def _describe(self, provider: str, entity_id: str, user_metadata: Mapping[str, Any], verified_email: str | None) -> None:
        about = {"user_metadata": dict(user_metadata), "verified_email": verified_email and folded(verified_email)}
        described = await self.database.fetch(queries.DESCRIBE, {"provider": provider, "entity_id": entity_id, **about})
        if described:
            self.touch("provider_identity")
            self.touch_rows("auth_identity", [row["auth_identity_id"] for row in described])

    @writes
    async def _keep_state(self, digest: str, provider: str, data: Mapping[str, Any], seconds: float) -> None:
        await self.database.execute(queries.FORGET_STATES)
        row = {"id": digest, "provider": provider, "data": dict(data), "expires_at": utc_now() + timedelta(seconds=seconds)}
        await self.database.execute(queries.KEEP_STATE, row)

    @writes
    async def _use_state(self, digest: str, provider: str) -> dict[str, Any] | None:
        used = await self.database.fetch(queries.USE_STATE, {"id": digest, "provider": provider})
        return dict(used[0]["data"]) if used else None

    # -- sessions
    @repeatable(stands_alone=True)
    async def open_session(self, data: Mapping[str, Any], seconds: float, longest: float) -> str:
        """Begin a session of an identity (`data["auth_identity_id"]`) that holds `data`.

        It ends after `seconds` without use, and after `longest` in any case. Returns the id for the cookie, which is stored nowhere else:
        a session that is opened again because the answer was lost is another one, and nobody's the first.
        """
        session_id, now = secrets.token_urlsafe(24), utc_now()
        expires_at, ends_at = now + timedelta(seconds=min(seconds, longest)), now + timedelta(seconds=longest)
        await self._sessions.open(session_digest(session_id), data, expires_at, ends_at)
        return session_id

    @reads
    async def session(self, session_id: str) -> Row | None:
        """The data of a session; None if it doesn't exist or has ended. Each use prolongs it, up to its final end."""
        return await self._sessions.use(session_digest(session_id), timedelta(seconds=self.context.settings.session_expires))

    @repeatable(stands_alone=True)
    async def close_session(self, session_id: str) -> bool:
        """End a session, in every process when this returns. False if there was none."""
        digest = session_digest(session_id)
        there = await self._sessions.close(digest)
        await self.context.changed(frozenset((f"auth_session:{digest}",)))
        return there

    @writes
    async def _open_session(self, digest: str, data: Mapping[str, Any], expires_at: datetime, ends_at: datetime) -> None:
        """In the table: see `PostgresSessions`."""
        await self.database.execute(queries.FORGET_SESSIONS)
        row = {"id": digest, "auth_identity_id": data["auth_identity_id"], "data": dict(data)}
        await self.database.execute(queries.OPEN_SESSION, {**row, "expires_at": expires_at, "ends_at": ends_at})

    @writes(one_statement=True)
    async def _close_session(self, digest: str) -> bool:
        return bool(await self.database.fetch(queries.CLOSE_SESSION, {"id": digest}))

    # -- forgotten secrets
    @writes
    async def begin_reset(self, provider: str, entity_id: str, actor_type: str, seconds: float) -> str | None:
        """A token by which a person may replace a forgotten secret once, for some time (`update_by_reset`).

        None if there is no such name.
        """
        if self._provider(provider).by_email:
            entity_id = folded(entity_id)
        found = await self.database.fetch(queries.FIND, {"provider": provider, "entity_id": entity_id})
        if not found:
            return None
        reset = Reset(provider, entity_id, actor_type, secrets.token_urlsafe(32))
        await self.database.execute(queries.FORGET_RESETS)
        await self.database.execute(
            queries.BEGIN_RESET,
            {
                "id": new_id("authprt"),
                "auth_identity_id": found[0]["auth_identity_id"],
                "provider_identity_id": found[0]["id"],
                "entity_id": entity_id,
                "token_hash": _digest(reset.word),
                "expires_at": utc_now() + timedelta(seconds=seconds),
            },
        )
        return reset.signed(self.context.settings, seconds)

    def _provider(self, id: str) -> AuthProvider:
        provider: AuthProvider = self.providers.get(id)
        return provider


_IDENTITY = (
    "*",
    "secret_version",
    "mfa_enabled",
    "provider_identities.id",
    "provider_identities.entity_id",
    "provider_identities.provider",
    "provider_identities.auth_identity_id",
    "provider_identities.user_metadata",
    "provider_identities.verified_email",
)


class _Identities:
    """See `provider.Identities`."""

    def __init__(self, service: AuthService, provider: str, reset: Reset | None = None) -> None:
        """`reset`: the permission to store a new secret."""
        self._service = service
        self._provider = provider
        self._reset = reset

    async def find(self, entity_id: str) -> Known | None:
        rows = await self._service.database.fetch(queries.FIND, {"provider": self._provider, "entity_id": entity_id})
        if not rows:
            return None
        return Known(rows[0]["auth_identity_id"], rows[0]["provider_metadata"] or {}, rows[0]["secret_version"])

    async def identity(self, known: Known) -> Row:
        # with the version that was proven: the secret may have changed since
        return {**await self._service.identity(known.identity_id), "secret_version": known.secret_version}

    async def create(
        self,
        entity_id: str,
        secret: Mapping[str, Any],
        user_metadata: Mapping[str, Any] | None = None,
        *,
        verified_email: str | None = None,
    ) -> Row | None:
        return await self._service.create_identity(self._provider, entity_id, secret, user_metadata, verified_email)

    async def keep(self, entity_id: str, secret: Mapping[str, Any]) -> Row | None:
        return await self._service._keep_secret(self._provider, entity_id, secret, self._reset)

    async def describe(self, entity_id: str, user_metadata: Mapping[str, Any], *, verified_email: str | None = None) -> None:
        await self._service._describe(self._provider, entity_id, user_metadata, verified_email)

    async def keep_state(self, data: Mapping[str, Any], seconds: float) -> str:
        word = secrets.token_urlsafe(32)
        await self._service._keep_state(_digest(word), self._provider, data, seconds)
        return word

    async def use_state(self, word: str) -> dict[str, Any] | None:
        return await self._service._use_state(_digest(word), self._provider)


def session_digest(session_id: str) -> str:
    """The id of a session in the table and in row notices."""
    return _digest(session_id)


def _open_word(reset: Reset) -> Row:
    return {"token_hash": _digest(reset.word), "provider": reset.provider, "entity_id": reset.entity_id}


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
