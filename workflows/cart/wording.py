"""What the lines and shipping methods of carts and orders say, in the language of their buyer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..kit import Flow
from ..translating import spoken
from .sellables import VARIANT, wording
from .types import SoldVariant
from .working import WorkingCart

Lines = Sequence[Mapping[str, Any]]
Wording = dict[str, Row]
"""Id of a line, a shipping method or a tax line → its columns that are texts."""


async def worded(flow: Flow, lines: Lines, methods: Lines, locale: str | None) -> Wording:
    """What lines, shipping methods and their tax lines say in a locale; without one, what the shop itself says.

    Custom lines, titles that a merchant has entered, and what is of something that was deleted meanwhile are left out.
    """
    found: list[SoldVariant] = await _rows(flow, "product_variant", VARIANT, (line["variant_id"] for line in lines), locale)
    variants = {row["id"]: row for row in found}
    said: Wording = {}
    for line in lines:
        variant = variants.get(line["variant_id"])
        if variant is not None and (product := variant["product"]) is not None:
            texts = dict(wording(variant, product))
            said[line["id"]] = texts if line["title"] == line["product_title"] else {**texts, "title": line["title"]}
    options = {row["id"]: row for row in await _rows(flow, "shipping_option", ("id", "name"), _options(methods), locale)}
    said |= {each["id"]: {"name": options[id]["name"]} for each in methods if (id := each["shipping_option_id"]) in options}
    taxes = [tax for line in (*lines, *methods) for tax in line["tax_lines"]]
    rates = {row["id"]: row for row in await _rows(flow, "tax_rate", ("id", "name"), (tax["tax_rate_id"] for tax in taxes), locale)}
    return said | {tax["id"]: {"description": rates[id]["name"]} for tax in taxes if (id := tax["tax_rate_id"]) in rates}


def _options(methods: Lines) -> Iterable[str | None]:
    return (method["shipping_option_id"] for method in methods)


async def _rows(flow: Flow, entity: str, fields: tuple[str, ...], ids: Iterable[str | None], locale: str | None) -> list[Any]:
    wanted = sorted({id for id in ids if id is not None})
    rows: list[Any] = await flow.graph.rows(Query(entity, fields, {"id": wanted})) if wanted else []
    await spoken(flow, entity, fields, rows, locale)
    return rows


async def reword(flow: Flow, draft: WorkingCart) -> None:
    """Make everything in a cart say what it says in the cart's locale."""
    said = await worded(flow, draft.items, draft.shipping_methods, draft["locale"])
    texts: Any
    for line in draft.items:
        texts = said.get(line["id"], {})
        draft.put_item({**line, **texts, "tax_lines": _taxes(line["tax_lines"], said)})
    for method in draft.shipping_methods:
        texts = said.get(method["id"], {})
        draft.put_shipping_method({**method, **texts, "tax_lines": _taxes(method["tax_lines"], said)})


def _taxes(taxes: Sequence[Any], said: Wording) -> list[Any]:
    return [{**tax, **said.get(tax["id"], {})} for tax in taxes]
