"""Admin: what products are grouped by: collections, categories, tags and types."""

from __future__ import annotations

from ...workflows.product.groups import (
    create_collections,
    create_product_categories,
    create_product_tags,
    create_product_types,
    delete_collections,
    delete_product_categories,
    delete_product_tags,
    delete_product_types,
    link_products_to_category,
    link_products_to_collection,
    update_collections,
    update_product_categories,
    update_product_tags,
    update_product_types,
)
from ..frontend.bodies import ABSENT, AdditionalData, Body, LinkBody, Metadata, Rank
from ..frontend.cached import Cached
from ..frontend.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes, Write
from ..frontend.trees import TREE, TREES, category_list, one_category
from ..frontend.view import View

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


class CreateCollection(Body):
    title: str
    handle: str = ABSENT
    external_id: str | None = None
    metadata: Metadata = None
    additional_data: AdditionalData = None


class UpdateCollection(CreateCollection):
    title: str = ABSENT


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


class UpdateCategory(CreateCategory):
    name: str = ABSENT


class CreateLabel(Body):
    value: str
    external_id: str | None = None
    metadata: Metadata = None


class UpdateLabel(CreateLabel):
    value: str = ABSENT


# -- collections, tags, types

routes.resource(
    "/admin/collections",
    COLLECTION,
    list=Filters(q=TEXT, id=MANY, title=MANY, handle=MANY, external_id=MANY, logical=True, **STAMPS),
    create=Write(CreateCollection, create_collections),
    update=Write(UpdateCollection, update_collections),
    delete=delete_collections,
    object="collection",
)
routes.resource(
    "/admin/product-tags",
    TAG,
    list=LABELS,
    create=Write(CreateLabel, create_product_tags),
    update=Write(UpdateLabel, update_product_tags),
    delete=delete_product_tags,
)
routes.resource(
    "/admin/product-types",
    TYPE,
    list=LABELS,
    create=Write(CreateLabel, create_product_types),
    update=Write(UpdateLabel, update_product_types),
    delete=delete_product_types,
)


@routes.post("/admin/collections/{id}/products", body=LinkBody, returns=COLLECTION)
async def set_collection_products(request: Request) -> Answer:
    """Put products into a collection, take others out."""
    await request.run(link_products_to_collection, id=request.params["id"], **request.body)
    return await request.fetch(COLLECTION, request.params["id"])


# -- categories: a tree

routes.resource(
    "/admin/product-categories",
    CATEGORY,
    get=False,
    create=Write(CreateCategory, run=create_product_categories, query=TREES),
    update=Write(UpdateCategory, run=update_product_categories, query=TREES),
    delete=delete_product_categories,
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
    """List categories, as trees where that is asked for."""
    return await category_list(request, CATEGORY)


@routes.get("/admin/product-categories/{id}", query=TREES, returns=CATEGORY, cached=Cached())
async def get_category(request: Request) -> Answer:
    """Get a category, as a tree where that is asked for."""
    return await one_category(request, CATEGORY, request.params["id"])


@routes.post("/admin/product-categories/{id}/products", body=LinkBody, query=TREES, returns=CATEGORY)
async def set_category_products(request: Request) -> Answer:
    """Put products into a category, take others out."""
    await request.run(link_products_to_category, id=request.params["id"], **request.body)
    return await one_category(request, CATEGORY, request.params["id"])
