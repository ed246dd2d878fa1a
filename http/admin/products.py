"""Admin: products with their variants, prices and options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.errors import NotFound
from ...core.json import dumps
from ...core.query.page import Query
from ...workflows.links import batch_links
from ...workflows.product.images import batch_image_variants, batch_variant_images
from ...workflows.product.options import set_product_options
from ...workflows.product.products import batch_products, create_products, delete_products, update_products
from ...workflows.product.stock import batch_variant_items
from ...workflows.product.variants import (
    batch_product_variants,
    create_product_variants,
    delete_product_variants,
    update_product_variants,
)
from ..frontend.bodies import LinkBody
from ..frontend.cached import Cached
from ..frontend.filters import BOOLEAN, MANY, STAMPS, TEXT, TEXT_LIST, Filters, choices
from ..frontend.nested import belonging
from ..frontend.request import Answer, Request, deleted
from ..frontend.routes import Routes
from ..frontend.stock import add_all_quantities, drop_unasked
from ..frontend.view import View
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
)
QUANTITY = "inventory_quantity"
"""What lists of variants can work out besides: how many there are, at all locations."""
VARIANT = View("product_variant", f"{VARIANT_COLUMNS} {PRICES}", key="variant")
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
    strict=False, logical=True, q=TEXT, variants=VARIANT_FILTERS, status=choices(*STATUSES), price_list_id=TEXT_LIST, sales_channel_id=MANY,
    id=MANY, title=MANY, handle=MANY, is_giftcard=BOOLEAN, category_id=MANY, option_id=MANY, option_value_id=MANY, external_id=MANY,
    collection_id=MANY, tag_id=MANY, type_id=MANY, **STAMPS,
)  # fmt: skip

# -- how prices are shown

PRICE_SHOWN = ("id", "amount", "currency_code", "min_quantity", "max_quantity", "created_at", "updated_at")


def shown_variant(variant: dict[str, Any]) -> dict[str, Any]:
    """The variant with its prices as merchants know them: `rules` by attribute, no price sets."""
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


def shown_product(product: dict[str, Any]) -> dict[str, Any]:
    for variant in product.get("variants") or ():
        shown_variant(variant)
    return product


async def one_product(request: Request, id: str) -> dict[str, Any]:
    return shown_product(await request.graph.one("product", id, request.fields_of(PRODUCT), with_deleted=request.page.with_deleted))


async def products_by_id(request: Request, ids: Iterable[str]) -> list[dict[str, Any]]:
    """The products as the request's view shows them, in the order of the ids."""
    wanted = list(ids)
    found = await request.graph.rows(Query("product", fields=request.fields_of(PRODUCT), filters={"id": wanted}))
    by_id = {row["id"]: shown_product(row) for row in found}
    return [by_id[id] for id in wanted if id in by_id]


async def variants_by_id(request: Request, ids: Iterable[str]) -> list[dict[str, Any]]:
    wanted = list(ids)
    found = await request.graph.rows(Query("product_variant", fields=request.fields_of(VARIANT), filters={"id": wanted}))
    by_id = {row["id"]: shown_variant(row) for row in found}
    return [by_id[id] for id in wanted if id in by_id]


async def listed(request: Request, view: View, filters: dict[str, Any]) -> Answer:
    paging = request.page
    counted = view is not PRODUCT and request.asks(QUANTITY)
    fields = (*(name for name in request.fields if name != QUANTITY), "id", "manage_inventory") if counted else None
    page = await request.rows(
        view,
        filters,
        fields=fields,
        order=paging.order,
        limit=paging.limit,
        offset=paging.offset,
        with_deleted=paging.with_deleted,
        count=True,
    )
    if counted:
        await add_all_quantities(request, page.rows)
        drop_unasked(page.rows, request.fields, ("manage_inventory",))
    shown = shown_product if view is PRODUCT else shown_variant
    return {view.plural: [shown(row) for row in page.rows], "count": page.count, "offset": paging.offset, "limit": paging.limit}


BY_RELATION = {
    "category_id": "categories", "tag_id": "tags", "option_id": "product_options.product_option", "option_value_id": "variants.options",
}  # fmt: skip


def product_filters(given: dict[str, Any]) -> dict[str, Any]:
    """The filters of the query string as the graph knows them: ids of what a product is grouped by are filters on that relation."""
    filters: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("$and", "$or"):
            filters[name] = [product_filters(each) for each in value]
        elif name in BY_RELATION:
            condition: dict[str, Any] = {"id": value}
            for step in reversed(BY_RELATION[name].split(".")):
                condition = {step: condition}
            filters.setdefault("$and", []).append(condition)
        elif name == "price_list_id":
            filters.setdefault("$and", []).append({"variants": {"prices": {"price_list_id": value}}})
        else:
            filters[name] = value
    return filters


# -- products


@routes.get("/admin/products", query=PRODUCTS, returns=PRODUCT, many=True, cached=PRICED)
async def list_products(request: Request) -> Answer:
    """List products."""
    return await listed(request, PRODUCT, product_filters(request.filters))


