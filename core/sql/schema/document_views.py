"""Views that show the rows inside documents as tables: for the kernel's statements, and for reports by SQL.

    CREATE VIEW cart_line_item_tax_line AS
    SELECT root.id AS root_id, root.deleted_at, up1.id AS item_id, part.rate, …
    FROM cart AS root
    CROSS JOIN LATERAL json_to_recordset(root.document -> 'items') AS up1(id text, tax_lines json)
    CROSS JOIN LATERAL json_to_recordset(up1.tax_lines) AS part(id text, rate numeric, …)

A document is shown as it was written: one of an older schema has that schema's columns until it is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from sqlalchemy import Column

from ..db.compiled import DIALECT
from .columns import OF_ROOT, ROOT
from .entity import DocumentPart, Entity

DELETED = "deleted_at"
"""Column of the rows inside that is the root's: they are deleted with it at the latest."""
Way = tuple[DocumentPart, ...]


def views_of(lying: Iterable[tuple[Entity, tuple[DocumentPart, ...]]]) -> dict[str, str]:
    """(entity with a document, what lies in it) → the views that show it, by name."""
    ways: dict[str, list[str]] = {}
    for root, parts in lying:
        for way in _ways(parts):
            ways.setdefault(way[-1].entity.table.name, []).append(_select(root, way))
    return {name: " UNION ALL ".join(selects) for name, selects in ways.items()}


def kept_columns(part: DocumentPart) -> list[Column[object]]:
    """The columns of a part that the document holds: not those that follow from the row's position."""
    derived = {ROOT, "" if part.entity.deleted_alone else DELETED, part.owner_key}
    return [column for column in part.entity.table.columns if column.name not in derived and OF_ROOT not in column.info]


def _ways(parts: Way, above: Way = ()) -> Iterator[Way]:
    for part in parts:
        yield (*above, part)
        yield from _ways(part.parts, (*above, part))


def _select(root: Entity, way: Way) -> str:
    assert root.document is not None
    source, held = "root", f"root.{_quoted(root.document.column)} -> '{way[0].name}'"
    joined = [f"{_quoted(root.table.name)} AS root"]
    for depth, (part, below) in enumerate(pairwise(way), 1):
        inner = _quoted(below.name)
        source = f"up{depth}"
        joined.append(f"{_unfolding(part)}({held}) AS {source}({_quoted(part.entity.key)} text, {inner} json)")
        held = f"{source}.{inner}"
    last = way[-1]
    columns = ", ".join(f"{_quoted(column.name)} {column.type.compile(DIALECT)}" for column in kept_columns(last))
    joined.append(f"{_unfolding(last)}({held}) AS part({columns})")
    above = f"{source}.{_quoted(way[-2].entity.key if len(way) > 1 else root.key)}"
    key = f"root.{_quoted(root.key)}"
    deleted = f"coalesce(part.{DELETED}, root.{DELETED})" if last.entity.deleted_alone else f"root.{DELETED}"
    derived = {column.name: key for column in last.entity.table.columns if OF_ROOT in column.info}
    derived |= {ROOT: key, DELETED: deleted, last.owner_key: above}
    shown = [
        f"{derived.get(column.name, f'part.{_quoted(column.name)}')} AS {_quoted(column.name)}" for column in last.entity.table.columns
    ]
    there = "" if last.many else f" WHERE part.{_quoted(last.entity.key)} IS NOT NULL"
    return f"SELECT {', '.join(shown)} FROM {' CROSS JOIN LATERAL '.join(joined)}{there}"


def _unfolding(part: DocumentPart) -> str:
    return "json_to_recordset" if part.many else "json_to_record"


def _quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)
