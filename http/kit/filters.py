"""What the query string of a route may hold.

    TAX_RATES = Filters(
        q=TEXT, tax_region_id=OPERATORS, is_default=BOOLEAN, created_at=OPERATORS, logical=True,
        kind=choice("a", "b"), variants=Filters(sku=MANY), tag_id=meaning(MANY, "tags.id"),
    )

`fields` is always accepted; `offset`, `limit`, `order` and `with_deleted` on routes that answer with a list. All other
parameters are filters in the form that the graph takes. Unknown keys are refused at the top level (unless `strict=False`)
and dropped below it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.numbers import number_of
from .bodies import json_type
from .issues import Issue, invalid_choice, invalid_type, missing, unrecognized

Value = Any
Check = Callable[[Value, tuple[str, ...], list[Issue]], Value]

OPERATOR_NAMES = frozenset(("$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$like", "$ilike", "$re", "$contains"))


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """One kind of parameter: how it is checked and converted. `schema` is its JSON schema."""

    check: Check
    schema: Mapping[str, Any]
    required: bool = False
    ignored: bool = False
    """Checked, but not passed on."""
    meaning: Callable[[Value], Mapping[str, Value]] | None = None
    """The filters that it stands for, where that isn't the column of its name."""
    aside: bool = False
    """It is no filter: what was said is found in `request.additional_query`."""


def required(kind: ParameterKind) -> ParameterKind:
    """The same kind, but a request without it is refused."""
    return replace(kind, required=True)


def ignored(kind: ParameterKind) -> ParameterKind:
    """The same kind, but without an effect: for routes that answer with one thing and accept the parameters of its list."""
    return replace(kind, ignored=True)


def meaning(kind: ParameterKind, of: str | Callable[[Value], Mapping[str, Value]]) -> ParameterKind:
    """The same kind, but it filters by something other than the column of its name: by a path (`tags.id`), or by the filters that a
    function makes of its value."""
    if not isinstance(of, str):
        return replace(kind, meaning=of)
    steps = of.split(".")

    def condition(value: Value) -> Mapping[str, Value]:
        for step in reversed(steps[1:]):
            value = {step: value}
        return {steps[0]: value}

    return replace(kind, meaning=condition)


