"""What promotions, prices and tax rates of a shop with reviews can be about, and what its promotions can give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from velella.core.errors import InvalidData
from velella.core.rows import Given
from velella.core.rules import Benefit, Condition, Discountable


class EmailDomain(Condition):
    """The customers of one company."""

    attribute = "reviews.email_domain"
    label = "Domain of the email address"
    about = ("carts", "prices", "taxes")

    def of(self, scope: Given) -> Iterable[object]:
        email = (scope.get("customer") or {}).get("email") or scope.get("email") or ""
        return [email.rpartition("@")[2].lower()] if "@" in email else []


class ByTheDozen(Condition):
    attribute = "reviews.by_the_dozen"
    label = "Bought by the dozen"
    about = ("items",)
    choices = {"true": "Yes", "false": "No"}

    def of(self, scope: Given) -> Iterable[object]:
        return [scope["quantity"] % 12 == 0]


class ThirdFree(Benefit):
    """Of three of a kind one is free."""

    type = "reviews.third_free"
    label = "Every third is free"

    def check(self, method: Given) -> None:
        if method["target_type"] != "items":
            raise InvalidData("Every third is free: of items.")

    def off(self, method: Given, lines: Sequence[Discountable], cart: Given) -> Mapping[str, Decimal]:
        return {line.id: line.left * (line.quantity // 3) / line.quantity for line in lines}
