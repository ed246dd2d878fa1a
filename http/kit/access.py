"""Who may call a route.

    @routes.post("/store/customers", auth=CUSTOMER_REGISTERING, …)

A route that doesn't say is guarded by its prefix: `/admin` wants a user, `/store/customers/me` a customer, the rest of
`/store` takes a customer's credentials when they are there, and everything else asks for nobody.
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
"""Names a session."""


@dataclass(frozen=True, slots=True)
class Auth:
    """What a route asks of its caller."""

    actors: frozenset[str]
    """Actor types that may come in; `*` is any."""
    types: frozenset[str] = frozenset((SESSION, BEARER))
    optional: bool = False
    """The route is open to all, also to those whose token has expired meanwhile: they are nobody in particular."""
    unregistered: bool = False
    """An identity that is nobody yet (no actor) may come in: it is about to register."""


USER = Auth(frozenset(("user",)), frozenset((SESSION, BEARER, API_KEY)))
CUSTOMER = Auth(frozenset(("customer",)))
CUSTOMER_OPTIONAL = Auth(frozenset(("customer",)), optional=True)
CUSTOMER_REGISTERING = Auth(frozenset(("customer",)), unregistered=True)
ANY_IDENTITY = Auth(frozenset(("*",)), unregistered=True)
ANY_BEARER = Auth(frozenset(("*",)), frozenset((BEARER,)), unregistered=True)
SESSION_ONLY = Auth(frozenset(("*",)), frozenset((SESSION,)), unregistered=True)
PUBLIC = Auth(frozenset(), frozenset(), optional=True)


def auth_of(path: str) -> Auth:
    """How a route is guarded that doesn't say."""
    if path.startswith("/admin"):
        return USER
    if path.startswith("/store/customers/me"):
        return CUSTOMER
    return CUSTOMER_OPTIONAL if path.startswith("/store") else PUBLIC


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling."""

    id: str
    """Of the user, customer or API key; empty for an identity that isn't linked to one yet."""
    type: str
    """`user`, `customer`, `api-key`, or what a project adds."""
    identity: str = ""
    """Id of the auth identity; empty for API keys."""
    provider: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """All of the token, or of the session's context."""


@dataclass(frozen=True, slots=True)
class PublishableKey:
    """The key a storefront names itself by."""

    id: str
    token: str
    sales_channel_ids: tuple[str, ...]


class Signatures(Protocol):
    """Signs tokens and cookies."""

    def issue(self, claims: dict[str, Any], *, expires: int | None = None) -> str:
        """A token that says this, for `expires` seconds (default: as the settings say)."""

    def sign_cookie(self, session_id: str) -> str:
        """The value of the cookie that names a session."""


class Callers(Protocol):
    """Finds out who calls, for the routes that sign people in and out."""

    @property
    def tokens(self) -> Signatures: ...

    async def actor(self, http: web.BaseRequest, auth: Auth) -> Actor | None:
        """Who is calling; None where the route lets anybody in and nobody said. Raises Refused (401)."""

    def session_id(self, http: web.BaseRequest) -> str | None:
        """Id of the session whose cookie the request carries."""
