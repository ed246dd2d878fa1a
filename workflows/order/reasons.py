"""Why things are sent back: the reasons a shop chooses from."""

from __future__ import annotations

from typing import Any

from ...core.flow import Flow, workflow
from ..rows import Selector, create_rows, delete_rows, update_selected

Row = dict[str, Any]


@workflow("create-return-reasons")
async def create_return_reasons(flow: Flow, data: list[Row]) -> list[Row]:
    """Raises InvalidData for a value that is taken, NotFound for a parent."""
    return (await flow.run(create_rows, "return_reason", data))["answer"]


@workflow("update-return-reasons")
async def update_return_reasons(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Raises InvalidData for a value that is taken."""
    return await update_selected(flow, "return_reason", selector, update)


@workflow("delete-return-reasons")
async def delete_return_reasons(flow: Flow, ids: list[str]) -> list[str]:
    return (await flow.run(delete_rows, "return_reason", ids))["answer"]
