"""Groups of products: collections, categories, tags and types."""

from __future__ import annotations

from ...modules.product.service import ProductService
from ..plain import Plain, linking

COLLECTIONS = Plain(
    "product_collection",
    "create-collections",
    "update-collections",
    "delete-collections",
    hooks="collections",
    event="product-collection",
)
CATEGORIES = Plain(
    "product_category",
    "create-product-categories",
    "update-product-categories",
    "delete-product-categories",
    hooks="categories",
    event="product-category",
    create_by=ProductService.create_categories,
    update_by=ProductService.update_categories,
    delete_by=ProductService.delete_categories,
)
PRODUCT_TAGS = Plain(
    "product_tag", "create-product-tags", "update-product-tags", "delete-product-tags", hooks="productTags", event="product-tag"
)
PRODUCT_TYPES = Plain(
    "product_type", "create-product-types", "update-product-types", "delete-product-types", hooks="productTypes", event="product-type"
)

link_products_to_collection = linking("batch-link-products-to-collection", "product", ProductService.set_collection_products)
link_products_to_category = linking("batch-link-products-to-category", "product", ProductService.set_category_products)
