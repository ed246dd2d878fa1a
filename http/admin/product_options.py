"""Admin: options that products share (size, colour), and the values to choose from."""

from __future__ import annotations

from typing import Any

from ...workflows.product.options import (
    create_product_options,
    delete_product_option_values,
    delete_product_options,
    update_product_option_values,
    update_product_options,
)
from ..frontend.bodies import ABSENT, Body, Metadata, Number
from ..frontend.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters
from ..frontend.request import Request
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

OPTION = View("product_option", "id title is_exclusive *values *products created_at updated_at metadata", limit=20)
VALUE = View("product_option_value", "id value rank option_id created_at updated_at metadata", limit=20)


class UpdateOption(Body):
    title: str = ABSENT
    values: list[str] = ABSENT
    ranks: dict[str, Number] = ABSENT
    is_exclusive: bool = ABSENT
    metadata: Metadata = None


class CreateOption(UpdateOption):
    title: str
    values: list[str]


class UpdateValue(Body):
    value: str = ABSENT
    metadata: Metadata = None


async def update_value(request: Request, row: dict[str, Any]) -> None:
    await request.run(update_product_option_values, id=row["id"], update={name: value for name, value in row.items() if name != "id"})


routes.resource(
    "/admin/product-options",
    OPTION,
    list=Filters(q=TEXT, id=MANY, title=MANY, is_exclusive=BOOLEAN, logical=True, **STAMPS),
    create=Write(CreateOption, create_product_options),
    update=Write(UpdateOption, update_product_options),
    delete=delete_product_options,
)
routes.resource(
    "/admin/product-options/{id}/values",
    VALUE,
    list=Filters(q=TEXT, id=MANY, value=MANY, logical=True, **STAMPS),
    update=Write(UpdateValue, update_value),
    delete=delete_product_option_values,
    param="value_id",
    within={"option_id": "id"},
)
