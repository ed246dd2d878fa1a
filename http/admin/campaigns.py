"""Admin: campaigns: when promotions hold, and what they may cost together."""

from __future__ import annotations

from typing import Any, Literal

from ...workflows.promotion.campaigns import add_or_remove_campaign_promotions, create_campaigns, delete_campaigns, update_campaigns
from ..frontend.bodies import ABSENT, AdditionalData, Body, LinkBody, Number
from ..frontend.filters import TEXT, Filters
from ..frontend.flows import split
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

Row = dict[str, Any]

CAMPAIGN = View(
    "promotion_campaign",
    "id name description campaign_identifier *budget starts_at ends_at created_at updated_at deleted_at",
    label="Campaign",
    key="campaign",
)
CAMPAIGNS = Filters(q=TEXT, campaign_identifier=TEXT, budget=Filters(currency_code=TEXT), logical=True)


class Budget(Body):
    type: Literal["spend", "usage", "use_by_attribute", "spend_by_attribute"]
    limit: Number | None = None
    currency_code: str | None = None
    attribute: str | None = None


class NewCampaign(Body):
    name: str
    campaign_identifier: str
    description: str | None = None
    budget: Budget | None = None
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


async def change_campaign(request: Request, row: Row) -> None:
    update, additional = split(row)
    await request.run(update_campaigns, campaigns_data=[update], **additional)


routes.resource(
    "/admin/campaigns",
    CAMPAIGN,
    list=CAMPAIGNS,
    create=Write(CreateCampaign, create_campaigns),
    update=Write(UpdateCampaign, change_campaign),
    delete=delete_campaigns,
    object="campaign",
)


@routes.post("/admin/campaigns/{id}/promotions", body=LinkBody, returns=CAMPAIGN)
async def move_promotions(request: Request) -> Answer:
    """Put promotions into a campaign, take others out."""
    id, given = request.params["id"], request.body
    await request.run(add_or_remove_campaign_promotions, id=id, add=given.get("add", []), remove=given.get("remove", []))
    return await request.fetch(CAMPAIGN, id)
