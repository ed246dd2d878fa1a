"""Admin: options that products share (size, colour), and their values."""

from __future__ import annotations

from ...core.rows import Row
from ...workflows.product.options import PRODUCT_OPTION_VALUES, PRODUCT_OPTIONS, update_product_option_values
from ..kit import (
    ABSENT,
    BOOLEAN,
    MANY,
    STAMPS,
    TEXT,
    Body,
    Filters,
    Metadata,
    Number,
    Request,
    Routes,
    View,
    Write,
)

routes = Routes()

OPTION = View("product_option", "id title is_exclusive *values *products created_at updated_at metadata", limit=20)
VALUE = View("product_option_value", "id value rank option_id created_at updated_at metadata", limit=20)


class CreateProductOption(Body):
    title: str
    values: list[str]
    ranks: dict[str, Number] = ABSENT
    is_exclusive: bool = ABSENT
    metadata: Metadata = None


class UpdateValue(Body):
    value: str = ABSENT
    metadata: Metadata = None


async def update_value(request: Request, row: Row) -> None:
    await request.run(update_product_option_values, id=row["id"], update={name: value for name, value in row.items() if name != "id"})


routes.resource(
    "/admin/product-options",
    OPTION,
    PRODUCT_OPTIONS,
    list=Filters(q=TEXT, id=MANY, title=MANY, is_exclusive=BOOLEAN, logical=True, **STAMPS),
    create=CreateProductOption,
    update=True,
)
routes.resource(
    "/admin/product-options/{id}/values",
    VALUE,
    PRODUCT_OPTION_VALUES,
    list=Filters(q=TEXT, id=MANY, value=MANY, logical=True, **STAMPS),
    update=Write(UpdateValue, update_value),
    param="value_id",
    within={"option_id": "id"},
)
