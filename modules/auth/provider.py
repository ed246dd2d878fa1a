"""The interface of authentication providers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NotRequired, Protocol, TypedDict

from ...core.rows import Row
from ...core.service.providers import Provider


class AuthenticationResponse(TypedDict):
    """The outcome of an attempt to log in or to register."""

    success: bool
    auth_identity: Row | None
    """With its `provider_identities`, without the provider's private data."""
    error: str | None
    """For the person who tried."""
    location: str | None
    """A URL to redirect the browser to, where the attempt goes on."""
    browser: NotRequired[str | None]
    """A word that this browser is given as a cookie, and brings again where it keeps cookies."""


def proven(identity: Row) -> AuthenticationResponse:
    return {"success": True, "auth_identity": identity, "error": None, "location": None}


def refused(error: str) -> AuthenticationResponse:
    return {"success": False, "auth_identity": None, "error": error, "location": None}


def elsewhere(location: str, browser: str | None = None) -> AuthenticationResponse:
    return {"success": True, "auth_identity": None, "error": None, "location": location, "browser": browser}


@dataclass(frozen=True, slots=True)
class Known:
    """An identity that a provider has found by its name. Nothing is proven yet."""

    identity_id: str
    secret: Mapping[str, Any]
    """The provider's private data of it."""
    secret_version: int
    """The version of that secret."""


class Identities(Protocol):
    """The identities of one provider, as far as the auth module lets the provider see and change them."""

    async def find(self, entity_id: str) -> Known | None:
        """The identity with the provider's name for it, or None. Takes the same time either way."""

    async def identity(self, known: Known) -> Row:
        """The identity of a person who has just proven the secret in `known`."""

    async def create(
        self,
        entity_id: str,
        secret: Mapping[str, Any],
        user_metadata: Mapping[str, Any] | None = None,
        *,
        verified_email: str | None = None,
    ) -> Row | None:
        """Create an identity. None if the name is taken (even by a concurrent call): nothing is created. `user_metadata`: what its tokens
        say of the person, whoever said so first. `verified_email`: an address that the provider has seen proven, never what a client or a
        profile merely says: it makes the person that user of the shop who has it (`POST /auth/{provider}/user`).
        """

    async def keep(self, entity_id: str, secret: Mapping[str, Any]) -> Row | None:
        """Replace the private data of an identity: its sessions and tokens end, because they were made with the old secret.

        None if there is no such name, or the caller may no longer do so.
        """

    async def describe(self, entity_id: str, user_metadata: Mapping[str, Any], *, verified_email: str | None = None) -> None:
        """Note what is known of a person elsewhere by now, in place of what was, as for `create`. Sessions and tokens stay as they are."""

    async def keep_state(self, data: Mapping[str, Any], seconds: float) -> str:
        """Keep what an attempt needs when the browser comes back, for some time. Returns an unguessable word for it, kept nowhere."""

    async def use_state(self, word: str) -> dict[str, Any] | None:
        """What was kept under a word, once; None where it was used, is too old, or another provider's."""


class AuthProvider(Provider, ABC):
    """Finds out a person's identity: by a password, or by asking another service.

    Each method gets the contents of the request: `{"body": {…}, "query": {…}, "protocol": "https", "actor_type": "user", "browser": "…"}`.
    The query is text by name. Nothing of body and query has been checked. `browser`: the word that an answer gave to the browser that asks
    (`elsewhere`), which no page can read; None where it has none, or keeps no cookies. No transaction is open while a provider works, so it
    may take time and call other services.
    """

    identifier: ClassVar[str]
    display_name: ClassVar[str]
    by_email: ClassVar[bool] = False
    """Whether its names are email addresses, folded (see `core.emails`): then a person's new address becomes the new name."""

    @abstractmethod
    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        """Verify an identity. The error of a refusal doesn't tell whether the identity exists."""

    @abstractmethod
    async def register(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        """Register a person. Refused if the name exists. Raises InvalidData for what can't be a name."""

    def account(self, given: Mapping[str, Any]) -> str | None:
        """The account that an attempt to authenticate names, or None: attempts are counted by it."""
        return None

    async def update(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        """Change the private data of an identity (`given` holds `entity_id` and what the client sent). There may be nothing to change."""
        return refused(f"{self.display_name} has nothing to update")

    async def validate_callback(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        """Finish an attempt that went on elsewhere, with the parameters that the browser brings back."""
        return refused(f"{self.display_name} does not send anybody elsewhere")
