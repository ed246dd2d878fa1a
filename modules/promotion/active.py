"""Active promotions, as carts need them."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.clock import iso, utc_now
from ...core.message import reads
from ...core.service.module import ModuleService
from ...core.service.remembering import remembered
from .types import Promotion

OFFER = (
    "*",
    "rules.*",
    "rules.values.value",
    "application_method.*",
    *(f"application_method.{rules}.{name}" for rules in ("target_rules", "buy_rules") for name in ("*", "values.value")),
    "campaign.*",
    "campaign.budget.*",
    "campaign.budget.usages.*",
)
"""All fields that `computing.compute` reads of a promotion."""

_MADE_OF = (
    "promotion",
    "promotion_application_method",
    "promotion_campaign",
    "promotion_campaign_budget",
    "promotion_campaign_budget_usage",
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
