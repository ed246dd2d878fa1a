"""Admin: inviting people to the shop's staff."""

from __future__ import annotations

from typing import Any

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...workflows.user.invites import INVITES, accept_invite, refresh_invites
from ..kit.access import BEARER, SESSION, Auth
from ..kit.bodies import Body, Metadata
from ..kit.filters import MANY, STAMPS, TEXT, Filters, required
from ..kit.flows import creates
from ..kit.reply import Answer, unauthorized
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write
from .users import USER

routes = Routes()

INVITE = View("invite", "id email accepted token expires_at metadata created_at updated_at deleted_at")
INVITED = Auth(frozenset(("user",)), frozenset((SESSION, BEARER)), unregistered=True)
"""A person who has just registered, and isn't a user yet."""


class CreateInvite(Body):
    email: str
    metadata: Metadata = None


class AcceptInvite(Body):
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


_create = creates(INVITES.create)


async def _invite(request: Request, row: dict[str, Any]) -> str:
    await request.modules.auth.count_email(row["email"])
    return await _create(request, row)


routes.resource(
    "/admin/invites",
    INVITE,
    INVITES,
    list=Filters(q=TEXT, id=MANY, email=MANY, logical=True, **STAMPS),
    create=Write(CreateInvite, _invite),
)


@routes.post("/admin/invites/{id}/resend", returns=INVITE)
async def resend(request: Request) -> Answer:
    """Invite again, with a new token."""
    id = request.params["id"]
    invite = await request.modules.user.retrieve("invite", id, fields=("email",))
    await request.modules.auth.count_email(invite["email"])
    await request.run(refresh_invites, invite_ids=[id])
    return await request.fetch(INVITE, id)


@routes.post("/admin/invites/accept", body=AcceptInvite, query=Filters(token=required(TEXT)), returns=INVITE, auth=INVITED)
async def accept(request: Request) -> Answer:
    """Become a user by the token of an invitation email."""
    actor = request.actor
    assert actor is not None
    if actor.id:
        raise InvalidData("The user is already authenticated and cannot accept an invite.")
    try:
        proven = {"auth_identity_id": actor.identity, "secret_version": actor.claims["secret_version"]}
        made = await request.run(accept_invite, invite_token=request.filters["token"], user=request.body, **proven)
    except (NotFound, NotAllowed):
        raise unauthorized() from None
    return await request.fetch(USER, made["id"])
