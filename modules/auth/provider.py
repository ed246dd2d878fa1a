"""What an authentication provider has to be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypedDict

from ...core.rows import Row


class Outcome(TypedDict):
    """What became of an attempt to prove or to establish who somebody is."""

    success: bool
    auth_identity: Row | None
    """With its `provider_identities`, without what the provider keeps to itself."""
    error: str | None
    """For the person who tried."""
    location: str | None
    """Where to send the browser instead: the attempt goes on there."""


def proven(identity: Row) -> Outcome:
    return {"success": True, "auth_identity": identity, "error": None, "location": None}


def refused(error: str) -> Outcome:
    return {"success": False, "auth_identity": None, "error": error, "location": None}


def elsewhere(location: str) -> Outcome:
    return {"success": True, "auth_identity": None, "error": None, "location": location}


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody a provider has a name for. Nothing is proven yet."""

    identity_id: str
    secret: Mapping[str, Any]
    """What the provider keeps of them."""
    secret_version: int
    """Which of their secrets that is."""


class Identities(Protocol):
    """The identities one provider vouches for, as the auth module lets it see and change them."""

    async def find(self, entity_id: str) -> Known | None:
        """Who the provider calls by that name; None when there is nobody. Costs the same either way."""

    async def identity(self, known: Known) -> Row:
        """The identity of somebody who has just proven the secret that `known` holds."""

    async def create(self, entity_id: str, secret: Mapping[str, Any], user_metadata: Mapping[str, Any] | None = None) -> Row | None:
        """A new identity. None when somebody of that name is there (or came at the same moment): nothing is made."""

    async def keep(self, entity_id: str, secret: Mapping[str, Any]) -> Row | None:
        """Replace what the provider keeps of somebody: what was proven with it before counts no longer, sessions and tokens end.

        None when there is nobody of that name, or who asks may no longer do so.
        """


class AuthProvider(ABC):
    """Somebody who can tell who somebody is: by a password, or by asking another service.

    Each method is given what came in the request: `{"body": {…}, "query": {…}, "protocol": "https", "actor_type": "user"}`. The query is
    text by name. Nothing of body and query has been checked. No transaction is open while a provider works; it may take its time and call
    outside.
    """

    identifier: ClassVar[str]
    display_name: ClassVar[str]
    by_email: ClassVar[bool] = False
    """Whether it calls people by their email address, folded (see `core.emails`): then somebody's new address is their new name."""

    @abstractmethod
    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        """Is it who they say? Refused with an error that doesn't tell whether they are known at all."""

    @abstractmethod
    async def register(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        """Make somebody known. Refused when they are already. Raises InvalidData for what can be nobody's name."""

    def account(self, given: Mapping[str, Any]) -> str | None:
        """Whose account an attempt to authenticate is about, as far as that is said: what attempts are counted by."""
        return None

    async def update(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        """Change what is kept of somebody (`given` holds `entity_id` and what the client sent). There may be nothing to change."""
        return refused(f"{self.display_name} has nothing to update")

    async def validate_callback(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        """Finish what was begun elsewhere, with what the browser brings back."""
        return refused(f"{self.display_name} does not send anybody elsewhere")
