"""Whether rules of promotions match a cart, a line or a shipping method.

A rule names an attribute by its path (`customer.groups.id`, `items.product.categories.id`), an operator and one or more values. Along a
list the path leads to all its members, so an attribute has any number of values. Plugins add attributes (`core/rules.py`). It matches by

- `eq`, `in`: one of them is one of the rule's;
- `ne`: none of them is one of the rule's (a guest is in no group, so it matches for guests);
- `gt`, `gte`, `lt`, `lte`: there is one, and all of them compare so with all of the rule's, as numbers.

An attribute that begins with nothing that the cart has is one of a plugin that is gone, or of a hook that says nothing of this cart: its
rules match nobody, also by `ne`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.numbers import number_of
from ...core.rows import Given
from ...core.rules import NO_RULES, Rules, text_of
from .types import Rule

_COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def all_hold(rules: Iterable[Rule], cart: Given, further: Rules = NO_RULES) -> bool:
    """Whether all rules match a cart. True without rules. `further`: what rules may be about besides what the cart has."""
    return all(holds(rule, cart, further) for rule in rules)


def all_hold_for(rules: Iterable[Rule], kind: str, row: Given, cart: Given, further: Rules = NO_RULES) -> bool:
    """Whether all rules match one of the cart's `items` or `shipping_methods` (`kind`).

    Paths that begin with the kind begin at the row; other paths too, and if the row lacks them they are looked up in the cart.
    """
    scope = {**cart, **row, kind: row}
    return all(holds(rule, scope, further) for rule in rules)


def holds(rule: Rule, scope: Given, further: Rules = NO_RULES) -> bool:
    attribute = str(rule["attribute"])
    if (condition := further.conditions.get(attribute)) is not None:
        there = condition.values(scope)
    elif attribute.partition(".")[0] not in scope:
        return False
    else:
        there = [text_of(value) for value in values_at(scope, attribute)]
    wanted = [text_of(value["value"] if isinstance(value, Mapping) else value) for value in _several(rule["values"])]
    match rule["operator"]:
        case "eq" | "in":
            return not set(there).isdisjoint(wanted)
        case "ne":
            return set(there).isdisjoint(wanted)
        case name:
            return bool(there) and _compares(name, there, wanted)


def values_at(scope: Any, path: str) -> Iterator[Any]:
    """All values at a path; none if it leads nowhere."""
    name, _, rest = path.partition(".")
    below = scope.get(name) if isinstance(scope, Mapping) else None
    for each in below if isinstance(below, Sequence) and not isinstance(below, str) else (below,):
        if rest and each is not None:
            yield from values_at(each, rest)
        elif each is not None and not isinstance(each, Mapping):
            yield each


def _compares(name: str, there: Sequence[str], wanted: Sequence[str]) -> bool:
    compare = _COMPARE[name]
    try:
        return all(compare(number_of(one), number_of(other)) for one in there for other in wanted)
    except ValueError:
        return False


def _several(values: Any) -> Sequence[Any]:
    return (values,) if isinstance(values, str) else values
