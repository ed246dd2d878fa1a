"""The service of the API key module."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import InvalidData, NotAllowed
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA

PUBLISHABLE, SECRET = "publishable", "secret"


class ApiKeyService(ModuleService):
    """Keys to the API.

    The token of a secret key leaves this module once, in the answer to `create_keys`; only a digest is stored.
    """

    schema = SCHEMA

    @writes
    async def create_keys(self, keys: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Create keys from `{title, type, created_by}`. The rows hold the whole token, also of secret keys: only here."""
        made = [_new_key(key) for key in keys]
        rows = await self.create("api_key", [row for row, _ in made])
        return [{**_shown(row), "token": token} for row, (_, token) in zip(rows, made, strict=True)]

    @writes
    async def revoke(self, id: str, by: str, seconds: float = 0) -> Row:
        """Revoke a key, now or after `seconds`.

        Raises:
            NotFound: there is no such key.
            InvalidData: it is a secret key that is revoked already.
        """
        if not 0 <= seconds <= 10 * 365 * 86_400:
            raise InvalidData("A key is revoked within ten years, and not in the past.")
        await self.retrieve("api_key", id, fields=("id",))
        if not await self.database.fetch(queries.REVOKE, {"id": id, "by": by, "seconds": float(seconds)}):
            raise InvalidData("There are 1 secret keys that are already revoked.")
        self.touch("api_key")
        return await self.retrieve("api_key", id)

    @writes
    async def delete_keys(self, ids: Sequence[str]) -> list[str]:
        """Delete revoked keys. Raises NotAllowed if one is still valid: nothing is deleted."""
        active = [row["id"] for row in await self.database.fetch(queries.STILL_ACTIVE, {"ids": list(ids)})]
        if active:
            raise NotAllowed(f"Cannot delete api keys that are not revoked - {', '.join(active)}")
        return await self.delete("api_key", ids)

    @reads
    async def publishable(self, token: str) -> Row | None:
        """The publishable key with that token, as `{id, title}`; None if it doesn't exist or is revoked."""
        found = await self.database.fetch(queries.PUBLISHABLE, {"token": token})
        return dict(found[0]) if found else None

    @reads
    async def authenticate(self, token: str) -> str | None:
        """Id of the secret key with that token; None if it doesn't exist or is revoked."""
        match: str | None = None
        for row in await self.database.fetch(queries.CANDIDATES, {"redacted": redacted(token)}):
            if hmac.compare_digest(digest_of(token, row["salt"]), row["digest"]):
                match = row["id"]
        return match


def redacted(token: str) -> str:
    """The part of a token that may be shown."""
    return f"{token[:6]}***{token[-3:]}"


def digest_of(token: str, salt: str) -> str:
    # A token is 256 random bits: guessing is hopeless without a slow hash, too.
    return hmac.new(bytes.fromhex(salt), token.encode(), hashlib.sha256).hexdigest()


def _new_key(key: Mapping[str, Any]) -> tuple[Row, str]:
    """The row of a new key, and its token."""
    kind = key.get("type")
    if kind not in (PUBLISHABLE, SECRET):
        raise InvalidData(f"An API key is publishable or secret, not {kind}")
    token = f"{'pk' if kind == PUBLISHABLE else 'sk'}_{secrets.token_hex(32)}"
    row = {**key, "redacted": redacted(token), "token": token}
    if kind == SECRET:
        salt = secrets.token_hex(16)
        row |= {"token": "", "salt": salt, "digest": digest_of(token, salt)}
    return row, token


def _shown(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if name not in ("digest", "salt")}
