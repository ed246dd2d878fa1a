"""The discounts of promotions on a cart: a function of rows, without any I/O.

The order: buy-x-get-y promotions, then automatic ones, then those whose code was entered; of one kind the older
ones (by id) first. Each sees what the previous ones have left of a price, percentages included, and none takes more than that. Neither the
order of codes nor that of lines changes anything.

A fixed amount is defined, and stored, without taxes, or with them if the promotion says so (`is_tax_inclusive`), whatever
the price itself says. So is what a budget leaves. A percentage is the same with and without taxes: it is computed and rounded in the form
that the buyer sees, that of the price, so that 10 % off 6.30 is 0.63; stored in the other form it has more digits than the
currency, so that it is 0.63 again with the taxes. Amounts are rounded to the currency's decimals, halves away from zero. Only a discount
that takes all that is left of a price takes it to the last digit.

- `each`: a fixed value off every unit, or a percentage, of up to `max_quantity` units of every line.
- `across`, and all that targets the order: one amount (a percentage: of all lines together) split in proportion to what is left of the
  lines. Where its units don't divide evenly, see `sharing.split`.
- `once`: off up to `max_quantity` units of all lines together (default 1), the cheapest first.
- buy-x-get-y: `buy_rules_min_quantity` units that match `buy_rules` give `apply_to_quantity` units that match `target_rules`, again
  and again while there are enough, up to `max_quantity` units in all. A unit is bought or given, never both, and counts for one such
  promotion. The cheapest are given.

- a plugin's benefit (`core/rules.py`): what it says, of the price that the buyer sees.

Lines that aren't discountable are left alone. Other discounts (adjustments without a promotion) come before everything.
A campaign's budget limits what its promotions take together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ...core.errors import UnexpectedState
from ...core.numbers import total
from ...core.rows import Given
from ...core.rules import NO_RULES, Benefit, Discountable, Rules
from .matching import all_hold, all_hold_for
from .prorate import (
    Kind,
    Share,
    Target,
    less,
    percent,
    split,
    times,
    whole,
    within,
)
from .types import ApplicationMethod, Budget, Campaign, Promotion

Reason = Literal["promotion_limit_exceeded", "campaign_budget_exceeded", "not_applicable"]
Taken = list[tuple[Target, Decimal]]

COUNTED_BY = ("customer_id", "customer_email", "region_id", "sales_channel_id", "currency_code")
"""Attributes of carts that budgets can count by. Promotions of a campaign that counts by any other attribute never apply."""

_MANY = 2**53
_UNLIMITED = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class ComputedAdjustment:
    """A discount on one of the cart's `items` or `shipping_methods`."""

    kind: Kind
    id: str
    amount: Decimal
    promotion_id: str
    code: str | None
    is_tax_inclusive: bool


@dataclass(frozen=True, slots=True)
class Computed:
    adjustments: tuple[ComputedAdjustment, ...]
    """Grouped by promotion, in the order in which promotions apply."""
    skipped: Mapping[str, Reason]
    """Codes without a discount, and the reasons."""


def compute(promotions: Iterable[Promotion], cart: Given, now: datetime, *, counted: bool = False, rules: Rules = NO_RULES) -> Computed:
    """The discounts of these promotions on a cart at this time.

    `cart` has all attributes of rules; of its `items` and `shipping_methods` each has `id`, `subtotal` and `original_total`
    (before discounts, without and with taxes), `tax_rate` (in percent), `adjustments` that stay, items also `quantity` and
    `is_discountable`. `counted`: the promotions were granted and counted for it already, so whether they are still offered, and what their
    limits leave, doesn't matter. `rules`: what plugins add.
    """
    targets = [*_targets("items", cart.get("items") or ()), *_targets("shipping_methods", cart.get("shipping_methods") or ())]
    budgets = _Budgets(cart)
    made: list[ComputedAdjustment] = []
    skipped: dict[str, Reason] = {}
    for promotion in sorted(promotions, key=_place):
        most = _UNLIMITED if counted else budgets.most(promotion)
        taken: Taken = []
        inclusive = bool(promotion["is_tax_inclusive"])
        if most is not None and (counted or _offered(promotion, now)) and (method := _applying(promotion, cart, rules)) is not None:
            kept = (
                (target, target.measured(amount, measure, inclusive and target.says_taxes))
                for target, amount, measure in _take(promotion, method, targets, cart, rules)
            )
            taken = _limited([(target, amount) for target, amount in kept if amount > 0], most, cart)
        if not taken:
            skipped[str(promotion["code"])] = budgets.reason(promotion) if most is None else "not_applicable"
            continue
        for target, amount in taken:
            with_tax = inclusive and target.says_taxes
            target.take(amount, with_tax)
            made.append(ComputedAdjustment(target.kind, target.id, amount, promotion["id"], promotion["code"], with_tax))
        budgets.spend(promotion, total(amount for _, amount in taken))
    return Computed(tuple(made), skipped)


