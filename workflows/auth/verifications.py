"""Verified addresses."""

from __future__ import annotations

from typing import Any

from ...core.rows import Row
from ...modules.auth.verifications import code_hash
from ..kit import Flow, step, workflow


@step
async def request(flow: Flow, identity_id: str, entity_id: str, entity_type: str, code_provider: str, hashed: str, metadata: Row) -> Row:
    return await flow.modules.auth.request_verification(identity_id, entity_id, entity_type, code_provider, hashed, metadata)


@workflow("request-verification-workflow", emits=("auth.verification_requested",))
async def request_verification(
    flow: Flow,
    auth_identity_id: str,
    entity_id: str,
    entity_type: str,
    code_provider: str,
    code: str,
    metadata: dict[str, Any] | None = None,
) -> Row:
    """Ask an identity to prove that it reads an address: the code goes to subscribers that send it there. Nothing is sent for what is
    verified already. Raises what `AuthService.request_verification` raises."""
    asked = await flow.run(request, auth_identity_id, entity_id, entity_type, code_provider, code_hash(code), metadata or {})
    expires_at = asked.pop("expires_at", None)
    if expires_at is not None:
        about = {
            "entity_id": asked["entity_id"],
            "entity_type": entity_type,
            "code_provider": code_provider,
            "auth_identity_id": auth_identity_id,
        }
        flow.emit("auth.verification_requested", **about, code=code, expires_at=expires_at, metadata=metadata or {})
    return asked
