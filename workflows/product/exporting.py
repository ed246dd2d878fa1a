"""Products as a CSV file, a row a variant."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from ...core.rows import Row
from ..exporting import EXPORT_SECONDS, EXPORTS, Export, Shop, carry_out
from ..kit import Flow, workflow
from .sheet import PRODUCT, PROFILE, STAMPS, VARIANT, column, folded, named_regions

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


# -- its rows

LISTS: Final = {
    "images": ("image", "url"),
    "tags": ("tag", "value"),
    "sales_channels": ("sales_channel", "id"),
    "categories": ("category", "id"),
}
_GROUPS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"Product (?:Id|Handle|Title)$",
        r"Product (?!Image|Tag|Sales|Category)",
        r"Shipping",
        r"Product ",
        r"Variant (?:Id|Title|Sku)$",
        r"Variant (?!Price|Option|Image)",
        r"Variant Price",
        r"Variant Option",
        r"",
    )
)


def column_order(name: str) -> tuple[int, str, int, str]:
    """A sort key: what names a product and a variant first, numbered columns by their numbers."""
    group = next(rank for rank, pattern in enumerate(_GROUPS) if pattern.match(name))
    number = re.search(r" (\d+)( |$)", name)
    if number is None:
        known = PRODUCT if name.startswith("Product") else VARIANT
        place = list(known).index(key) if (key := name.lower().split(" ", 1)[1].replace(" ", "_")) in known else len(known)
        return group, "", place, name
    return group, name[: number.start()], int(number[1]), name


def rows_of(product: Row, regions: Mapping[str, str]) -> list[Row]:
    """The rows of a product as it was queried: one for each variant, or one. `regions`: as `shown_regions` gives them."""
    shared = _plain_cells("product", PRODUCT, product)
    for member, (name, key) in LISTS.items():
        for number, item in enumerate(product.get(member) or (), 1):
            shared[column("product", f"{name}_{number}")] = item[key]
    if (profile := product.get("shipping_profile")) is not None:
        shared[PROFILE] = profile["id"]
    titles = {option["id"]: option["title"] for option in product.get("options") or ()}
    return [{**shared, **_variant_cells(variant, titles, regions)} for variant in product.get("variants") or ()] or [shared]


def _plain_cells(prefix: str, names: Iterable[str], thing: Row) -> Row:
    cells = {column(prefix, name): thing[name] for name in (*names, *STAMPS) if name in thing}
    if metadata := thing.get("metadata"):
        # an empty text in a change of metadata takes the key away: what a file doesn't name stays
        cells[column(prefix, "metadata")] = {name: value for name, value in metadata.items() if value != ""}
    return cells


def _variant_cells(variant: Row, titles: Mapping[str, str], regions: Mapping[str, str]) -> Row:
    row = _plain_cells("variant", VARIANT, variant)
    for price in variant.get("prices") or ():
        if (name := _price_column(price, regions)) is not None:
            row.setdefault(name, price["amount"])
    for number, value in enumerate(variant.get("options") or (), 1):
        row[f"Variant Option {number} Id"] = value["option_id"]
        row[f"Variant Option {number} Name"] = titles.get(value["option_id"])
        row[f"Variant Option {number} Value"] = value["value"]
    for number, image in enumerate(variant.get("images") or (), 1):
        row[f"Variant Image {number}"] = image["url"]
    return row


def _everyday(price: Row) -> tuple[str, str | None] | None:
    """The currency and the region of a price that a column can say; None of another one: of a list, for quantities, or with other rules."""
    if price.get("price_list_id") or price.get("min_quantity") is not None or price.get("max_quantity") is not None:
        return None
    rules = {(rule["attribute"], rule["operator"]): rule["value"] for rule in price.get("price_rules") or ()}
    if rules.keys() - {("region_id", "eq")}:
        return None
    return price["currency_code"], rules.get(("region_id", "eq"))


def _price_column(price: Row, regions: Mapping[str, str]) -> str | None:
    if (known := _everyday(price)) is None:
        return None
    currency, region = known
    if region is None:
        return f"Variant Price {currency.upper()}"
    return f"Variant Price {regions[region]} [{currency.upper()}]" if region in regions else None


def shown_regions(regions: Sequence[Row]) -> dict[str, str]:
    """What `named_regions` reads, the other way round: id → name, or the id itself where others have the name, too."""
    named = named_regions(regions)
    return {region["id"]: region["name"] if named[folded(region["name"])] == region["id"] else region["id"] for region in regions}


# -- the export


async def _rows(shop: Shop, pages: AsyncIterator[list[Row]]) -> AsyncIterator[list[Row]]:
    regions = shown_regions(await shop.modules.region.list("region", fields=("id", "name")))
    async for page in pages:
        yield [row for product in page for row in rows_of(product, regions)]


COLUMNS = ("Product Id", "Product Handle", "Product Title")
PRODUCTS = EXPORTS[NAME] = Export("Product export", "products", "product", _rows, COLUMNS, EVERYTHING, column_order)


@workflow(NAME, durable=True, timeout=EXPORT_SECONDS)
async def export_products(flow: Flow, select: list[str], filter: Row) -> None:
    """Write the products that pass a filter, with the selected fields, into a CSV file: see `sheet.py` for its columns."""
    fields = ["handle", "title", *select]
    if any(field.strip("*+").startswith("variants") for field in select):
        fields += MADE_OF
    await carry_out(flow, NAME, fields, filter)
