"""Addresses that their owners have proven to read: a code is sent there, and comes back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from ...core.clock import iso, utc_now
from ...core.emails import folded
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from . import queries

CODE_SECONDS: Final = 900.0
"""What isn't proven by then is forgotten."""
MOST: Final = 20
"""Addresses of an identity, those that are proven and those that may still be."""
EMAIL: Final = "email"
TOKEN: Final = "token"
"""The kind of code: 256 random bits, for a link."""
ABOUT = ("id", "auth_identity_id", "entity_id", "entity_type", "code_provider", "verified_at", "requested_at", "metadata", "created_at")


def new_code() -> str:
    return secrets.token_urlsafe(32)


def code_hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


class Verifications(ModuleService):
    """The part of the auth service for verified addresses."""

    @writes
    async def request_verification(
        self, identity_id: str, entity_id: str, entity_type: str, code_provider: str, hashed: str, metadata: Mapping[str, Any] | None
    ) -> Row:
        """Ask an identity to prove that it reads an address, by a code that the caller has made and sends there. A new code replaces the
        former. Returns the verification, with `expires_at` if there is something to prove: what is verified stays so.

        Raises InvalidData for an unknown kind of code, NotAllowed where it has `MOST` others, NotFound where there is no such identity.
        """
        if code_provider != TOKEN:
            raise InvalidData(f"There is no verification provider {code_provider}")
        if await self.database.fetch_one(queries.LOCK_IDENTITY, {"id": identity_id}) is None:  # two at once would be more than MOST
            raise NotFound(f"AuthIdentity with id: {identity_id} was not found")
        await self.database.execute(queries.FORGET_VERIFICATIONS, {"seconds": CODE_SECONDS})
        about: Row = {"identity_id": identity_id, "entity_id": _name(entity_id, entity_type), "entity_type": entity_type}
        code: Row = {"code_provider": code_provider, "code_hash": hashed, "metadata": dict(metadata) if metadata is not None else None}
        row = {**about, **code, "id": new_id("authver"), "most": MOST, "seconds": CODE_SECONDS}
        asked = await self.database.fetch(queries.REQUEST_VERIFICATION, row)
        self.touch("auth_verification")
        found = await self.verification(identity_id, entity_id, entity_type)
        if found is None or (not asked and found["verified_at"] is None):
            raise NotAllowed(f"An identity verifies {MOST} addresses at most")
        return {**found, "expires_at": iso(utc_now() + timedelta(seconds=CODE_SECONDS))} if asked else found

    @writes
    async def confirm_verification(self, code: str, code_provider: str) -> Row:
        """Note that the owner of an address got a code. Once. Raises NotAllowed for a code that is unknown, used, replaced or too old."""
        about = {"code_hash": code_hash(code), "code_provider": code_provider, "seconds": CODE_SECONDS}
        found = await self.database.fetch(queries.CONFIRM_VERIFICATION, about)
        if not found:
            raise NotAllowed("Verification code is invalid or already used")
        self.touch("auth_verification")
        return await self.retrieve("auth_verification", found[0]["id"], fields=ABOUT)

    @reads
    async def verification(self, identity_id: str, entity_id: str, entity_type: str) -> Row | None:
        """How it stands with an address of an identity; None where nothing was asked."""
        about = {"auth_identity_id": identity_id, "entity_id": _name(entity_id, entity_type), "entity_type": entity_type}
        rows = await self.list("auth_verification", about, fields=ABOUT, limit=1)
        return rows[0] if rows else None


def _name(entity_id: str, entity_type: str) -> str:
    """As it is kept: an address is one person's however it is spelled."""
    return folded(entity_id) if entity_type == EMAIL else entity_id
