"""Campaigns: what promotions cost together, and when they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..rows import delete_rows

Row = dict[str, Any]


@step(undo=take_back)
async def insert_campaigns(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.promotion.create_campaigns, rows)


@step(undo=take_back)
async def change_campaigns(flow: Flow, rows: Sequence[Row]) -> Kept[None]:
    return await keep(flow.modules.promotion.update_campaigns, rows)


@workflow("create-campaigns", hooks=("campaignsCreated",))
async def create_campaigns(flow: Flow, campaigns_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Campaigns, each with its `budget` if it has one. Raises InvalidData for a budget that doesn't say what it counts."""
    made = (await flow.run(insert_campaigns, campaigns_data))["answer"]
    await flow.hooks.campaignsCreated(made, additional_data)
    return made


@workflow("update-campaigns", hooks=("campaignsUpdated",))
async def update_campaigns(flow: Flow, campaigns_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Change campaigns, each by its id. Raises NotFound."""
    await flow.run(change_campaigns, campaigns_data)
    campaigns = await flow.modules.promotion.list("promotion_campaign", {"id": [row["id"] for row in campaigns_data]})
    await flow.hooks.campaignsUpdated(campaigns, additional_data)
    return campaigns


@workflow("delete-campaigns", hooks=("campaignsDeleted",))
async def delete_campaigns(flow: Flow, ids: list[str]) -> list[str]:
    """Delete campaigns; their promotions go on without."""
    gone = (await flow.run(delete_rows, "promotion_campaign", ids))["answer"]
    await flow.hooks.campaignsDeleted(gone)
    return gone


@step(undo=take_back)
async def move_promotions(flow: Flow, id: str, add: Sequence[str], remove: Sequence[str]) -> Kept[dict[str, list[str]]]:
    return await keep(flow.modules.promotion.move_promotions, id, add, remove)


@workflow("add-or-remove-campaign-promotions")
async def add_or_remove_campaign_promotions(flow: Flow, id: str, add: list[str], remove: list[str]) -> None:
    """Put promotions into a campaign, take others out: all of it, or nothing."""
    await flow.run(move_promotions, id, add, remove)
