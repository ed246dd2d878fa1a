"""The inventory items behind variants: what a variant takes from stock when it is sold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...core.errors import NotFound
from ...core.ids import new_id
from ...core.rows import Row
from ..kit import Flow, workflow
from ..links import link, unlink

SAME = ("sku", "origin_country", "mid_code", "hs_code", "material", "weight", "length", "height", "width", "thumbnail")
"""Columns that an item copies from its variant."""
LINK = "product_variant_inventory_item"


async def check_items(flow: Flow, given: Mapping[str, Iterable[Row]]) -> None:
    """Check that the given inventory items exist. Raises NotFound, which names the missing ones."""
    wanted = sorted({item["inventory_item_id"] for items in given.values() for item in items})
    if not wanted:
        return
    there = {row["id"] for row in await flow.modules.inventory.list("inventory_item", {"id": wanted}, fields=("id",))}
    lost = [id for id in wanted if id not in there]
    if lost:
        raise NotFound(f"Inventory Items with ids: {', '.join(lost)} was not found")


def default_items(variants: Iterable[Row]) -> list[tuple[str, Row]]:
    """(variant, the item that is created for it) for variants with managed stock and without items."""
    return [(variant["id"], _item_of(variant)) for variant in variants]


def _item_of(variant: Row) -> Row:
    item: Row = {name: variant.get(name) for name in SAME}
    return {**item, "id": new_id("iitem"), "title": variant["title"], "description": variant["title"]}


def pairs_to(variant_id: str, items: Iterable[Row]) -> list[Row]:
    """`[{inventory_item_id, required_quantity?}]` as links."""
    return [
        {"variant_id": variant_id, **{name: item[name] for name in ("inventory_item_id", "required_quantity") if name in item}}
        for item in items
    ]


async def items_of_none_but(flow: Flow, variant_ids: Sequence[str]) -> list[str]:
    """Inventory items that belong to no variant but these: they are deleted with them."""
    if not variant_ids:
        return []
    ours = await flow.modules.link.linked(LINK, "variant_id", variant_ids)
    all_of_them = await flow.modules.link.linked(LINK, "inventory_item_id", sorted({pair["inventory_item_id"] for pair in ours}))
    shared = {pair["inventory_item_id"] for pair in all_of_them if pair["variant_id"] not in set(variant_ids)}
    return sorted({pair["inventory_item_id"] for pair in ours} - shared)


@workflow("batch-variant-inventory-items")
async def batch_variant_items(flow: Flow, needed: list[Row], no_longer: list[Row]) -> None:
    """Link variants to inventory items (`variant_id`, `inventory_item_id`, `required_quantity`), and unlink others.

    Raises NotFound for an unknown inventory item.
    """
    supplied: dict[str, list[Row]] = {}
    for pair in needed:
        supplied.setdefault(pair["variant_id"], []).append(pair)
    if needed and no_longer:
        flow.durably()
    await check_items(flow, supplied)
    await unlink(flow, {LINK: no_longer})
    await link(flow, {LINK: needed})
