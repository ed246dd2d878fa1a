"""Products as a CSV file."""

from __future__ import annotations

from ...core.rows import Row
from ..exporting import EXPORT_SECONDS, EXPORTS, Export, carry_out
from ..kit import Flow, workflow
from .sheet import column_order, rows_of

NAME = "export-products"
MADE_OF = (
    "*options", "*variants.prices", "variants.prices.price_rules.value", "variants.prices.price_rules.attribute", "*variants.options",
    "*variants.images",
)  # fmt: skip
"""What the columns of variants are made of."""


async def _rows(flow: Flow, page: list[Row]) -> list[Row]:
    regions = {row["id"]: (row["name"], row["currency_code"]) for row in await flow.modules.region.list("region")}
    return [row for product in page for row in rows_of(product, regions)]


EXPORTS[NAME] = Export("Product export", "products", "product", _rows, ("Product Id", "Product Handle", "Product Title"), column_order)


@workflow(NAME, durable=True, timeout=EXPORT_SECONDS)
async def export_products(flow: Flow, select: list[str], filter: Row) -> None:
    """Write the products that pass a filter, with the selected fields, into a CSV file: see `sheet.py` for its columns."""
    fields = ["handle", "title", *select]
    if any(field.strip("*+").startswith("variants") for field in select):
        fields += MADE_OF
    await carry_out(flow, NAME, fields, filter)
