"""The data that a fulfillment provider gets besides the fulfillment itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypedDict

from ..commerce.types import OrderLine
from ..core.rows import Row
from ..core.sql.schema.query import Query
from .kit import Flow

_VARIANT = (
    "id", "weight", "length", "height", "width", "hs_code", "origin_country", "material",
    "product.weight", "product.length", "product.height", "product.width", "product.hs_code", "product.origin_country",
)  # fmt: skip


class Consigned(TypedDict):
    """See `FulfillmentProvider.create`."""

    option: Row
    """The provider data of the shipping option."""
    location: Row | None
    """The stock location, with its address."""
    lines: list[Row]
    """The order's lines, each with the shipped `quantity` and with its `variant`."""


async def consigned(
    flow: Flow, lines: Mapping[str, OrderLine], quantities: Sequence[tuple[str, Decimal]], location_id: str, option: Row | None
) -> Consigned:
    variants = await weighed(flow, [lines[id] for id, _ in quantities])
    locations = await flow.graph.rows(Query("stock_location", ("id", "name", "*address"), {"id": location_id}))
    return {
        "option": (option or {}).get("data") or {},
        "location": locations[0] if locations else None,
        "lines": [{**lines[id], "quantity": quantity, "variant": variants.get(lines[id]["variant_id"])} for id, quantity in quantities],
    }


async def weighed(flow: Flow, lines: Sequence[Mapping[str, object]]) -> dict[object, Row]:
    """Weights and measures of the lines' variants, by variant id."""
    ids = sorted({str(line["variant_id"]) for line in lines if line["variant_id"] is not None})
    return {row["id"]: row for row in await flow.graph.rows(Query("product_variant", _VARIANT, {"id": ids}))} if ids else {}
