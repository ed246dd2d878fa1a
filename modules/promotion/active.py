"""Active promotions, as carts need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.clock import iso, utc_now
from ...core.message import reads
from ...core.service.module import ModuleService
from ...core.service.remembering import remembered
from . import queries
from .types import BudgetUsage, Promotion

OFFER = (
    "*",
    "rules.*",
    "rules.values.value",
    "application_method.*",
    *(f"application_method.{rules}.{name}" for rules in ("target_rules", "buy_rules") for name in ("*", "values.value")),
    "campaign.*",
    "campaign.budget.*",
)
"""All fields that `computing.compute` reads of a promotion, except the `usages` of its campaign's budget: there may be one for each buyer,
so only the cart's own are read (see `usages`)."""

_MADE_OF = (
    "promotion",
    "promotion_application_method",
    "promotion_campaign",
    "promotion_campaign_budget",
    "promotion_rule",
    "promotion_rule_value",
)


class ActivePromotions(ModuleService):
    """Reading promotions for carts. They change seldom, and every change of a cart needs them: they are cached."""

    @reads
    @remembered(*_MADE_OF)
    async def automatic(self) -> list[Promotion]:
        """The active promotions that apply without a code, each with everything that `computing.compute` reads.

        Those of ended campaigns are left out: a shop collects them over the years, and every cart would be compared with them. An answer
        is remembered until something changes, so it may hold a campaign that has ended since, and holds those that begin later.
        """
        ended = {"campaign": {"ends_at": {"$lt": iso(utc_now())}}}
        return await self.list("promotion", {"is_automatic": True, "status": "active", "$not": ended}, fields=OFFER)

    @reads
    @remembered(*_MADE_OF)
    async def by_codes(self, codes: Sequence[str]) -> list[Promotion]:
        """The promotions with these codes, whatever their status, like `automatic`. Unknown codes are left out."""
        return await self.list("promotion", {"code": list(codes)}, fields=OFFER)

    @reads
    @remembered(*_MADE_OF)
    async def by_ids(self, ids: Sequence[str]) -> list[Promotion]:
        """The promotions with these ids, like `by_codes`."""
        return await self.list("promotion", {"id": list(ids)}, fields=OFFER)

    @reads
    @remembered("promotion_campaign_budget_usage")
    async def usages(self, values: Mapping[str, str]) -> list[BudgetUsage]:
        """What budgets by attribute have been used for, each under one value: budget → value. Those that weren't used are left out."""
        return await self.database.rows(queries.USAGES, {"budgets": list(values), "values": list(values.values())})
