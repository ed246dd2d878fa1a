"""Inviting people to run the shop."""

from __future__ import annotations

from ...core.rows import Row
from ...modules.user.service import UserService
from ..auth.actors import actor_id, link_actor
from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import create_rows, delete_rows, written

INVITES = Plain("invite", create="create-invite-step", delete="delete-invites-workflow", event="invite", create_by=UserService.invite)
"""Invitations: `email`, `metadata`. An email follows the event. Raises InvalidData for somebody who is a user, or invited already."""


renew = written("renew", lambda modules: modules.user.renew_invites)


@workflow("refresh-invite-tokens-workflow", emits=("invite.resent",))
async def refresh_invites(flow: Flow, invite_ids: list[str]) -> list[str]:
    """Invite again: the old letters no longer count. The ids. Raises NotFound."""
    await flow.run(renew, invite_ids)
    for id in invite_ids:
        flow.emit("invite.resent", id=id)
    return invite_ids


use_up = written("use-up", lambda modules: modules.user.accept)
"""The invitation of a token, which counts for nobody but that identity any more."""


@workflow("accept-invite-workflow", durable=True)
async def accept_invite(flow: Flow, invite_token: str, auth_identity_id: str, user: Row, secret_version: int | None = None) -> Row:
    """Make a user of whoever was invited, who signs in by that identity. One invitation is one user; an attempt that was cut off is
    finished by the next one of the same identity.

    Raises NotFound and NotAllowed for a token that doesn't count; InvalidData where the address or the identity belongs to somebody
    already, Unauthorized where the identity's secret isn't that one any more: then the invitation stands as before.
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
    await flow.run(delete_rows, "invite", [accepted["id"]])
    flow.emit("user.created", id=made["id"])
    flow.emit("invite.accepted", id=accepted["id"])
    return made
