"""Filters and orders that reach into other modules, turned into ones that the root's own module understands.

    {"sales_channels": {"id": "sc_1"}}   →   {"id": {"$in": ["prod_1", "prod_2", …]}}

The far end is read first, and its answer becomes a list of keys. Where a filter only compares the key of the far end,
no read is needed: `{"customer": {"id": "cus_1"}}` is `{"customer_id": "cus_1"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..budget import DEPTH, REACHES, SORTED
from ..errors import InvalidData
from ..rows import Rows
from ..sql.schema.deltas import deltas_of
from ..sql.schema.query import Linked, Query
from .links import Edge
from .plan import Catalogue


class GraphReader(Protocol):
    """Reads rows of other modules: the graph."""

    async def rows(self, query: Query) -> Rows:
        """Rows of one query, whose fields and filters may reach into other modules."""
        ...

    async def keys(self, entity: str, column: str, filters: Mapping[str, Any]) -> list[Any]:
        """The distinct values, without null, that a column has in the rows that pass filters."""
        ...


_LOGICAL = ("$and", "$or")
_NOTHING: tuple[Mapping[str, Any], ...] = ({"$exists": False}, {"$exists": "false"}, {"$eq": None})
"""Other ways to write null."""


def crossings(catalogue: Catalogue, entity: str, filters: Mapping[str, Any], depth: int = 0) -> int:
    """How many filters reach out of the entity's module. Malformed filters are left to the module."""
    if depth > DEPTH:
        raise InvalidData("Filters are nested too deeply")
    found, own = 0, catalogue.own_columns(entity)
    for name, value in filters.items():
        if name in own:
            continue
        if name in _LOGICAL or name == "$not":
            found += sum(crossings(catalogue, entity, part, depth + 1) for part in _branches(value))
        elif (relation := catalogue.relation(entity, name)) is not None:
            if isinstance(value, Mapping):
                found += crossings(catalogue, relation.target, value, depth + 1)
        elif "." in name:
            found += crossings(catalogue, entity, _undotted(name, value), depth + 1)
        elif _step(catalogue, entity, name, value) is not None:
            found += 1
    return found


