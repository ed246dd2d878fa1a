"""Admin: products with their variants, prices and options."""

from __future__ import annotations

from ...core.errors import NotFound
from ...core.rows import Row
from ...workflows.links import batch_links
from ...workflows.product.images import batch_image_variants, batch_variant_images
from ...workflows.product.options import set_product_options
from ...workflows.product.products import batch_products, create_products, delete_products, update_products
from ...workflows.product.stock import batch_variant_items
from ...workflows.product.variants import (
    VariantBatch,
    batch_product_variants,
    create_product_variants,
    delete_product_variants,
    update_product_variants,
)
from ..kit import (
    BOOLEAN,
    MANY,
    STAMPS,
    TEXT,
    TEXT_LIST,
    Answer,
    Cached,
    Filters,
    LinkBody,
    Request,
    Routes,
    View,
    Write,
    choices,
    deleted,
)
from ..kit.filters import meaning
from ..kit.nested import belonging, deleted_from
from ..store.quantities import add_all_quantities, drop_unasked
from .product_bodies import (
    BatchNeeds,
    BatchOptions,
    BatchProducts,
    BatchVariants,
    CreateProductRequest,
    CreateVariantRequest,
    NeedBody,
    NeededQuantity,
    UpdateProductRequest,
    UpdateVariantRequest,
)

routes = Routes()

STATUSES = ("draft", "proposed", "published", "rejected")

# -- how prices are shown

PRICE_SHOWN = ("id", "amount", "currency_code", "min_quantity", "max_quantity", "created_at", "updated_at")


def shown_variant(variant: Row) -> Row:
    """The variant with its prices as merchants see them: `rules` by attribute, no price sets."""
    prices = variant.get("prices")
    if prices is None:
        return variant
    variant["prices"] = [
        {
            **{name: price[name] for name in PRICE_SHOWN if name in price},
            "variant_id": variant["id"],
            "rules": {rule["attribute"]: rule["value"] for rule in price.get("price_rules") or ()},
        }
        for price in prices
    ]
    return variant


def shown_product(product: Row) -> Row:
    for variant in product.get("variants") or ():
        shown_variant(variant)
    return product


# -- views

VARIANT_COLUMNS = (
    "id title sku thumbnail barcode ean upc allow_backorder manage_inventory hs_code origin_country mid_code material weight length height"
    " width metadata variant_rank product_id created_at updated_at deleted_at"
)
PRICES = "*prices *options prices.price_rules.value prices.price_rules.attribute"

PRODUCT = View(
    "product",
    "id title subtitle status external_id description handle is_giftcard discountable thumbnail collection_id type_id weight length height"
    " width hs_code origin_country mid_code material created_at updated_at deleted_at metadata *type *collection *options *options.values"
    " *tags *images *variants *variants.prices variants.prices.price_rules.value variants.prices.price_rules.attribute *variants.options"
    " *variants.images *sales_channels",
    shown=shown_product,
)
QUANTITY = "inventory_quantity"
"""A computed field of lists of variants: the quantity at all locations."""
VARIANT = View("product_variant", f"{VARIANT_COLUMNS} {PRICES}", key="variant", shown=shown_variant)
ANY_VARIANT = VARIANT.but(defaults=f"{VARIANT_COLUMNS} *product {PRICES}")
PRODUCT_OPTION = View("product_option", "id title")

INVENTORY = "product_variant_inventory_item"
PRICED = Cached("pricing product_variant_price_set product_sales_channel")
COUNTED = Cached(
    "pricing product_variant_price_set",
    also=lambda request: f"inventory {INVENTORY}" if request.asks(QUANTITY) else "",
)

