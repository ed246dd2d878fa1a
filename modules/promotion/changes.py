"""Creating and changing promotions and campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict

from sqlalchemy import Table

from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.plugins import rules_of
from ...core.rows import Given, Row, Rows
from ...core.rules import Benefit
from . import queries, tables
from .checks import check_budget, check_campaign, check_dates, check_promotion
from .usage import Usage

RuleKind = Literal["rules", "target_rules", "buy_rules"]
PIVOTS: Mapping[RuleKind, tuple[Table, str]] = {
    "rules": (tables.promotion_rules, "promotion"),
    "target_rules": (tables.target_rules, "promotion_application_method"),
    "buy_rules": (tables.buy_rules, "promotion_application_method"),
}
"""Kind of rule → the pivot that links rules to a promotion, and the table on its other side."""
WHOLE = ("*", "rules.id", "application_method.*", "application_method.target_rules.id", "application_method.buy_rules.id")
MOVED = ("*", "application_method.currency_code", "campaign.id")
_NESTED = ("rules", "application_method", "campaign")
_OF_METHOD = tables.application_method.c.keys()


class RulesChanged(TypedDict):
    created: list[str]
    updated: list[str]
    deleted: list[str]


class _New:
    """Rows of rules to insert."""

    def __init__(self) -> None:
        self.rules: Rows = []
        self.values: Rows = []
        self.pairs: dict[RuleKind, list[tuple[str, str]]] = {kind: [] for kind in PIVOTS}

    def add(self, kind: RuleKind, owner: str, rules: Iterable[Given]) -> None:
        for rule in rules:
            id = new_id("prorul")
            self.rules.append({"id": id, **{name: rule.get(name) for name in ("description", "attribute", "operator")}})
            self.values += value_rows(id, rule["values"])
            self.pairs[kind].append((owner, id))

    @property
    def parts(self) -> tuple[tuple[str, Rows], ...]:
        return (("promotion_rule", self.rules), ("promotion_rule_value", self.values))

    @property
    def link_rows(self) -> tuple[tuple[Table, Sequence[tuple[str, str]]], ...]:
        return tuple((PIVOTS[kind][0], pairs) for kind, pairs in self.pairs.items())


class Changes(Usage):
    """The part of the promotion module that writes."""

    # -- campaigns

    @writes
    async def create_campaigns(self, rows: Sequence[Given]) -> Rows:
        """Create campaigns with their `budget`. Returns them in the order given. Raises InvalidData for a budget that doesn't say what it
        counts."""
        campaigns: Rows = []
        budgets: Rows = []
        for row in rows:
            check_dates(row)
            campaigns.append({"id": new_id("procamp"), **{name: value for name, value in row.items() if name != "budget"}})
            if row.get("budget"):
                check_budget(row["budget"])
                budgets.append({**row["budget"], "campaign_id": campaigns[-1]["id"]})
        made, _ = await self._create_together((("promotion_campaign", campaigns), ("promotion_campaign_budget", budgets)))
        return list(made)

    @writes
    async def update_campaigns(self, rows: Sequence[Given]) -> Rows:
        """Change campaigns, each by its id, and the limits of their budgets. Returns the changed campaigns.

        Raises NotFound; InvalidData for an end before the start, for the budget of a campaign without one, and as `create_campaigns` does.
        """
        ids = [row["id"] for row in rows]
        there = {row["id"]: row for row in await self.list("promotion_campaign", {"id": ids}, fields=("*", "budget.*"))}
        changed: Rows = []
        for row in rows:
            columns = {name: value for name, value in row.items() if name != "budget"}
            check_dates({**there.get(row["id"], {}), **columns})
            changed.append(columns)
            budget = there.get(row["id"], {}).get("budget")
            if row.get("budget"):
                if budget is None:
                    raise InvalidData(f"Campaign with id: {row['id']} has no budget")
                check_budget({**budget, **row["budget"]})
                await self.update("promotion_campaign_budget", [{"id": budget["id"], **row["budget"]}])
        return await self.update("promotion_campaign", changed)

    @writes
    async def move_promotions(self, campaign_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> dict[str, list[str]]:
        """Put promotions into a campaign, take others out. Returns what changed, as `{"added", "removed"}`.

        Unknown promotions, and those of another campaign, are skipped. Raises NotFound for the campaign, and InvalidData for a
        promotion in another currency than the campaign's budget.
        """
        campaign = await self.retrieve("promotion_campaign", campaign_id, fields=("id", "budget.currency_code"))
        wanted = list(dict.fromkeys([*add, *remove]))
        await self.database.fetch(queries.HOLD_PROMOTIONS, {"ids": sorted(wanted)})
        there = {row["id"]: row for row in await self.list("promotion", {"id": wanted}, fields=MOVED)}
        add, remove = ([id for id in dict.fromkeys(ids) if id in there] for ids in (add, remove))
        for id in add:
            check_campaign(there[id]["application_method"] or {}, campaign["budget"])
        added = [id for id in add if there[id]["campaign"] is None]
        removed = [id for id in remove if there[id]["campaign_id"] == campaign_id and id not in add]
        await self.update("promotion", [{"id": id, "campaign_id": campaign_id} for id in added])
        await self.update("promotion", [{"id": id, "campaign_id": None} for id in removed])
        return {"added": added, "removed": removed}

    # -- promotions

    @property
    def _benefits(self) -> Mapping[str, Benefit]:
        return rules_of(self.context.settings).benefits

    @writes
    async def create_promotions(self, rows: Sequence[Given]) -> Rows:
        """Create promotions with their `application_method`, `rules`, `target_rules` and `buy_rules`. Returns them in the order given.

        A `campaign` is created along, a `campaign_id` must exist. Raises InvalidData for a promotion that contradicts itself and for a
        taken code, NotFound for the campaign.
        """
        promotions: Rows = []
        methods: Rows = []
        new = _New()
        for row in rows:
            method = row["application_method"]
            check_promotion(row, method, len(method.get("target_rules") or ()), len(method.get("buy_rules") or ()), self._benefits)
            promotion = {"id": new_id("promo"), **{name: value for name, value in row.items() if name not in _NESTED}}
            promotion |= await self._campaign_of(row)
            promotions.append(promotion)
            methods.append({"id": new_id("proappmet"), **_columns(method), "promotion_id": promotion["id"]})
            new.add("rules", promotion["id"], row.get("rules") or ())
            for kind in ("target_rules", "buy_rules"):
                new.add(kind, methods[-1]["id"], method.get(kind) or ())
        parts = (("promotion", promotions), ("promotion_application_method", methods), *new.parts)
        made, *_ = await self._create_together(parts, new.link_rows)
        return made

    @writes
    async def update_promotions(self, rows: Sequence[Given]) -> None:
        """Change promotions, each by its id, and the named fields of their application methods.

        Raises NotFound, and what `create_promotions` raises.
        """
        ids = [row["id"] for row in rows]
        await self.database.fetch(queries.HOLD_PROMOTIONS, {"ids": sorted(ids)})
        there = {row["id"]: row for row in await self.list("promotion", {"id": ids}, fields=WHOLE)}
        changed: Rows = []
        methods: Rows = []
        for row in rows:
            columns = {name: value for name, value in row.items() if name not in _NESTED}
            old = there.get(row["id"])
            if old is not None:
                given = _columns(row.get("application_method") or {})
                method = {**old["application_method"], **given}
                if given or "type" in columns:  # what else there is may be changed where a plugin that the method needs is gone
                    check_promotion({**old, **columns}, method, len(method["target_rules"]), len(method["buy_rules"]), self._benefits)
                if "campaign_id" in columns:
                    await self._campaign_of({**columns, "application_method": method})
                methods.append({**given, "id": method["id"]})
            changed.append(columns)
        await self.update("promotion", changed)
        await self.update("promotion_application_method", [row for row in methods if len(row) > 1])

    @writes
    async def change_rules(
        self, promotion_id: str, kind: RuleKind, create: Sequence[Given] = (), update: Sequence[Given] = (), delete: Sequence[str] = ()
    ) -> RulesChanged:
        """Add rules of one kind to a promotion, change others, remove some: all of it, or nothing.

        Rules to remove that it doesn't have are skipped. Raises NotFound for the promotion; InvalidData for a change of a rule
        that it doesn't have, and where it would be left without a rule that it needs.
        """
        await self.database.fetch(queries.HOLD_PROMOTIONS, {"ids": [promotion_id]})
        promotion = await self.retrieve("promotion", promotion_id, fields=WHOLE)
        method = promotion["application_method"]
        mine = {rule["id"] for rule in (promotion if kind == "rules" else method)[kind]}
        if foreign := [row["id"] for row in update if row["id"] not in mine]:
            raise InvalidData(f"Promotion with id: {promotion_id} has no rule with id: {', '.join(foreign)}")
        gone = sorted(mine.intersection(delete))
        if kind != "rules":
            left = len(mine) + len(create) - len(gone)
            counts = {name: left if name == kind else len(method[name]) for name in ("target_rules", "buy_rules")}
            check_promotion(promotion, method, counts["target_rules"], counts["buy_rules"], self._benefits)
        new = _New()
        new.add(kind, promotion_id if kind == "rules" else method["id"], create)
        async with self.keeping(queries.RULES_OF_PROMOTIONS, [promotion_id]):
            await self._create_together(new.parts, new.link_rows)
            await self.update("promotion_rule", [{name: value for name, value in row.items() if name != "values"} for row in update])
            await self.database.execute(queries.DROP_VALUES, {"ids": [row["id"] for row in update]})
            await self.create("promotion_rule_value", [value for row in update for value in value_rows(row["id"], row["values"])])
            await self.database.execute(queries.DROP_RULES, {"ids": gone})
        self._touch_rules(promotion_id)
        return {
            "created": [rule["id"] for rule in new.rules],
            "updated": [row["id"] for row in update],
            "deleted": list(dict.fromkeys(delete)),
        }

    # -- inside

    async def _campaign_of(self, row: Given) -> Row:
        """The column that puts a promotion into the campaign it names or brings along."""
        method = row["application_method"]
        if row.get("campaign"):
            if row.get("campaign_id"):
                raise InvalidData("Provide either the 'campaign' or 'campaign_id' parameter; both cannot be used simultaneously.")
            check_campaign(method, row["campaign"].get("budget"))
            [campaign] = await self.create_campaigns([row["campaign"]])
            return {"campaign_id": campaign["id"]}
        if row.get("campaign_id"):
            campaign = await self.retrieve("promotion_campaign", row["campaign_id"], fields=("id", "budget.currency_code"))
            check_campaign(method, campaign["budget"])
        return {}

    def _touch_rules(self, *promotion_ids: str) -> None:
        self.touch("promotion_rule", "promotion_rule_value", "promotion_application_method")
        self.touch_rows("promotion", promotion_ids)


def value_rows(rule_id: str, values: str | Sequence[str]) -> Rows:
    several = [values] if isinstance(values, str) else values
    return [{"promotion_rule_id": rule_id, "value": value} for value in several]


def _columns(method: Given) -> Row:
    return {name: value for name, value in method.items() if name in _OF_METHOD}
