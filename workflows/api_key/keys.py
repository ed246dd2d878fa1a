"""API keys."""

from __future__ import annotations

from decimal import Decimal

from ...core.rows import Row
from ...modules.api_key.service import ApiKeyService
from ..kit import Flow, step, workflow
from ..plain import Plain

API_KEYS = Plain(
    "api_key",
    "create-api-keys",
    "update-api-keys",
    "delete-api-keys",
    create_by=ApiKeyService.create_keys,
    delete_by=ApiKeyService.delete_keys,
)


@step
async def end_key(flow: Flow, id: str, by: str, seconds: float) -> Row:
    """Never undone: a key that was to be revoked stays revoked."""
    return dict(await flow.modules.api_key.revoke(id, by, seconds))


@workflow("revoke-api-keys")
async def revoke_api_key(flow: Flow, id: str, revoked_by: str, revoke_in: Decimal = Decimal(0)) -> Row:
    """Revoke a key, `revoke_in` seconds from now. Raises NotFound, and what `ApiKeyService.revoke` raises."""
    return await flow.run(end_key, id, revoked_by, float(revoke_in))
