"""Signing in by another service: OAuth 2.0, authorization code with state (RFC 6749) and PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from ....core.errors import UnexpectedState
from ....core.service.outside import OutsideParty
from ..provider import AuthenticationResponse, AuthProvider, Identities, elsewhere, proven, refused

STATE_SECONDS: Final = 600.0
"""Seconds in which a person may come back."""
MOST_BYTES: Final = 256 * 1024
"""Bytes that an answer has at most."""
MOST_TEXT: Final = 2048
"""Characters of a parameter that a browser brings back."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is elsewhere."""

    id: str
    """Never given to somebody else there."""
    about: dict[str, Any] = field(default_factory=dict)
    """What is kept of it as `user_metadata`: `name`, `given_name`, `family_name`, `picture`, … `email` is added."""
    email: str | None = None
    """The address, where it is verified there."""


class OAuth(AuthProvider):
    """Sends people to another service, and asks that service who came back.

    What is under way is a row of the auth module: whichever process the browser comes back to finishes it, once. While the other side is
    down, signing in by it answers 503; whoever is signed in doesn't notice.
    """

    authorize_url: ClassVar[str]
    token_url: ClassVar[str]
    api_url: ClassVar[str]
    scope: ClassVar[str]

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        callback_url: str,
        *,
        callback_urls: Sequence[str] = (),
        binds_browser: bool = False,
        timeout: float = 10.0,
        retries: int = 1,
        authorize_url: str | None = None,
        token_url: str | None = None,
        api_url: str | None = None,
    ) -> None:
        """`callback_url`: the page of the storefront or dashboard that people are sent back to, as it is registered there. `callback_urls`:
        further ones, which a client may name instead. `binds_browser`: only the browser that began an attempt finishes it, known by a
        cookie; for pages of the shop's own site that keep cookies. `timeout`: seconds for one attempt; `retries`: attempts after
        one that failed. The other URLs: of a server of your own, where there is such a thing."""
        if isinstance(callback_urls, str):
            raise ValueError("callback_urls is a list")
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._callback = callback_url
        self._callbacks = (callback_url, *callback_urls)
        self._binds = binds_browser
        self.outside: OutsideParty = OutsideParty(self.display_name, timeout=timeout, retries=retries, most_bytes=MOST_BYTES)
        self._authorize = authorize_url or self.authorize_url
        self._token = token_url or self.token_url
        self._api = (api_url or self.api_url).rstrip("/")

    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        if (error := _error(given["query"])) is not None:
            return refused(error)
        callback = given["body"].get("callback_url", self._callback)
        if callback not in self._callbacks:  # another page would get the code, with which it signs in as whoever came
            return refused("callback_url is none of the pages that people may be sent back to")
        verifier = secrets.token_urlsafe(48)
        browser = (given.get("browser") or secrets.token_urlsafe(32)) if self._binds else None
        kept = {"verifier": verifier, "callback_url": callback, "browser": _digest(browser)}
        state = await identities.keep_state(kept, STATE_SECONDS)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        about = {
            "response_type": "code",
            "client_id": self._client["client_id"],
            "redirect_uri": callback,
            "scope": self.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return elsewhere(f"{self._authorize}?{urlencode(about)}", browser)

    async def register(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        return refused(f"{self.display_name} does not support registration. Use method `authenticate` instead.")

    async def validate_callback(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        query = {**given["body"], **given["query"]}
        if (error := _error(query)) is not None:
            return refused(error)
        code, state = query.get("code"), query.get("state")
        if not (isinstance(code, str) and isinstance(state, str) and 0 < len(code) <= MOST_TEXT and 0 < len(state) <= MOST_TEXT):
            return refused("No code provided" if not code else "No state provided")
        kept = await identities.use_state(state)
        if kept is None:
            return refused("No state provided, or session expired")
        if self._binds and kept.get("browser") != _digest(given.get("browser") or ""):
            return refused("Another browser has begun this")
        token = await self._exchange(code, kept)
        if token is None:
            return refused(f"{self.display_name} does not know the code")
        account = await self._account(token)
        if account is None:
            return refused(f"{self.display_name} does not say who this is")
        return await _identified(account, identities)

    async def check(self) -> str:
        """A code that nobody gave is refused for another reason than the wrong client."""
        about = {"grant_type": "authorization_code", "code": "velella-doctor", "redirect_uri": self._callback, "code_verifier": "x" * 43}
        _, answer = await self._ask("POST", self._token, data={**about, **self._client})
        error = str(answer.get("error")) if isinstance(answer, dict) else ""
        if "client" in error:
            raise UnexpectedState(f"{self.display_name} doesn't know this shop: {error}", hint="Compare client_id and client_secret.")
        return f"{self.display_name} knows this shop"

    @abstractmethod
    async def _account(self, token: str) -> Account | None:
        """Whose token it is; None where the service doesn't say."""

    # -- asking

    async def _exchange(self, code: str, kept: Mapping[str, Any]) -> str | None:
        about = {"grant_type": "authorization_code", "code": code, "redirect_uri": kept["callback_url"], "code_verifier": kept["verifier"]}
        status, answer = await self._ask("POST", self._token, data={**about, **self._client})
        token = answer.get("access_token") if status < 300 and isinstance(answer, dict) else None
        return token if isinstance(token, str) else None

    async def _get(self, path: str, token: str) -> Any:
        """An answer of the service's API; None where it refuses."""
        status, answer = await self._ask("GET", f"{self._api}{path}", headers={"Authorization": f"Bearer {token}"})
        return answer if status < 300 else None

    async def _ask(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Mapping[str, str] | None = None) -> Any:
        """Status and JSON of an answer. Raises Unavailable where there is none, or the other side says so."""
        answer = await self.outside.ask(method, url, headers={"Accept": "application/json", **(headers or {})}, data=data)
        return answer.status, answer.json()


def _digest(browser: str | None) -> str | None:
    """What is kept of a browser's word."""
    return None if browser is None else hashlib.sha256(browser.encode()).hexdigest()


def _error(query: Mapping[str, Any]) -> str | None:
    """What the other service says went wrong."""
    if not query.get("error"):
        return None
    return f"{query['error']}: {query.get('error_description') or ''}".strip(": ")[:500]


async def _identified(account: Account, identities: Identities) -> AuthenticationResponse:
    known, about = await identities.find(account.id), {**account.about, **({"email": account.email} if account.email else {})}
    if known is None:
        made = await identities.create(account.id, {}, about, verified_email=account.email)
        if made is not None:
            return proven(made)
        known = await identities.find(account.id)  # another request made it meanwhile
        if known is None:
            return refused("Authentication failed")
    await identities.describe(account.id, about, verified_email=account.email)
    return proven(await identities.identity(known))
