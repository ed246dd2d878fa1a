"""Users' accounts: a user, and the identity by which they log in."""

from __future__ import annotations

from ...core.rows import Row
from ..auth.actors import link_actor, unlink_actor
from ..kit import Flow, workflow
from ..links import delete
from ..plain import Plain
from ..rows import create_rows

USERS = Plain("user", update="update-users-workflow", event="user")


@workflow("create-user-account", durable=True)
async def create_user_account(flow: Flow, auth_identity_id: str, user: Row, secret_version: int | None = None) -> Row:
    """Create a user who logs in by an identity.

    Raises InvalidData when the address or the identity is taken, Unauthorized where the identity's secret has changed.
    """
    (made,) = (await flow.run(create_rows, "user", [user]))["answer"]
    await flow.run(link_actor, auth_identity_id, "user", made["id"], secret_version)
    flow.emit("user.created", id=made["id"])
    return made


@workflow("remove-user-account", durable=True)
async def remove_user_account(flow: Flow, user_id: str) -> str:
    """Delete a user, and the identities without another actor. Returns the id. Raises NotFound."""
    await flow.modules.user.retrieve("user", user_id, fields=("id",))
    await delete(flow, "user", [user_id])
    await flow.run(unlink_actor, "user", user_id)
    flow.emit("user.deleted", id=user_id)
    return user_id