def attribute_of(cart: Given, attribute: str) -> str | None:
    """The value under which a budget by attribute (one of `COUNTED_BY`) counts a cart. None: the cart has none."""
    value = cart.get(attribute) if attribute in COUNTED_BY else None
    return str(value) if value is not None else None


def _place(promotion: Promotion) -> tuple[bool, bool, str]:
    return promotion["type"] != "buyget", not promotion["is_automatic"], str(promotion["id"])


def _targets(kind: Kind, rows: Iterable[Given]) -> list[Target]:
    targets = []
    for row in sorted(rows, key=lambda row: str(row["id"])):
        rate = percent(Decimal(row["tax_rate"]), _ONE)
        targets.append(Target(kind, row["id"], row, int(row.get("quantity", 1)), row["subtotal"], row["original_total"], rate))
        for adjustment in row.get("adjustments") or ():
            targets[-1].take(adjustment["amount"], bool(adjustment.get("is_tax_inclusive")))
    return targets


_ONE = Decimal(1)


# -- whether a promotion applies


def _offered(promotion: Promotion, now: datetime) -> bool:
    return promotion["status"] == "active" and _running(promotion.get("campaign"), now)


def _applying(promotion: Promotion, cart: Given, rules: Rules) -> ApplicationMethod | None:
    """What a promotion takes off, if it applies to the cart."""
    method = promotion.get("application_method")
    if method is None or _other_currency(method.get("currency_code"), cart):
        return None
    return method if all_hold(promotion.get("rules") or (), cart, rules) else None


def _running(campaign: Campaign | None, now: datetime) -> bool:
    if campaign is None:
        return True
    begins, ends = _time(campaign.get("starts_at")), _time(campaign.get("ends_at"))
    return (begins is None or begins <= now) and (ends is None or now <= ends)


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _other_currency(code: str | None, cart: Given) -> bool:
    return code is not None and code.lower() != str(cart["currency_code"]).lower()


def _is_used_up(promotion: Promotion) -> bool:
    limit = promotion.get("limit")
    return limit is not None and promotion.get("used", 0) >= limit


class _Budgets:
    """What campaigns and limits leave, while the promotions of one cart are computed."""

    def __init__(self, cart: Given) -> None:
        self._cart = cart
        self._used: dict[str, Decimal] = {}

    def most(self, promotion: Promotion) -> Decimal | None:
        """The most that a promotion may take off; infinite without a limit, None if it may not be used any more."""
        if _is_used_up(promotion):
            return None
        budget = (promotion.get("campaign") or {}).get("budget")
        limit = budget.get("limit") if budget is not None else None
        if budget is None or limit is None:
            return _UNLIMITED
        used = self._used_of(budget)
        if used is None or used >= limit:
            return None
        if not budget["type"].startswith("spend"):
            return _UNLIMITED
        return None if _other_currency(budget.get("currency_code"), self._cart) else less(Decimal(limit), used)

    def reason(self, promotion: Promotion) -> Reason:
        return "promotion_limit_exceeded" if _is_used_up(promotion) else "campaign_budget_exceeded"

    def spend(self, promotion: Promotion, amount: Decimal) -> None:
        budget = (promotion.get("campaign") or {}).get("budget")
        if budget is not None:
            more = amount if budget["type"].startswith("spend") else _ONE
            self._used[budget["id"]] = total((self._used.get(budget["id"], Decimal(0)), more))

    def _used_of(self, budget: Budget) -> Decimal | None:
        """What was used before this cart and by it; None where the budget counts by an attribute that the cart lacks."""
        here = self._used.get(budget["id"], Decimal(0))
        if not budget["type"].endswith("by_attribute"):
            return total((Decimal(budget.get("used") or 0), here))
        value = attribute_of(self._cart, budget.get("attribute") or "")
        if value is None:
            return None
        return total((*(Decimal(usage["used"]) for usage in budget.get("usages") or () if usage["attribute_value"] == value), here))


# -- how much


def _take(
    promotion: Promotion, method: ApplicationMethod, targets: Sequence[Target], cart: Given, rules: Rules
) -> list[tuple[Target, Decimal, bool]]:
    """The discounts of a promotion that applies, as if it had no budget, each with whether it includes taxes."""
    currency = str(cart["currency_code"])
    kind: Kind = "shipping_methods" if method["target_type"] == "shipping_methods" else "items"
    aimed = [
        target
        for target in targets
        if target.kind == kind
        and (kind == "shipping_methods" or target.row.get("is_discountable", True))
        and all_hold_for(method.get("target_rules") or (), kind, target.row, cart, rules)
    ]
    if method["type"] not in ("percentage", "fixed"):
        benefit = rules.benefits.get(method["type"])  # None: its plugin isn't installed any more
        return _beneficial(benefit, method, aimed, cart) if benefit is not None else []
    percentage, inclusive = method["type"] == "percentage", bool(promotion["is_tax_inclusive"])
    measures = {target: target.sees_taxes if percentage else inclusive for target in aimed}
    if promotion["type"] == "buyget":
        units = _given(method, [target for target in targets if target.kind == "items"], aimed, cart, rules)
    elif method["target_type"] == "order" or method.get("allocation") == "across":
        return [(target, amount, measures[target]) for target, amount in _across(method, measures, currency)]
    elif method.get("allocation") == "once":
        units = _cheapest(aimed, method.get("max_quantity") or 1)
    else:
        most = method.get("max_quantity") or _MANY
        units = [(target, min(target.quantity, most)) for target in aimed]
    return [(target, _off_units(method, target, count, measures[target], currency), measures[target]) for target, count in units if count]


