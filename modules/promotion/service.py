"""The service of the promotion module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...core.ids import new_id
from ...core.messages import writes
from ...core.module import Row, Rows
from . import tables
from .tables import SCHEMA
from .usage import Usage

Given = Mapping[str, Any]
_RULES = ("rules", "target_rules", "buy_rules")


class PromotionService(Usage):
    """Promotions: what makes a cart cheaper, for whom, and how often."""

    name: ClassVar[str] = "promotion"
    schema = SCHEMA

    @writes
    async def create_campaigns(self, rows: Sequence[Given]) -> Rows:
        """Campaigns with their `budget`, in the order given."""
        campaigns = [{"id": new_id("procamp"), **{name: value for name, value in row.items() if name != "budget"}} for row in rows]
        budgets = [
            {**row["budget"], "campaign_id": campaign["id"]} for campaign, row in zip(campaigns, rows, strict=True) if row.get("budget")
        ]
        made, _ = await self._create_together((("promotion_campaign", campaigns), ("promotion_campaign_budget", budgets)))
        return list(made)

    @writes
    async def create_promotions(self, rows: Sequence[Given]) -> Rows:
        """Promotions with their `application_method`, `rules`, `target_rules` and `buy_rules`, in the order given."""
        promotions, methods, rules, values = [], [], [], []
        pairs: dict[str, list[tuple[str, str]]] = {name: [] for name in _RULES}
        for row in rows:
            given = {"id": new_id("promo"), **{name: value for name, value in row.items() if name not in (*_RULES, "application_method")}}
            method = {"id": new_id("proappmet"), **row["application_method"], "promotion_id": given["id"]}
            for name in _RULES:
                for rule in (row if name == "rules" else row["application_method"]).get(name) or ():
                    id = new_id("prorul")
                    rules.append({"id": id, "attribute": rule["attribute"], "operator": rule["operator"]})
                    named = rule["values"]
                    values += [{"promotion_rule_id": id, "value": each} for each in ([named] if isinstance(named, str) else named)]
                    pairs[name].append((given["id"] if name == "rules" else method["id"], id))
            promotions.append(given)
            methods.append({name: value for name, value in method.items() if name not in _RULES})
        made: Sequence[list[Row]] = await self._create_together(
            (
                ("promotion", promotions),
                ("promotion_application_method", methods),
                ("promotion_rule", rules),
                ("promotion_rule_value", values),
            ),
            (
                (tables.promotion_rules, pairs["rules"]),
                (tables.target_rules, pairs["target_rules"]),
                (tables.buy_rules, pairs["buy_rules"]),
            ),
        )
        return made[0]
