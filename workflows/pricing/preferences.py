"""Whether the prices of a region or a currency hold their tax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ..rows import Selector, create_rows, delete_rows, update_selected

Row = dict[str, Any]


class PreferencesBefore(TypedDict):
    changed: list[Row]
    """As they were."""
    made: list[str]


async def _put_back(flow: Flow, before: PreferencesBefore) -> None:
    await flow.modules.pricing.update("price_preference", before["changed"])
    await flow.modules.pricing.delete("price_preference", before["made"])


@step(undo=_put_back)
async def set_price_preferences(flow: Flow, rows: Sequence[Row]) -> PreferencesBefore:
    """Preferences by attribute and value, there or not: `{attribute, value, is_tax_inclusive}`."""
    if not rows:
        return {"changed": [], "made": []}
    wanted = {(row["attribute"], row.get("value")) for row in rows}
    there = await flow.modules.pricing.list(
        "price_preference",
        {"attribute": sorted({attribute for attribute, _ in wanted})},
        fields=("id", "attribute", "value", "is_tax_inclusive"),
    )
    before = {row["id"]: row for row in there if (row["attribute"], row["value"]) in wanted}
    stored = await flow.modules.pricing.set_price_preferences(rows)
    return {"changed": list(before.values()), "made": [row["id"] for row in stored if row["id"] not in before]}


@workflow("create-price-preferences")
async def create_price_preferences(flow: Flow, price_preferences: list[Row]) -> list[Row]:
    """Raises InvalidData where there is a preference for the same attribute and value."""
    return (await flow.run(create_rows, "price_preference", price_preferences))["rows"]


@workflow("update-price-preferences")
async def update_price_preferences(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Raises InvalidData where another preference is for the same by then."""
    return await update_selected(flow, "price_preference", selector, update)


@workflow("delete-price-preferences")
async def delete_price_preferences(flow: Flow, ids: list[str]) -> list[str]:
    return [row["id"] for row in (await flow.run(delete_rows, "price_preference", ids))["rows"]]
