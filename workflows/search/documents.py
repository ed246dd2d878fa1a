"""What is searched: documents of the shop's things, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from ...core.graph.graph import Graph
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules import Modules

Document = Row
"""`{id, fields, parts}`, as `SearchProvider.upsert_documents` takes it."""


class ShopAtHand(Protocol):
    """A flow, or what else has the shop's modules at hand."""

    @property
    def modules(self) -> Modules: ...
    @property
    def graph(self) -> Graph: ...


@dataclass(frozen=True)
class Source:
    """Where an index's documents come from."""

    entity: str
    fields: Sequence[str]
    document: Callable[[Row], Document]


async def read_documents(shop: ShopAtHand, source: Source, filters: Row, most: int | None = None) -> list[Document]:
    """Documents of what passes a filter, by their ids. Read from the modules themselves: what this process remembers may be older than the
    change that is indexed."""
    rows: list[Row] = await Graph(shop.modules, shop.graph.catalogue).rows(
        Query(source.entity, tuple(source.fields), filters, ("id",), most)
    )
    return [source.document(row) for row in rows]


def _product(row: Row) -> Document:
    variants: list[Row] = row["variants"]
    categories = [each for each in row["categories"] if each["is_active"] and not each["is_internal"]]  # others are nobody's to see
    options: dict[str, list[str]] = {}
    for value in _each(variants, "options"):
        if value["option"] is not None and value["value"] not in options.setdefault(value["option"]["title"], []):
            options[value["option"]["title"]].append(value["value"])
    collection, type = row["collection"] or {}, row["type"] or {}
    fields = {
        **{name: row[name] for name in ("id", "title", "subtitle", "description", "handle", "thumbnail", "status")},
        "sales_channel_ids": _values(row["sales_channels"], "id"),
        "type": type.get("value"),
        "type_id": type.get("id"),
        "collection": collection.get("title"),
        "collection_id": collection.get("id"),
        "tags": _values(row["tags"], "value"),
        "tag_ids": _values(row["tags"], "id"),
        "categories": _values(categories, "name"),
        "category_ids": _values(categories, "id"),
        "options": options,
        "variant_titles": _values(variants, "title"),
        "skus": _values(variants, "sku"),
        "barcodes": [*dict.fromkeys(each[name] for each in variants for name in ("barcode", "ean", "upc") if each[name])],
        "prices": _lowest(variants),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
    values = list(_each(variants, "options"))
    made_of = (*variants, *row["tags"], *row["categories"], *values, *(value["option"] or {} for value in values), collection, type)
    price_sets = (each["price_set"] or {} for each in variants)
    return {"id": row["id"], "fields": fields, "parts": _values((*made_of, *price_sets), "id")}


def _lowest(variants: Sequence[Row]) -> dict[str, Decimal]:
    """The lowest price in each currency, of those that anybody may buy one at: on no list, under no rules."""
    found: dict[str, Decimal] = {}
    for price in (price for each in variants for price in (each["price_set"] or {}).get("prices", ())):
        if price["price_list_id"] is None and not price["rules_count"] and (price["min_quantity"] or 1) <= 1:
            amount, currency = Decimal(str(price["amount"])), price["currency_code"]
            found[currency] = min(found.get(currency, amount), amount)
    return found


def _each(rows: Iterable[Row], name: str) -> Iterable[Row]:
    return (inner for row in rows for inner in row[name])


def _values(rows: Iterable[Row], name: str) -> list[Any]:
    return [*dict.fromkeys(row[name] for row in rows if row.get(name))]


SOURCES = {
    "product": Source(
        "product",
        (
            "id", "title", "subtitle", "description", "handle", "thumbnail", "status", "created_at", "updated_at", "sales_channels.id",
            "type.id", "type.value", "collection.id", "collection.title", "tags.id", "tags.value", "categories.id", "categories.name",
            "categories.is_active", "categories.is_internal", "variants.id", "variants.title", "variants.sku", "variants.barcode",
            "variants.ean", "variants.upc", "variants.options.id", "variants.options.value", "variants.options.option.id",
            "variants.options.option.title", "variants.price_set.id", "variants.price_set.prices.amount",
            "variants.price_set.prices.currency_code", "variants.price_set.prices.price_list_id", "variants.price_set.prices.rules_count",
            "variants.price_set.prices.min_quantity",
        ),
        _product,
    ),
}  # fmt: skip
