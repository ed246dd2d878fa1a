"""Why money is given back: the reasons a shop chooses from."""

from __future__ import annotations

from typing import Any

from ...core.flow import Flow, workflow
from ..rows import create_rows, delete_rows, update_rows

Row = dict[str, Any]


@workflow("create-refund-reasons-workflow")
async def create_refund_reasons(flow: Flow, refund_reasons: list[Row]) -> list[Row]:
    return (await flow.run(create_rows, "refund_reason", refund_reasons))["answer"]


@workflow("update-refund-reasons")
async def update_refund_reasons(flow: Flow, updates: list[Row]) -> list[Row]:
    """Change reasons, each by its id. Raises NotFound."""
    await flow.run(update_rows, "refund_reason", updates)
    return await flow.modules.payment.list("refund_reason", {"id": [row["id"] for row in updates]})


@workflow("delete-refund-reasons-workflow")
async def delete_refund_reasons(flow: Flow, ids: list[str]) -> list[str]:
    return (await flow.run(delete_rows, "refund_reason", ids))["answer"]
