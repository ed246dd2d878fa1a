"""Identifies callers: publishable keys, sessions, tokens, secret API keys."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ...actors.caching import NOTHING, Cache
from ...core.errors import Forbidden, NotAllowed, SessionsAway
from ...modules.auth.service import session_digest
from ..kit.access import API_KEY, BEARER, PUBLIC, SESSION, Actor, Auth, PublishableKey
from ..kit.reply import unauthorized
from .cors import Cors
from .tokens import Tokens

if TYPE_CHECKING:
    from ...actors.context import HostContext

KEY_HEADER = "x-publishable-api-key"

KEY_MISSING = (
    "Publishable API key required in the request header: x-publishable-api-key. You can manage your keys in settings in the dashboard."
)
KEY_INVALID = "A valid publishable key is required to proceed with the request"
KEY_AS_BEARER = (
    "A secret API key was passed as a Bearer token. Secret API keys must be sent using HTTP Basic authentication instead "
    "(Authorization: Basic <secret-api-key>)."
)

SECONDS = 5.0
"""Seconds for which the modules' answers are cached at most; a change invalidates them at once."""
KEPT = 2 * 1024 * 1024
"""Bytes of the cache of keys and sessions."""
OF_KEYS = frozenset(("api_key", "sales_channel", "publishable_api_key_sales_channel"))
OF_SECRETS = frozenset(("api_key",))
ACTORS = ("user", "customer")
"""Actor types that are rows of the entity with that name. Other types are known by the identity only."""


