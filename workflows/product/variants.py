"""Variants with their prices and stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ...core.ids import new_id
from ..pricing.prices import create_price_sets, update_price_sets
from ..rows import Selector, attach_ties, check_there, delete_rows, detach_ties, release_ties, selected
from .stock import LINK, check_items, create_items, default_items, delete_items, items_of_none_but, ties_to

Row = dict[str, Any]

AROUND = ("prices", "inventory_items", "additional_data")
"""What a variant is given with that other modules keep."""
PRICED = "product_variant_price_set"


def bare(variant: Row) -> Row:
    """What the product module keeps of a variant."""
    return {name: value for name, value in variant.items() if name not in AROUND}


async def equip_variants(flow: Flow, variants: Sequence[Row], given: Sequence[Row], ties: dict[str, list[Row]] | None = None) -> None:
    """Give new variants what other modules keep for them: a price set each, inventory items, and the ties (with further `ties`).

    `given`: what each of the stored `variants` was asked for with. All ids are known beforehand, so one message a module does it.
    """
    prices = [{"id": new_id("pset"), "prices": asked.get("prices") or []} for asked in given]
    supplied = {variant["id"]: asked.get("inventory_items") or [] for variant, asked in zip(variants, given, strict=True)}
    await check_items(flow, supplied)
    made = default_items(variant for variant in variants if variant["manage_inventory"] and not supplied[variant["id"]])
    stock = [tie for variant in variants if variant["manage_inventory"] for tie in ties_to(variant["id"], supplied[variant["id"]])]
    stock += [{"variant_id": variant_id, "inventory_item_id": item["id"]} for variant_id, item in made]
    await flow.parallel((create_price_sets, prices), (create_items, [item for _, item in made]))
    priced = [{"variant_id": variant["id"], "price_set_id": each["id"]} for variant, each in zip(variants, prices, strict=True)]
    await flow.run(attach_ties, {PRICED: priced, LINK: stock, **(ties or {})})


async def reprice_variants(flow: Flow, given: Sequence[Row]) -> None:
    """Replace the prices of variants (`{id, prices}`) that name any; one that has no price set yet gets one."""
    wanted = {variant["id"]: variant["prices"] for variant in given if variant.get("prices") is not None}
    if not wanted:
        return
    sets = {tie["variant_id"]: tie["price_set_id"] for tie in await flow.modules.link.linked(PRICED, "variant_id", list(wanted))}
    await flow.run(update_price_sets, [{"id": sets[id], "prices": prices} for id, prices in wanted.items() if id in sets])
    new = [(id, {"id": new_id("pset"), "prices": prices}) for id, prices in wanted.items() if id not in sets]
    if new:
        await flow.run(create_price_sets, [row for _, row in new])
        await flow.run(attach_ties, {PRICED: [{"variant_id": id, "price_set_id": row["id"]} for id, row in new]})
        await flow.run(check_there, "product_variant", [id for id, _ in new])


async def restock_variants(flow: Flow, before: Sequence[Row], after: Sequence[Row]) -> None:
    """Follow variants whose stock is managed from now on (they get an item if they have none), or no longer (their ties go)."""
    managed = {row["id"]: bool(row["manage_inventory"]) for row in before}
    off = [row["id"] for row in after if managed.get(row["id"]) and not row["manage_inventory"]]
    on = [row for row in after if managed.get(row["id"]) is False and row["manage_inventory"]]
    if not (off or on):
        return
    ties = await flow.modules.link.linked(LINK, "variant_id", [*off, *(row["id"] for row in on)])
    loose = [
        {name: tie[name] for name in ("variant_id", "inventory_item_id", "required_quantity")} for tie in ties if tie["variant_id"] in off
    ]
    if loose:
        await flow.run(detach_ties, {LINK: [{name: tie[name] for name in ("variant_id", "inventory_item_id")} for tie in loose]})
    made = default_items(row for row in on if row["id"] not in {tie["variant_id"] for tie in ties})
    if made:
        await flow.run(create_items, [item for _, item in made])
        await flow.run(attach_ties, {LINK: [{"variant_id": id, "inventory_item_id": item["id"]} for id, item in made]})
        await flow.run(check_there, "product_variant", [id for id, _ in made])


async def strip_variants(flow: Flow, variant_ids: Sequence[str]) -> None:
    """Take from variants that are gone what other modules keep for them alone. Raises NotAllowed where something is reserved."""
    await flow.run(delete_items, await items_of_none_but(flow, variant_ids))
    await flow.run(release_ties, "product_variant", variant_ids)


# -- the flows


async def _delete_variants(flow: Flow, variants: list[Row]) -> None:
    await flow.modules.product.delete("product_variant", [variant["id"] for variant in variants])


@step(undo=_delete_variants)
async def insert_variants(flow: Flow, rows: Sequence[Row]) -> list[Row]:
    return await flow.modules.product.create_variants(rows)


class VariantsChanged(TypedDict):
    variants: list[Row]
    product_ids: list[str]
    before: dict[str, list[Row]]


async def _put_back_variants(flow: Flow, changed: VariantsChanged) -> None:
    await flow.modules.product.put_back_products(changed["product_ids"], changed["before"])


@step(undo=_put_back_variants)
async def change_variants(flow: Flow, rows: Sequence[Row]) -> VariantsChanged:
    changed = await flow.modules.product.update_variants(rows)
    return {"variants": changed["variants"], "product_ids": changed["product_ids"], "before": changed["before"]}


@workflow("create-product-variants", hooks=("productVariantsCreated",))
async def create_product_variants(flow: Flow, product_variants: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Variants of existing products (`product_id`), with `prices` and `inventory_items`; the rows as they are stored, in order.

    A variant whose stock is managed and that comes without items gets one of its own. Raises what `ProductService.create_variants` and
    `PricingService.create_price_sets` raise, NotFound for an inventory item.
    """
    variants = await flow.run(insert_variants, [bare(variant) for variant in product_variants])
    await equip_variants(flow, variants, product_variants)
    await flow.run(check_there, "product_variant", [variant["id"] for variant in variants])
    for variant in variants:
        flow.emit("product-variant.created", id=variant["id"])
    await flow.hooks.productVariantsCreated(variants, additional_data)
    return variants


