"""Available quantities of variants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...core.errors import InvalidData
from ...core.rows import Row
from ...core.sql.schema.fields import FieldTree
from ..kit.request import Request


async def add_quantities(request: Request, variants: Sequence[Row], channel_ids: Sequence[str]) -> None:
    """Give each variant that is sold from stock its `inventory_quantity`: how many can be made from the items available in the channel.

    Raises InvalidData unless there is exactly one channel.
    """
    if len(channel_ids) != 1:
        raise InvalidData(
            "Inventory availability cannot be calculated in the given context. Either provide a single sales channel id"
            " or configure a single sales channel in the publishable key"
        )
    await _add(request, variants, list(channel_ids))


async def add_all_quantities(request: Request, variants: Sequence[Row]) -> None:
    """The same from the items available anywhere, whichever channels sell them."""
    await _add(request, variants, None)


def drop_unasked(rows: Sequence[Row], asked: Sequence[str], looked_at: Sequence[str]) -> None:
    """Remove fields that were `looked_at` for computing and weren't asked for. Keys stay, if their rows do."""
    tree = FieldTree.parse(asked)
    for path in looked_at:
        _drop(rows, tree, path.split("."))


def _drop(rows: Sequence[Row], tree: FieldTree, path: list[str], *, whole: bool = False) -> None:
    name, below = path[0], path[1:]
    child = tree.children.get(name)
    if child is None and not tree.all and not whole:
        leads = f"{name}_id" in tree.children or name.removesuffix("_id") in tree.children
        for row in rows if name != "id" and not (leads and not below) else ():
            row.pop(name, None)
            if below and not leads:
                row.pop(f"{name}_id", None)
    elif child is not None and below:
        inner = [one for row in rows for one in (row[name] if isinstance(row.get(name), list) else [row.get(name)]) if one is not None]
        _drop(inner, child, below, whole=child.whole)


async def _add(request: Request, variants: Sequence[Row], channel_ids: list[str] | None) -> None:
    managed = [variant for variant in variants if variant.get("manage_inventory")]
    pairs = [("product_variant_inventory_item", "variant_id", [variant["id"] for variant in managed])]
    if channel_ids is not None:
        pairs.append(("sales_channel_stock_location", "sales_channel_id", channel_ids))
    made_of, *located = await request.modules.link.linked_many(pairs)
    locations = [pair["stock_location_id"] for pair in located[0]] if located else None
    available = await request.modules.inventory.available(sorted({pair["inventory_item_id"] for pair in made_of}), locations)
    makes: dict[str, list[Decimal]] = {}
    for pair in made_of:
        makes.setdefault(pair["variant_id"], []).append(available[pair["inventory_item_id"]] // Decimal(pair["required_quantity"] or 1))
    for variant in managed:
        variant["inventory_quantity"] = max(Decimal(0), min(makes.get(variant["id"], [Decimal(0)])))
