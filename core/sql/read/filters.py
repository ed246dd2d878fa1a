"""Filters: the conditions that a client may put on rows, as data and as SQL.

A filter is read in two steps. `read_filter` walks the mapping once and gives its *shape* (nested tuples that can be hashed)
and its *values* (coerced to the columns' types, in the order of the walk). `FilterBuilder` makes SQL of a shape, once for each
shape: the next query of the same shape only brings other values.

Grammar: field → value, list (any of), null, or {$operator: value}; relation → nested filter, or value(s) of its key;
`$and`, `$or` with lists of filters, `$not` with one; `a.b` for {a: {b}}; `q` for free text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    column,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, array

from ...budget import Spending
from ...errors import InvalidData
from ..schema.columns import ROOT
from ..schema.entity import Entity, Relation
from ..schema.query import Linked
from ..schema.values import Field

if TYPE_CHECKING:
    from ..schema.catalog import Catalog

Shape = tuple[Any, ...]
"""("and", shapes…) ("or", shapes…) ("not", shape) ("null", field) ("flag", field, true or false) (operator, field)
("relation", name, shape) ("q", short…) ("linked", link, key, own key, tallied, columns…) ("visible", entity)

A flag stands in the statement's text, so that the planner knows it: most rows have one, few have the other, and there may be an index of
those few."""

Visible = Mapping[str, tuple[Shape, int]]
"""Entity → the shape of the condition on its rows below the root, and the index at which its values begin in the list of values."""

Reach = tuple[str, Callable[[ColumnElement[Any]], ColumnElement[bool]]]

TRUE: Shape = ("and",)
NOTHING_HIDDEN: Visible = {}
_LANGUAGE: ColumnElement[Any] = literal_column("'simple'")
_NO_TEXT: ColumnElement[Any] = literal_column("''")
LONGEST_PATTERN = 256
_BACK = re.compile(r"\\[1-9]")
_REPEATED = re.compile(r"\{\d")
_INDEXED = 3
"""Least number of letters with which an index of trigrams finds a word; for fewer the whole index would be read."""

_COMPARE: dict[str, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    "$eq": lambda column, value: column == value,
    "$ne": lambda column, value: column != value,
    "$gt": lambda column, value: column > value,
    "$gte": lambda column, value: column >= value,
    "$lt": lambda column, value: column < value,
    "$lte": lambda column, value: column <= value,
}
_TEXT: dict[str, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    "$like": lambda column, value: column.like(value),
    "$ilike": lambda column, value: column.ilike(value),
    "$re": lambda column, value: column.op("~", is_comparison=True)(value),
    "$fulltext": lambda column, value: func.to_tsvector(_LANGUAGE, column).op("@@", is_comparison=True)(
        func.plainto_tsquery(_LANGUAGE, value)
    ),
}
_ARRAY = {"$contains": "@>", "$contained": "<@", "$overlap": "&&"}


class FilterReader:
    """One walk over a mapping of filters."""

    def __init__(self, catalog: Catalog, *, hidden: bool, visible: Collection[str] = ()) -> None:
        """`visible`: entities whose rows are seen through relations only as far as `Query.visible` allows."""
        self.values: list[Any] = []
        self._catalog = catalog
        self._hidden = hidden
        self._visible = visible
        self._spending = Spending()

    def read(self, entity: Entity, filters: Mapping[str, Any], depth: int = 0) -> Shape:
        """Return the shape of filters on an entity and append their values to `values`. Raises InvalidData, also beyond the budget."""
        self._spending.condition(depth)
        parts = [self._entry(entity, key, value, depth) for key, value in filters.items()]
        parts = [part for part in parts if part != TRUE]
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def _entry(self, entity: Entity, key: str, value: Any, depth: int) -> Shape:
        match key:
            case "$and" | "$or":
                branches = [value] if isinstance(value, Mapping) else value
                if not isinstance(branches, (list, tuple)) or not all(isinstance(branch, Mapping) for branch in branches):
                    raise InvalidData(f"{key} takes a list of filters")
                shapes = tuple(self.read(entity, branch, depth + 1) for branch in branches)
                return (key[1:], *shapes) if shapes else TRUE
            case "$not":
                if not isinstance(value, Mapping):
                    raise InvalidData("$not takes a filter")
                return ("not", self.read(entity, value, depth + 1))
            case "$linked" if isinstance(value, Linked):
                self.values += [list(keys) for keys in value.where.values()]
                return ("linked", value.link, value.key, value.own_key, value.keeps_deltas, *value.where)
        fields = self._catalog.fields(entity)
        field = fields.get(key)
        if field is not None and (self._hidden or not field.hidden):
            return self._field(field, value, depth)
        if key in entity.relations:
            return self._relation(entity, key, value, depth)
        if key == "q":
            return self._free_text(value) if entity.searchable else TRUE  # the search is ignored
        if "." in key:
            first, _, rest = key.partition(".")
            return self._entry(entity, first, {rest: value}, depth + 1)
        raise InvalidData(f"{entity.called} has no field '{key}' to filter by")

    # -- fields

    def _field(self, field: Field, value: Any, depth: int) -> Shape:
        if isinstance(value, Mapping):
            self._spending.condition(depth)
            if field.kind == "json" and not any(str(key).startswith("$") for key in value):
                self.values.append(dict(value))
                return ("$contains", field.name)
            parts = tuple(self._operator(field, operator, operand, depth) for operator, operand in value.items())
            return parts[0] if len(parts) == 1 else ("and", *parts)
        if isinstance(value, (list, tuple, set, frozenset)) and field.kind != "array":
            return self._operator(field, "$in", value, depth)
        return self._operator(field, "$eq", value, depth)

    def _operator(self, field: Field, operator: str, value: Any, depth: int) -> Shape:
        self._spending.condition(depth)
        if operator in ("$in", "$nin"):
            return self._among(field, operator, value)
        if operator in _COMPARE:
            if value is None:
                if operator not in ("$eq", "$ne"):
                    raise InvalidData(f"'{field.name}' can't be compared with null by {operator}")
                return ("null", field.name) if operator == "$eq" else ("not", ("null", field.name))
            if isinstance(value, (list, tuple, set, frozenset)) and field.kind != "array" and operator in ("$eq", "$ne"):
                return self._among(field, "$in" if operator == "$eq" else "$nin", value)
            coerced = field.coerce(value)
            if operator == "$eq" and isinstance(coerced, bool):
                return ("flag", field.name, coerced)
            self.values.append(coerced)
            return (operator, field.name)
        if operator in _TEXT:
            if field.kind != "text":
                raise InvalidData(f"'{field.name}' is no text: {operator} can't be asked of it")
            if not isinstance(value, str) or "\x00" in value:
                raise InvalidData(f"{operator} on '{field.name}' takes a string")
            if len(value) > LONGEST_PATTERN:
                raise InvalidData(f"{operator} on '{field.name}' takes {LONGEST_PATTERN} characters at most")
            if operator == "$re":
                _check_expression(field, value)
            self.values.append(value)
            return (operator, field.name)
        if operator in _ARRAY:
            return self._array(field, operator, value)
        if operator == "$exists":
            shape: Shape = ("null", field.name)
            return ("not", shape) if _flag(value, field.name) else shape
        if operator == "$not":
            return ("not", self._field(field, value, depth + 1))
        if operator in ("$and", "$or"):
            if not isinstance(value, (list, tuple)):
                raise InvalidData(f"{operator} on '{field.name}' takes a list")
            return (operator[1:], *(self._field(field, part, depth + 1) for part in value)) if value else TRUE
        raise InvalidData(f"'{operator}' is no operator that '{field.name}' can be filtered by")

    def _among(self, field: Field, operator: str, value: Any) -> Shape:
        if not isinstance(value, (list, tuple, set, frozenset)):
            value = [value]
        nulls = any(item is None for item in value)
        items = [field.coerce(item) for item in value if item is not None]
        try:
            items = list(dict.fromkeys(items))
        except TypeError:  # JSON values can't be hashed; duplicates do no harm
            pass
        self.values.append(items)
        shape: Shape = (operator, field.name)
        if not nulls:
            return shape
        null: Shape = ("null", field.name)
        return ("or", null, shape) if operator == "$in" else ("and", ("not", null), shape)

    def _array(self, field: Field, operator: str, value: Any) -> Shape:
        if field.kind == "json" and operator != "$overlap":
            self.values.append(value)
        elif field.kind == "array":
            self.values.append(field.coerce(value if isinstance(value, (list, tuple, set, frozenset)) else [value]))
        else:
            raise InvalidData(f"'{field.name}' is no list: {operator} can't be asked of it")
        return (operator, field.name)

    # -- relations

    def _relation(self, entity: Entity, name: str, value: Any, depth: int) -> Shape:
        target = self._catalog.target(entity, name)
        self._spending.reach()
        if value is None:
            return ("not", self._having(target, name, TRUE))
        if not isinstance(value, Mapping):
            return self._having(target, name, self.read(target, {target.key: value}, depth + 1))
        operators = {key: operand for key, operand in value.items() if key in _COMPARE or key in ("$in", "$nin", "$exists")}
        rest = {key: operand for key, operand in value.items() if key not in operators}
        parts: list[Shape] = []
        if "$exists" in operators:
            there = self._having(target, name, TRUE)
            parts.append(there if _flag(operators.pop("$exists"), name) else ("not", there))
        if operators:  # conditions on the key, as if the relation were a column
            parts.append(self._key_operators(target, name, operators, depth))
        if rest:
            parts.append(self._having(target, name, self.read(target, rest, depth + 1)))
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def _having(self, target: Entity, name: str, shape: Shape) -> Shape:
        """The shape of: the relation has a visible row of this shape."""
        return ("relation", name, ("and", ("visible", target.name), shape) if target.name in self._visible else shape)

    def _key_operators(self, target: Entity, name: str, operators: Mapping[str, Any], depth: int) -> Shape:
        if any(value is None for value in operators.values()):
            parts: list[Shape] = []
            for operator, value in operators.items():
                there = self._having(target, name, TRUE)
                if value is not None:
                    parts.append(self._having(target, name, self.read(target, {target.key: {operator: value}}, depth + 1)))
                else:
                    parts.append(there if operator == "$ne" else ("not", there))
            return ("and", *parts)
        return self._having(target, name, self.read(target, {target.key: operators}, depth + 1))

    # -- free text

    def _free_text(self, value: Any) -> Shape:
        if value is None:
            return TRUE
        tokens = self._spending.search(str(value).replace("\x00", ""))
        for token in tokens:
            literal = token.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            self.values.append(f"%{literal}%")
        return ("q", *(len(token) < _INDEXED for token in tokens)) if tokens else TRUE


class FilterBuilder:
    """Makes SQL of one statement's shapes, with parameters in the order in which the reader found the values."""

    def __init__(
        self,
        catalog: Catalog,
        names: Iterator[str],
        aliases: Callable[[FromClause], Any],
        *,
        with_deleted: bool,
        reach: Reach | None = None,
        visible: Visible = NOTHING_HIDDEN,
    ) -> None:
        """`reach`: a column of the rows with a known bound, and how to state that bound for another column with the same values. `visible`:
        conditions on rows of relations."""
        self._visible = visible
        self._catalog = catalog
        self._reach = reach
        self._names = names
        self._alias = aliases
        self._with_deleted = with_deleted

    def build(self, entity: Entity, source: FromClause, shape: Shape) -> ColumnElement[bool]:
        kind = shape[0]
        match kind:
            case "and":
                return and_(true(), *(self.build(entity, source, part) for part in shape[1:]))
            case "or":
                return or_(false(), *(self.build(entity, source, part) for part in shape[1:]))
            case "not":
                return not_(self.build(entity, source, shape[1]))
            case "relation":
                relation = entity.relations[shape[1]]
                return self.related(entity, source, relation, lambda target, rows: self.build(target, rows, shape[2]))
            case "linked":
                return self._linked(source, *shape[1:])
            case "visible":
                return self.is_visible(self._catalog.schema[shape[1]], source)
            case "q":
                return and_(true(), *(self._token(entity, source, next(self._names), short) for short in shape[1:]))
        field = self._catalog.fields(entity)[shape[1]]
        column = field.of(source)
        if kind == "null":
            return column.is_(None)
        if kind == "flag":
            return column == (true() if shape[2] else false())
        if entity.inside is not None and kind in ("$eq", "$in"):
            return self._inside(self._catalog.schema[entity.inside], field, kind, source)
        return self._operator(field, kind, column, next(self._names))

    def _inside(self, root: Entity, field: Field, operator: str, source: FromClause) -> ColumnElement[bool]:
        """A condition on rows inside documents. Where an index says which documents can match, no others are read."""
        name = next(self._names)
        condition = self._operator(field, operator, field.of(source), name)
        assert root.document is not None  # Schema checked it
        values = root.document.found_by.get((field.entity.name, field.name))
        if values is None:
            return condition
        rows = self._alias(root.table)
        wanted = bindparam(name, type_=ARRAY(field.type)) if operator == "$in" else array([bindparam(name, type_=field.type)])
        having = rows.c[values].op("&&", is_comparison=True)(cast(wanted, rows.c[values].type))
        return and_(condition, source.c[ROOT].in_(select(rows.c[root.key]).where(having)))

    def related(
        self, entity: Entity, source: FromClause, relation: Relation, condition: Callable[[Entity, FromClause], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """EXISTS a row of the relation that meets a condition."""
        target = self._catalog.schema[relation.target]
        rows = self._alias(target.table)
        query = select(1).select_from(rows)
        for part in join_on(self._alias, entity, source, relation, target, rows):
            query = query.where(part)
        if not self._with_deleted and target.soft:
            query = query.where(rows.c.deleted_at.is_(None))
        return exists(query.where(condition(target, rows)).correlate(source))

    def is_visible(self, entity: Entity, source: FromClause) -> ColumnElement[bool]:
        """Whether a row below the root may be seen. Uses the same parameters wherever a statement asks this."""
        if entity.name not in self._visible:
            return true()
        shape, first = self._visible[entity.name]
        names = (f"p{number}" for number in itertools.count(first))
        builder = FilterBuilder(self._catalog, names, self._alias, with_deleted=self._with_deleted)
        return builder.build(entity, source, shape)

    def _linked(self, source: FromClause, link: str, key: str, own_key: str, keeps_deltas: bool, *columns: str) -> ColumnElement[bool]:
        pairs = self._alias(table(link, *(column(name) for name in (key, "deleted_at", *columns))))
        query = select(1).select_from(pairs).where(pairs.c[key] == source.c[own_key], pairs.c.deleted_at.is_(None))
        if self._reach is not None and self._reach[0] == own_key:
            query = query.where(self._reach[1](pairs.c[key]))
        for name in columns:
            query = query.where(pairs.c[name] == any_(bindparam(next(self._names), type_=ARRAY(Text))))
        return exists(query.correlate(source))

    def _operator(self, field: Field, operator: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        if operator in _COMPARE:
            return _COMPARE[operator](column, bindparam(name, type_=field.type))
        if operator == "$in":
            return column == any_(bindparam(name, type_=ARRAY(field.type)))
        if operator == "$nin":
            return column != all_(bindparam(name, type_=ARRAY(field.type)))
        if operator in _TEXT:
            return _TEXT[operator](column, bindparam(name, type_=Text))
        value = bindparam(name, type_=JSONB if field.kind == "json" else field.type)
        return column.op(_ARRAY[operator], is_comparison=True)(value)

    # -- free text

    def _token(self, entity: Entity, source: FromClause, name: str, short: bool, seen: frozenset[str] = frozenset()) -> ColumnElement[bool]:
        """One word of a free text search: in a searchable column, here or in searchable relations.

        Where there are relations, the rows are found in one table after the other (`key IN (SELECT … UNION ALL SELECT …)`), each by its own
        index of trigrams, which an OR over several tables couldn't use.
        """
        inner = seen | {entity.name}
        relations = [entity.relations[searched] for searched in entity.searchable if searched in entity.relations]
        relations = [relation for relation in relations if relation.target not in inner]
        if not relations:
            return self._in_columns(entity, source, name, short)
        own = self._alias(entity.table)
        found = [select(own.c[entity.key]).where(self._in_columns(entity, own, name, short))]
        found += [self._by_relation(entity, relation, name, short, inner) for relation in relations]
        return source.c[entity.key].in_(union_all(*found))

    def _in_columns(self, entity: Entity, source: FromClause, name: str, short: bool) -> ColumnElement[bool]:
        matches: list[ColumnElement[bool]] = []
        for searched in entity.searchable:
            if searched not in entity.relations:
                field = self._catalog.fields(entity)[searched]
                column = field.of(source)
                text = column if field.kind == "text" else cast(column, Text)
                matches.append((text.concat(_NO_TEXT) if short else text).ilike(bindparam(name, type_=Text)))
        return or_(false(), *matches)

    def _by_relation(self, entity: Entity, relation: Relation, name: str, short: bool, seen: frozenset[str]) -> Select[Any]:
        """The keys of the rows that have a row of the relation with the word."""
        target = self._catalog.schema[relation.target]
        rows = self._alias(target.table)
        having = [self._token(target, rows, name, short, seen), self.is_visible(target, rows)]
        if not self._with_deleted and target.soft:
            having.append(rows.c.deleted_at.is_(None))
        own = self._alias(entity.table)
        match relation.kind:
            case "one":
                return select(own.c[entity.key]).where(own.c[relation.key].in_(select(rows.c[relation.other_key]).where(*having)))
            case "many":
                ours = relation.other_key
                theirs = select(rows.c[relation.key]).where(*having)
            case "through":
                assert relation.pivot is not None  # Schema checked it
                pivot = self._alias(relation.pivot)
                ours = relation.own_key or entity.key
                theirs = select(pivot.c[relation.key]).where(pivot.c[relation.other_key] == rows.c[target.key], *having)
                if "deleted_at" in pivot.c:
                    theirs = theirs.where(pivot.c.deleted_at.is_(None))
        return theirs if ours == entity.key else select(own.c[entity.key]).where(own.c[ours].in_(theirs))


def looks_for_words(shape: Shape) -> bool:
    """Whether rows are found by words of which there is an index. The index is best for rare words, the page's order for frequent ones;
    a planner that doesn't see the words reads the whole table for what the index finds at once."""
    if shape[0] in ("and", "or", "not"):
        return any(looks_for_words(part) for part in shape[1:])
    if shape[0] == "relation":
        return looks_for_words(shape[2])
    return shape[0] == "q" and not all(shape[1:])


def join_on(
    alias: Callable[[FromClause], Any], entity: Entity, source: FromClause, relation: Relation, target: Entity, rows: FromClause
) -> Iterator[ColumnElement[bool]]:
    """The join of `rows` of the target with a row of `source`. For rows inside a document, only that one document is read."""
    if target.inside is not None and target.inside in (entity.name, entity.inside):
        yield rows.c[ROOT] == source.c[entity.key if entity.name == target.inside else ROOT]
    elif relation.root_key is not None:
        yield rows.c[ROOT] == source.c[relation.root_key]
    match relation.kind:
        case "one":
            yield rows.c[relation.other_key] == source.c[relation.key]
        case "many":
            yield rows.c[relation.key] == source.c[relation.other_key]
        case "through":
            assert relation.pivot is not None  # Schema checked it
            pivot = alias(relation.pivot)
            yield pivot.c[relation.key] == source.c[relation.own_key or entity.key]
            yield rows.c[target.key] == pivot.c[relation.other_key]
            if "deleted_at" in pivot.c:
                yield pivot.c.deleted_at.is_(None)


def _check_expression(field: Field, pattern: str) -> None:
    """Refuse regular expressions that refer back to a group or nest repetitions: all others match in time that grows with the text."""
    if _BACK.search(pattern):
        raise InvalidData(f"$re on '{field.name}' can't refer back to a group")
    if sum(1 for _ in _REPEATED.finditer(pattern)) > 1:
        raise InvalidData(f"$re on '{field.name}' may have one count of repetitions")


def _flag(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise InvalidData(f"$exists on '{name}' takes true or false")