def _text(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    if not isinstance(value, str):
        issues.append(invalid_type("string", path, json_type(value)))
    return value


def _texts(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    if isinstance(value, list):
        for at, one in enumerate(value):
            _text(one, (*path, str(at)), issues)
    elif not isinstance(value, str):
        issues.append(invalid_type("string, array", path, json_type(value)))
    return value


def _text_list(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    if isinstance(value, str):
        issues.append(invalid_type("array", path, "string"))
        return value
    return _texts(value, path, issues)


def _operators(scalar: Check) -> Check:
    def check(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
        if isinstance(value, list):
            return [scalar(one, (*path, str(at)), issues) for at, one in enumerate(value)]
        if not isinstance(value, dict):
            return scalar(value, path, issues)
        unknown = [name for name in value if name not in OPERATOR_NAMES]
        if unknown:
            issues.append(unrecognized(unknown))
        return {
            name: check(one, (*path, name), issues) if isinstance(one, list) else scalar(one, (*path, name), issues)
            for name, one in value.items()
            if name in OPERATOR_NAMES
        }

    return check


def _boolean(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, str):
        issues.append(invalid_type("boolean", path, json_type(value)))
    else:
        issues.append(invalid_type("boolean", path, "string"))
    return value


def _number(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    try:
        number = number_of(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    if number is None or abs(number) > 10**21:
        issues.append(invalid_type("number", path, "nan" if isinstance(value, str) else json_type(value)))
        return value
    return int(number) if number == number.to_integral_value() else number


def _number_list(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    several = value if isinstance(value, list) else [value]
    return [_number(each, (*path, str(at)), issues) for at, each in enumerate(several)]


def _anything(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
    return value


TEXT = ParameterKind(_text, {"type": "string"})
MANY = ParameterKind(_texts, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
"""One value or many."""
TEXT_LIST = ParameterKind(_text_list, {"type": "array", "items": {"type": "string"}})
OPERATORS = ParameterKind(
    _operators(_text), {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "object"}]}
)
"""A value, many, or {$gt: …}."""
NUMBERS = ParameterKind(
    _operators(_number), {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}, {"type": "object"}]}
)
NUMBER = ParameterKind(_number, {"type": "number"})
NUMBER_LIST = ParameterKind(_number_list, {"type": "array", "items": {"type": "number"}})
"""Numbers; a single one is a list of one."""
BOOLEAN = ParameterKind(_boolean, {"type": "boolean"})
ANYTHING = ParameterKind(_anything, {})


def choice(*options: str) -> ParameterKind:
    """One of these words."""

    def check(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
        if value not in options if isinstance(value, str) else True:
            issues.append(invalid_choice(options, path, value))
        return value

    return ParameterKind(check, {"type": "string", "enum": list(options)})


def choices(*options: str) -> ParameterKind:
    """A list of these words; a single one is a list of one."""
    one = choice(*options)

    def check(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
        several = value if isinstance(value, list) else [value]
        return [one.check(word, (*path, str(at)), issues) for at, word in enumerate(several)]

    return ParameterKind(check, {"type": "array", "items": one.schema})


class Filters:
    """The parameters of a route, by name. See the module's docstring."""

    def __init__(
        self,
        common: Mapping[str, ParameterKind | Filters] | None = None,
        /,
        *,
        strict: bool = True,
        logical: bool = False,
        **kinds: ParameterKind | Filters,
    ) -> None:
        """`common`: parameters that several routes share: `Filters(TIMES, q=TEXT)`."""
        self.kinds: dict[str, ParameterKind | Filters] = {**(common or {}), **kinds}
        self.strict = strict
        """Unknown keys at the top level are refused; else dropped."""
        self.logical = logical
        """Accepts `$and` and `$or`: lists of the same filters."""

    def plus(
        self, more: Mapping[str, ParameterKind] | None = None, /, *, strict: bool | None = None, **kinds: ParameterKind | Filters
    ) -> Filters:
        """The same with more parameters."""
        return Filters({**self.kinds, **(more or {})}, strict=self.strict if strict is None else strict, logical=self.logical, **kinds)

    def ignoring(self) -> Filters:
        """The same parameters, and those of paging, but without an effect."""
        kinds = {name: ignored(kind) if isinstance(kind, ParameterKind) else kind for name, kind in self.kinds.items()}
        return Filters({**PAGING, **kinds}, strict=self.strict, logical=self.logical)

    def check(
        self,
        query: Mapping[str, Value],
        path: tuple[str, ...] = (),
        issues: list[Issue] | None = None,
        aside: dict[str, Value] | None = None,
    ) -> dict[str, Value]:
        """Check the filters of a parsed query string and convert them. Problems are added to `issues`, what is no filter to `aside`."""
        problems: list[Issue] = [] if issues is None else issues
        made: dict[str, Value] = {}
        unknown: list[str] = []
        meant: list[Value] = []
        for name, kind in self.kinds.items():
            if isinstance(kind, ParameterKind) and kind.required and name not in query:
                problems.append(missing((*path, name)))
        for name, value in query.items():
            if self.logical and name in ("$and", "$or"):
                made[name] = self._each(value, (*path, name), problems)
                continue
            kind_of = self.kinds.get(name)
            if kind_of is None:
                unknown.append(name)
            elif isinstance(kind_of, ParameterKind) or isinstance(value, dict):
                before = len(problems)
                understood = kind_of.check(value, (*path, name), problems)
                if isinstance(kind_of, ParameterKind) and kind_of.aside:
                    if aside is not None:
                        aside[name] = understood
                elif not isinstance(kind_of, ParameterKind) or (kind_of.meaning is None and not kind_of.ignored):
                    made[name] = understood
                elif not kind_of.ignored and kind_of.meaning is not None and len(problems) == before:
                    meant.append(kind_of.meaning(understood))
            else:
                problems.append(invalid_type("object", (*path, name), json_type(value)))
        if unknown and not path and self.strict:
            problems.append(unrecognized(unknown))
        if meant:
            made["$and"] = [*made.get("$and", ()), *meant]
        return made

    def _each(self, value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
        if not isinstance(value, list):
            issues.append(invalid_type("array", path, json_type(value)))
            return value
        made = []
        for at, one in enumerate(value):
            if isinstance(one, dict):
                made.append(self.check(one, (*path, str(at)), issues))
            else:
                issues.append(invalid_type("object", (*path, str(at)), json_type(one)))
        return made

    def needed(self) -> frozenset[str]:
        """Parameters without which a request is refused."""
        return frozenset(name for name, kind in self.kinds.items() if isinstance(kind, ParameterKind) and kind.required)

    def schemas(self) -> dict[str, Mapping[str, Any]]:
        """JSON schema by parameter, for the API's description."""
        return {
            name: kind.schema if isinstance(kind, ParameterKind) else {"type": "object", "properties": kind.schemas()}
            for name, kind in self.kinds.items()
        }


def with_nulls(value: Value) -> Value:
    """Checked filters with null for the text `null`, at any depth: a query string can't express null otherwise."""
    if isinstance(value, dict):
        return {name: with_nulls(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_nulls(one) for one in value]
    return None if value == "null" else value


def keys_or(filters: Filters) -> ParameterKind:
    """Keys of related things, one or many, or filters on them."""

    def check(value: Value, path: tuple[str, ...], issues: list[Issue]) -> Value:
        return filters.check(value, path, issues) if isinstance(value, dict) else _texts(value, path, issues)

    return ParameterKind(check, {"anyOf": [*MANY.schema["anyOf"], {"type": "object", "properties": filters.schemas()}]})


NOTHING = Filters()
"""For routes whose query string holds nothing but `fields` (and paging)."""

PAGING: dict[str, Any] = {
    "offset": ignored(NUMBER),
    "limit": ignored(NUMBER),
    "order": ignored(TEXT),
    "with_deleted": ignored(BOOLEAN),
}
"""`Filters(PAGING)`: for a route that answers with one thing but accepts the parameters of its list."""
STAMPS: dict[str, Any] = {"created_at": OPERATORS, "updated_at": OPERATORS, "deleted_at": OPERATORS}
"""`Filters(q=TEXT, **STAMPS)`: when rows were created, updated, deleted."""