@workflow("update-product-variants", hooks=("productVariantsUpdated",))
async def update_product_variants(
    flow: Flow,
    product_variants: list[Row] | None = None,
    selector: Selector | None = None,
    update: Row | None = None,
    additional_data: Row | None = None,
) -> list[Row]:
    """Change variants: each by its id, or all that a selector means in the same way. `prices`, where named, replaces a variant's prices.

    Raises NotFound, InvalidData for taken codes or combinations of options.
    """
    given = product_variants or []
    if product_variants is None:
        given = [{**(update or {}), "id": id} for id in await selected(flow, "product_variant", selector or {})]
    if not given:
        return []
    changed = await flow.run(change_variants, [bare(variant) for variant in given])
    await restock_variants(flow, changed["before"]["product_variant"], changed["variants"])
    await reprice_variants(flow, given)
    for variant in changed["variants"]:
        flow.emit("product-variant.updated", id=variant["id"])
    await flow.hooks.productVariantsUpdated(changed["variants"], additional_data)
    return changed["variants"]


@workflow("delete-product-variants", hooks=("productVariantsDeleted",))
async def delete_product_variants(flow: Flow, ids: list[str]) -> list[str]:
    """Delete variants with their prices and the inventory items that are theirs alone; the ids that were there.

    Raises NotAllowed where something of them is reserved.
    """
    await flow.run(delete_items, await items_of_none_but(flow, ids))
    gone = [row["id"] for row in (await flow.run(delete_rows, "product_variant", ids))["rows"]]
    await flow.run(release_ties, "product_variant", gone)
    for id in gone:
        flow.emit("product-variant.deleted", id=id)
    await flow.hooks.productVariantsDeleted(gone)
    return gone


class Batch(TypedDict):
    created: list[Row]
    updated: list[Row]
    deleted: list[str]


@workflow("batch-product-variants")
async def batch_product_variants(
    flow: Flow, create: list[Row] | None = None, update: list[Row] | None = None, delete: list[str] | None = None
) -> Batch:
    """Delete, then change, then create: what goes makes room for what comes. All of it, or nothing."""
    deleted = await flow.run(delete_product_variants, ids=delete) if delete else []
    updated = await flow.run(update_product_variants, product_variants=update) if update else []
    created = await flow.run(create_product_variants, product_variants=create) if create else []
    return {"created": created, "updated": updated, "deleted": deleted}
