"""Products as a CSV file."""

from __future__ import annotations

from ...core.rows import Row
from ..exporting import EXPORT_SECONDS, EXPORTS, Export, WithModules, carry_out
from ..kit import Flow, workflow
from .sheet import PRODUCT, column_order, rows_of, shown_regions

NAME = "export-products"
MADE_OF = (
    "*options", "*variants.prices", "variants.prices.price_rules.value", "variants.prices.price_rules.attribute",
    "variants.prices.price_rules.operator", "*variants.options", "*variants.images",
)  # fmt: skip
"""What the columns of variants are made of."""


EVERYTHING = (
    *PRODUCT, "created_at", "updated_at", "deleted_at", "*tags", "*images", "sales_channels.id", "categories.id", "shipping_profile.id",
    "*variants", *MADE_OF,
)  # fmt: skip


async def _rows(shop: WithModules, page: list[Row]) -> list[Row]:
    regions = shown_regions(await shop.modules.region.list("region", fields=("id", "name")))
    return [row for product in page for row in rows_of(product, regions)]


COLUMNS = ("Product Id", "Product Handle", "Product Title")
PRODUCTS = EXPORTS[NAME] = Export("Product export", "products", "product", _rows, COLUMNS, EVERYTHING, column_order)


@workflow(NAME, durable=True, timeout=EXPORT_SECONDS)
async def export_products(flow: Flow, select: list[str], filter: Row) -> None:
    """Write the products that pass a filter, with the selected fields, into a CSV file: see `sheet.py` for its columns."""
    fields = ["handle", "title", *select]
    if any(field.strip("*+").startswith("variants") for field in select):
        fields += MADE_OF
    await carry_out(flow, NAME, fields, filter)
