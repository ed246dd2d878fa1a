"""What a client asks of an index, checked against its definition and bounded, before any work is done for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from ...core.clock import iso
from ...core.errors import InvalidData
from ...core.rows import Row
from .indexes import IndexDefinition, IndexField

MOST_TEXT: Final = 500
"""Characters of a search, and of a value in a filter."""
MOST_WORDS: Final = 16
MOST: Final = {"conditions": 100, "patterns": 8, "facets": 20, "ranges": 50}
"""What all queries of a request may have together: values in filters and ends of ranges, `$like`, facets, ranges of facets."""
MOST_WILDCARDS: Final = 8
DEEPEST: Final = 8
MOST_CHANNELS: Final = 10_000
"""Values in the filters that nobody named."""
MOST_VALUES: Final = 100
"""Values of a facet that are counted out."""
MOST_SORTS: Final = 3
FURTHEST: Final = 10_000
"""How far into the hits a page may reach."""
TAKE: Final = 20
LATER: Final = {
    "vector": "Vectors aren't searched",
    "locales": "Documents are in the shop's own language: locales can't be chosen",
    "distinct": "Hits can't be thinned out by a field",
    "disjunctive_facets": "Facets are counted among the hits: ask for disjunctive ones by a query of their own",
}
"""What the API has and no search of ours does."""

Op = Literal["eq", "lt", "lte", "gt", "gte", "exists", "prefix", "like"]
Scalar = str | int | float | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Is:
    """A condition on a field. Of a list, one value has to meet it."""

    path: tuple[str, ...]
    op: Op
    value: Scalar


@dataclass(frozen=True, slots=True)
class Not:
    of: Condition


@dataclass(frozen=True, slots=True)
class Several:
    how: Literal["all", "any"]
    of: tuple[Condition, ...]


Condition = Is | Not | Several
EVERYTHING: Final = Several("all", ())


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    kind: Literal["value", "range", "stats"]
    path: tuple[str, ...]
    most: int = 20
    alphabetic: bool = False
    query: str | None = None
    ranges: tuple[tuple[Row, Condition], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A search."""

    words: tuple[str, ...]
    """Empty: all documents, unless they are filtered."""
    strategy: Literal["all", "any", "last"]
    """Which of the words have to be found: all, any, or the first (those after it only count for more)."""
    typos: bool
    within: tuple[tuple[str, ...], ...] | None
    """Paths of the fields in which words count. None: all searchable ones."""
    visible: Condition
    """Met by all that may be seen at all."""
    condition: Condition
    sorts: tuple[tuple[tuple[str, ...], bool], ...]
    """Paths, and whether they ascend. Before the score."""
    facets: tuple[Facet, ...]
    counted: bool
    least_score: float | None
    skip: int
    take: int


class Budget:
    """What may still be asked for."""

    def __init__(self, **more: int) -> None:
        self._most = {**MOST, **more}
        self._left = dict(self._most)

    def spend(self, what: Literal["conditions", "patterns", "facets", "ranges"]) -> None:
        """Raises InvalidData where nothing is left."""
        self._left[what] -= 1
        if self._left[what] < 0:
            raise InvalidData(f"The queries of a search have {self._most[what]} {what} at most")


def asked(definition: IndexDefinition, query: Row, visible: Row, *, store: bool, budget: Budget | None = None) -> Asked:
    """What a query of the API asks. `visible`: filters that nobody named, and everybody passes. `store`: only by fields for storefronts.
    `budget`: of all queries of the request; by default the query is alone.

    Raises InvalidData for fields that the index doesn't have or that can't be used so, for what no search does, and for what is too much.
    """
    seen = _Checked(definition, store, budget or Budget())
    filters, options, page = dict(query.get("filters") or {}), query.get("search_options") or {}, query.get("pagination") or {}
    for name, problem in LATER.items():
        if options.get(name):
            raise InvalidData(f"{problem} ({name})")
    if page.get("cursor") is not None:
        raise InvalidData("Pages are asked for by skip and take (cursor)")
    words = _words(filters.pop("q", None))
    within = options.get("attributes_to_search_on")
    for_all = _Checked(definition, store=False, budget=Budget(conditions=MOST_CHANNELS))
    skip, take = page.get("skip", 0), page.get("take", TAKE)
    if skip + take > FURTHEST:
        raise InvalidData(f"Pages reach no further than {FURTHEST} hits")
    return Asked(
        words=words,
        strategy=options.get("match_strategy", "all"),
        typos=options.get("typo_tolerance", True),
        within=None if within is None else tuple(_path(seen.field(name, "searchable", heads=True)[0]) for name in dict.fromkeys(within)),
        visible=for_all.condition(visible, ()),
        condition=seen.condition(filters, ()),
        sorts=tuple(seen.sorts(page.get("order") or {})),
        facets=tuple(seen.facets(options.get("facets") or ())),
        counted=options.get("count") != "none",
        least_score=None if options.get("min_score") is None else float(options["min_score"]),
        skip=skip,
        take=take,
    )


