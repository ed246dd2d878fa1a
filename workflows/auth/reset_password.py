"""A forgotten password."""

from __future__ import annotations

from typing import Any

from ...core.flow import Flow, workflow


@workflow("generate-reset-password-token")
async def generate_reset_password_token(flow: Flow, entity_id: str, actor_type: str, token: str, metadata: dict[str, Any]) -> str:
    """Tell those who send letters about a token that lets somebody choose a new password. Returns the token."""
    flow.emit("auth.password_reset", entity_id=entity_id, actor_type=actor_type, token=token, metadata=metadata)
    return token
