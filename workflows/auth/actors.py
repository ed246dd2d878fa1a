"""Steps that link identities to their actors: part of every flow that creates or deletes an account."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step


def actor_id(source: str, prefix: str) -> str:
    """The id of an actor, derived from its source, an identity or an invitation: a repetition after an interrupted attempt finds what that
    attempt left.
    """
    return f"{prefix}_{source.partition('_')[2]}"


async def _unlink(flow: Flow, linked: Row) -> None:
    await flow.modules.auth.set_actor(linked["identity_id"], linked["actor_type"], None)


@step(undo=_unlink)
async def link_actor(flow: Flow, identity_id: str, actor_type: str, actor_id: str, secret_version: int | None = None) -> Row:
    """Link an identity to an actor: from now on a person who logs in with the identity is that actor.

    `secret_version`: the secret that the caller has proven; None for the shop itself.

    Raises InvalidData if the identity is another actor of that type already, Unauthorized if its secret has changed since.
    """
    await flow.modules.auth.set_actor(identity_id, actor_type, actor_id, secret_version=secret_version)
    return {"identity_id": identity_id, "actor_type": actor_type}


async def _change_back(flow: Flow, changed: Row) -> None:
    if changed["is_changed"]:
        await flow.modules.auth.change_email(changed["actor_type"], changed["actor_id"], changed["new"], changed["email"])


@step(undo=_change_back)
async def change_login(flow: Flow, actor_type: str, actor_id: str, email: str | None, new: str) -> Row:
    """Let an actor who logs in by one email address do so by another. Raises InvalidData if the new address is taken."""
    changed = email is not None and await flow.modules.auth.change_email(actor_type, actor_id, email, new)
    return {"actor_type": actor_type, "actor_id": actor_id, "email": email, "new": new, "is_changed": changed}


async def _relink(flow: Flow, unlinked: Row) -> None:
    for identity_id in unlinked["deleted"]:
        await flow.modules.auth.restore("auth_identity", [identity_id])
    for identity_id in unlinked["identities"]:
        await flow.modules.auth.set_actor(identity_id, unlinked["actor_type"], unlinked["actor_id"])


@step(undo=_relink)
async def unlink_actor(flow: Flow, actor_type: str, actor_id: str) -> Row:
    """Unlink an actor from its identities; identities without another actor are deleted."""
    identities = await flow.modules.auth.identities_of(actor_type, actor_id)
    deleted = []
    for identity in identities:
        left = await flow.modules.auth.set_actor(identity["id"], actor_type, None)
        if not any(left["app_metadata"].values()):
            await flow.modules.auth.delete("auth_identity", [identity["id"]])
            deleted.append(identity["id"])
    return {"actor_type": actor_type, "actor_id": actor_id, "identities": [row["id"] for row in identities], "deleted": deleted}
