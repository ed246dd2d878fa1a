"""Users who sign in by a provider that vouches for their address."""

from __future__ import annotations

from ...core.errors import Unauthorized
from ...core.rows import Row
from ..auth.actors import link_actor
from ..kit import Flow, workflow
from ..rows import delete_rows
from .accounts import create_user_account


@workflow("set-auth-app-metadata-workflow")
async def set_auth_app_metadata(flow: Flow, auth_identity_id: str, actor_type: str, value: str, secret_version: int | None = None) -> Row:
    """Link an identity to an actor: who logs in with it is that actor from now on. Raises what `link_actor` raises."""
    return await flow.run(link_actor, auth_identity_id, actor_type, value, secret_version)


@workflow("join-as-user", durable=True)
async def join_as_user(flow: Flow, auth_identity_id: str, email: str, names: Row, secret_version: int | None = None) -> str:
    """Make an identity that a provider vouches for that user of the shop who has its address, or who was invited by it. Returns the user's
    id.

    Raises Unauthorized where there is neither, and what `link_actor` raises.
    """
    users = await flow.modules.user.list("user", {"email": email}, fields=("id",), limit=1)
    if users:
        await flow.run(set_auth_app_metadata, auth_identity_id, "user", users[0]["id"], secret_version)
        return str(users[0]["id"])
    now = flow.now().isoformat()
    invites = await flow.modules.user.list("invite", {"email": email, "accepted": False, "expires_at": {"$gt": now}}, fields=("id",))
    if not invites:
        raise Unauthorized(f"Nobody with the address {email} is a user of this shop, or was invited to be one")
    user = await flow.run(create_user_account, auth_identity_id, {"email": email, **names}, secret_version)
    await flow.run(delete_rows, "invite", [row["id"] for row in invites])
    return str(user["id"])
