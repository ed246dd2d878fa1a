"""Tokens of existing actors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from velella.core.ids import ulid
from velella.core.settings import ProviderSettings, default_providers

if TYPE_CHECKING:
    from velella.http.server.tokens import Tokens
    from velella.modules import Modules


UNLIMITED = {f"{name}_limit": "" for name in ("sign_in_account", "sign_in_address", "sign_up_address", "email_account", "email_request")}
"""Settings of a shop that gets many logins from one address."""


def cheap_hashes() -> dict[str, Any]:
    """The default providers, with password hashing at a sixteenth of the cost."""
    return {**default_providers(), "auth": [ProviderSettings(use="emailpass", id="emailpass", options={"hash_config": {"logN": 11}})]}


async def token_of(modules: Modules, tokens: Tokens, actor_type: str, actor_id: str, **claims: Any) -> str:
    """A token of that actor, created with an identity if there is none; for an empty id, of an identity without an actor."""
    if actor_id and actor_type in ("user", "customer"):
        module = getattr(modules, actor_type)
        if not await module.list(actor_type, {"id": actor_id}, fields=("id",)):
            await module.create(actor_type, [{"id": actor_id, "email": f"{ulid().lower()}@example.com"}])
    known = await modules.auth.identities_of(actor_type, actor_id) if actor_id else []
    identity = known[0] if known else await modules.auth.create_identity("emailpass", f"{ulid().lower()}@example.com", {})
    assert identity is not None
    if actor_id and not known:
        await modules.auth.set_actor(identity["id"], actor_type, actor_id)
    who = {"actor_id": actor_id, "actor_type": actor_type, "auth_identity_id": identity["id"]}
    proven = {"auth_time": int(time.time()), "secret_version": identity["secret_version"]}
    return tokens.issue({**who, **proven, **claims})
