"""The service of the user module."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import jwt

from ...core.clock import iso, utc_now
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA

VALID_FOR = timedelta(days=1)
"""How long an invitation is valid."""


class UserService(ModuleService):
    """The shop's staff. The auth module authenticates them."""

    schema = SCHEMA

    @writes
    async def invite(self, invites: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Invite people by `{email, metadata}`. Each row holds the token by which the invitation is accepted.

        Raises:
            InvalidData: the address is invited already, or is a user's.
        """
        emails = [str(one["email"]) for one in invites]
        there = await self.list("user", {"email": emails}, fields=("email",), limit=1)
        if there:
            raise InvalidData(f"User account for following email(s) already exist: {there[0]['email']}")
        return await self.create("invite", [{**one, **self._fresh(new_id("invite"), str(one["email"]))} for one in invites])

    @writes
    async def renew_invites(self, ids: Sequence[str]) -> list[Row]:
        """Give invitations new tokens and time; the old tokens become invalid. Raises NotFound when one is missing."""
        emails = {row["id"]: row["email"] for row in await self.list("invite", {"id": list(ids)}, fields=("id", "email"))}
        return await self.update("invite", [{"id": id, **self._fresh(id, emails.get(id, ""))} for id in ids])

    @writes
    async def accept(self, token: str, by: str) -> Row:
        """Accept an invitation, once: of two concurrent identities the second is refused. A repetition by the same one gets the same
        answer.

        Raises:
            NotFound: there is no such invitation.
            NotAllowed: it was used already, or has expired.
        """
        rows = await self.database.fetch(queries.LOCK_INVITE, {"token": token})
        if not rows:
            raise NotFound("The invite token was not found")
        found = rows[0]
        if found["accepted"] and found["accepted_by"] != by:
            raise NotAllowed("The invite has already been accepted")
        if not found["accepted"] and found["expires_at"] < utc_now():
            raise NotAllowed("The invite has expired")
        return (await self.update("invite", [{"id": found["id"], "accepted": True, "accepted_by": by}]))[0]

    def _fresh(self, id: str, email: str) -> Row:
        """A token that dashboards can read, and that is valid for as long as the row holds it."""
        now = utc_now()
        expires = now + VALID_FOR
        times = {"iat": int(now.timestamp()), "exp": int(expires.timestamp())}
        claims = {"id": id, "email": email, "purpose": "invite", "jti": secrets.token_urlsafe(32), **times}
        return {
            "id": id,
            "token": jwt.encode(claims, self.context.settings.secret("jwt_secret"), algorithm="HS256"),
            "expires_at": iso(expires),
            "accepted": False,
            "accepted_by": None,
        }