VARIANT_FILTERS = Filters(
    strict=False,
    logical=True,
    id=MANY,
    manage_inventory=BOOLEAN,
    allow_backorder=BOOLEAN,
    sku=MANY,
    ean=MANY,
    upc=MANY,
    barcode=MANY,
    **STAMPS,
)
PRODUCTS = Filters(
    strict=False, logical=True, q=TEXT, variants=VARIANT_FILTERS, status=choices(*STATUSES), sales_channel_id=MANY, id=MANY, title=MANY,
    handle=MANY, is_giftcard=BOOLEAN, external_id=MANY, collection_id=MANY, type_id=MANY, **STAMPS,
    category_id=meaning(MANY, "categories.id"),
    tag_id=meaning(MANY, "tags.id"),
    option_id=meaning(MANY, "product_options.product_option.id"),
    option_value_id=meaning(MANY, "variants.options.id"),
    price_list_id=meaning(TEXT_LIST, "variants.prices.price_list_id"),
)  # fmt: skip


async def variants(request: Request, view: View, filters: Row) -> Answer:
    """A list of variants, with the quantity of each if asked for."""
    counted = request.asks(QUANTITY)
    fields = (*(name for name in request.fields if name != QUANTITY), "id", "manage_inventory") if counted else None
    page = await request.page_of(view, filters, fields=fields)
    if counted:
        await add_all_quantities(request, page.rows)
        drop_unasked(page.rows, request.fields, ("manage_inventory",))
    rows = [shown_variant(row) for row in page.rows]
    return {view.plural: rows, "count": page.count, "offset": request.page.offset, "limit": request.page.limit}


# -- products


routes.resource(
    "/admin/products",
    PRODUCT,
    list=PRODUCTS,
    create=Write(CreateProductRequest, create_products),
    update=Write(UpdateProductRequest, update_products),
    sources="pricing product_variant_price_set product_sales_channel",
    summaries={
        "list": "List products.",
        "get": "Get a product.",
        "create": "Create a product with its options, variants and prices.",
        "update": "Update a product. Variants, where named, are those that it has from now on.",
    },
)


@routes.delete("/admin/products/{id}", returns=PRODUCT)
async def delete_product(request: Request) -> Answer:
    """Delete a product with its variants."""
    await request.run(delete_products, ids=[request.params["id"]])
    return deleted(request.params["id"], "product")


async def written(request: Request, view: View, done: VariantBatch) -> dict[str, list[Row]]:
    """The created and updated rows, as the view shows them, in that order."""
    ids = {name: [row["id"] for row in rows] for name, rows in (("created", done["created"]), ("updated", done["updated"]))}
    rows = await request.by_ids(view, [*ids["created"], *ids["updated"]])
    return {name: [rows[id] for id in each if id in rows] for name, each in ids.items()}


@routes.post("/admin/products/batch", body=BatchProducts, returns=PRODUCT)
async def batch(request: Request) -> Answer:
    """Create, update and delete products: all of it, or nothing."""
    done = await request.run(batch_products, **request.body)
    return {
        **await written(request, PRODUCT, done),
        "deleted": {"ids": request.body.get("delete", []), "object": "product", "deleted": True},
    }


# -- options of a product


@routes.get(
    "/admin/products/{id}/options",
    query=Filters(q=TEXT, id=MANY, title=TEXT, logical=True, **STAMPS),
    returns=PRODUCT_OPTION,
    many=True,
    cached=Cached(),
)
async def list_options(request: Request) -> Answer:
    """List the options of a product."""
    return await request.fetch_list(PRODUCT_OPTION, {**request.filters, "products": {"id": request.params["id"]}})


routes.action(
    "/admin/products/{id}/options/batch",
    PRODUCT,
    set_product_options,
    "Give a product options, take some away, change which of their values it uses: all of it, or nothing.",
    body=BatchOptions,
    id="product_id",
    envelope="product",
)

# -- variants of a product


@routes.get("/admin/products/{id}/variants", query=VARIANT_FILTERS.plus(strict=True, q=TEXT), returns=VARIANT, many=True, cached=COUNTED)
async def list_variants(request: Request) -> Answer:
    """List the variants of a product."""
    return await variants(request, VARIANT, {**request.filters, "product_id": request.params["id"]})


