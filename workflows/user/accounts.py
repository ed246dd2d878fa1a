"""Users' accounts: a user, and the identity by which they sign in."""

from __future__ import annotations

from typing import Any

from ...core.flow import Flow, step, workflow
from ..auth.actors import link_actor, unlink_actor

Row = dict[str, Any]


async def _delete_user(flow: Flow, user: Row) -> None:
    await flow.modules.user.delete("user", [user["id"]])


@step(undo=_delete_user)
async def create_user(flow: Flow, user: Row) -> Row:
    return (await flow.modules.user.create("user", [user]))[0]


@workflow("create-user-account")
async def create_user_account(flow: Flow, auth_identity_id: str, user: Row, secret_version: int | None = None) -> Row:
    """Make a user who signs in by an identity.

    Raises InvalidData when the address or the identity is taken, Unauthorized where the identity's secret isn't that one any more.
    """
    made = await flow.run(create_user, user)
    await flow.run(link_actor, auth_identity_id, "user", made["id"], secret_version)
    flow.emit("user.created", id=made["id"])
    return made


async def _restore_user(flow: Flow, user_id: str) -> None:
    await flow.modules.user.restore("user", [user_id])


@step(undo=_restore_user)
async def delete_user(flow: Flow, user_id: str) -> str:
    await flow.modules.user.delete("user", [user_id])
    return user_id


@workflow("remove-user-account")
async def remove_user_account(flow: Flow, user_id: str) -> str:
    """Delete a user, and the identities that are nobody else. Returns the id. Raises NotFound."""
    await flow.modules.user.retrieve("user", user_id, fields=("id",))
    await flow.run(delete_user, user_id)
    await flow.run(unlink_actor, "user", user_id)
    flow.emit("user.deleted", id=user_id)
    return user_id


async def _put_back(flow: Flow, before: Row) -> None:
    await flow.modules.user.update("user", [before])


@step(undo=_put_back)
async def update_user(flow: Flow, user: Row) -> Row:
    """Returns what the changed columns held before."""
    before = await flow.modules.user.retrieve("user", user["id"], fields=tuple(user))
    await flow.modules.user.update("user", [user])
    return before


@workflow("update-users-workflow")
async def update_users(flow: Flow, updates: list[Row]) -> list[str]:
    """Change users, each by its id. Returns the ids. Raises NotFound."""
    for user in updates:
        await flow.run(update_user, user)
        flow.emit("user.updated", id=user["id"])
    return [user["id"] for user in updates]
