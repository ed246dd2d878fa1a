"""Options of one product, and options that products share."""

from __future__ import annotations

from ...core.rows import Row
from ...modules.product.service import ProductService
from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import update_rows, written

PRODUCT_OPTIONS = Plain(
    "product_option",
    "create-product-options",
    "update-product-options",
    "delete-product-options",
    hooks="productOptions",
    event="product-option",
    create_by=ProductService.create_options,
    update_by=ProductService.update_options,
    delete_by=ProductService.delete_options,
)
"""Options with their values (`{title, values, ranks?, is_exclusive?, metadata?}`), shared by all products by default. A
change of `values` replaces the list of values. Raises InvalidData for removing a value, or an option, that variants are made of."""
PRODUCT_OPTION_VALUES = Plain(
    "product_option_value",
    delete="delete-product-option-values",
    event="product-option-value",
    delete_by=ProductService.delete_option_values,
)


@workflow("update-product-option-values", emits=("product-option-value.updated",))
async def update_product_option_values(flow: Flow, id: str, update: Row) -> Row:
    """Change an option's value. Raises NotFound, InvalidData if the option has that value already."""
    (changed,) = (await flow.run(update_rows, "product_option_value", [{**update, "id": id}]))["answer"]
    flow.emit("product-option-value.updated", id=id)
    return changed


set_options = written("set-options", lambda modules: modules.product.set_product_options)


@workflow("create-and-link-product-options-to-product", emits=("product.updated",))
async def set_product_options(
    flow: Flow,
    product_id: str,
    add: list[str | Row] | None = None,
    remove: list[str] | None = None,
    update: list[Row] | None = None,
) -> str:
    """Add options to a product, remove some, change which values it uses (see `ProductService.set_product_options`). Returns its id."""
    await flow.run(set_options, product_id, add or [], remove or [], update or [])
    flow.emit("product.updated", id=product_id)
    return product_id
