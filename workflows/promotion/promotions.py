"""Promotions as a merchant keeps them, with the rules that say for whom and for what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ...core.sql.snapshots import Snapshot
from ...modules.promotion.changes import RuleKind, RulesChanged
from ..rows import delete_rows, release_ties

Row = dict[str, Any]


class Made(TypedDict):
    promotions: list[Row]
    campaign_ids: list[str]
    """Those that were made along."""


async def _delete_made(flow: Flow, made: Made) -> None:
    await flow.modules.promotion.delete("promotion", [row["id"] for row in made["promotions"]])
    await flow.modules.promotion.delete("promotion_campaign", made["campaign_ids"])


@step(undo=_delete_made)
async def insert_promotions(flow: Flow, rows: Sequence[Row]) -> Made:
    made = await flow.modules.promotion.create_promotions(rows)
    along = [promotion["campaign_id"] for promotion, row in zip(made, rows, strict=True) if row.get("campaign")]
    return {"promotions": made, "campaign_ids": along}


class PromotionsBefore(TypedDict):
    ids: list[str]
    before: Snapshot


async def _put_back(flow: Flow, changed: PromotionsBefore) -> None:
    await flow.modules.promotion.put_back_promotions(changed["ids"], changed["before"])


@step(undo=_put_back)
async def change_promotions(flow: Flow, rows: Sequence[Row]) -> PromotionsBefore:
    return {"ids": [row["id"] for row in rows], "before": await flow.modules.promotion.update_promotions(rows)}


@workflow("create-promotions", hooks=("promotionsCreated",))
async def create_promotions(flow: Flow, promotions_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Promotions with all that belongs to them. Raises InvalidData for what contradicts itself, NotFound for the campaign."""
    made = (await flow.run(insert_promotions, promotions_data))["promotions"]
    await flow.hooks.promotionsCreated(made, additional_data)
    return made


@workflow("update-promotions-status", hooks=("promotionStatusUpdated",))
async def update_promotions_status(flow: Flow, promotions_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Draft promotions, activate them, or put them out of use: each by its id and `status`. Raises NotFound."""
    ids = (await flow.run(change_promotions, promotions_data))["ids"]
    promotions = await flow.modules.promotion.list("promotion", {"id": ids})
    await flow.hooks.promotionStatusUpdated(promotions, additional_data)
    return promotions


@workflow("update-promotions", hooks=("promotionsUpdated",))
async def update_promotions(flow: Flow, promotions_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Change promotions, each by its id. Raises NotFound, and InvalidData for what would contradict itself."""
    columns = [{name: value for name, value in row.items() if name != "status"} for row in promotions_data]
    ids = (await flow.run(change_promotions, columns))["ids"]
    statuses = [{"id": row["id"], "status": row["status"]} for row in promotions_data if row.get("status")]
    if statuses:
        await flow.run(update_promotions_status, statuses, additional_data)
    promotions = await flow.modules.promotion.list("promotion", {"id": ids})
    await flow.hooks.promotionsUpdated(promotions, additional_data)
    return promotions


@workflow("delete-promotions", hooks=("promotionsDeleted",))
async def delete_promotions(flow: Flow, ids: list[str]) -> list[str]:
    """Delete promotions. Carts lose what they took off with their next change; orders keep it."""
    gone = [row["id"] for row in (await flow.run(delete_rows, "promotion", ids))["rows"]]
    await flow.run(release_ties, "promotion", gone)
    await flow.hooks.promotionsDeleted(gone)
    return gone


class RulesDone(TypedDict):
    promotion_id: str
    changed: RulesChanged


async def _rules_as_before(flow: Flow, done: RulesDone) -> None:
    await flow.modules.promotion.put_back_promotions([done["promotion_id"]], done["changed"]["before"])


@step(undo=_rules_as_before)
async def change_rules(
    flow: Flow, id: str, rule_type: RuleKind, create: Sequence[Row], update: Sequence[Row], delete: Sequence[str]
) -> RulesDone:
    return {"promotion_id": id, "changed": await flow.modules.promotion.change_rules(id, rule_type, create, update, delete)}


@workflow("batch-promotion-rules")
async def batch_promotion_rules(
    flow: Flow, id: str, rule_type: RuleKind, create: list[Row], update: list[Row], delete: list[str]
) -> RulesChanged:
    """Add, change and remove rules of one kind of a promotion: all of it, or nothing.

    Raises NotFound for the promotion and for rules of others, InvalidData where it would be left without what it needs.
    """
    return (await flow.run(change_rules, id, rule_type, create, update, delete))["changed"]
