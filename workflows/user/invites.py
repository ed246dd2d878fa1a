"""Inviting people to the shop's staff."""

from __future__ import annotations

from ...core.rows import Row
from ...modules.user.service import UserService
from ..auth.actors import actor_id, link_actor
from ..kit import Flow, workflow
from ..links import delete
from ..plain import Plain
from ..rows import create_rows, written

INVITES = Plain("invite", create="create-invite-step", delete="delete-invites-workflow", event="invite", create_by=UserService.invite)
"""Invitations: `email`, `metadata`. An email follows the event. Raises InvalidData for an address that is a user's, or invited already."""


renew = written("renew", lambda modules: modules.user.renew_invites)


@workflow("refresh-invite-tokens-workflow", emits=("invite.resent",))
async def refresh_invites(flow: Flow, invite_ids: list[str]) -> list[str]:
    """Renew invitations: the tokens in old emails become invalid. Returns the ids. Raises NotFound."""
    await flow.run(renew, invite_ids)
    for id in invite_ids:
        flow.emit("invite.resent", id=id)
    return invite_ids


use_up = written("use-up", lambda modules: modules.user.accept)
"""Accept the invitation of a token, which is valid for that identity only from then on."""


@workflow("accept-invite-workflow", durable=True)
async def accept_invite(flow: Flow, invite_token: str, auth_identity_id: str, user: Row, secret_version: int | None = None) -> Row:
    """Create a user for an invited person, who logs in by that identity. One invitation is one user; a repetition with the same identity
    finishes an interrupted attempt.

    Raises NotFound and NotAllowed for an invalid token; InvalidData where the address or the identity is
    taken, Unauthorized where the identity's secret has changed: then the invitation stays valid.
    """
    accepted = (await flow.run(use_up, invite_token, auth_identity_id))["answer"]
    row = {name: value for name, value in user.items() if value is not None}
    id = actor_id(accepted["id"], "user")
    there = await flow.modules.user.list("user", {"id": id}, with_deleted=True)
    if there and there[0]["deleted_at"] is None:
        made = there[0]
    else:
        new = {} if there else {"id": id}
        (made,) = (await flow.run(create_rows, "user", [{"email": accepted["email"], **row, **new}]))["answer"]
    await flow.run(link_actor, auth_identity_id, "user", made["id"], secret_version)
    await delete(flow, "invite", [accepted["id"]])
    flow.emit("user.created", id=made["id"])
    flow.emit("invite.accepted", id=accepted["id"])
    return made
