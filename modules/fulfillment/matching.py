"""Does an address lie in a zone, and do an option's rules hold? Pure functions, no database.

Text is compared without regard to case. A province may be written `ca` or, as ISO 3166-2 has it, `us-ca`: both are the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from ...core.errors import InvalidData
from ...core.numbers import number_of
from ...core.rows import Given

OPERATORS = ("in", "eq", "ne", "gt", "gte", "lt", "lte", "nin")
LIST_OPERATORS = ("in", "nin")


# -- where


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something is to be sent, as far as it is known. All in lower case."""

    country: str
    province: str | None = None
    city: str | None = None
    postal_code: str | None = None

    @staticmethod
    def of(address: Given | None) -> Destination | None:
        """The destination that an address names; None where it names no country."""
        if not address or not address.get("country_code"):
            return None
        country = normal(address["country_code"]) or ""
        return Destination(
            country,
            normal_province(address.get("province_code") or address.get("province"), country),
            normal(address.get("city")),
            normal(address.get("postal_code") or address.get("postal_expression")),
        )


def normal(text: Any) -> str | None:
    """Text as it is compared; None for nothing."""
    return str(text).strip().lower() or None if text is not None else None


def normal_province(code: Any, country: str) -> str | None:
    """A province without its country in front."""
    province = normal(code)
    return province.removeprefix(f"{country}-") if province else None


def lies_in(zone: Given, destination: Destination) -> bool:
    """Whether a geo zone holds a destination.

    A zone of type country takes the whole country; province, city and zip each add one more thing that has to agree. A
    zone that doesn't name what its type asks for holds nothing.
    """
    country = normal(zone["country_code"]) or ""
    if country != destination.country:
        return False
    kind = zone["type"]
    if kind == "country":
        return True
    if not _agrees(normal_province(zone.get("province_code"), country), destination.province, needed=kind == "province"):
        return False
    if kind == "province":
        return True
    if not _agrees(normal(zone.get("city")), destination.city, needed=kind == "city"):
        return False
    return kind == "city" or postal_code_matches(zone.get("postal_expression"), destination.postal_code)


def _agrees(wanted: str | None, given: str | None, *, needed: bool) -> bool:
    return not needed if wanted is None else wanted == given


def postal_code_matches(expression: Given | None, postal_code: str | None) -> bool:
    """Whether a postal code is among those an expression describes.

    An expression has one or more of these keys, and all that it has must agree:

    - `value`: the code itself, or a list of codes;
    - `prefix`: what it begins with, or a list of such;
    - `pattern`: with `*` for any characters and `?` for one;
    - `from` and `to`: the range it lies in, both ends included; numbers are compared as numbers.

    An expression with none of them, or with a key that isn't known, matches nothing: better an option that isn't
    offered than a parcel that can't be delivered.
    """
    if not expression or postal_code is None:
        return False
    code = postal_code.lower()
    return all(key in _POSTAL and _POSTAL[key](wanted, code) for key, wanted in expression.items())


def _any_of(test: Callable[[str, str], bool]) -> Callable[[Any, str], bool]:
    return lambda wanted, code: any(test(text, code) for one in as_list(wanted) if (text := normal(one)))


_POSTAL: Mapping[str, Callable[[Any, str], bool]] = {
    "value": _any_of(lambda text, code: text == code),
    "prefix": _any_of(lambda text, code: code.startswith(text)),
    "pattern": _any_of(lambda text, code: fnmatchcase(code, text.replace("[", "[[]"))),
    "from": lambda wanted, code: compare(code, wanted) >= 0,
    "to": lambda wanted, code: compare(code, wanted) <= 0,
}


# -- rules


def rules_hold(rules: Iterable[Given], context: Given) -> bool:
    """Whether every rule of an option holds in a context. No rules: yes."""
    return all(rule_holds(rule, context) for rule in rules)


def rule_holds(rule: Given, context: Given) -> bool:
    """Whether one rule holds.

    `attribute` is a path into the context; what it leads to may be a value or several (the groups of a customer). Of
    several, one that agrees is enough for eq, in and the comparisons; none may agree for ne and nin. What isn't there
    equals nothing.
    """
    operator, wanted = rule["operator"], rule.get("value")
    values = list(_values_at(context, rule["attribute"].split(".")))
    if operator in ("eq", "in"):
        return _overlap(values, wanted)
    if operator in ("ne", "nin"):
        return not _overlap(values, wanted)
    test = _COMPARISONS[operator]
    return any(test(compare(value, one)) for value in values for one in as_list(wanted))


def check_rules(rules: Iterable[Given]) -> None:
    """Raises InvalidData for a rule that could never be evaluated."""
    for rule in rules:
        operator, value = rule.get("operator"), rule.get("value")
        if not rule.get("attribute"):
            raise InvalidData("A shipping option's rule needs an attribute")
        if operator not in OPERATORS:
            raise InvalidData(f"The operator {operator} of the rule on {rule['attribute']} is not one of {', '.join(OPERATORS)}")
        if operator in LIST_OPERATORS and not isinstance(value, (list, tuple)):
            raise InvalidData(f"The rule on {rule['attribute']} needs a list of values for the operator {operator}")
        if operator not in LIST_OPERATORS and isinstance(value, (list, tuple)):
            raise InvalidData(f"The rule on {rule['attribute']} takes one value for the operator {operator}")


_COMPARISONS: Mapping[str, Callable[[int], bool]] = {
    "gt": lambda order: order > 0,
    "gte": lambda order: order >= 0,
    "lt": lambda order: order < 0,
    "lte": lambda order: order <= 0,
}


def _values_at(value: Any, path: Sequence[str]) -> Iterable[Any]:
    """Everything that a path leads to, through lists and all their members."""
    if isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _values_at(one, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        dotted = ".".join(path)
        if dotted in value:  # contexts may name an attribute with its dots: {"customer.groups.id": …}
            yield from _values_at(value[dotted], ())
        elif path[0] in value:
            yield from _values_at(value[path[0]], path[1:])


def _overlap(values: Iterable[Any], wanted: Any) -> bool:
    accepted = {as_text(one) for one in as_list(wanted)}
    return any(as_text(value) in accepted for value in values)


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def as_text(value: Any) -> str:
    """How a value of JSON is compared with a rule's, which are text: true, 10, 10.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; as numbers where both are, else as text."""
    numbers = _number(left), _number(right)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    a, b = as_text(left).lower(), as_text(right).lower()
    return (a > b) - (a < b)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return number_of(str(value).strip())
    except ValueError:
        return None
