"""What `*` shows of a thing: the columns that the API shows of it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from velella.actors.services import module_names
from velella.core.sql.schema.columns import Money, Quantity
from velella.core.sql.schema.entity import Entity

PROMISED: dict[str, str] = json.loads((Path(__file__).parent / "columns.json").read_text())
"""Columns by table; `raw_amount` is the exact twin of the number `amount`."""

OURS = {
    "cart": {"version"},
    "order": {"summary"},
    "order_line_item": {"quantity", "raw_quantity"},
    "order_shipping_method": {"order_id"},
}
"""Columns that we need besides; what the API shows of orders and lines out of other tables."""
WORKED_OUT = {"translation": {"translations", "translated_field_count"}}
"""Shown like columns: what of a translation counts today."""
NOT_OURS = {"order_line_item": {"totals_id"}}
"""A line points to its quantities elsewhere; here they point to the line."""


def entities() -> Iterator[Entity]:
    for name in module_names():
        schema = importlib.import_module(f"velella.modules.{name}").MODULE.schema
        yield from (entity for entity in schema.entities.values() if entity.table.name in PROMISED)


@pytest.mark.parametrize("entity", list(entities()), ids=lambda entity: entity.name)
def test_an_entity_shows_what_is_promised(entity: Entity) -> None:
    table = entity.table.name
    promised = set(PROMISED[table].split())
    secret = entity.hidden & promised  # salts and hashes: kept, never shown
    shown = set(entity.table.c.keys()) - entity.hidden - entity.unstarred | secret
    assert entity.computed.keys() >= WORKED_OUT.get(table, set())
    twins = {f"raw_{column.name}" for column in entity.table.c if isinstance(column.type, Money | Quantity)}
    assert shown | twins == promised - NOT_OURS.get(table, set()) - WORKED_OUT.get(table, set()) | OURS.get(table, set())
