"""Variants with their prices and stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ...core.ids import new_id
from ...core.rows import Given, Row
from ...core.sql.write.undo import Change
from ...modules.pricing.types import NewPriceSet
from ..inventory.items import drop_items, insert_items
from ..kit import Flow, workflow
from ..links import delete, link, unlink
from ..pricing.prices import add_prices, create_price_sets, update_price_sets
from ..rows import Selector, selected, written
from .stock import LINK, check_items, default_items, items_of_none_but, pairs_to

AROUND = ("prices", "more_prices", "inventory_items", "additional_data")
"""Members of a variant's input that belong to other modules."""
PRICED = "product_variant_price_set"


def bare(variant: Row) -> Row:
    """The product module's part of a variant's input."""
    return {name: value for name, value in variant.items() if name not in AROUND}


async def equip_variants(flow: Flow, variants: Sequence[Row], given: Sequence[Row], link_rows: dict[str, list[Row]] | None = None) -> None:
    """Create the data of new variants in other modules: a price set each, inventory items, and the links (with further `link_rows`).

    `given`: the input of each of the stored `variants`. All ids are known beforehand, so it takes one message to each module.
    """
    prices = [_price_set(asked.get("prices") or asked.get("more_prices") or []) for asked in given]
    supplied = {variant["id"]: asked.get("inventory_items") or [] for variant, asked in zip(variants, given, strict=True)}
    await check_items(flow, supplied)
    made = default_items(variant for variant in variants if variant["manage_inventory"] and not supplied[variant["id"]])
    stock = [
        link_row for variant in variants if variant["manage_inventory"] for link_row in pairs_to(variant["id"], supplied[variant["id"]])
    ]
    stock += [{"variant_id": variant_id, "inventory_item_id": item["id"]} for variant_id, item in made]
    await flow.parallel((create_price_sets, prices), (insert_items, [item for _, item in made]))
    priced = [{"variant_id": variant["id"], "price_set_id": each["id"]} for variant, each in zip(variants, prices, strict=True)]
    await link(flow, {PRICED: priced, LINK: stock, **(link_rows or {})})


def _price_set(prices: Sequence[Given]) -> NewPriceSet:
    return {"id": new_id("pset"), "prices": prices}


async def reprice_variants(flow: Flow, given: Sequence[Row]) -> None:
    """Replace the prices of variants whose input has `prices`, and put `more_prices` in the place of those for the same, or beside all
    others. A variant without a price set gets one."""
    wanted = {variant["id"]: variant["prices"] for variant in given if variant.get("prices") is not None}
    more = {variant["id"]: variant["more_prices"] for variant in given if variant.get("more_prices")}
    if not (wanted or more):
        return
    link_rows = await flow.modules.link.linked(PRICED, "variant_id", list(wanted | more))
    sets = {link_row["variant_id"]: link_row["price_set_id"] for link_row in link_rows}
    await flow.run(update_price_sets, [{"id": sets[id], "prices": prices} for id, prices in wanted.items() if id in sets])
    if more:
        await flow.run(add_prices, [{"price_set_id": sets[id], "prices": prices} for id, prices in more.items() if id in sets])
    new = [(id, _price_set(prices)) for id, prices in (more | wanted).items() if id not in sets]
    if new:
        await flow.run(create_price_sets, [row for _, row in new])
        await link(flow, {PRICED: [{"variant_id": id, "price_set_id": row["id"]} for id, row in new]})


async def restock_variants(flow: Flow, change: Change, after: Sequence[Row]) -> None:
    """Follow variants whose stock is managed from now on, or no longer (their links are removed). Those without an item get the one that
    has their SKU, or a new one.

    `change`: what the update of the variants changed. `after`: the variants as they are now.
    """
    pairs = [pair for table, pairs in change if table == "product_variant" for pair in pairs]
    managed = {was["id"]: bool(was["manage_inventory"]) for was, _ in pairs if was is not None and "manage_inventory" in was}
    off = [row["id"] for row in after if managed.get(row["id"]) and not row["manage_inventory"]]
    on = [row for row in after if managed.get(row["id"]) is False and row["manage_inventory"]]
    if not (off or on):
        return
    link_rows = await flow.modules.link.linked(LINK, "variant_id", [*off, *(row["id"] for row in on)])
    loose = [
        {name: link_row[name] for name in ("variant_id", "inventory_item_id", "required_quantity")}
        for link_row in link_rows
        if link_row["variant_id"] in off
    ]
    if loose:
        await unlink(flow, {LINK: [{name: link_row[name] for name in ("variant_id", "inventory_item_id")} for link_row in loose]})
    made = default_items(row for row in on if row["id"] not in {link_row["variant_id"] for link_row in link_rows})
    if made:
        skus = [item["sku"] for _, item in made if item["sku"] is not None]
        kept = await flow.modules.inventory.list("inventory_item", {"sku": skus}, fields=("id", "sku")) if skus else []
        there = {row["sku"]: row["id"] for row in kept}  # from when their stock was managed before
        if new := [item for _, item in made if item["sku"] not in there]:
            await flow.run(insert_items, new)
        made = [(id, {"id": there.get(item["sku"], item["id"])}) for id, item in made]
        await link(flow, {LINK: [{"variant_id": id, "inventory_item_id": item["id"]} for id, item in made]})