class Credentials:
    """One for each front end."""

    def __init__(self, host: HostContext, tokens: Tokens, cors: Cors) -> None:
        self._host = host
        self.tokens = tokens
        self._cors = cors
        settings = host.settings
        self._known = Cache(KEPT, min(SECONDS, settings.longest_cached), enabled=settings.cache)
        host.on_changed(self._known.changed)
        host.metrics.add(partial(self._known.samples, "credentials"))

    # -- storefronts
    async def publishable_key(self, http: web.BaseRequest) -> PublishableKey:
        """The publishable key that the request carries.

        Raises:
            NotAllowed: the request has none, or it is unknown or revoked.
        """
        token = http.headers.get(KEY_HEADER)
        if not token:
            raise NotAllowed(KEY_MISSING)
        key: PublishableKey | None = None
        if token.startswith("pk_") and len(token) < 200:
            key = await self._known.get_or_fill(token, OF_KEYS, lambda: self._load_key(token), size=_size)
        if key is None:
            raise NotAllowed(KEY_INVALID)
        return key

    async def _load_key(self, token: str) -> PublishableKey | None:
        row = await self._host.modules.api_key.publishable(token)
        if row is None:
            return None
        pairs = await self._host.modules.link.linked("publishable_api_key_sales_channel", "publishable_key_id", [row["id"]])
        linked = [pair["sales_channel_id"] for pair in pairs]
        there = await self._host.modules.sales_channel.list("sales_channel", {"id": linked}, fields=("id",)) if linked else []
        return PublishableKey(row["id"], token, tuple(channel["id"] for channel in there))

    # -- actors
    async def actor(self, http: web.BaseRequest, auth: Auth) -> Actor | None:
        """The caller; None where the route is open and the request carries no valid credentials.

        Raises:
            Refused: 401.
            Forbidden: a session's cookie came from a page that isn't the shop's.
            SessionsAway: the route isn't open, and where sessions are kept can't be reached.
        """
        if auth is PUBLIC:
            return None
        header = http.headers.get("Authorization")
        scheme, _, secret = header.strip().partition(" ") if header else ("", "", "")
        scheme, secret = scheme.lower(), secret.strip()
        if API_KEY in auth.types and scheme == "basic":
            key = await self._api_key(secret)
            if key is not None:
                return key
        actor: Actor | None = None
        away: SessionsAway | None = None
        if SESSION in auth.types:
            try:
                actor = await self._session(http, auth)
            except SessionsAway as error:
                away = error
        if BEARER in auth.types and scheme == "bearer" and secret:
            claims = self.tokens.read(secret)
            if claims is not None and _permitted(auth, claims.get("actor_type")):
                actor = _actor(claims)
        if actor is not None and _suffices(actor, auth) and await self.stands(actor):
            return actor
        if API_KEY in auth.types and scheme == "bearer" and secret.startswith("sk_"):
            raise unauthorized(KEY_AS_BEARER)
        if not auth.optional:  # else buyers go on as guests
            raise away or unauthorized()
        return None

    async def _api_key(self, secret: str) -> Actor | None:
        token = secret
        if not secret.startswith("sk_"):
            try:
                token = base64.b64decode(secret, validate=True).decode()
            except (binascii.Error, ValueError):
                return None
        token = token.removesuffix(":")
        if not token.startswith("sk_") or len(token) > 200 or not token.isprintable():
            return None
        # cached by its hash: a memory dump shows no keys
        digest = hashlib.sha256(token.encode()).digest()
        id = await self._known.get_or_fill(digest, OF_SECRETS, lambda: self._host.modules.api_key.authenticate(token), size=_size)
        return Actor(id, API_KEY, identity=id) if id is not None else None

    async def stands(self, actor: Actor) -> bool:
        """Whether the actor of a token or session still exists, and the secret that it logged in with is still valid."""
        version = await self._known.get_or_fill(
            (actor.identity, actor.type, actor.id), NOTHING, lambda: self._secret_version(actor), rows=rows_of(actor), size=_size
        )
        return version is not None and version == actor.claims.get("secret_version")

    async def _secret_version(self, actor: Actor) -> int | None:
        """The secret's version of the actor's identity; None if the identity or the actor is deleted, or they aren't linked any more."""
        if not actor.id or actor.type not in ACTORS:
            standing, there = await self._host.modules.auth.standing(actor.identity), True
        else:
            module = getattr(self._host.modules, actor.type)
            standing, rows = await asyncio.gather(
                self._host.modules.auth.standing(actor.identity), module.list(actor.type, {"id": actor.id}, fields=("id",))
            )
            there = bool(rows)
        if standing is None or not there or (actor.id and standing["app_metadata"].get(f"{actor.type}_id") != actor.id):
            return None
        return int(standing["secret_version"])

    async def _session(self, http: web.BaseRequest, auth: Auth) -> Actor | None:
        session_id = self.session_id(http)
        if session_id is None:
            return None
        digest = session_digest(session_id)  # a memory dump shows no sessions
        context = await self._known.get_or_fill(
            digest, NOTHING, lambda: self._host.modules.auth.session(session_id), rows=(f"auth_session:{digest}",), size=_size
        )
        if context is None or not _permitted(auth, context.get("actor_type")):
            return None
        # a browser sends the cookie whichever page asks; answers to reads aren't shown to that page
        stranger = self._cors.stranger(http) if http.method not in ("GET", "HEAD") else None
        if stranger is not None:
            raise Forbidden(f"Pages of {stranger} may not act for who is signed in here. Name their origin in the settings, or public_url.")
        return _actor(context)

    def session_id(self, http: web.BaseRequest) -> str | None:
        """Id of the session whose cookie the request carries, or None."""
        cookies = http.headers.get("Cookie")
        return self.tokens.session_of(cookies) if cookies else None


def _size(_: object) -> int:
    """About the bytes of one entry."""
    return 500


def _permitted(auth: Auth, actor_type: Any) -> bool:
    return isinstance(actor_type, str) and ("*" in auth.actors or actor_type in auth.actors)


def _suffices(actor: Actor, auth: Auth) -> bool:
    """Whether what the caller has proven is enough for a route."""
    if actor.claims.get("halfway"):
        return auth.halfway
    return bool(actor.id) or auth.unregistered


def _actor(claims: dict[str, Any]) -> Actor:
    return Actor(
        str(claims.get("actor_id") or ""),
        str(claims["actor_type"]),
        str(claims.get("auth_identity_id") or ""),
        claims.get("auth_provider"),
        claims,
    )


def rows_of(actor: Actor) -> tuple[str, ...]:
    """The row tags on which an actor's validity depends."""
    rows = (f"auth_identity:{actor.identity}",) if actor.identity else ()
    return (*rows, f"{actor.type}:{actor.id}") if actor.id and actor.type in ACTORS else rows
