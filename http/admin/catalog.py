"""Admin: what products are grouped by: collections, categories, tags and types."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..frontend.bodies import ABSENT, AdditionalData, Body, LinkBody, Metadata, Whole
from ..frontend.filters import ANYTHING, BOOLEAN, MANY, STAMPS, TEXT, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes, Write
from ..frontend.trees import TREE, TREES, category_list, one_category
from ..frontend.view import View

routes = Routes()

LABELS = Filters(q=TEXT, id=MANY, value=MANY, external_id=MANY, **STAMPS, logical=True)

COLLECTION = View("product_collection", "collection", "collections", "id title handle external_id created_at updated_at metadata", limit=10)
CATEGORY = View(
    "product_category",
    "product_category",
    "product_categories",
    "id name description handle is_active is_internal rank external_id parent_category_id created_at updated_at metadata"
    " *parent_category *category_children",
)
TAG = View("product_tag", "product_tag", "product_tags", "id value external_id created_at updated_at metadata", limit=20)
TYPE = View("product_type", "product_type", "product_types", "id value external_id created_at updated_at metadata", limit=10)


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
    rank: Annotated[Whole, Field(ge=0)] = ABSENT
    additional_data: AdditionalData = None


class UpdateCategory(CreateCategory):
    name: str = ABSENT


class CreateLabel(Body):
    value: str
    external_id: str | None = None
    metadata: Metadata = None


class UpdateLabel(CreateLabel):
    value: str = ABSENT


# -- collections, tags, types: plain rows


def plain(_: Request, body: dict[str, Any]) -> dict[str, Any]:
    """The row of a body: `additional_data` is for hooks, not for the table."""
    return {name: value for name, value in body.items() if name != "additional_data"}


routes.resource(
    "/admin/collections",
    COLLECTION,
    list=Filters(q=TEXT, id=MANY, title=MANY, handle=MANY, external_id=MANY, logical=True, **STAMPS),
    create=Write(CreateCollection, before=plain),
    update=Write(UpdateCollection, before=plain),
    object="collection",
)
routes.resource("/admin/product-tags", TAG, list=LABELS, create=CreateLabel, update=UpdateLabel)
routes.resource("/admin/product-types", TYPE, list=LABELS, create=CreateLabel, update=UpdateLabel)


@routes.post("/admin/collections/{id}/products", body=LinkBody, returns=COLLECTION)
async def set_collection_products(request: Request) -> Answer:
    """Put products into a collection, take others out."""
    id = request.params["id"]
    await request.modules.product.set_collection_products(id, request.body.get("add", ()), request.body.get("remove", ()))
    return await request.fetch(COLLECTION, id)


# -- categories: a tree


async def create_category(request: Request, row: dict[str, Any]) -> str:
    return str((await request.modules.product.create_categories([row]))[0]["id"])


async def update_category(request: Request, row: dict[str, Any]) -> None:
    await request.modules.product.update_categories([row])


async def delete_category(request: Request, id: str) -> None:
    await request.modules.product.delete_categories([id])


@routes.get(
    "/admin/product-categories",
    query=Filters(
        q=TEXT, id=MANY, description=MANY, handle=MANY, parent_category_id=MANY, external_id=ANYTHING, is_internal=BOOLEAN,
        is_active=BOOLEAN, logical=True, **STAMPS, **TREE,
    ),
    returns=CATEGORY,
    many=True,
)  # fmt: skip
async def list_categories(request: Request) -> Answer:
    """List categories, as trees where that is asked for."""
    return await category_list(request, CATEGORY)


@routes.get("/admin/product-categories/{id}", query=TREES, returns=CATEGORY)
async def get_category(request: Request) -> Answer:
    """Get a category, as a tree where that is asked for."""
    return await one_category(request, CATEGORY, request.params["id"])


@routes.post("/admin/product-categories/{id}/products", body=LinkBody, query=TREES, returns=CATEGORY)
async def set_category_products(request: Request) -> Answer:
    """Put products into a category, take others out."""
    id = request.params["id"]
    await request.modules.product.set_category_products(id, request.body.get("add", ()), request.body.get("remove", ()))
    return await one_category(request, CATEGORY, id)


routes.resource(
    "/admin/product-categories",
    CATEGORY,
    get=False,
    create=Write(CreateCategory, before=plain, run=create_category),
    update=Write(UpdateCategory, before=plain, run=update_category),
    delete=delete_category,
)
