"""Keys of the API."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..links import unlink_all


@step(undo=take_back)
async def remove_keys(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    return await keep(flow.modules.api_key.delete_keys, ids)


@workflow("delete-api-keys", durable=True)
async def delete_api_keys(flow: Flow, ids: list[str]) -> list[str]:
    """Delete keys, and close channels with them. The ids of those that were there. Raises NotAllowed for one that isn't revoked."""
    done = await flow.run(remove_keys, ids)
    await unlink_all(flow, done["change"])
    return done["answer"]
