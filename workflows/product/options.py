"""Options, those of one product and those that products share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, selected, update_rows

Row = dict[str, Any]


@step(undo=take_back)
async def insert_options(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.product.create_options, rows)


@workflow("create-product-options", hooks=("productOptionsCreated",), emits=("product-option.created",))
async def create_product_options(flow: Flow, product_options: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Options with their values (`{title, values, ranks?, is_exclusive?, metadata?}`), shared by all products unless said otherwise."""
    made = (await flow.run(insert_options, product_options))["answer"]
    await flow.hooks.productOptionsCreated(made, additional_data)
    for option in made:
        flow.emit("product-option.created", id=option["id"])
    return made


@step(undo=take_back)
async def change_options(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.product.update_options, rows)


@workflow("update-product-options", hooks=("productOptionsUpdated",), emits=("product-option.updated",))
async def update_product_options(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    """Change options; `values` replaces the list of values. Raises InvalidData for a value that variants are made of."""
    ids = await selected(flow, "product_option", selector)
    if not ids:
        return []
    made = (await flow.run(change_options, [{**update, "id": id} for id in ids]))["answer"]
    await flow.hooks.productOptionsUpdated(made, additional_data)
    for option in made:
        flow.emit("product-option.updated", id=option["id"])
    return made


@step(undo=take_back)
async def remove_options(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    return await keep(flow.modules.product.delete_options, ids)


@workflow("delete-product-options", hooks=("productOptionsDeleted",), emits=("product-option.deleted",))
async def delete_product_options(flow: Flow, ids: list[str]) -> list[str]:
    """Raises InvalidData while variants are made of their values."""
    gone = (await flow.run(remove_options, ids))["answer"]
    await flow.hooks.productOptionsDeleted(gone)
    for id in gone:
        flow.emit("product-option.deleted", id=id)
    return gone


@workflow("update-product-option-values", emits=("product-option-value.updated",))
async def update_product_option_values(flow: Flow, id: str, update: Row) -> Row:
    """Raises NotFound, InvalidData where the option has that value already."""
    (changed,) = (await flow.run(update_rows, "product_option_value", [{**update, "id": id}]))["answer"]
    flow.emit("product-option-value.updated", id=id)
    return changed


@step(undo=take_back)
async def remove_option_values(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    return await keep(flow.modules.product.delete_option_values, ids)


@workflow("delete-product-option-values", emits=("product-option-value.deleted",))
async def delete_product_option_values(flow: Flow, ids: list[str]) -> list[str]:
    """Raises InvalidData while variants are made of them."""
    gone = (await flow.run(remove_option_values, ids))["answer"]
    for id in gone:
        flow.emit("product-option-value.deleted", id=id)
    return gone


@step(undo=take_back)
async def set_options(flow: Flow, product_id: str, add: Sequence[str | Row], remove: Sequence[str], update: Sequence[Row]) -> Kept[None]:
    return await keep(flow.modules.product.set_product_options, product_id, add, remove, update)


@workflow("create-and-link-product-options-to-product", emits=("product.updated",))
async def set_product_options(
    flow: Flow,
    product_id: str,
    add: list[str | Row] | None = None,
    remove: list[str] | None = None,
    update: list[Row] | None = None,
) -> str:
    """Give a product options, take some away, change which values it uses (see `ProductService.set_product_options`). Returns its id."""
    await flow.run(set_options, product_id, add or [], remove or [], update or [])
    flow.emit("product.updated", id=product_id)
    return product_id
