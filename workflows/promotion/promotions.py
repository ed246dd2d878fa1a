"""Promotions, with their rules."""

from __future__ import annotations

from ...core.rows import Row
from ...modules.promotion.changes import RuleKind, RulesChanged
from ...modules.promotion.service import PromotionService
from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import written

PROMOTIONS = Plain(
    "promotion", create="create-promotions", delete="delete-promotions", hooks="promotions", create_by=PromotionService.create_promotions
)
"""Promotions with everything that belongs to them. When one is deleted, carts lose its discount with their next change; orders keep it."""


change_promotions = written("change-promotions", lambda modules: modules.promotion.update_promotions)


@workflow("update-promotions-status", hooks=("promotionStatusUpdated",))
async def update_promotions_status(flow: Flow, promotions_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Set promotions to draft, active or inactive: each by its id and `status`. Raises NotFound."""
    await flow.run(change_promotions, promotions_data)
    promotions = await flow.modules.promotion.list("promotion", {"id": [row["id"] for row in promotions_data]})
    await flow.hooks.promotionStatusUpdated(promotions=promotions)
    return promotions


@workflow("update-promotions", hooks=("promotionsUpdated",))
async def update_promotions(flow: Flow, promotions_data: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Change promotions, each by its id. Raises NotFound, and InvalidData for a change after which one would contradict itself."""
    columns = [{name: value for name, value in row.items() if name != "status"} for row in promotions_data]
    statuses = [{"id": row["id"], "status": row["status"]} for row in promotions_data if row.get("status")]
    if statuses:
        flow.durably()
    await flow.run(change_promotions, columns)
    if statuses:
        await flow.run(update_promotions_status, statuses, additional_data)
    promotions = await flow.modules.promotion.list("promotion", {"id": [row["id"] for row in promotions_data]})
    await flow.hooks.promotionsUpdated(promotions=promotions)
    return promotions


change_rules = written("change-rules", lambda modules: modules.promotion.change_rules)


@workflow("batch-promotion-rules")
async def batch_promotion_rules(
    flow: Flow, id: str, rule_type: RuleKind, create: list[Row], update: list[Row], delete: list[str]
) -> RulesChanged:
    """Add, change and remove rules of one kind of a promotion: all of it, or nothing.

    Raises NotFound for the promotion; InvalidData for a change of another promotion's rule, and where it would be left without a rule that
    it needs.
    """
    return (await flow.run(change_rules, id, rule_type, create, update, delete))["answer"]
