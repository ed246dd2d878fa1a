"""Products with their data in other modules: prices, stock, sales channels, a shipping profile."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import InvalidData
from ...core.rows import Row
from ...modules.product.matching import variants_of
from ..inventory.items import drop_items
from ..kit import Flow, workflow
from ..links import relink, unlink_all
from ..rows import Selector, selected, written
from .stock import items_of_none_but
from .variants import VariantBatch, bare, equip_variants, reprice_variants, restock_variants

ELSEWHERE = ("sales_channels", "shipping_profile_id", "additional_data")
"""Members of a product's input that belong to other modules."""


def bare_product(product: Row) -> Row:
    """The product module's part of a product's input."""
    row = {name: value for name, value in product.items() if name not in ELSEWHERE}
    for name in ("variants", "more_variants"):
        if row.get(name) is not None:
            row[name] = [bare(variant) for variant in row[name]]
    return row


# -- creating


insert_products = written("insert-products", lambda modules: modules.product.create_products)


@workflow("create-products", durable=True, hooks=("productsCreated",))
async def create_products(flow: Flow, products: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Create products with everything around them. Returns the rows as they are stored with their `variants`, in order.

    The input is that of `ProductService.create_products`, with `sales_channels` ([{id}]), `shipping_profile_id`, and
    variants' `prices` and `inventory_items`. One message to each of four modules, however many products.

    Raises InvalidData for products without options, and the modules' errors; nothing stays then.
    """
    _refuse_without_options(products)
    made = (await flow.run(insert_products, [bare_product(product) for product in products]))["answer"]
    pairs = {
        "product_sales_channel": [
            {"product_id": row["id"], "sales_channel_id": channel["id"]}
            for row, product in zip(made, products, strict=True)
            for channel in product.get("sales_channels") or []
        ],
        "product_shipping_profile": [
            {"product_id": row["id"], "shipping_profile_id": product["shipping_profile_id"]}
            for row, product in zip(made, products, strict=True)
            if product.get("shipping_profile_id")
        ],
    }
    variants = [variant for row in made for variant in row["variants"]]
    await equip_variants(flow, variants, [variant for product in products for variant in product.get("variants") or []], pairs)
    for row in made:
        flow.emit("product.created", id=row["id"])
    for variant in variants:
        flow.emit("product-variant.created", id=variant["id"])
    await flow.hooks.productsCreated(products=made)
    return made


def _refuse_without_options(products: Sequence[Row]) -> None:
    without = [str(product.get("title")) for product in products if not product.get("options")]
    if without:
        raise InvalidData(f"Product options are not provided for: [{', '.join(without)}].")


# -- changing


change_products = written("change-products", lambda modules: modules.product.update_products)


@workflow("update-products", hooks=("productsUpdated",), emits=("product.updated",))
async def update_products(
    flow: Flow,
    products: list[Row] | None = None,
    selector: Selector | None = None,
    update: Row | None = None,
    additional_data: Row | None = None,
) -> list[Row]:
    """Change products: each by its id, or all that a selector selects in the same way. Returns the rows as they are stored.

    Takes the input of `ProductService.update_products`, and `sales_channels`, `shipping_profile_id` (None: none), and the `prices` of
    variants, each of which replaces the old ones; and their `more_prices`, which leave the prices for anything else as they are. Raises
    NotFound, and the modules' errors; then everything is as before.
    """
    given = products or []
    if products is None:
        given = [{**(update or {}), "id": id} for id in await selected(flow, "product", selector or {})]
    if not given:
        return []
    if any(product.get(name) is not None for product in given for name in ("variants", "more_variants", "sales_channels")) or any(
        "shipping_profile_id" in product for product in given
    ):
        flow.durably()
    done = await flow.run(change_products, [bare_product(product) for product in given])
    changed = done["answer"]
    if changed["variants_deleted"]:
        items = await items_of_none_but(flow, changed["variants_deleted"])
        await unlink_all(flow, done["change"])
        await drop_items(flow, items)
    await restock_variants(flow, done["change"], changed["variants_updated"])
    variants = [variant for product in given for variant in variants_of(product)]
    named = [{**variant, "id": id} for variant, id in zip(variants, changed["variants_named"], strict=True)]
    kept = {variant["id"] for variant in changed["variants_updated"]}
    await reprice_variants(flow, [variant for variant in named if variant["id"] in kept])
    if changed["variants_created"]:
        await equip_variants(flow, changed["variants_created"], [variant for variant in named if variant["id"] not in kept])
    for product in given:
        if product.get("sales_channels") is not None:
            await relink(flow, "product_sales_channel", "product_id", product["id"], [each["id"] for each in product["sales_channels"]])
        if "shipping_profile_id" in product:
            profile = product["shipping_profile_id"]
            await relink(flow, "product_shipping_profile", "product_id", product["id"], [profile] if profile else [])
        flow.emit("product.updated", id=product["id"])
    await flow.hooks.productsUpdated(products=changed["products"])
    return changed["products"]


# -- deleting


remove_products = written("remove-products", lambda modules: modules.product.delete_products)


@workflow("delete-products", durable=True, hooks=("productsDeleted",))
async def delete_products(flow: Flow, ids: list[str]) -> list[str]:
    """Delete products with their variants, prices, and the options and inventory items that are theirs alone. Returns the ids that existed.

    Raises InvalidData where something of them is reserved.
    """
    variants = [row["id"] for row in await flow.modules.product.list("product_variant", {"product_id": ids}, fields=("id",))]
    items = await items_of_none_but(flow, variants)
    await drop_items(flow, items)  # first: it alone can be refused, and nothing that buyers see has changed then
    done = await flow.run(remove_products, ids)
    gone = done["answer"]
    unseen = sorted(set(gone["variants"]) - set(variants))  # created meanwhile
    late = await items_of_none_but(flow, unseen) if unseen else []
    await unlink_all(flow, done["change"])
    await drop_items(flow, late)
    for id in gone["products"]:
        flow.emit("product.deleted", id=id)
    await flow.hooks.productsDeleted(ids=gone["products"])
    return gone["products"]


@workflow("batch-products", durable=True)
async def batch_products(
    flow: Flow, create: list[Row] | None = None, update: list[Row] | None = None, delete: list[str] | None = None
) -> VariantBatch:
    """Delete, then change, then create, so that deleted rows make room for new ones. All of it, or nothing."""
    deleted = await flow.run(delete_products, ids=delete) if delete else []
    updated = await flow.run(update_products, products=update) if update else []
    created = await flow.run(create_products, products=create) if create else []
    return {"created": created, "updated": updated, "deleted": deleted}
