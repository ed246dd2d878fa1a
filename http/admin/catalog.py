"""Admin: groups of products: collections, categories, tags and types."""

from __future__ import annotations

from ...workflows.product.groups import (
    CATEGORIES,
    COLLECTIONS,
    PRODUCT_TAGS,
    PRODUCT_TYPES,
    link_products_to_category,
    link_products_to_collection,
)
from ..kit import (
    ABSENT,
    BOOLEAN,
    MANY,
    STAMPS,
    TEXT,
    AdditionalData,
    Answer,
    Body,
    Cached,
    Filters,
    LinkBody,
    Metadata,
    Request,
    Routes,
    View,
    Write,
)
from ..kit.bodies import Rank
from ..store.category_trees import TREE, TREES, category_list, one_category

routes = Routes()

LABELS = Filters(q=TEXT, id=MANY, value=MANY, external_id=MANY, **STAMPS, logical=True)

COLLECTION = View("product_collection", "id title handle external_id created_at updated_at metadata", limit=10, key="collection")
CATEGORY = View(
    "product_category",
    "id name description handle is_active is_internal rank external_id parent_category_id created_at updated_at metadata"
    " *parent_category *category_children",
    plural="product_categories",
)
TAG = View("product_tag", "id value external_id created_at updated_at metadata", limit=20)
TYPE = View("product_type", "id value external_id created_at updated_at metadata", limit=10)


class CreateProductCollection(Body):
    title: str
    handle: str = ABSENT
    external_id: str | None = None
    metadata: Metadata = None
    additional_data: AdditionalData = None


class CreateCategory(Body):
    name: str
    description: str = ABSENT
    handle: str = ABSENT
    is_internal: bool = ABSENT
    is_active: bool = ABSENT
    parent_category_id: str | None = None
    external_id: str | None = None
    metadata: Metadata = None
    rank: Rank = ABSENT
    additional_data: AdditionalData = None


class CreateProductLabel(Body):
    value: str
    external_id: str | None = None
    metadata: Metadata = None


# -- collections, tags, types

routes.resource(
    "/admin/collections",
    COLLECTION,
    COLLECTIONS,
    list=Filters(q=TEXT, id=MANY, title=MANY, handle=MANY, external_id=MANY, logical=True, **STAMPS),
    create=CreateProductCollection,
    update=True,
    object="collection",
)
routes.resource("/admin/product-tags", TAG, PRODUCT_TAGS, list=LABELS, create=CreateProductLabel, update=True)
routes.resource("/admin/product-types", TYPE, PRODUCT_TYPES, list=LABELS, create=CreateProductLabel, update=True)
routes.action(
    "/admin/collections/{id}/products",
    COLLECTION,
    link_products_to_collection,
    "Put products into a collection, take others out.",
    body=LinkBody,
)

# -- categories: a tree

routes.resource(
    "/admin/product-categories",
    CATEGORY,
    CATEGORIES,
    get=False,
    create=Write(CreateCategory, query=TREES),
    update=Write(CreateCategory.partial(), query=TREES),
)


@routes.get(
    "/admin/product-categories",
    query=Filters(
        q=TEXT, id=MANY, description=MANY, handle=MANY, parent_category_id=MANY, external_id=MANY, is_internal=BOOLEAN,
        is_active=BOOLEAN, logical=True, **STAMPS, **TREE,
    ),
    returns=CATEGORY,
    many=True,
    cached=Cached(),
)  # fmt: skip
async def list_categories(request: Request) -> Answer:
    """List categories, as trees if asked for."""
    return await category_list(request, CATEGORY)


async def show_category(request: Request, id: str) -> Answer:
    return await one_category(request, CATEGORY, id)


@routes.get("/admin/product-categories/{id}", query=TREES, returns=CATEGORY, cached=Cached())
async def get_category(request: Request) -> Answer:
    """Get a category, as a tree if asked for."""
    return await show_category(request, request.params["id"])


routes.action(
    "/admin/product-categories/{id}/products",
    CATEGORY,
    link_products_to_category,
    "Put products into a category, take others out.",
    body=LinkBody,
    query=TREES,
    show=show_category,
)