def _words(q: Any) -> tuple[str, ...]:
    if q is None:
        return ()
    if not isinstance(q, str):
        raise InvalidData("filters.q has to be a text")
    words = _text(q).split()
    if len(words) > MOST_WORDS:
        raise InvalidData(f"A search has {MOST_WORDS} words at most")
    return tuple(words)


def _text(value: str) -> str:
    if len(value) > MOST_TEXT:
        raise InvalidData(f"Texts of a search have {MOST_TEXT} characters at most")
    if "\0" in value:
        raise InvalidData("Texts of a search have no NUL characters")
    return value


def _moment(path: tuple[str, ...], value: Scalar) -> str:
    """A time as documents have it, whatever its offset is."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None:
            return iso(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        pass
    raise InvalidData(f"{'.'.join(path)} is compared with times in ISO 8601")


def _path(name: str) -> tuple[str, ...]:
    head, dot, rest = name.partition(".")
    return (head, rest) if dot else (head,)


def words_of(value: Any) -> Iterator[str]:
    """All texts in a value of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from words_of(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from words_of(each)


_USES = {"filterable": "filter by", "sortable": "sort by", "facetable": "count by", "searchable": "search in"}
_COMPARES: dict[str, Op] = {"$lt": "lt", "$lte": "lte", "$gt": "gt", "$gte": "gte"}


class _Checked:
    """The parts of a query, checked one after the other."""

    def __init__(self, definition: IndexDefinition, store: bool, budget: Budget) -> None:
        self._definition, self._store, self._budget = definition, store, budget

    def field(self, name: str, use: str, *, heads: bool = False) -> tuple[str, IndexField]:
        """`heads`: an open field is meant as a whole."""
        found = self._definition.field(_text(name))
        if found is None and heads:
            found = next((each for each in self._definition.fields if each.name == name), None)
        usable = found is not None and (found.weight is not None if use == "searchable" else getattr(found, use))
        if found is None or not usable or (self._store and not found.store):
            names = [each.name + (".…" if each.open and not heads else "") for each in self._definition.fields if self._usable(each, use)]
            raise InvalidData(f"{name} is no field to {_USES[use]}: there are {', '.join(names)}")
        return name, found

    def _usable(self, field: IndexField, use: str) -> bool:
        fits = field.weight is not None if use == "searchable" else getattr(field, use)
        return bool(fits) and (field.store or not self._store)

    # -- filters

    def condition(self, filters: Any, above: tuple[str, ...], depth: int = 0) -> Condition:
        """`above`: the names that lead here."""
        if depth > DEEPEST:
            raise InvalidData(f"Filters are nested {DEEPEST} deep at most")
        if not isinstance(filters, Mapping):
            raise InvalidData("Filters are an object")
        if not filters and not depth:
            return EVERYTHING
        return self._several("all", [self._entry(name, value, above, depth + 1) for name, value in filters.items()])

    def _several(self, how: Literal["all", "any"], of: Sequence[Condition]) -> Condition:
        """One of nothing costs as much as a condition: there may be any number of these, too."""
        if not of:
            self._budget.spend("conditions")
        return Several(how, tuple(of))

    def _entry(self, name: str, value: Any, above: tuple[str, ...], depth: int) -> Condition:
        if name in ("$and", "$or"):
            each = value if isinstance(value, list) else [value]
            return self._several("all" if name == "$and" else "any", [self.condition(one, above, depth) for one in each])
        if name == "$not":
            return Not(self.condition(value, above, depth))
        path = (*above, name)
        if isinstance(value, Mapping) and not any(key.startswith("$") for key in value):
            return self.condition(value, path, depth)
        _, field = self.field(".".join(path), "filterable")
        at = _path(".".join(path))
        if isinstance(value, Mapping):
            return self._several("all", [self._operator(field, at, op, each) for op, each in value.items()])
        if isinstance(value, list):
            return self._any(field, at, value)
        return self._is(field, at, "eq", value)

    def _operator(self, field: IndexField, path: tuple[str, ...], op: str, value: Any) -> Condition:
        if op == "$eq":
            return self._is(field, path, "eq", value)
        if op == "$ne":
            return Not(self._is(field, path, "eq", value))
        if op in ("$in", "$overlaps"):
            return self._any(field, path, value)
        if op == "$nin":
            return Not(self._any(field, path, value))
        if op == "$contains":
            each = value if isinstance(value, list) else [value]
            return self._several("all", [self._is(field, path, "eq", one) for one in each])
        if op == "$exists":
            return self._exists(path) if value else Not(self._exists(path))
        if op in _COMPARES:
            return self._is(field, path, _COMPARES[op], value)
        if op in ("$prefix", "$like"):
            if not isinstance(value, str) or value.count("%") > MOST_WILDCARDS:
                raise InvalidData(f"{op} takes a text, with {MOST_WILDCARDS} % at most")
            if field.type != "string":
                raise InvalidData(f"{op} is for texts: {'.'.join(path)} is a {field.type}")
            if op == "$like":
                self._budget.spend("patterns")
            return self._is(field, path, "prefix" if op == "$prefix" else "like", value)
        raise InvalidData(f"There is no operator {op} for {'.'.join(path)}")

    def _any(self, field: IndexField, path: tuple[str, ...], values: Any) -> Condition:
        if not isinstance(values, list):
            raise InvalidData(f"{'.'.join(path)} takes a list there")
        return self._several("any", [self._is(field, path, "eq", each) for each in values])

    def _exists(self, path: tuple[str, ...]) -> Condition:
        self._budget.spend("conditions")
        return Is(path, "exists", None)

    def _is(self, field: IndexField, path: tuple[str, ...], op: Op, value: Any) -> Condition:
        self._budget.spend("conditions")
        if isinstance(value, str):
            value = _text(value)
        elif value is not None and not isinstance(value, bool | int | float | Decimal):
            raise InvalidData(f"{'.'.join(path)} is compared with single values")
        if field.type == "number" and isinstance(value, str):
            if not re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", value):
                raise InvalidData(f"{'.'.join(path)} is compared with numbers")
            value = Decimal(value)
        elif field.type == "date" and value is not None:
            value = _moment(path, value)
        return Is(path, op, value)

    # -- the rest

    def sorts(self, order: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], bool]]:
        if len(order) > MOST_SORTS:
            raise InvalidData(f"Hits are sorted by {MOST_SORTS} fields at most")
        for name, direction in order.items():
            yield _path(self.field(name, "sortable")[0]), direction == "ASC"

    def facets(self, given: Sequence[Any]) -> Iterator[Facet]:
        for each in given:
            self._budget.spend("facets")
            one: Row = {"field": each} if isinstance(each, str) else each
            name, field = self.field(one["field"], "facetable")
            kind, path = one.get("type", "value"), _path(name)
            if kind == "stats" and field.type != "number":
                raise InvalidData(f"{name} isn't a number: there are no stats of it")
            query = one.get("query")
            yield Facet(
                name=name,
                kind=kind,
                path=path,
                most=min(one.get("limit", 20), MOST_VALUES),
                alphabetic=one.get("sort") == "alpha",
                query=_text(query) if query is not None else None,
                ranges=tuple(self._range(field, path, each) for each in one.get("ranges") or ()),
            )

    def _range(self, field: IndexField, path: tuple[str, ...], range: Row) -> tuple[Row, Condition]:
        """From a value on, up to another without it."""
        self._budget.spend("ranges")
        ends: tuple[tuple[str, Op], ...] = (("from", "gte"), ("to", "lt"))
        bounds = tuple(self._is(field, path, op, range[end]) for end, op in ends if range.get(end) is not None)
        return dict(range), Several("all", bounds or (self._exists(path),))
