"""Products and stock come in from Odoo."""

from __future__ import annotations

from collections.abc import Sequence

from velella.core.errors import NotFound
from velella.core.rows import Row
from velella.core.sql.schema.query import Query
from velella.workflows.built_in import batch_inventory_item_levels, create_products, update_products
from velella.workflows.kit import Flow, Retry, job, step, workflow

from . import plugin
from .mapping import TEMPLATE, VALUE, VARIANT, as_new, as_update, external_id, product_of
from .module import OdooService

AT_ONCE = 50
"""Products of Odoo's that are asked for at once."""
SOON = Retry(interval=5, most=300, during=3600)
"""An hour without Odoo ends a run of the job: the next one goes over all again."""
KNOWN = ("id", "external_id", "metadata", "variants.id", "variants.metadata", "variants.manage_inventory")
STOCKED = ("external_id", "variants.metadata", "variants.manage_inventory", "variants.inventory_items.inventory_item_id")


@job("*/15 * * * *", timeout=4 * 3600)
async def sync_odoo(flow: Flow) -> None:
    """Every quarter of an hour: what has changed of products at Odoo, and the stock of all. `velella jobs run sync-odoo` does it now."""
    after = 0
    while page := await flow.run(read_products, after):
        for product in page["changed"]:
            version = f"{product['external_id']}:{product['metadata']['odoo']}"
            await flow.start(import_product, version=version, product=product)
        await restock(flow, page["ids"])
        after = page["ids"][-1]


@step(reads=True, retry=SOON)
async def read_products(flow: Flow, after: int) -> Row | None:
    """The next products of Odoo's: their `ids`, and those that aren't in the shop as they are there. None after the last one."""
    odoo = flow.modules.of(OdooService)
    templates = await odoo.records("product.template", [("id", ">", after)], TEMPLATE, limit=AT_ONCE, archived=True)
    if not templates:
        return None
    ids = [template["id"] for template in templates]
    variants = await odoo.records("product.product", [("product_tmpl_id", "in", ids)], VARIANT)
    wanted = sorted({id for variant in variants for id in variant["product_template_variant_value_ids"] or ()})
    values = {row["id"]: row for row in await odoo.records("product.template.attribute.value", [("id", "in", wanted)], VALUE)}
    known = {row["external_id"]: row for row in await _known(flow, ids)}
    changed = []
    for template in templates:
        of = [variant for variant in variants if variant["product_tmpl_id"][0] == template["id"]]
        product = product_of(template, of if template["active"] and template["sale_ok"] else [], values)
        there = known.get(product["external_id"])
        if there is None and product["status"] == "published":
            changed.append(as_new(product, template["id"]))
        elif there is not None and (there["metadata"] or {}).get("odoo") != product["metadata"]["odoo"]:
            changed.append(product)
    return {"ids": ids, "changed": changed}


@workflow("import-odoo-product", durable=True, key="version", retention=600)
async def import_product(flow: Flow, version: str, product: Row) -> None:
    """Create a product as Odoo has it, or bring it up to date; then its stock. One that is refused (two products have one reference, say)
    holds up no other: Velella says why, and it is tried again with the next run of the job."""
    id = int(product["external_id"].removeprefix("odoo:"))
    known = await _known(flow, [id])
    if known:
        await flow.run(update_products, products=[as_update(product, known[0])])
    else:
        channel, profile = await _where(flow)
        await flow.run(create_products, products=[{**product, "sales_channels": [{"id": channel}], "shipping_profile_id": profile}])
    await restock(flow, [id])


async def restock(flow: Flow, ids: Sequence[int]) -> None:
    """Set the stock of products, by their ids at Odoo."""
    levels = await flow.run(count_stock, list(ids))
    if levels["create"] or levels["update"]:
        await flow.run(batch_inventory_item_levels, create=levels["create"], update=levels["update"])


@step(reads=True, retry=SOON)
async def count_stock(flow: Flow, ids: list[int]) -> Row:
    """The levels that are to be created and updated. What Odoo doesn't sell any more isn't there."""
    query = Query("product", STOCKED, {"external_id": [external_id(id) for id in ids]})
    items = {
        int(variant["metadata"]["odoo_id"]): variant["inventory_items"][0]["inventory_item_id"]
        for product in await flow.graph.rows(query)
        for variant in product["variants"]
        if variant["manage_inventory"] and variant["inventory_items"] and "odoo_id" in (variant["metadata"] or {})
    }
    if not items:
        return {"create": [], "update": []}
    stock = await flow.modules.of(OdooService).stock(list(items))
    location = plugin.options(flow.settings).location_id or (await _first(flow, "stock_location"))
    there = {
        row["inventory_item_id"]: row["stocked_quantity"]
        for row in await flow.modules.inventory.list(
            "inventory_level", {"inventory_item_id": list(items.values()), "location_id": location}
        )
    }
    counted = [
        {"inventory_item_id": item, "location_id": location, "stocked_quantity": stock.get(id, 0)}
        for id, item in items.items()
        if there.get(item) != stock.get(id, 0)
    ]
    return {
        "create": [level for level in counted if level["inventory_item_id"] not in there],
        "update": [level for level in counted if level["inventory_item_id"] in there],
    }


async def _known(flow: Flow, ids: Sequence[int]) -> list[Row]:
    return await flow.graph.rows(Query("product", KNOWN, {"external_id": [external_id(id) for id in ids]}))


async def _where(flow: Flow) -> tuple[str, str]:
    """The sales channel and the shipping profile of new products."""
    options = plugin.options(flow.settings)
    channel = options.sales_channel_id or await _first(flow, "sales_channel")
    return channel, options.shipping_profile_id or await _first(flow, "shipping_profile")


async def _first(flow: Flow, entity: str) -> str:
    rows: list[Row] = await flow.graph.rows(Query(entity, ("id",), order=("id",), limit=1))
    if not rows:
        raise NotFound(f"The shop has no {entity.replace('_', ' ')}")
    return str(rows[0]["id"])
