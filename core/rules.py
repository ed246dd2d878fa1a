"""Rules of a plugin's own: conditions that promotions, prices and tax rates can have, and benefits that promotions can give.

    class Tier(Condition):
        attribute, label, about = "reviews.tier", "Tier", ("carts", "prices")
        choices = {"gold": "Gold", "silver": "Silver"}

        def of(self, scope):
            return [((scope.get("customer") or {}).get("metadata") or {}).get("tier")]

    plugin = Plugin(__name__, Options, rules=[Tier(), ThirdIsFree()])

Both are functions of what they are given, and of nothing else: what they answer is remembered, and asked again when a price is computed
again. What is to be known besides is added to the context by the hooks `setPricingContext`, `setPromotionContext` and `setTaxLineContext`.

Where a plugin is gone, rules with its conditions hold for nobody, and its benefits take nothing off. What names them stays, and can be
switched off.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from .errors import UnexpectedState
from .rows import Given

About = Literal["carts", "items", "shipping_methods", "prices", "taxes"]
"""Where rules with a condition can stand: in a promotion about carts, in its rules about lines and shipping methods, in prices, in tax
rates."""
MOST_VALUES = 100
"""Values of one condition."""


class Condition(ABC):
    """An attribute that rules can name, and where its values come from."""

    attribute: ClassVar[str]
    """Its name in rules. It begins with the plugin's name, so that it is nobody else's: `reviews.tier`."""
    label: ClassVar[str]
    about: ClassVar[tuple[About, ...]]
    operators: ClassVar[tuple[str, ...]] = ("in", "eq", "ne")
    """Those to choose from, also of `gt`, `gte`, `lt`, `lte`, which compare numbers."""
    choices: ClassVar[Mapping[str, str] | tuple[str, str, str]] = MappingProxyType({})
    """Value → label, or the source of values: an entity, and its columns of the value and of the label."""
    particular: ClassVar[bool] = False
    """Whether a tax rate with it goes before one for a type of products, as one for a product does."""

    @abstractmethod
    def of(self, scope: Given) -> Iterable[object]:
        """The values here; None counts for none. `scope`: the cart as rules see it, with the line's columns over it where the rule is about
        lines; the context of a price; a line to be taxed, with the context of taxes under it. Mustn't change it."""

    def values(self, scope: Given) -> list[str]:
        """The values as rules write them. Raises UnexpectedState for more than `MOST_VALUES`."""
        found = list(islice((text_of(value) for value in self.of(scope) if value is not None), MOST_VALUES + 1))
        if len(found) > MOST_VALUES:
            raise UnexpectedState(f"The condition {self.attribute} has more than {MOST_VALUES} values.")
        return found


@dataclass(frozen=True, slots=True)
class Discountable:
    """A line, or a shipping method, of which a benefit may take something off."""

    id: str
    quantity: int
    left: Decimal
    """What other discounts have left of its price, with taxes where the buyer sees it with taxes."""
    row: Given
    """Its columns: `product_id`, `unit_price`, `product`, …"""


class Benefit(ABC):
    """What a promotion takes off: the `type` of its application method."""

    type: ClassVar[str]
    """It begins with the plugin's name, so that it is nobody else's: `reviews.third_free`."""
    label: ClassVar[str]

    @abstractmethod
    def check(self, method: Given) -> None:
        """Raises InvalidData for an application method that can't be meant: `value`, `max_quantity`, `currency_code`, …"""

    @abstractmethod
    def off(self, method: Given, lines: Sequence[Discountable], cart: Given) -> Mapping[str, Decimal]:
        """Line → what to take off it, in the currency of the cart. `lines`: those that the promotion's target rules hold for, by id.

        It is rounded to what the currency has; more than is left of a line isn't taken, nor more than a budget allows. The order of the
        lines in the cart mustn't matter.
        """


Rule = Condition | Benefit


@dataclass(frozen=True)
class Rules:
    """The rules that a shop's plugins bring."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    """By attribute."""
    benefits: Mapping[str, Benefit] = field(default_factory=dict)
    """By type."""

    def about(self, about: About) -> Sequence[Condition]:
        return [condition for condition in self.conditions.values() if about in condition.about] if self.conditions else ()


NO_RULES = Rules()


def text_of(value: Any) -> str:
    """A value as values of rules are written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