# -- the flows


insert_variants = written("insert-variants", lambda modules: modules.product.create_variants)


change_variants = written("change-variants", lambda modules: modules.product.update_variants)


@workflow("create-product-variants", durable=True, hooks=("productVariantsCreated",))
async def create_product_variants(flow: Flow, product_variants: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Create variants of existing products (`product_id`), with `prices` and `inventory_items`. Returns the rows as they are stored, in
    order.

    A variant with managed stock and without items gets one of its own. Raises what `ProductService.create_variants` and
    `PricingService.create_price_sets` raise, NotFound for an inventory item.
    """
    variants = (await flow.run(insert_variants, [bare(variant) for variant in product_variants]))["answer"]
    await equip_variants(flow, variants, product_variants)
    for variant in variants:
        flow.emit("product-variant.created", id=variant["id"])
    await flow.hooks.productVariantsCreated(product_variants=variants)
    return variants


@workflow("update-product-variants", hooks=("productVariantsUpdated",), emits=("product-variant.updated",))
async def update_product_variants(
    flow: Flow,
    product_variants: list[Row] | None = None,
    selector: Selector | None = None,
    update: Row | None = None,
    additional_data: Row | None = None,
) -> list[Row]:
    """Change variants: each by its id, or all that a selector selects in the same way. `prices`, where named, replaces a variant's prices;
    `more_prices` leaves those for anything else as they are.

    Raises NotFound, InvalidData for taken codes or combinations of options.
    """
    given = product_variants or []
    if product_variants is None:
        given = [{**(update or {}), "id": id} for id in await selected(flow, "product_variant", selector or {})]
    if not given:
        return []
    if any(variant.get(name) is not None for variant in given for name in ("prices", "more_prices", "manage_inventory")):
        flow.durably()
    done = await flow.run(change_variants, [bare(variant) for variant in given])
    changed = done["answer"]
    await restock_variants(flow, done["change"], changed)
    await reprice_variants(flow, given)
    for variant in changed:
        flow.emit("product-variant.updated", id=variant["id"])
    await flow.hooks.productVariantsUpdated(product_variants=changed)
    return changed


@workflow("delete-product-variants", durable=True, hooks=("productVariantsDeleted",))
async def delete_product_variants(flow: Flow, ids: list[str]) -> list[str]:
    """Delete variants with their prices and the inventory items that are theirs alone. Returns the ids that existed.

    Raises InvalidData where something of them is reserved.
    """
    items = await items_of_none_but(flow, ids)
    await drop_items(flow, items)  # first: it alone can be refused, and nothing that buyers see has changed then
    gone = await delete(flow, "product_variant", ids)
    for id in gone:
        flow.emit("product-variant.deleted", id=id)
    await flow.hooks.productVariantsDeleted(ids=gone)
    return gone


class VariantBatch(TypedDict):
    created: list[Row]
    updated: list[Row]
    deleted: list[str]


@workflow("batch-product-variants", durable=True)
async def batch_product_variants(
    flow: Flow, create: list[Row] | None = None, update: list[Row] | None = None, delete: list[str] | None = None
) -> VariantBatch:
    """Delete, then change, then create, so that deleted rows make room for new ones. All of it, or nothing."""
    deleted = await flow.run(delete_product_variants, ids=delete) if delete else []
    updated = await flow.run(update_product_variants, product_variants=update) if update else []
    created = await flow.run(create_product_variants, product_variants=create) if create else []
    return {"created": created, "updated": updated, "deleted": deleted}
