"""Rules: what promotions, prices and taxes can be about besides what Velella knows, and what a promotion can give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from velella.core.errors import InvalidData
from velella.core.rows import Given
from velella.core.rules import Benefit, Condition, Discountable


class ByTheDozen(Condition):
    """For rules about lines of a cart, beside the product, its category, …"""

    attribute = "thing.by_the_dozen"
    label = "Bought by the dozen"
    about = ("items",)
    choices = {"true": "Yes", "false": "No"}

    def of(self, scope: Given) -> Iterable[object]:
        return [scope["quantity"] % 12 == 0]


class ThirdFree(Benefit):
    """Of three of a kind one is free: the `type` of a promotion's application method, beside `fixed` and `percentage`."""

    type = "thing.third_free"
    label = "Every third is free"

    def check(self, method: Given) -> None:
        if method["target_type"] != "items":
            raise InvalidData("Every third is free: of items.")

    def off(self, method: Given, lines: Sequence[Discountable], cart: Given) -> Mapping[str, Decimal]:
        return {line.id: line.left * (line.quantity // 3) / line.quantity for line in lines}
