"""The taxes on a cart."""

from __future__ import annotations

from collections.abc import Sequence

from ...commerce.types import Line, TaxLine
from ...core.ids import new_id
from ...core.rows import Row
from ...modules.tax.types import CalculatedTax, TaxableItem, TaxableMethod
from ..kit import Flow
from ..translating import spoken
from .context import CartContext
from .working import WorkingCart


async def work_out_taxes(flow: Flow, draft: WorkingCart, cart_context: CartContext, *, force: bool = False) -> None:
    """Compute the taxes on everything in a cart, if its region does so automatically, or if `force`d.

    Without a country there are none. If the region isn't automatic, earlier taxes stay as they are.
    """
    if not (cart_context.automatic_taxes or force):
        return
    address = draft.address()
    lines: list[CalculatedTax] = []
    if address is not None and address.get("country_code") and (draft.items or draft.shipping_methods):
        context: Row = {"address": address}
        if cart_context.customer is not None:
            context["customer"] = cart_context.customer
        for added in await flow.hooks.setTaxLineContext(
            cart=lambda: draft.document(flow.now()), items=draft.items, shipping_methods=draft.shipping_methods
        ):
            context |= added or {}
        items = [_taxable(item) for item in draft.items]
        shipping: list[TaxableMethod] = [
            {"id": method["id"], "shipping_option_id": method["shipping_option_id"], "unit_price": method["amount"]}
            for method in draft.shipping_methods
        ]
        lines = await flow.modules.tax.get_tax_lines(items, shipping, context)
        if (locale := draft["locale"]) is not None:
            await _translate(flow, lines, locale)
    draft.set_taxes(
        [{**_tax_line(line, "calitxl"), "item_id": line["line_item_id"]} for line in lines if "line_item_id" in line],
        [{**_tax_line(line, "casmtxl"), "shipping_method_id": line["shipping_line_id"]} for line in lines if "shipping_line_id" in line],
    )


async def _translate(flow: Flow, lines: Sequence[CalculatedTax], locale: str) -> None:
    rates = [{"id": line["rate_id"], "name": line["name"]} for line in lines]
    await spoken(flow, "tax_rate", ("id", "name"), rates, locale)
    for line, rate in zip(lines, rates, strict=True):
        line["name"] = rate["name"] or line["name"]


def drop_asked_taxes(draft: WorkingCart, cart_context: CartContext) -> None:
    """Remove taxes that are computed on request only: they were for another address than the current one."""
    if not cart_context.automatic_taxes:
        draft.set_taxes((), ())


def _taxable(item: Line) -> TaxableItem:
    return {
        "id": item["id"],
        "quantity": item["quantity"],
        "unit_price": item.get("unit_price"),
        "product_id": item.get("product_id"),
        "product_type_id": item.get("product_type_id"),
        "variant_id": item["variant_id"],
        "is_giftcard": item.get("is_giftcard", False),
    }


def _tax_line(tax: CalculatedTax, prefix: str) -> TaxLine:
    return {
        "id": new_id(prefix),
        "description": tax["name"],
        "tax_rate_id": tax["rate_id"],
        "code": tax["code"],
        "rate": tax["rate"],
        "provider_id": tax["provider_id"],
    }
