"""Email and password."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ....core.emails import email_address
from ....core.errors import Busy
from ....core.messages import current_call
from ..provider import AuthProvider, Identities, Outcome, proven, refused
from .scrypt import Cost, hash_password, verify_password

T = TypeVar("T")

WRONG = "Invalid email or password"
_WAITING = 64
"""Logins that may wait for a core. A crowd beyond that is told to come back."""


class EmailPassword(AuthProvider):
    """Knows people by their email address and a password.

    Hashing takes 100 ms of a core and 32 MB each: it happens in threads, as many at once as half the cores.
    """

    identifier = "emailpass"
    display_name = "Email/Password Authentication"

    def __init__(self, hash_config: Mapping[str, int] | None = None) -> None:
        """`hash_config`: `{"logN": 15, "r": 8, "p": 1}`, the cost of a hash."""
        given = dict(hash_config or {})
        self.cost = Cost(given.pop("logN", 15), given.pop("r", 8), given.pop("p", 1))
        if given:
            raise ValueError(f"hash_config has no {', '.join(given)}")
        if not 10 <= self.cost.log_n <= 20:
            raise ValueError("logN lies between 10 and 20")
        workers = max(1, (os.cpu_count() or 2) // 2)
        self._threads = ThreadPoolExecutor(workers, "scrypt")
        self._places = workers + _WAITING
        self._nobody: bytes | None = None

    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        read = _credentials(given)
        if isinstance(read, str):
            return refused(read)
        email, password = read
        found = await identities.find(email)
        stored = _stored(found[1]) if found is not None else None
        if found is None or stored is None:
            # the same work as for somebody we know: the time taken tells nothing
            if self._nobody is None:
                self._nobody = await self._work(hash_password, "", self.cost)
            await self._work(verify_password, self._nobody, password)
            return refused(WRONG)
        return proven(found[0]) if await self._work(verify_password, stored, password) else refused(WRONG)

    async def register(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        read = _credentials(given)
        if isinstance(read, str):
            return refused(read)
        email, password = email_address(read[0]), read[1]
        taken = refused("Identity with email already exists")
        if await identities.find(email) is not None:
            return taken
        hashed = await self._work(hash_password, password, self.cost)
        identity = await identities.create(email, {"password": base64.b64encode(hashed).decode()})
        return proven(identity) if identity is not None else taken

    async def update(self, given: Mapping[str, Any], identities: Identities) -> Outcome:
        email, password = given.get("entity_id"), given.get("password")
        if not isinstance(email, str) or not email:
            return refused(f"Cannot update {self.identifier} provider identity without email")
        if not isinstance(password, str) or not password:
            return {"success": True, "auth_identity": None, "error": None, "location": None}
        hashed = await self._work(hash_password, password, self.cost)
        identity = await identities.keep(email, {"password": base64.b64encode(hashed).decode()})
        return proven(identity) if identity is not None else refused(WRONG)

    async def _work(self, function: Callable[..., T], *args: Any) -> T:
        """Run in a thread. Raises Busy when too many wait, DeadlineExceeded when the request's time is over."""
        if self._places <= 0:
            raise Busy("Too many people sign in at the moment.", retry_after=3.0)
        self._places -= 1
        work = self._threads.submit(function, *args)
        # the place is given back when the work is over or was never begun, not when its caller lost patience
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_back))
        try:
            async with asyncio.timeout(max(0.0, current_call().left())):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise Busy("Signing in took too long.", retry_after=3.0) from None

    def _give_back(self) -> None:
        self._places += 1


def _credentials(given: Mapping[str, Any]) -> tuple[str, str] | str:
    """Email and password of a request, or what is wrong with them."""
    body = given.get("body") or {}
    email, password = body.get("email"), body.get("password")
    if not isinstance(password, str) or not password:
        return "Password should be a string"
    if not isinstance(email, str) or not email:
        return "Email should be a string"
    return email, password


def _stored(secret: Mapping[str, Any]) -> bytes | None:
    kept = secret.get("password")
    if not isinstance(kept, str):
        return None
    try:
        return base64.b64decode(kept, validate=True)
    except binascii.Error:
        return None
