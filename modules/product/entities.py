"""How products are seen: names, relations, what a search looks through."""

from __future__ import annotations

from ...core.sql.schema.entity import Entity, many, one, through
from ...core.sql.schema.schema import Schema
from .tables import (
    image,
    product,
    product_category,
    product_category_product,
    product_collection,
    product_option,
    product_option_of_product,
    product_option_value,
    product_product_option,
    product_product_option_value,
    product_tag,
    product_tags,
    product_type,
    product_variant,
    product_variant_image,
    product_variant_option,
    product_variant_product_image,
)

SCHEMA = Schema(
    "product",
    Entity(
        "product",
        product,
        prefix="prod",
        label="Product",
        relations={
            "variants": many("product_variant", "product_id", order=("variant_rank", "id"), cascade=True),
            "options": many("product_option_of_product", "product_id", order=("link_id",)),
            "images": many("product_image", "product_id", order=("rank", "id"), cascade=True),
            "tags": through("product_tag", product_tags, "product_id", "product_tag_id"),
            "categories": through("product_category", product_category_product, "product_id", "product_category_id"),
            "collection": one("product_collection", "collection_id"),
            "type": one("product_type", "type_id"),
            "product_options": many("product_product_option", "product_id"),
        },
        translatable=("title", "subtitle", "description", "material"),
        searchable=("title", "subtitle", "description", "variants"),
        noticed=frozenset(
            {
                "variants",
                "variants.options",
                "variants.options.option",
                "variants.images",
                "options",
                "options.values",
                "images",
                "tags",
                "categories",
                "collection",
                "type",
            }
        ),
    ),
    Entity(
        "product_variant",
        product_variant,
        prefix="variant",
        label="ProductVariant",
        relations={
            "product": one("product", "product_id"),
            "options": through("product_option_value", product_variant_option, "variant_id", "option_value_id"),
            "images": through("product_image", product_variant_image, "variant_id", "image_id", order=("rank", "id")),
        },
        translatable=("title", "material"),
        searchable=("title", "sku", "barcode", "ean", "upc", "product"),
        noticed=frozenset(
            {"product", "product.tags", "product.categories", "product.collection", "product.type", "options", "options.option"}
        ),
        # what carts are priced by, and what they and orders show
        together=("*", "product.*", "product.collection.id", "product.collection.title", "product.type.id", "product.type.value"),
    ),
    Entity(
        "product_option",
        product_option,
        prefix="opt",
        label="ProductOption",
        bare=True,
        relations={
            "values": many("product_option_value", "option_id", order=("rank", "id"), cascade=True),
            "products": through("product", product_product_option, "product_option_id", "product_id"),
        },
        translatable=("title",),
        searchable=("title",),
    ),
    # What `product.options` shows, read only: an option as one product has it, with the values that this product uses.
    Entity(
        "product_option_of_product",
        product_option_of_product,
        label="ProductOption",
        bare=True,
        relations={
            "values": through(
                "product_option_value",
                product_product_option_value,
                "product_product_option_id",
                "product_option_value_id",
                order=("rank", "id"),
                own_key="link_id",
            ),
            "products": through("product", product_product_option, "product_option_id", "product_id"),
        },
        translatable=("title",),
        searchable=("title",),
        hidden=frozenset({"link_id", "product_id"}),
        view_of="product_option",
    ),
    Entity(
        "product_option_value",
        product_option_value,
        prefix="optval",
        label="ProductOptionValue",
        bare=True,
        relations={
            "option": one("product_option", "option_id"),
            "variants": through("product_variant", product_variant_option, "option_value_id", "variant_id"),
            "product_options": through(
                "product_product_option", product_product_option_value, "product_option_value_id", "product_product_option_id"
            ),
        },
        translatable=("value",),
        searchable=("value",),
    ),
    # What is tied to what, for those who want to hear of it: pairs come and go as rows.
    Entity("product_tags", product_tags, key="product_id", bare=True),
    Entity("product_category_product", product_category_product, key="product_id", bare=True),
    Entity("product_variant_option", product_variant_option, key="variant_id", bare=True),
    Entity(
        "product_product_option",
        product_product_option,
        prefix="prodopt",
        label="ProductProductOption",
        relations={
            "product": one("product", "product_id"),
            "product_option": one("product_option", "product_option_id"),
            "values": through("product_option_value", product_product_option_value, "product_product_option_id", "product_option_value_id"),
        },
    ),
    Entity(
        "product_product_option_value",
        product_product_option_value,
        prefix="prodoptval",
        label="ProductProductOptionValue",
        relations={
            "product_product_option": one("product_product_option", "product_product_option_id"),
            "product_option_value": one("product_option_value", "product_option_value_id"),
        },
    ),
    Entity(
        "product_image",
        image,
        prefix="img",
        label="ProductImage",
        relations={
            "product": one("product", "product_id"),
            "variants": through("product_variant", product_variant_product_image, "image_id", "variant_id"),
        },
    ),
    Entity(
        "product_variant_product_image",
        product_variant_product_image,
        prefix="pvpi",
        label="ProductVariantProductImage",
        relations={"variant": one("product_variant", "variant_id"), "image": one("product_image", "image_id")},
    ),
    Entity(
        "product_category",
        product_category,
        prefix="pcat",
        label="ProductCategory",
        bare=True,
        relations={
            "parent_category": one("product_category", "parent_category_id"),
            "category_children": many("product_category", "parent_category_id", order=("rank", "id"), cascade=True),
            "products": through("product", product_category_product, "product_category_id", "product_id"),
        },
        translatable=("name", "description"),
        searchable=("name", "description", "handle"),
    ),
    Entity(
        "product_collection",
        product_collection,
        prefix="pcol",
        label="ProductCollection",
        bare=True,
        relations={"products": many("product", "collection_id")},
        translatable=("title",),
        searchable=("title",),
    ),
    Entity(
        "product_tag",
        product_tag,
        prefix="ptag",
        label="ProductTag",
        bare=True,
        relations={"products": through("product", product_tags, "product_tag_id", "product_id")},
        translatable=("value",),
        searchable=("value",),
    ),
    Entity(
        "product_type",
        product_type,
        prefix="ptyp",
        label="ProductType",
        bare=True,
        relations={"products": many("product", "type_id")},
        translatable=("value",),
        searchable=("value",),
    ),
)
