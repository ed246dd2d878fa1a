"""Counts of the use and the cost of promotions and campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...core.errors import NotAllowed
from ...core.ids import new_id
from ...core.message import writes
from ...core.numbers import total
from ...core.rows import Row
from . import queries
from .active import ActivePromotions
from .computing import attribute_of


class Usage(ActivePromotions):
    """Counting uses against the limits of promotions and the budgets of campaigns."""

    @writes
    async def register_usage(self, key: str, uses: Sequence[Mapping[str, Any]], attributes: Mapping[str, Any]) -> None:
        """Count one use of each promotion (`promotion_id`, `code`, `amount`): of all, or of none. A key is counted once.

        `attributes` are the values that budgets may count by (see `computing.COUNTED_BY`).

        Raises NotAllowed where a limit or a budget is exceeded, and for promotions that are deleted, not active, or not running at
        this time.
        """
        given = {use["promotion_id"]: Decimal(use["amount"]) for use in uses}
        if not await self.database.fetch(queries.NEW_USAGE, {"key": key}):
            return
        rows = await self.database.fetch(queries.HOLD_PROMOTIONS, {"ids": sorted(given)})
        running = {row["id"] for row in rows if row["runs"]}
        over = [str(use.get("code") or use["promotion_id"]) for use in uses if use["promotion_id"] not in running]
        if over:
            raise NotAllowed(f"Promotion {', '.join(over)} isn't given any more")
        for row in rows:
            if row["limit"] is not None and row["used"] >= row["limit"]:
                raise NotAllowed(f"Promotion {row['code']} has been used as often as it may be")
        taken: dict[str, list[Decimal]] = {}
        for row in rows:
            if row["campaign_id"] is not None:
                taken.setdefault(row["campaign_id"], []).append(given[row["id"]])
        entries = [{"promotion_id": row["id"]} for row in rows]
        for budget in await self.database.fetch(queries.HOLD_BUDGETS, {"ids": sorted(taken)}) if taken else ():
            entries.append(await self._spend(dict(budget), taken[budget["campaign_id"]], attributes))
        await self.database.execute(queries.USE_PROMOTIONS, {"ids": [row["id"] for row in rows], "more": 1})
        await self.database.execute(queries.KEEP_ENTRIES, {"key": key, "entries": entries})
        self._touch(entries)

    @writes
    async def revert_usage(self, key: str) -> None:
        """Undo the counting under a key, if there was any. May be repeated."""
        entries = await self.database.fetch_value(queries.DROP_USAGE, {"key": key}) or []
        ids = sorted(each["promotion_id"] for each in entries if "promotion_id" in each)
        await self.database.fetch(queries.HOLD_PROMOTIONS, {"ids": ids})
        await self.database.execute(queries.USE_PROMOTIONS, {"ids": ids, "more": -1})
        for entry in sorted((each for each in entries if "budget_id" in each), key=lambda each: str(each["budget_id"])):
            await self._use(entry["budget_id"], entry["value"], -Decimal(entry["amount"]))
        self._touch(entries)

    async def _spend(self, budget: Row, amounts: Sequence[Decimal], attributes: Mapping[str, Any]) -> Row:
        amount = total(amounts) if budget["type"].startswith("spend") else Decimal(len(amounts))
        value = attribute_of(attributes, budget["attribute"] or "") if budget["type"].endswith("by_attribute") else None
        used = await self._use(budget["id"], value, amount)
        if budget["limit"] is not None and used > budget["limit"]:
            raise NotAllowed("The budget of the campaign is used up")
        return {"budget_id": budget["id"], "value": value, "amount": str(amount)}

    async def _use(self, budget_id: str, value: str | None, amount: Decimal) -> Decimal:
        if value is not None:
            given = {"id": new_id("probudgus"), "budget_id": budget_id, "value": value, "amount": amount}
            await self.database.execute(queries.USE_BUDGET, {"id": budget_id, "amount": amount})
            return Decimal(await self.database.fetch_value(queries.USE_BY_ATTRIBUTE, given))
        return Decimal(await self.database.fetch_value(queries.USE_BUDGET, {"id": budget_id, "amount": amount}) or 0)

    def _touch(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.touch_rows("promotion", [each["promotion_id"] for each in entries if "promotion_id" in each])
        if any("budget_id" in each for each in entries):
            self.touch("promotion_campaign_budget", "promotion_campaign_budget_usage")