@routes.get("/admin/product-variants", query=VARIANT_FILTERS.plus(strict=True, q=TEXT), returns=ANY_VARIANT, many=True, cached=COUNTED)
async def list_all_variants(request: Request) -> Answer:
    """List variants of all products."""
    return await variants(request, ANY_VARIANT, request.filters)


@routes.post("/admin/products/{id}/variants", body=CreateVariantRequest, returns=PRODUCT)
async def create_variant(request: Request) -> Answer:
    """Create a variant of a product."""
    additional = request.body.pop("additional_data", None)
    variants = [{**request.body, "product_id": request.params["id"]}]
    await request.run(create_product_variants, product_variants=variants, additional_data=additional)
    return await request.fetch(PRODUCT, request.params["id"])


@routes.get("/admin/products/{id}/variants/{variant_id}", returns=VARIANT, cached=PRICED)
async def get_variant(request: Request) -> Answer:
    """Get a variant of a product."""
    await own(request, request.params["variant_id"])
    return await request.fetch(VARIANT, request.params["variant_id"])


@routes.post("/admin/products/{id}/variants/{variant_id}", body=UpdateVariantRequest, returns=PRODUCT)
async def update_variant(request: Request) -> Answer:
    """Update a variant of a product."""
    await own(request, request.params["variant_id"])
    additional = request.body.pop("additional_data", None)
    variants = [{**request.body, "id": request.params["variant_id"]}]
    await request.run(update_product_variants, product_variants=variants, additional_data=additional)
    return await request.fetch(PRODUCT, request.params["id"])


@routes.delete("/admin/products/{id}/variants/{variant_id}", returns=PRODUCT)
async def delete_variant(request: Request) -> Answer:
    """Delete a variant of a product."""
    await own(request, request.params["variant_id"], gone=True)
    await request.run(delete_product_variants, ids=[request.params["variant_id"]])
    return await deleted_from(request, PRODUCT, request.params["id"], request.params["variant_id"], "variant")


@routes.post("/admin/products/{id}/variants/batch", body=BatchVariants, returns=VARIANT)
async def batch_variants(request: Request) -> Answer:
    """Create, update and delete variants of a product: all of it, or nothing."""
    given = request.body
    await own(request, *(row["id"] for row in given.get("update", ())))
    await own(request, *given.get("delete", ()), gone=True)
    create = [{**row, "product_id": request.params["id"]} for row in given.get("create", ())]
    done = await request.run(batch_product_variants, create=create, update=given.get("update", []), delete=given.get("delete", []))
    return {
        **await written(request, VARIANT, done),
        "deleted": {"ids": given.get("delete", []), "object": "variant", "deleted": True},
    }


async def own(request: Request, *variant_ids: str, gone: bool = False) -> None:
    """Check that variants are the path's product's; with `gone` they may also not exist. Raises NotFound, which names the first
    one that isn't."""
    wanted = set(variant_ids)
    if wanted:
        found = await request.modules.product.list("product_variant", {"id": sorted(wanted)}, fields=("id", "product_id"))
        there = {row["id"]: row["product_id"] for row in found}
        theirs = {id for id in wanted if there.get(id, request.params["id"] if gone else None) != request.params["id"]}
        if lost := sorted(theirs):
            raise NotFound(f"Variant with id: {lost[0]} was not found on product {request.params['id']}")


# -- images of variants


@routes.post("/admin/products/{id}/variants/{variant_id}/images/batch", body=LinkBody, query=None, envelope="added removed")
async def set_images_of_variant(request: Request) -> Answer:
    """Assign images of the product to a variant, unassign others."""
    await own(request, request.params["variant_id"])
    changed = await request.run(batch_variant_images, variant_id=request.params["variant_id"], **request.body)
    return {"added": changed["added"], "removed": changed["removed"]}


