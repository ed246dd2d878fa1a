"""Campaigns: the common budget of promotions, and when they run."""

from __future__ import annotations

from ...modules.promotion.service import PromotionService
from ..plain import Plain, linking

CAMPAIGNS = Plain(
    "promotion_campaign",
    "create-campaigns",
    "update-campaigns",
    "delete-campaigns",
    hooks="campaigns",
    create_by=PromotionService.create_campaigns,
    update_by=PromotionService.update_campaigns,
)
"""Campaigns, optionally with a `budget`. When one is deleted, its promotions go on without it."""

add_or_remove_campaign_promotions = linking("add-or-remove-campaign-promotions", "promotion_campaign", PromotionService.move_promotions)
