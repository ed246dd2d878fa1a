"""What every route answers to those who ask as they should."""

from __future__ import annotations

import re

import pytest

from .facts import served

UNWALKED = {
    "POST /cloud/auth/users": "there is no such cloud: test_refusals.py",
    "GET /auth/{}/{}": "emailpass signs in by POST",
    "GET /auth/{}/{}/callback": "emailpass sends nobody elsewhere",
    "POST /auth/{}/{}/callback": "emailpass sends nobody elsewhere",
    "GET /admin/workflows-executions/{}/subscribe": "has no end: tests/http/admin/test_workflows_executions.py",
    "GET /admin/workflows-executions/{}/{}/subscribe": "has no end: tests/http/admin/test_workflows_executions.py",
    "POST /admin/workflows-executions/{}/steps/success": "none of ours waits so: tests/http/admin/test_workflows_executions.py",
    "POST /admin/workflows-executions/{}/steps/failure": "gives up what waits at a step: tests/http/admin/test_workflows_executions.py",
}

ON_PURPOSE = (
    # One thing of another module that isn't there.
    r".* ((cart|parent)\.(payment_collection|customer)|fulfillment\.order) is missing",
    # Columns that no table has.
    r".* .*_address\.region_code is missing",
    r"GET /admin/fulfillment-sets/{}/service-zones/{} service_zone\.type is missing",
    r".*/admin/campaigns.* campaigns?\.currency is missing",
    # The rules of a promotion come with what they and their values are called; the default fields are those of promotions.
    r"GET /admin/promotions/{}/{} .*",
    # Options to choose from, not rows.
    r"GET /admin/promotions/rule-attribute-options/{} .*",
    # Prices of variants are shown with their rules by attribute, as `rules`.
    r".*/admin/product.*prices\.price_rules is missing",
    # A price list's rules are shown by attribute, as `rules`, and its prices by variant.
    r".*/admin/price-lists.* (price_lists?|prices|created|updated)\.(price_list_rules|price_rules|price_set) is missing",
    r".*/admin/price-lists.* (price_lists?|prices|created|updated)\.(rules|prices|variant_id) is not promised",
    # What was linked or unlinked are links; the default fields are those of variants.
    r"POST /admin/products/{}/variants/inventory-items/batch (created|updated).*",
    # The default fields are those of promotion rules; a shipping option's rule has others.
    r"POST /admin/shipping-options/{}/rules/batch (created|updated).*",
    # Shown as Medusa itself shows it (tests/medusa): a preview is worked out, not read by default fields.
    r"GET /admin/orders/{}/preview order\..*",
    r".* (draft_)?order_preview\..*",
    # The order's columns with its open change; the default fields are those of what was begun.
    r"POST /admin/(claims|exchanges|returns(/{}/receive)?) order\..*",
    r"GET /admin/orders/{}/line-items order_items\.history is not promised",
    # What totals are worked out of, and what is always there.
    r".* (draft_)?orders?\.((payment|fulfillment)_status|items|fulfillments|version) is not promised",
    r"GET /admin/draft-orders/{} draft_order\.payment_collections is not promised",
    # A line by hand is of no variant.
    r".*/admin/draft-orders.* (draft_)?order\.items\.variant is missing",
    # The things themselves; the default fields are those of their translations.
    r"GET /admin/translations/entities data\..*",
    # The one that is seen is shown whole, and with what kind of default it is, if it is one.
    r"GET /admin/views/{}/configurations/active (keys: .*|view_configuration\.deleted_at is not promised)",
    # What was written at once is shown whole.
    r"POST /admin/api-keys api_key\.deleted_at is not promised",
    r"POST /admin/inventory-items/{}/location-levels/batch updated\..* is not promised",
    r"POST /store/shipping-options/{}/calculate shipping_option\.(amount|is_tax_inclusive) is not promised",
)
"""Where we depart from the API knowingly; docs/compatibility.md says the same to users."""


@pytest.mark.parametrize("name", sorted(served().keys() - UNWALKED.keys()))
async def test_a_route_answers_with_what_is_promised(walked: dict[str, list[str]], name: str) -> None:
    assert name in walked
    found = [f"{name} {departure}" for departure in dict.fromkeys(walked[name])]
    assert [each for each in found if not any(re.fullmatch(known, each) for known in ON_PURPOSE)] == []


async def test_no_departure_is_listed_that_is_none_any_more(walked: dict[str, list[str]]) -> None:
    found = [f"{name} {departure}" for name, departures in walked.items() for departure in departures]
    assert [known for known in ON_PURPOSE if not any(re.fullmatch(known, each) for each in found)] == []
