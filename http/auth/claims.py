"""The claims of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def claims_of(identity: Mapping[str, Any], actor_type: str, provider: str | None, auth_time: int) -> dict[str, Any]:
    """Claims of an identity that logs in as an actor of some type. `actor_id` is empty while it isn't linked to one.

    `auth_time`: when it proved its secret, in seconds since 1970; the identity's `secret_version` says which secret that was.
    """
    key = f"{actor_type}_id"
    actor_id = (identity.get("app_metadata") or {}).get(key)
    vouched = next((one for one in identity.get("provider_identities") or [] if one["provider"] == provider), None)
    return {
        "actor_id": actor_id or "",
        "actor_type": actor_type,
        "auth_identity_id": identity["id"],
        "auth_provider": provider,
        "auth_time": auth_time,
        "secret_version": identity["secret_version"],
        "mfa_enabled": False,
        "app_metadata": {key: actor_id} if actor_id else {},
        "user_metadata": (vouched or {}).get("user_metadata") or {},
    }