async def local_filters(catalogue: Catalogue, reader: GraphReader, entity: str, filters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same filters in terms of the entity's own module. Raises InvalidData beyond the budget, before anything is read."""
    out = crossings(catalogue, entity, filters)
    if not out:
        return filters
    if out > REACHES:
        raise InvalidData(f"Filters may look at {REACHES} relations in all.")
    local: dict[str, Any] = {}
    conditions: list[Mapping[str, Any]] = []
    for name, value in filters.items():
        if name in _LOGICAL:
            parts = [await local_filters(catalogue, reader, entity, part) for part in _branches(value)]
            conditions.append({name: parts})
        elif name == "$not" and isinstance(value, Mapping):
            conditions.append({name: await local_filters(catalogue, reader, entity, value)})
        elif (relation := catalogue.relation(entity, name)) is not None and isinstance(value, Mapping):
            local[name] = await local_filters(catalogue, reader, relation.target, value)
        elif "." in name:
            conditions.append(await local_filters(catalogue, reader, entity, _undotted(name, value)))
        elif (step := _step(catalogue, entity, name, value)) is not None:
            conditions.append(await _condition(catalogue, reader, entity, *step))
        else:
            local[name] = value
    for condition in conditions:
        if local.keys() & condition.keys():  # the same name twice: both conditions must hold
            local = {"$and": [local, condition]}
        else:
            local.update(condition)
    return local


def _branches(value: Any) -> list[Mapping[str, Any]]:
    """The filters that a logical operator holds."""
    branches = [value] if isinstance(value, Mapping) else value
    if not isinstance(branches, (list, tuple)) or not all(isinstance(branch, Mapping) for branch in branches):
        raise InvalidData("$and and $or take lists of filters, $not takes one")
    return list(branches)


def _undotted(name: str, value: Any) -> Mapping[str, Any]:
    """`{"a.b": value}` as `{"a": {"b": value}}`."""
    first, _, rest = name.partition(".")
    return {first: {rest: value}}


def _step(catalogue: Catalogue, entity: str, name: str, value: Any) -> tuple[Edge, Any] | None:
    """The edge that a filter follows out of the module, and the filter on its far end."""
    if name.startswith("$"):
        return None
    if value in _NOTHING:
        value = None
    if (edge := catalogue.edge(entity, name)) is not None:
        return edge, value
    if (alias := catalogue.alias(entity, name)) is not None and (edge := catalogue.edge(entity, alias.path[0])) is not None:
        if value is not None:
            value = _on_key(catalogue, _end_of(catalogue, entity, alias.path), value)
            for segment in reversed(alias.path[1:]):
                value = {segment: value}
        return edge, value
    if (rows := catalogue.rows_with(entity, name)) is not None and (edge := catalogue.edge(entity, rows)) is not None:
        return edge, {name: value}
    return None


async def _condition(catalogue: Catalogue, reader: GraphReader, entity: str, edge: Edge, value: Any) -> dict[str, Any]:
    """The condition on our key that is equivalent to the condition on the far end."""
    points_at_key = edge.target_key == catalogue.entity(edge.target).key
    if value is None:  # no row at the far end
        if points_at_key:
            return {edge.key: None}
        return {edge.key: {"$nin": await reader.keys(edge.target, edge.target_key, {})}}
    value = _on_key(catalogue, edge.target, value)
    if points_at_key and value.keys() == {edge.target_key}:
        return {edge.key: value[edge.target_key]}
    if catalogue.is_link_beside(entity, edge.target) and (where := _plain(catalogue, edge, value)) is not None:
        keeps_deltas = deltas_of(catalogue.entity(edge.target).table) is not None
        return {"$linked": Linked(edge.target, edge.target_key, edge.key, where, keeps_deltas)}
    return {edge.key: {"$in": await reader.keys(edge.target, edge.target_key, value)}}


def _plain(catalogue: Catalogue, edge: Edge, value: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """The filter on the link rows themselves, where it compares nothing but their key columns, also by way of the linked things; else
    None."""
    where: dict[str, list[str]] = {}
    for name, wanted in value.items():
        column = name
        if (further := catalogue.edge(edge.target, name)) is not None and isinstance(wanted, Mapping):
            if wanted.keys() != {further.target_key}:
                return None
            column, wanted = further.key, wanted[further.target_key]
        if isinstance(wanted, Mapping):
            if wanted.keys() != {"$in"}:
                return None
            wanted = wanted["$in"]
        keys = [wanted] if isinstance(wanted, str) else wanted
        if (
            column not in catalogue.link_keys(edge.target)
            or not isinstance(keys, list | tuple)
            or not all(isinstance(key, str) for key in keys)
        ):
            return None
        where[column] = list(keys)
    return where


def _on_key(catalogue: Catalogue, entity: str, value: Any) -> Mapping[str, Any]:
    """A bare value, a list or an operator where an object was expected compares the key."""
    is_condition = not isinstance(value, Mapping) or (
        value and all(name.startswith("$") and name not in (*_LOGICAL, "$not") for name in value)
    )
    return {catalogue.entity(entity).key: value} if is_condition else value


def _end_of(catalogue: Catalogue, entity: str, path: Sequence[str]) -> str:
    """The entity at the end of a path without aliases."""
    for name in path:
        relation, edge = catalogue.relation(entity, name), catalogue.edge(entity, name)
        entity = relation.target if relation else edge.target if edge else entity
    return entity


# -- orders


def orders_across(catalogue: Catalogue, entity: str, order: Sequence[str]) -> bool:
    """Whether some sort key of an order lies in another module."""
    return any(_leaves(catalogue, entity, sort_key.lstrip("-").split(".")) is not None for sort_key in order)


async def ordered_keys(catalogue: Catalogue, reader: GraphReader, query: Query) -> list[Any]:
    """The keys of all rows of a query (whose filters are local) in its order.

    Reads every row, and the rows that they are ordered by, so its cost grows with the number of rows, unlike an order inside the
    module. Raises InvalidData for more than `SORTED` rows.
    """
    root = catalogue.entity(query.entity).key
    base = Query(query.entity, (root,), query.filters, with_deleted=query.with_deleted, visible=query.visible)
    keys = [row[root] for row in await reader.rows(replace(base, limit=SORTED + 1))]
    if len(keys) > SORTED:
        raise InvalidData(f"A list of more than {SORTED} rows can't be ordered by {query.order[0].lstrip('-')}: filter it first.")
    ranks = [await _ranks(catalogue, reader, base, sort_key) for sort_key in query.order]
    return sorted(keys, key=lambda key: (*(rank.get(key, missing) for rank, missing in ranks), key))


async def _ranks(catalogue: Catalogue, reader: GraphReader, base: Query, sort_key: str) -> tuple[dict[Any, int], float]:
    """Key of a root row → its rank by one sort key; and the rank of rows without a value (as PostgreSQL orders nulls)."""
    descending, path = sort_key.startswith("-"), sort_key.lstrip("-").split(".")
    root = catalogue.entity(base.entity).key
    missing = float("-inf") if descending else float("inf")
    leaves = _leaves(catalogue, base.entity, path)
    if leaves is None:
        rows = await reader.rows(Query(base.entity, (root, ".".join(path)), base.filters, (sort_key,), with_deleted=base.with_deleted))
        return _positions(rows, root, path), missing
    depth, target = leaves
    walk, rest = path[:depth], path[depth:]
    key = catalogue.entity(target).key
    rows = await reader.rows(Query(base.entity, (root, ".".join((*walk, key))), base.filters, with_deleted=base.with_deleted))
    ends = {row[root]: [end[key] for end in at(row, walk)] for row in rows}
    found = sorted({key for keys in ends.values() for key in keys})
    sign = "-" if descending else ""
    ordered = await reader.rows(Query(target, (key, ".".join(rest)), {key: {"$in": found}}, (f"{sign}{'.'.join(rest)}",)))
    positions = _positions(ordered, key, rest)
    ranks = {root_key: [positions[end] for end in keys if end in positions] for root_key, keys in ends.items()}
    return {root_key: min(several) for root_key, several in ranks.items() if several}, missing


def _positions(rows: Rows, key: str, path: Sequence[str]) -> dict[Any, int]:
    """Key → rank of ordered rows; rows with the same value share a rank, so that the next sort key decides."""
    positions: dict[Any, int] = {}
    position, before = 0, object()
    for row in rows:
        value: Any = [end.get(path[-1]) for end in at(row, path[:-1])]
        if value != before:
            position, before = position + 1, value
        positions[row[key]] = position
    return positions


def _leaves(catalogue: Catalogue, entity: str, path: Sequence[str]) -> tuple[int, str] | None:
    """How many segments of an order lead out of the module, and to which entity; None where it stays inside."""
    end: str | None = None
    for i, name in enumerate(path):
        if (relation := catalogue.relation(entity, name)) is not None:
            entity = relation.target
        elif (edge := catalogue.edge(entity, name)) is not None:
            end = edge.target
        elif (alias := catalogue.alias(entity, name)) is not None:
            end = _end_of(catalogue, entity, alias.path)
        else:
            return None
        if end is not None:
            return (i + 1, end) if i + 1 < len(path) else None
    return None


def at(row: dict[str, Any], path: Sequence[str]) -> Rows:
    """The rows at the end of a path, through lists and past nulls. Not to be changed: it may be a row's own list."""
    if not path:
        return [row]
    value = row.get(path[0])
    if value is None:
        return []
    below: Rows = value if isinstance(value, list) else [value]
    rest = path[1:]
    if not rest:
        return below
    if len(below) == 1:
        return at(below[0], rest)
    return [end for row in below for end in at(row, rest)]
