"""The taxes on a cart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...commerce.types import TaxLine
from ...core.ids import new_id
from ...core.rows import Row
from ..kit import Flow
from .draft import Draft
from .surroundings import Surroundings


async def work_out_taxes(flow: Flow, draft: Draft, surroundings: Surroundings, *, force: bool = False) -> None:
    """Compute the taxes on everything in a cart, if its region does so automatically, or if `force`d.

    Without a country there are none. If the region isn't automatic, earlier taxes stay as they are.
    """
    if not (surroundings.automatic_taxes or force):
        return
    address = draft.address()
    lines: list[Row] = []
    if address is not None and address.get("country_code") and (draft.items or draft.shipping_methods):
        context: Row = {"address": address}
        if surroundings.customer is not None:
            context["customer"] = surroundings.customer
        for added in await flow.hooks.setTaxLineContext(draft):
            context |= added or {}
        items = [
            _taxable(item, "quantity", "unit_price", "product_id", "product_type_id", "variant_id", "is_giftcard") for item in draft.items
        ]
        shipping = [_taxable(method, "shipping_option_id", unit_price="amount") for method in draft.shipping_methods]
        lines = await flow.modules.tax.get_tax_lines(items, shipping, context)
    draft.set_taxes(
        [{**_tax_line(line, "calitxl"), "item_id": line["line_item_id"]} for line in lines if line.get("line_item_id") is not None],
        [
            {**_tax_line(line, "casmtxl"), "shipping_method_id": line["shipping_line_id"]}
            for line in lines
            if line.get("shipping_line_id") is not None
        ],
    )


def drop_asked_taxes(draft: Draft, surroundings: Surroundings) -> None:
    """Remove taxes that are computed on request only: they were for another address than the current one."""
    if not surroundings.automatic_taxes:
        draft.set_taxes((), ())


def _taxable(line: Mapping[str, Any], *names: str, **renamed: str) -> Row:
    return {name: line.get(name) for name in ("id", *names)} | {name: line.get(ours) for name, ours in renamed.items()}


def _tax_line(line: Row, prefix: str) -> TaxLine:
    return {
        "id": new_id(prefix),
        "description": line.get("name"),
        "tax_rate_id": line.get("rate_id"),
        "code": line["code"],
        "rate": line["rate"],
        "provider_id": line.get("provider_id"),
    }
