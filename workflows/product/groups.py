"""What sorts products: collections, categories, tags and types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..links import delete
from ..rows import Selector, create_rows, selected, update_rows

Row = dict[str, Any]


async def _create(flow: Flow, entity: str, event: str, rows: list[Row]) -> list[Row]:
    made = (await flow.run(create_rows, entity, rows))["answer"]
    _tell(flow, f"{event}.created", [row["id"] for row in made])
    return made


async def _update(flow: Flow, entity: str, event: str, selector: Selector, update: Row) -> list[Row]:
    ids = await selected(flow, entity, selector)
    changed = (await flow.run(update_rows, entity, [{**update, "id": id} for id in ids]))["answer"]
    _tell(flow, f"{event}.updated", ids)
    return changed


async def _delete(flow: Flow, entity: str, event: str, ids: list[str]) -> list[str]:
    gone = await delete(flow, entity, ids)
    _tell(flow, f"{event}.deleted", gone)
    return gone


def _tell(flow: Flow, event: str, ids: Sequence[str]) -> None:
    for id in ids:
        flow.emit(event, id=id)


# -- collections


@workflow("create-collections", hooks=("collectionsCreated",), emits=("product-collection.created",))
async def create_collections(flow: Flow, collections: list[Row], additional_data: Row | None = None) -> list[Row]:
    made = await _create(flow, "product_collection", "product-collection", collections)
    await flow.hooks.collectionsCreated(made, additional_data)
    return made


@workflow("update-collections", hooks=("collectionsUpdated",), emits=("product-collection.updated",))
async def update_collections(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    made = await _update(flow, "product_collection", "product-collection", selector, update)
    await flow.hooks.collectionsUpdated(made, additional_data)
    return made


@workflow("delete-collections", hooks=("collectionsDeleted",), emits=("product-collection.deleted",))
async def delete_collections(flow: Flow, ids: list[str]) -> list[str]:
    gone = await _delete(flow, "product_collection", "product-collection", ids)
    await flow.hooks.collectionsDeleted(gone)
    return gone


@step(undo=take_back)
async def set_collection_products(flow: Flow, id: str, add: Sequence[str], remove: Sequence[str]) -> Kept[dict[str, list[str]]]:
    return await keep(flow.modules.product.set_collection_products, id, add, remove)


@workflow("batch-link-products-to-collection")
async def link_products_to_collection(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    await flow.run(set_collection_products, id, add or [], remove or [])
    return id


# -- tags and types


@workflow("create-product-tags", hooks=("productTagsCreated",), emits=("product-tag.created",))
async def create_product_tags(flow: Flow, product_tags: list[Row], additional_data: Row | None = None) -> list[Row]:
    made = await _create(flow, "product_tag", "product-tag", product_tags)
    await flow.hooks.productTagsCreated(made, additional_data)
    return made


@workflow("update-product-tags", hooks=("productTagsUpdated",), emits=("product-tag.updated",))
async def update_product_tags(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    made = await _update(flow, "product_tag", "product-tag", selector, update)
    await flow.hooks.productTagsUpdated(made, additional_data)
    return made


@workflow("delete-product-tags", hooks=("productTagsDeleted",), emits=("product-tag.deleted",))
async def delete_product_tags(flow: Flow, ids: list[str]) -> list[str]:
    gone = await _delete(flow, "product_tag", "product-tag", ids)
    await flow.hooks.productTagsDeleted(gone)
    return gone


@workflow("create-product-types", hooks=("productTypesCreated",), emits=("product-type.created",))
async def create_product_types(flow: Flow, product_types: list[Row], additional_data: Row | None = None) -> list[Row]:
    made = await _create(flow, "product_type", "product-type", product_types)
    await flow.hooks.productTypesCreated(made, additional_data)
    return made


@workflow("update-product-types", hooks=("productTypesUpdated",), emits=("product-type.updated",))
async def update_product_types(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    made = await _update(flow, "product_type", "product-type", selector, update)
    await flow.hooks.productTypesUpdated(made, additional_data)
    return made


@workflow("delete-product-types", hooks=("productTypesDeleted",), emits=("product-type.deleted",))
async def delete_product_types(flow: Flow, ids: list[str]) -> list[str]:
    gone = await _delete(flow, "product_type", "product-type", ids)
    await flow.hooks.productTypesDeleted(gone)
    return gone


# -- categories


@step(undo=take_back)
async def insert_categories(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.product.create_categories, rows)


@workflow("create-product-categories", hooks=("categoriesCreated",), emits=("product-category.created",))
async def create_product_categories(flow: Flow, product_categories: list[Row], additional_data: Row | None = None) -> list[Row]:
    made = (await flow.run(insert_categories, product_categories))["answer"]
    _tell(flow, "product-category.created", [row["id"] for row in made])
    await flow.hooks.categoriesCreated(made, additional_data)
    return made


@step(undo=take_back)
async def change_categories(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.product.update_categories, rows)


@workflow("update-product-categories", hooks=("categoriesUpdated",), emits=("product-category.updated",))
async def update_product_categories(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    ids = await selected(flow, "product_category", selector)
    made = (await flow.run(change_categories, [{**update, "id": id} for id in ids]))["answer"] if ids else []
    _tell(flow, "product-category.updated", ids)
    await flow.hooks.categoriesUpdated(made, additional_data)
    return made


@step(undo=take_back)
async def remove_categories(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    return await keep(flow.modules.product.delete_categories, ids)


@workflow("delete-product-categories", hooks=("categoriesDeleted",), emits=("product-category.deleted",))
async def delete_product_categories(flow: Flow, ids: list[str]) -> list[str]:
    """Raises NotAllowed for a category that has children which stay."""
    gone = (await flow.run(remove_categories, ids))["answer"]
    _tell(flow, "product-category.deleted", gone)
    await flow.hooks.categoriesDeleted(gone)
    return gone


@step(undo=take_back)
async def set_category_products(flow: Flow, id: str, add: Sequence[str], remove: Sequence[str]) -> Kept[dict[str, list[str]]]:
    return await keep(flow.modules.product.set_category_products, id, add, remove)


@workflow("batch-link-products-to-category")
async def link_products_to_category(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    await flow.run(set_category_products, id, add or [], remove or [])
    return id
