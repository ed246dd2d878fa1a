"""The claims of tokens, and what a sign-in is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...modules.auth.verifications import EMAIL
from ..kit import Request


def claims_of(
    identity: Mapping[str, Any], actor_type: str, provider: str | None, auth_time: int, *, mfa_at: int | None = None, halfway: bool = False
) -> dict[str, Any]:
    """Claims of an identity that logs in as an actor of some type. `actor_id` is empty while it isn't linked to one.

    `auth_time`: when it proved its secret, in seconds since 1970; the identity's `secret_version` says which secret that was. `mfa_at`:
    when it answered for its second factor. `halfway`: something is still to be proven, so it is no actor yet.
    """
    key = f"{actor_type}_id"
    actor_id = None if halfway else (identity.get("app_metadata") or {}).get(key)
    vouched = next((one for one in identity.get("provider_identities") or [] if one["provider"] == provider), None)
    return {
        "actor_id": actor_id or "",
        "actor_type": actor_type,
        "auth_identity_id": identity["id"],
        "auth_provider": provider,
        "auth_time": auth_time,
        "secret_version": identity["secret_version"],
        "mfa_enabled": bool(identity.get("mfa_enabled")),
        **({"mfa_challenge_completed_at": mfa_at} if mfa_at is not None else {}),
        **({"halfway": True} if halfway else {}),
        "app_metadata": {key: actor_id} if actor_id else {},
        "user_metadata": (vouched or {}).get("user_metadata") or {},
    }


def token_of(
    request: Request,
    identity: Mapping[str, Any],
    actor_type: str,
    provider: str | None,
    auth_time: int,
    *,
    mfa_at: int | None = None,
    halfway: bool = False,
    expires: int | None = None,
) -> str:
    """A token with these claims. `expires`: in seconds, by default as in the settings."""
    claims = claims_of(identity, actor_type, provider, auth_time, mfa_at=mfa_at, halfway=halfway)
    return request.credentials.tokens.issue(claims, expires=expires)


async def unverified(request: Request, identity: Mapping[str, Any], actor_type: str, provider: str | None) -> dict[str, Any] | None:
    """What an identity has to prove before it may sign in (`{verification}`: how that stands, or None), or None where nothing is left.

    The setting `auth_verifications` says which actors have to prove what they sign in by. An address that the provider has seen proven is.
    """
    kinds = [kind for kind in request.settings.auth_verifications.get(actor_type, ()) if kind.auth_provider == provider]
    named = next((one for one in identity.get("provider_identities") or [] if one["provider"] == provider), None)
    vouched = named is not None and bool(named["verified_email"])
    for kind in kinds:
        if vouched and kind.entity_type == EMAIL:
            continue
        there = named and await request.modules.auth.verification(identity["id"], named["entity_id"], kind.entity_type)
        if there is None or there["verified_at"] is None:
            return {"verification": there}
    return None


async def signed_in(request: Request, identity: Mapping[str, Any], actor_type: str, provider: str, auth_time: int) -> dict[str, Any]:
    """The answer to a proven secret: a token, or what is still to be proven, with a token that is good for that alone."""
    left = await unverified(request, identity, actor_type, provider)
    if left is not None:
        return {"verification_required": True, **left, "token": token_of(request, identity, actor_type, provider, auth_time, halfway=True)}
    if identity.get("mfa_enabled"):
        challenge = await request.modules.auth.begin_challenge(identity["id"], actor_type, provider)
        token = token_of(request, identity, actor_type, provider, auth_time, halfway=True)
        return {"mfa_required": True, "mfa_challenge": challenge, "token": token}
    return {"token": token_of(request, identity, actor_type, provider, auth_time)}
