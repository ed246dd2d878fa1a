"""Options, those of one product and those that products share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ..rows import Selector, selected, update_rows

Row = dict[str, Any]


async def _delete_options(flow: Flow, options: list[Row]) -> None:
    await flow.modules.product.delete("product_option", [option["id"] for option in options])


@step(undo=_delete_options)
async def insert_options(flow: Flow, rows: Sequence[Row]) -> list[Row]:
    return await flow.modules.product.create_options(rows)


@workflow("create-product-options", hooks=("productOptionsCreated",))
async def create_product_options(flow: Flow, product_options: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Options with their values (`{title, values, ranks?, is_exclusive?, metadata?}`), shared by all products unless said otherwise."""
    made = await flow.run(insert_options, product_options)
    await flow.hooks.productOptionsCreated(made, additional_data)
    for option in made:
        flow.emit("product-option.created", id=option["id"])
    return made


class OptionsChanged(TypedDict):
    options: list[Row]
    before: list[Row]
    """As `update_options` takes them."""


async def _options_as_before(flow: Flow, changed: OptionsChanged) -> None:
    await flow.modules.product.update_options(changed["before"])


@step(undo=_options_as_before)
async def change_options(flow: Flow, rows: Sequence[Row]) -> OptionsChanged:
    ids = [row["id"] for row in rows]
    there = await flow.modules.product.list("product_option", {"id": ids}, fields=("id", "title", "is_exclusive", "metadata", "*values"))
    before = [
        {
            **{name: option[name] for name in ("id", "title", "is_exclusive", "metadata")},
            "values": [value["value"] for value in option["values"]],
            "ranks": {value["value"]: value["rank"] for value in option["values"]},
        }
        for option in there
    ]
    return {"options": await flow.modules.product.update_options(rows), "before": before}


@workflow("update-product-options", hooks=("productOptionsUpdated",))
async def update_product_options(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    """Change options; `values` replaces the list of values. Raises NotAllowed for a value that variants are made of."""
    ids = await selected(flow, "product_option", selector)
    if not ids:
        return []
    made = (await flow.run(change_options, [{**update, "id": id} for id in ids]))["options"]
    await flow.hooks.productOptionsUpdated(made, additional_data)
    for option in made:
        flow.emit("product-option.updated", id=option["id"])
    return made


async def _restore_options(flow: Flow, ids: list[str]) -> None:
    await flow.modules.product.restore("product_option", ids)


@step(undo=_restore_options)
async def remove_options(flow: Flow, ids: Sequence[str]) -> list[str]:
    return await flow.modules.product.delete_options(ids)


@workflow("delete-product-options", hooks=("productOptionsDeleted",))
async def delete_product_options(flow: Flow, ids: list[str]) -> list[str]:
    """Raises NotAllowed while variants are made of their values."""
    gone = await flow.run(remove_options, ids)
    await flow.hooks.productOptionsDeleted(gone)
    for id in gone:
        flow.emit("product-option.deleted", id=id)
    return gone


@workflow("update-product-option-values")
async def update_product_option_values(flow: Flow, id: str, update: Row) -> Row:
    """Raises NotFound, InvalidData where the option has that value already."""
    await flow.run(update_rows, "product_option_value", [{**update, "id": id}])
    flow.emit("product-option-value.updated", id=id)
    return await flow.modules.product.retrieve("product_option_value", id)


async def _restore_values(flow: Flow, ids: list[str]) -> None:
    await flow.modules.product.restore("product_option_value", ids)


@step(undo=_restore_values)
async def remove_option_values(flow: Flow, ids: Sequence[str]) -> list[str]:
    return await flow.modules.product.delete_option_values(ids)


@workflow("delete-product-option-values")
async def delete_product_option_values(flow: Flow, ids: list[str]) -> list[str]:
    """Raises NotAllowed while variants are made of them."""
    gone = await flow.run(remove_option_values, ids)
    for id in gone:
        flow.emit("product-option-value.deleted", id=id)
    return gone


class OptionsSet(TypedDict):
    product_id: str
    before: dict[str, list[Row]]


async def _product_as_before(flow: Flow, changed: OptionsSet) -> None:
    await flow.modules.product.put_back_products([changed["product_id"]], changed["before"])


@step(undo=_product_as_before)
async def set_options(flow: Flow, product_id: str, add: Sequence[str | Row], remove: Sequence[str], update: Sequence[Row]) -> OptionsSet:
    return {"product_id": product_id, "before": await flow.modules.product.set_product_options(product_id, add, remove, update)}


@workflow("create-and-link-product-options-to-product")
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
