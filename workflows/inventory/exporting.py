"""Inventory items as a CSV file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from ...core.rows import Row
from ..exporting import EXPORT_SECONDS, EXPORTS, Export, Shop, carry_out
from ..kit import Flow, workflow

NAME = "export-inventory-items"
ITEM = (
    "id", "sku", "title", "description", "requires_shipping", "weight", "length", "height", "width", "hs_code", "origin_country",
    "mid_code", "material", "metadata",
)  # fmt: skip
LEVEL = ("stocked_quantity", "reserved_quantity", "incoming_quantity", "available_quantity")


def _called(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_"))


COLUMNS = (*(f"Item {_called(name)}" for name in ITEM), "Location Id", "Location Name", *map(_called, LEVEL))


async def _rows(shop: Shop, pages: AsyncIterator[list[Row]]) -> AsyncIterator[list[Row]]:
    async for page in pages:
        ids = list({level["location_id"] for item in page for level in item["location_levels"]})
        names = {row["id"]: row["name"] for row in await shop.modules.stock_location.list("stock_location", {"id": ids})} if ids else {}
        yield [row for item in page for row in _rows_of(item, names)]


def _rows_of(item: Row, names: Mapping[str, str]) -> list[Row]:
    """A row for each location (id → name) that an item is at; an item that is nowhere has one."""
    shared = {f"Item {_called(name)}": item[name] for name in ITEM}
    levels = [
        {"Location Id": level["location_id"], "Location Name": names.get(level["location_id"])}
        | {_called(name): level[name] for name in LEVEL}
        for level in item["location_levels"]
    ]
    return [shared | level for level in levels] or [shared]


FIELDS = (*ITEM, "location_levels.location_id", *(f"location_levels.{name}" for name in LEVEL))
ITEMS = EXPORTS[NAME] = Export("Inventory export", "inventory items", "inventory_item", _rows, COLUMNS, FIELDS)


@workflow(NAME, durable=True, timeout=EXPORT_SECONDS)
async def export_inventory_items(flow: Flow, filter: Row) -> None:
    """Write the inventory items that pass a filter into a CSV file, a row for each location that they are at."""
    await carry_out(flow, NAME, list(FIELDS), filter)
