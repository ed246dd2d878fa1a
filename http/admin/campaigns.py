"""Admin: campaigns: when promotions run, and their common budget."""

from __future__ import annotations

from typing import Literal

from ...workflows.promotion.campaigns import CAMPAIGNS, add_or_remove_campaign_promotions
from ..kit import (
    ABSENT,
    TEXT,
    AdditionalData,
    Body,
    Filters,
    LinkBody,
    Number,
    Routes,
    View,
)

routes = Routes()

CAMPAIGN = View(
    "promotion_campaign",
    "id name description campaign_identifier *budget starts_at ends_at created_at updated_at deleted_at",
    label="Campaign",
    key="campaign",
)
LISTED = Filters(q=TEXT, campaign_identifier=TEXT, budget=Filters(currency_code=TEXT), logical=True)


class CampaignBudget(Body):
    type: Literal["spend", "usage", "use_by_attribute", "spend_by_attribute"]
    limit: Number | None = None
    currency_code: str | None = None
    attribute: str | None = None


class NewCampaign(Body):
    name: str
    campaign_identifier: str
    description: str | None = None
    budget: CampaignBudget | None = None
    starts_at: str | None = None
    ends_at: str | None = None


class CreateCampaign(NewCampaign):
    additional_data: AdditionalData = None


class ChangedBudget(Body):
    limit: Number | None = None


class UpdateCampaign(Body):
    name: str = ABSENT
    campaign_identifier: str = ABSENT
    description: str | None = None
    budget: ChangedBudget = ABSENT
    starts_at: str | None = None
    ends_at: str | None = None
    additional_data: AdditionalData = None


routes.resource(
    "/admin/campaigns",
    CAMPAIGN,
    CAMPAIGNS,
    list=LISTED,
    create=CreateCampaign,
    update=UpdateCampaign,
    object="campaign",
)


routes.action(
    "/admin/campaigns/{id}/promotions",
    CAMPAIGN,
    add_or_remove_campaign_promotions,
    "Put promotions into a campaign, take others out.",
    body=LinkBody,
)
