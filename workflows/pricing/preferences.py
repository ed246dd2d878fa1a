"""Whether the prices of a region or a currency hold their tax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, unchanged, workflow
from ..rows import Selector, create_rows, delete_rows, update_selected

Row = dict[str, Any]


@step(undo=take_back)
async def set_price_preferences(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Preferences by attribute and value, there or not: `{attribute, value, is_tax_inclusive}`. Null leaves one as it is."""
    return await keep(flow.modules.pricing.set_price_preferences, rows) if rows else unchanged([])


@workflow("create-price-preferences")
async def create_price_preferences(flow: Flow, price_preferences: list[Row]) -> list[Row]:
    """Raises InvalidData where there is a preference for the same attribute and value."""
    return (await flow.run(create_rows, "price_preference", price_preferences))["answer"]


@workflow("update-price-preferences")
async def update_price_preferences(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Raises InvalidData where another preference is for the same by then."""
    return await update_selected(flow, "price_preference", selector, update)


@workflow("delete-price-preferences")
async def delete_price_preferences(flow: Flow, ids: list[str]) -> list[str]:
    return (await flow.run(delete_rows, "price_preference", ids))["answer"]
