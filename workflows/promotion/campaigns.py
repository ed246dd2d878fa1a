"""Campaigns: what promotions cost together, and when they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ...core.sql.snapshots import Snapshot
from ..rows import delete_rows

Row = dict[str, Any]


async def _delete_campaigns(flow: Flow, campaigns: list[Row]) -> None:
    await flow.modules.promotion.delete("promotion_campaign", [row["id"] for row in campaigns])


@step(undo=_delete_campaigns)
async def insert_campaigns(flow: Flow, rows: Sequence[Row]) -> list[Row]:
    return await flow.modules.promotion.create_campaigns(rows)


class CampaignsBefore(TypedDict):
    ids: list[str]
    before: Snapshot


async def _put_back_campaigns(flow: Flow, changed: CampaignsBefore) -> None:
    await flow.modules.promotion.put_back_campaigns(changed["ids"], changed["before"])


@step(undo=_put_back_campaigns)
async def change_campaigns(flow: Flow, rows: Sequence[Row]) -> CampaignsBefore:
    return {"ids": [row["id"] for row in rows], "before": await flow.modules.promotion.update_campaigns(rows)}


@workflow("create-campaigns", hooks=("campaignsCreated",))
async def create_campaigns(flow: Flow, campaigns_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Campaigns, each with its `budget` if it has one. Raises InvalidData for a budget that doesn't say what it counts."""
    made = await flow.run(insert_campaigns, campaigns_data)
    await flow.hooks.campaignsCreated(made, additional_data)
    return made


@workflow("update-campaigns", hooks=("campaignsUpdated",))
async def update_campaigns(flow: Flow, campaigns_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Change campaigns, each by its id. Raises NotFound."""
    ids = (await flow.run(change_campaigns, campaigns_data))["ids"]
    campaigns = await flow.modules.promotion.list("promotion_campaign", {"id": ids})
    await flow.hooks.campaignsUpdated(campaigns, additional_data)
    return campaigns


@workflow("delete-campaigns", hooks=("campaignsDeleted",))
async def delete_campaigns(flow: Flow, ids: list[str]) -> list[str]:
    """Delete campaigns; their promotions go on without."""
    gone = [row["id"] for row in (await flow.run(delete_rows, "promotion_campaign", ids))["rows"]]
    await flow.hooks.campaignsDeleted(gone)
    return gone


class Moved(TypedDict):
    id: str
    added: list[str]
    removed: list[str]


async def _move_back(flow: Flow, moved: Moved) -> None:
    await flow.modules.promotion.move_promotions(moved["id"], moved["removed"], moved["added"])


@step(undo=_move_back)
async def move_promotions(flow: Flow, id: str, add: Sequence[str], remove: Sequence[str]) -> Moved:
    done = await flow.modules.promotion.move_promotions(id, add, remove)
    return {"id": id, "added": done["added"], "removed": done["removed"]}


@workflow("add-or-remove-campaign-promotions")
async def add_or_remove_campaign_promotions(flow: Flow, id: str, add: list[str], remove: list[str]) -> None:
    """Put promotions into a campaign, take others out: all of it, or nothing."""
    await flow.run(move_promotions, id, add, remove)