def _beneficial(benefit: Benefit, method: ApplicationMethod, aimed: Sequence[Target], cart: Given) -> list[tuple[Target, Decimal, bool]]:
    """The discounts of a plugin's benefit. Raises UnexpectedState for what is no amount, or of a line that it wasn't asked about."""
    currency = str(cart["currency_code"])
    by_id = {target.id: target for target in aimed}
    lines = [Discountable(target.id, target.quantity, target.left(target.sees_taxes), target.row) for target in aimed]
    taken = []
    for id, amount in sorted(benefit.off(method, lines, cart).items()):
        if id not in by_id or not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0:
            raise UnexpectedState(f"The benefit {benefit.type} takes {amount!r} off {id}.")
        target = by_id[id]
        taken.append((target, within(amount, target.left(target.sees_taxes), currency), target.sees_taxes))
    return taken


def _off_units(method: ApplicationMethod, target: Target, count: int, inclusive: bool, currency: str) -> Decimal:
    """The discount on this many units of a line; a unit's price never falls below zero."""
    value = Decimal(method["value"] or 0)
    if method["type"] == "percentage":
        wanted = target.percent_of(count, min(value, Decimal(100)), inclusive)
    else:
        wanted = min(times(value, count), target.left_of(count, inclusive))
    return within(wanted, target.left(inclusive), currency)


def _across(method: ApplicationMethod, measures: Mapping[Target, bool], currency: str) -> Taken:
    """The discount on all lines together, for each line with or without taxes as `measures` says."""
    shares = [Share(target, left) for target, inclusive in measures.items() if (left := target.left(inclusive)) > 0]
    everything, value = total(share.most for share in shares), Decimal(method["value"] or 0)
    wanted = percent(everything, value) if method["type"] == "percentage" else value
    return split(within(wanted, everything, currency), shares, currency)


def _cheapest(targets: Iterable[Target], most: int) -> list[tuple[Target, int]]:
    """This many units, the cheapest first."""
    units: list[tuple[Target, int]] = []
    for target in sorted(targets, key=lambda target: (target.price(), target.id)):
        count = min(target.quantity, most)
        units.append((target, count))
        most -= count
    return units


def _limited(taken: Taken, most: Decimal, cart: Given) -> Taken:
    """The discounts, or what a budget leaves of them, split in proportion."""
    if total(amount for _, amount in taken) <= most:
        return taken
    currency = str(cart["currency_code"])
    return [(target, amount) for target, amount in split(whole(most, currency), [Share(*each) for each in taken], currency) if amount > 0]


# -- buy x, get y


def _given(
    method: ApplicationMethod, items: Sequence[Target], aimed: Sequence[Target], cart: Given, rules: Rules
) -> list[tuple[Target, int]]:
    """The units that are given because others are bought. Both are marked as spent."""
    buys, gets = int(method.get("buy_rules_min_quantity") or 1), int(method.get("apply_to_quantity") or 1)
    bought = [target for target in items if all_hold_for(method.get("buy_rules") or (), "items", target.row, cart, rules)]
    either = {target.id: target for target in (*bought, *aimed)}
    # as often as there are enough to buy, enough to give, and enough of both together: then both can be found in any order
    often = min(
        _units(bought) // buys,
        _units(aimed) // gets,
        _units(either.values()) // (buys + gets),
        int(method.get("max_quantity") or _MANY) // gets,
    )
    if often <= 0:
        return []
    spare = _units(bought) - often * buys  # so many of the units that could be bought can be given
    buyable, wanted = {target.id for target in bought}, often * gets
    given: list[tuple[Target, int]] = []
    for target in sorted(aimed, key=lambda target: (target.price(), target.id)):
        count = min(target.quantity - target.spent, wanted, spare if target.id in buyable else _MANY)
        given.append((target, count))
        wanted -= count
        spare -= count if target.id in buyable else 0
    _spend(given, bought, {target.id for target in aimed}, often * buys)
    return given


def _spend(given: Iterable[tuple[Target, int]], bought: Iterable[Target], aimed: set[str], buys: int) -> None:
    """Mark units as given and bought: the bought ones are those that can't be given, then the most expensive."""
    for target, count in given:
        target.spent += count
    for target in sorted(bought, key=lambda target: (target.id in aimed, -target.price(), target.id)):
        count = min(target.quantity - target.spent, buys)
        target.spent += count
        buys -= count


def _units(targets: Iterable[Target]) -> int:
    return sum(target.quantity - target.spent for target in targets)
