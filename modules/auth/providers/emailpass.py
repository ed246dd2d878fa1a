"""Email and password."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from ....core.emails import email_address, folded
from ....core.errors import InvalidData
from ..provider import AuthenticationResponse, AuthProvider, Identities, proven, refused
from .scrypt import Cost, hash_password, unknown_password, verify_password
from .turns import Turns

WRONG = "Invalid email or password"
WAITING = 8
"""How many attempts may wait for each thread: the last of them for about a second. Further ones are refused with Busy."""


class EmailPassword(AuthProvider):
    """Authenticates people by email address and password.

    Hashing takes 100 ms of a core and 32 MB each: it happens in threads, as many at once as half the cores. Users of the shop go before
    customers.
    """

    identifier = "emailpass"
    display_name = "Email/Password Authentication"
    by_email = True

    def __init__(self, hash_config: Mapping[str, int] | None = None, min_length: int = 8) -> None:
        """`hash_config`: `{"logN": 15, "r": 8, "p": 1}`, the cost of a hash. `min_length`: least number of characters of a new password."""
        given = dict(hash_config or {})
        self.cost = Cost(given.pop("logN", 15), given.pop("r", 8), given.pop("p", 1))
        if given:
            raise ValueError(f"hash_config has no {', '.join(given)}")
        if not 10 <= self.cost.log_n <= 20:
            raise ValueError("logN lies between 10 and 20")
        if min_length < 1:
            raise ValueError("min_length is at least 1")
        self._min_length = min_length
        threads = max(1, (os.cpu_count() or 2) // 2)
        room = threads * WAITING
        self._turns = Turns(threads, room, room // 2)
        self._nobody = unknown_password(self.cost)

    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        read = _credentials(given)
        if isinstance(read, str):
            return refused(read)
        email, password = read
        known = await identities.find(email)
        # the same work for an unknown account: the time taken reveals nothing
        stored = (known and _stored(known.secret)) or self._nobody
        if not await self._turns.take(verify_password, stored, password, first=_is_first(given)) or known is None:
            return refused(WRONG)
        return proven(await identities.identity(known))

    async def register(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        read = _credentials(given)
        if isinstance(read, str):
            return refused(read)
        email, taken = email_address(read[0]), refused("Identity with email already exists")
        if await identities.find(email) is not None:
            return taken
        identity = await identities.create(email, await self._hashed(self._long_enough(read[1]), given))
        return proven(identity) if identity is not None else taken

    async def update(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        email, password = given.get("entity_id"), given.get("password")
        if not isinstance(email, str) or not email:
            return refused(f"Cannot update {self.identifier} provider identity without email")
        if not isinstance(password, str) or not password:
            return {"success": True, "auth_identity": None, "error": None, "location": None}
        hashed = await self._hashed(self._long_enough(password), given)
        identity = await identities.keep(folded(email), hashed)
        return proven(identity) if identity is not None else refused(WRONG)

    def account(self, given: Mapping[str, Any]) -> str | None:
        read = _credentials(given)
        return None if isinstance(read, str) else read[0]

    def _long_enough(self, password: str) -> str:
        if len(password) < self._min_length:
            raise InvalidData(f"A password has at least {self._min_length} characters")
        return password

    async def _hashed(self, password: str, given: Mapping[str, Any]) -> dict[str, str]:
        """The private data for a password."""
        hashed = await self._turns.take(hash_password, password, self.cost, first=_is_first(given))
        return {"password": base64.b64encode(hashed).decode()}


def _is_first(given: Mapping[str, Any]) -> bool:
    return given.get("actor_type") == "user"


def _credentials(given: Mapping[str, Any]) -> tuple[str, str] | str:
    """Email, folded, and password of a request; or the error text."""
    body = given.get("body") or {}
    email, password = body.get("email"), body.get("password")
    if not isinstance(password, str) or not password:
        return "Password should be a string"
    if not isinstance(email, str) or not email:
        return "Email should be a string"
    return folded(email), password


def _stored(secret: Mapping[str, Any]) -> bytes | None:
    kept = secret.get("password")
    if not isinstance(kept, str):
        return None
    try:
        return base64.b64decode(kept, validate=True)
    except binascii.Error:
        return None
