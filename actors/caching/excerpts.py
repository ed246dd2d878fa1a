"""Rows with fewer fields out of rows with more: what `Entity.together` is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...core.rows import Row
from ...core.sql.read.outline import Outline, Related, outlined
from ...core.sql.schema.catalog import Catalog
from ...core.sql.schema.fields import FieldTree

Excerpt = Callable[[Row], Row]


def excerpt(catalog: Catalog, entity: str, fields: Sequence[str], out_of: Sequence[str]) -> Excerpt | None:
    """Return a function that makes of a row as `out_of` shows it the same row as `fields` show it; None where that shows too little."""
    seen, there = (outlined(catalog, catalog.schema[entity], FieldTree.parse(each), hidden=False, twins=True) for each in (fields, out_of))
    return _excerpt(seen, there)


def _excerpt(seen: Outline, there: Outline) -> Excerpt | None:
    names = tuple(f"{field.name}" for field in seen.columns)
    if not {field.name for field in there.columns}.issuperset(names):
        return None
    by_name = {each.name: each for each in there.related}
    below: list[tuple[str, Excerpt]] = []
    for related in seen.related:
        inner = _inner(related, by_name.get(related.name))
        if inner is None:
            return None
        below.append((related.name, inner))

    def made(row: Row) -> Row:
        shown: Row = {name: row[name] for name in names}
        for name, inner in below:
            held: Any = row[name]
            shown[name] = [inner(each) for each in held] if isinstance(held, list) else None if held is None else inner(held)
        return shown

    return made


def _inner(seen: Related, there: Related | None) -> Excerpt | None:
    if there is None or (there.outline is None and seen.outline is not None):
        return None
    if seen.outline is not None and there.outline is not None:
        return _excerpt(seen.outline, there.outline)
    key = seen.relation.other_key
    if there.outline is not None and all(field.name != key for field in there.outline.columns):
        return None
    return lambda row: {key: row[key]}
