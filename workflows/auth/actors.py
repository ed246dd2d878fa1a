"""Steps that link identities to the actors they are: part of every flow that makes or removes an account."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step


def actor_id(source: str, prefix: str) -> str:
    """The id of an actor that follows from what it is made from, an identity or an invitation: who tries again after an attempt that was
    cut off finds what that one left.
    """
    return f"{prefix}_{source.partition('_')[2]}"


async def _unlink(flow: Flow, linked: Row) -> None:
    await flow.modules.auth.set_actor(linked["identity_id"], linked["actor_type"], None)


@step(undo=_unlink)
async def link_actor(flow: Flow, identity_id: str, actor_type: str, actor_id: str, secret_version: int | None = None) -> Row:
    """From now on who proves to be this identity is that actor.

    `secret_version`: which secret was proven by who asks for that; None where the shop itself does.

    Raises InvalidData when the identity is another actor of that type already, Unauthorized where its secret has changed since.
    """
    await flow.modules.auth.set_actor(identity_id, actor_type, actor_id, secret_version=secret_version)
    return {"identity_id": identity_id, "actor_type": actor_type}


async def _change_back(flow: Flow, changed: Row) -> None:
    if changed["is_changed"]:
        await flow.modules.auth.change_email(changed["actor_type"], changed["actor_id"], changed["new"], changed["email"])


@step(undo=_change_back)
async def change_login(flow: Flow, actor_type: str, actor_id: str, email: str | None, new: str) -> Row:
    """Who signs in as this actor by one address does so by another. Raises InvalidData where that is somebody else's."""
    changed = email is not None and await flow.modules.auth.change_email(actor_type, actor_id, email, new)
    return {"actor_type": actor_type, "actor_id": actor_id, "email": email, "new": new, "is_changed": changed}


async def _relink(flow: Flow, unlinked: Row) -> None:
    for identity_id in unlinked["deleted"]:
        await flow.modules.auth.restore("auth_identity", [identity_id])
    for identity_id in unlinked["identities"]:
        await flow.modules.auth.set_actor(identity_id, unlinked["actor_type"], unlinked["actor_id"])


@step(undo=_relink)
async def unlink_actor(flow: Flow, actor_type: str, actor_id: str) -> Row:
    """Nobody is this actor any more; identities that are nobody else either are deleted."""
    identities = await flow.modules.auth.identities_of(actor_type, actor_id)
    deleted = []
    for identity in identities:
        left = await flow.modules.auth.set_actor(identity["id"], actor_type, None)
        if not any(left["app_metadata"].values()):
            await flow.modules.auth.delete("auth_identity", [identity["id"]])
            deleted.append(identity["id"])
    return {"actor_type": actor_type, "actor_id": actor_id, "identities": [row["id"] for row in identities], "deleted": deleted}
