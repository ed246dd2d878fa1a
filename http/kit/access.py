"""Which callers a route admits.

    @routes.post("/store/customers", auth=CUSTOMER_REGISTERING, …)

A route without `auth` is guarded by its prefix: `/admin` requires a user, `/store/customers/me` a customer, the rest of
`/store` accepts a customer's credentials, and all other paths are open. One that overrides another is guarded as that one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from aiohttp import web

SESSION = "session"
BEARER = "bearer"
API_KEY = "api-key"
COOKIE = "connect.sid"
"""Name of the session cookie."""


@dataclass(frozen=True, slots=True)
class Auth:
    """The callers that a route admits."""

    actors: frozenset[str]
    """Actor types that are admitted; `*` is any."""
    types: frozenset[str] = frozenset((SESSION, BEARER))
    optional: bool = False
    """The route is open to all, also to callers with an expired token: they count as anonymous."""
    unregistered: bool = False
    """An identity without an actor is admitted: it is about to register."""
    halfway: bool = False
    """An identity is admitted that has still something to prove: a second factor, an address."""


USER = Auth(frozenset(("user",)), frozenset((SESSION, BEARER, API_KEY)))
CUSTOMER = Auth(frozenset(("customer",)))
CUSTOMER_OPTIONAL = Auth(frozenset(("customer",)), optional=True)
CUSTOMER_REGISTERING = Auth(frozenset(("customer",)), unregistered=True)
USER_REGISTERING = Auth(frozenset(("user",)), unregistered=True)
USER_JOINING = Auth(frozenset(("user",)), frozenset((BEARER,)), unregistered=True)
ANY_IDENTITY = Auth(frozenset(("*",)), unregistered=True)
ANY_IDENTITY_OPTIONAL = Auth(frozenset(("*",)), optional=True, unregistered=True)
HALFWAY = Auth(frozenset(("*",)), unregistered=True, halfway=True)
ANY_BEARER = Auth(frozenset(("*",)), frozenset((BEARER,)), unregistered=True, halfway=True)
SESSION_ONLY = Auth(frozenset(("*",)), frozenset((SESSION,)), unregistered=True, halfway=True)
PUBLIC = Auth(frozenset(), frozenset(), optional=True)


def auth_of(path: str) -> Auth:
    """The guard of a route that names none."""
    if path.startswith("/admin"):
        return USER
    if path.startswith("/store/customers/me"):
        return CUSTOMER
    return CUSTOMER_OPTIONAL if path.startswith("/store") else PUBLIC


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller."""

    id: str
    """Id of the user, customer or API key; empty for an identity that isn't linked to one yet."""
    type: str
    """`user`, `customer`, `api-key`, or a type that a project adds."""
    identity: str = ""
    """Id of the auth identity; empty for API keys."""
    provider: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """The whole contents of the token, or of the session."""


@dataclass(frozen=True, slots=True)
class PublishableKey:
    """The key that a storefront sends with each request."""

    id: str
    token: str
    sales_channel_ids: tuple[str, ...]


class Signatures(Protocol):
    """Signs tokens and cookies."""

    def issue(self, claims: dict[str, Any], *, expires: int | None = None) -> str:
        """A token with these claims, valid for `expires` seconds (default: as in the settings)."""

    def sign_cookie(self, session_id: str) -> str:
        """The value of the cookie that names a session."""


class Callers(Protocol):
    """Identifies callers, for the routes that log in and out."""

    @property
    def tokens(self) -> Signatures: ...

    async def actor(self, http: web.BaseRequest, auth: Auth) -> Actor | None:
        """The caller; None for an anonymous one where the route is open. Raises Refused (401)."""

    def session_id(self, http: web.BaseRequest) -> str | None:
        """Id of the session whose cookie the request carries, or None."""