@routes.post("/admin/products/{id}/images/{image_id}/variants/batch", body=LinkBody, query=None, envelope="added removed")
async def set_variants_of_image(request: Request) -> Answer:
    """Assign an image of the product to variants, unassign it from others."""
    await belonging(request, "product_image", request.params["image_id"], product_id=request.params["id"])
    changed = await request.run(batch_image_variants, image_id=request.params["image_id"], **request.body)
    return {"added": changed["added"], "removed": changed["removed"]}


# -- inventory items of variants


def need(variant_id: str, row: Row) -> Row:
    return {"variant_id": variant_id, **{name: row[name] for name in ("inventory_item_id", "required_quantity") if name in row}}


@routes.post("/admin/products/{id}/variants/{variant_id}/inventory-items", body=NeedBody, returns=VARIANT)
async def add_inventory_item(request: Request) -> Answer:
    """Link a variant to an inventory item, with the required quantity."""
    variant_id = request.params["variant_id"]
    await own(request, variant_id)
    await request.modules.inventory.retrieve("inventory_item", request.body["inventory_item_id"], fields=("id",))
    await request.run(batch_links, create={INVENTORY: [need(variant_id, request.body)]})
    return await request.fetch(VARIANT, variant_id)


@routes.post("/admin/products/{id}/variants/{variant_id}/inventory-items/{inventory_item_id}", body=NeededQuantity, returns=VARIANT)
async def update_inventory_item(request: Request) -> Answer:
    """Change the required quantity of a variant's inventory item."""
    variant_id = request.params["variant_id"]
    await own(request, variant_id)
    row = {"inventory_item_id": request.params["inventory_item_id"], **request.body}
    await request.modules.inventory.retrieve("inventory_item", row["inventory_item_id"], fields=("id",))
    await request.run(batch_links, create={INVENTORY: [need(variant_id, row)]})
    return await request.fetch(VARIANT, variant_id)


@routes.delete("/admin/products/{id}/variants/{variant_id}/inventory-items/{inventory_item_id}", returns=VARIANT)
async def remove_inventory_item(request: Request) -> Answer:
    """Unlink a variant from an inventory item."""
    variant_id, item = request.params["variant_id"], request.params["inventory_item_id"]
    await own(request, variant_id)
    await request.run(batch_links, delete={INVENTORY: [{"variant_id": variant_id, "inventory_item_id": item}]})
    variant = shown_variant(await request.graph.one("product_variant", variant_id, request.fields_of(VARIANT)))
    pair = link_shown({"variant_id": variant_id, "inventory_item_id": item})
    return {"id": pair, "object": "variant-inventory-item-link", "deleted": True, "parent": variant}


@routes.post("/admin/products/{id}/variants/inventory-items/batch", body=BatchNeeds, returns=VARIANT)
async def batch_inventory_items(request: Request) -> Answer:
    """Link several variants to inventory items, and unlink others."""
    given = request.body
    create, update, delete = (given.get(name, []) for name in ("create", "update", "delete"))
    await own(request, *(row["variant_id"] for row in (*create, *update)))
    await own(request, *(row["variant_id"] for row in delete), gone=True)
    pairs = [need(row["variant_id"], row) for row in (*create, *update)]
    gone = [{"variant_id": row["variant_id"], "inventory_item_id": row["inventory_item_id"]} for row in delete]
    await request.run(batch_variant_items, needed=pairs, no_longer=gone)
    return {
        "created": [link_shown(row) for row in pairs[: len(create)]],
        "updated": [link_shown(row) for row in pairs[len(create) :]],
        "deleted": [link_shown(row) for row in gone],
    }


def link_shown(row: Row) -> Row:
    """A link, named by the modules at its ends."""
    shown: Row = {"product": {"variant_id": row["variant_id"]}, "inventory": {"inventory_item_id": row["inventory_item_id"]}}
    return {**shown, "data": {"required_quantity": row["required_quantity"]}} if "required_quantity" in row else shown