@routes.post("/admin/products", body=CreateProductRequest, returns=PRODUCT)
async def create_product(request: Request) -> Answer:
    """Create a product with its options, variants and prices."""
    additional = request.body.pop("additional_data", None)
    [product] = await request.run(create_products, products=[request.body], additional_data=additional)
    return {"product": await one_product(request, product["id"])}


@routes.get("/admin/products/{id}", returns=PRODUCT, cached=PRICED)
async def get_product(request: Request) -> Answer:
    """Get a product."""
    return {"product": await one_product(request, request.params["id"])}


@routes.post("/admin/products/{id}", body=UpdateProductRequest, returns=PRODUCT)
async def update_product(request: Request) -> Answer:
    """Update a product. Variants, where named, are those that it has from now on."""
    additional = request.body.pop("additional_data", None)
    await request.run(update_products, products=[{**request.body, "id": request.params["id"]}], additional_data=additional)
    return {"product": await one_product(request, request.params["id"])}


@routes.delete("/admin/products/{id}", returns=PRODUCT)
async def delete_product(request: Request) -> Answer:
    """Delete a product with its variants."""
    await request.run(delete_products, ids=[request.params["id"]])
    return deleted(request.params["id"], "product")


@routes.post("/admin/products/batch", body=BatchProducts, returns=PRODUCT)
async def batch(request: Request) -> Answer:
    """Create, update and delete products: all of it, or nothing."""
    done = await request.run(batch_products, **request.body)
    return {
        "created": await products_by_id(request, (row["id"] for row in done["created"])),
        "updated": await products_by_id(request, (row["id"] for row in done["updated"])),
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


@routes.post("/admin/products/{id}/options/batch", body=BatchOptions, returns=PRODUCT, envelope="product")
async def batch_options(request: Request) -> Answer:
    """Give a product options, take some away, change which of their values it uses: all of it, or nothing."""
    await request.run(set_product_options, product_id=request.params["id"], **request.body)
    return {"product": await one_product(request, request.params["id"])}


# -- variants of a product


@routes.get("/admin/products/{id}/variants", query=VARIANT_FILTERS.plus(strict=True, q=TEXT), returns=VARIANT, many=True, cached=COUNTED)
async def list_variants(request: Request) -> Answer:
    """List the variants of a product."""
    return await listed(request, VARIANT, {**request.filters, "product_id": request.params["id"]})


@routes.get("/admin/product-variants", query=VARIANT_FILTERS.plus(strict=True, q=TEXT), returns=ANY_VARIANT, many=True, cached=COUNTED)
async def list_all_variants(request: Request) -> Answer:
    """List variants of all products."""
    return await listed(request, ANY_VARIANT, request.filters)


@routes.post("/admin/products/{id}/variants", body=CreateVariantRequest, returns=PRODUCT)
async def create_variant(request: Request) -> Answer:
    """Create a variant of a product."""
    additional = request.body.pop("additional_data", None)
    variants = [{**request.body, "product_id": request.params["id"]}]
    await request.run(create_product_variants, product_variants=variants, additional_data=additional)
    return {"product": await one_product(request, request.params["id"])}


@routes.get("/admin/products/{id}/variants/{variant_id}", returns=VARIANT, cached=PRICED)
async def get_variant(request: Request) -> Answer:
    """Get a variant of a product."""
    await own(request, request.params["variant_id"])
    return {"variant": shown_variant(await request.graph.one("product_variant", request.params["variant_id"], request.fields))}


@routes.post("/admin/products/{id}/variants/{variant_id}", body=UpdateVariantRequest, returns=PRODUCT)
async def update_variant(request: Request) -> Answer:
    """Update a variant of a product."""
    await own(request, request.params["variant_id"])
    additional = request.body.pop("additional_data", None)
    variants = [{**request.body, "id": request.params["variant_id"]}]
    await request.run(update_product_variants, product_variants=variants, additional_data=additional)
    return {"product": await one_product(request, request.params["id"])}


@routes.delete("/admin/products/{id}/variants/{variant_id}", returns=PRODUCT)
async def delete_variant(request: Request) -> Answer:
    """Delete a variant of a product."""
    await own(request, request.params["variant_id"], gone=True)
    await request.run(delete_product_variants, ids=[request.params["variant_id"]])
    return deleted(request.params["variant_id"], "variant", dumps(await one_product(request, request.params["id"])))


@routes.post("/admin/products/{id}/variants/batch", body=BatchVariants, returns=VARIANT)
async def batch_variants(request: Request) -> Answer:
    """Create, update and delete variants of a product: all of it, or nothing."""
    given = request.body
    await own(request, *(row["id"] for row in given.get("update", ())))
    await own(request, *given.get("delete", ()), gone=True)
    create = [{**row, "product_id": request.params["id"]} for row in given.get("create", ())]
    done = await request.run(batch_product_variants, create=create, update=given.get("update", []), delete=given.get("delete", []))
    return {
        "created": await variants_by_id(request, (row["id"] for row in done["created"])),
        "updated": await variants_by_id(request, (row["id"] for row in done["updated"])),
        "deleted": {"ids": given.get("delete", []), "object": "variant", "deleted": True},
    }


async def own(request: Request, *variant_ids: str, gone: bool = False) -> None:
    """Make sure that variants are of the path's product; with `gone` they may also be nobody's. Raises NotFound, which names the first
    that isn't."""
    wanted = set(variant_ids)
    if wanted:
        found = await request.modules.product.list("product_variant", {"id": sorted(wanted)}, fields=("id", "product_id"))
        there = {row["id"]: row["product_id"] for row in found}
        theirs = {id for id in wanted if there.get(id, request.params["id"] if gone else None) != request.params["id"]}
        if lost := sorted(theirs):
            raise NotFound(f"Variant with id: {lost[0]} was not found on product {request.params['id']}")


# -- which images show which variants


@routes.post("/admin/products/{id}/variants/{variant_id}/images/batch", body=LinkBody, query=None, envelope="added removed")
async def set_images_of_variant(request: Request) -> Answer:
    """Show images of the product at a variant only, and others no longer."""
    await own(request, request.params["variant_id"])
    changed = await request.run(batch_variant_images, variant_id=request.params["variant_id"], **request.body)
    return {"added": changed["added"], "removed": changed["removed"]}


@routes.post("/admin/products/{id}/images/{image_id}/variants/batch", body=LinkBody, query=None, envelope="added removed")
async def set_variants_of_image(request: Request) -> Answer:
    """Show an image of the product at some variants only, and at others no longer."""
    await belonging(request, "product_image", request.params["image_id"], product_id=request.params["id"])
    changed = await request.run(batch_image_variants, image_id=request.params["image_id"], **request.body)
    return {"added": changed["added"], "removed": changed["removed"]}


# -- what a variant is made of


def need(variant_id: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"variant_id": variant_id, **{name: row[name] for name in ("inventory_item_id", "required_quantity") if name in row}}


async def shown_one(request: Request, variant_id: str) -> Answer:
    return {"variant": shown_variant(await request.graph.one("product_variant", variant_id, request.fields_of(VARIANT)))}


@routes.post("/admin/products/{id}/variants/{variant_id}/inventory-items", body=NeedBody, returns=VARIANT)
async def add_inventory_item(request: Request) -> Answer:
    """Say that a variant needs so many of an inventory item."""
    variant_id = request.params["variant_id"]
    await own(request, variant_id)
    await request.modules.inventory.retrieve("inventory_item", request.body["inventory_item_id"], fields=("id",))
    await request.run(batch_links, create={INVENTORY: [need(variant_id, request.body)]})
    return await shown_one(request, variant_id)


@routes.post("/admin/products/{id}/variants/{variant_id}/inventory-items/{inventory_item_id}", body=NeededQuantity, returns=VARIANT)
async def update_inventory_item(request: Request) -> Answer:
    """Change how many of an inventory item a variant needs."""
    variant_id = request.params["variant_id"]
    await own(request, variant_id)
    row = {"inventory_item_id": request.params["inventory_item_id"], **request.body}
    await request.modules.inventory.retrieve("inventory_item", row["inventory_item_id"], fields=("id",))
    await request.run(batch_links, create={INVENTORY: [need(variant_id, row)]})
    return await shown_one(request, variant_id)


@routes.delete("/admin/products/{id}/variants/{variant_id}/inventory-items/{inventory_item_id}", returns=VARIANT)
async def remove_inventory_item(request: Request) -> Answer:
    """Say that a variant doesn't need an inventory item."""
    variant_id, item = request.params["variant_id"], request.params["inventory_item_id"]
    await own(request, variant_id)
    await request.run(batch_links, delete={INVENTORY: [{"variant_id": variant_id, "inventory_item_id": item}]})
    variant = shown_variant(await request.graph.one("product_variant", variant_id, request.fields_of(VARIANT)))
    tie = tied({"variant_id": variant_id, "inventory_item_id": item})
    return {"id": tie, "object": "variant-inventory-item-link", "deleted": True, "parent": variant}


@routes.post("/admin/products/{id}/variants/inventory-items/batch", body=BatchNeeds, returns=VARIANT)
async def batch_inventory_items(request: Request) -> Answer:
    """Say what several variants need of inventory items."""
    given = request.body
    create, update, delete = (given.get(name, []) for name in ("create", "update", "delete"))
    await own(request, *(row["variant_id"] for row in (*create, *update)))
    await own(request, *(row["variant_id"] for row in delete), gone=True)
    ties = [need(row["variant_id"], row) for row in (*create, *update)]
    gone = [{"variant_id": row["variant_id"], "inventory_item_id": row["inventory_item_id"]} for row in delete]
    await request.run(batch_variant_items, needed=ties, no_longer=gone)
    return {
        "created": [tied(row) for row in ties[: len(create)]],
        "updated": [tied(row) for row in ties[len(create) :]],
        "deleted": [tied(row) for row in gone],
    }


def tied(row: dict[str, Any]) -> dict[str, Any]:
    """A link by the modules at its ends."""
    shown: dict[str, Any] = {"product": {"variant_id": row["variant_id"]}, "inventory": {"inventory_item_id": row["inventory_item_id"]}}
    return {**shown, "data": {"required_quantity": row["required_quantity"]}} if "required_quantity" in row else shown
