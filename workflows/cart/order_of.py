"""The order that a cart becomes: a copy with ids of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...commerce.addresses import FIELDS
from ...commerce.priced import ADDRESSES
from ...commerce.types import Cart
from ...core.ids import new_id
from ...core.rows import Row

_CART = ("region_id", "customer_id", "sales_channel_id", "email", "currency_code", "locale", "metadata")
_ADDRESS = ("customer_id", *FIELDS, "metadata")
_ITEM = (
    "title",
    "subtitle",
    "thumbnail",
    "quantity",
    "variant_id",
    "product_id",
    "product_title",
    "product_description",
    "product_subtitle",
    "product_type",
    "product_type_id",
    "product_collection",
    "product_handle",
    "variant_sku",
    "variant_barcode",
    "variant_title",
    "variant_option_values",
    "requires_shipping",
    "is_giftcard",
    "is_discountable",
    "is_tax_inclusive",
    "is_custom_price",
    "compare_at_unit_price",
    "unit_price",
    "metadata",
)
_METHOD = ("name", "description", "amount", "is_tax_inclusive", "shipping_option_id", "data", "metadata")
_TAX_LINE = ("description", "tax_rate_id", "code", "rate", "provider_id", "data", "metadata")
_ADJUSTMENT = ("description", "promotion_id", "code", "amount", "provider_id", "is_tax_inclusive")
_CREDIT_LINE = ("reference", "reference_id", "amount", "metadata")


def order_of(cart: Cart) -> Row:
    """The argument of `modules.order.place`, made from what `modules.cart.load` returned."""
    columns: Mapping[str, Any] = cart
    order: Row = {"id": new_id("order"), "status": "pending", **_copy(cart, _CART)}
    for kind in ADDRESSES:
        name = f"{kind}_address"
        if (address := columns[name]) is not None:
            order[name] = {"id": new_id("ordaddr"), **_copy(address, _ADDRESS)}
            order[f"{name}_id"] = order[name]["id"]
    order["items"] = [_line(item, "ordli", _ITEM, "ordlitxl", "ordliadj") for item in cart["items"]]
    order["shipping_methods"] = [_line(method, "ordsm", _METHOD, "ordsmtxl", "ordsmadj") for method in cart["shipping_methods"]]
    order["credit_lines"] = [{"id": new_id("ordcl"), **_copy(line, _CREDIT_LINE)} for line in cart["credit_lines"]]
    return order


def _line(line: Mapping[str, Any], prefix: str, columns: tuple[str, ...], tax_prefix: str, adjustment_prefix: str) -> Row:
    return {
        "id": new_id(prefix),
        **_copy(line, columns),
        "tax_lines": [{"id": new_id(tax_prefix), **_copy(row, _TAX_LINE)} for row in line["tax_lines"]],
        "adjustments": [{"id": new_id(adjustment_prefix), **_copy(row, _ADJUSTMENT)} for row in line["adjustments"]],
    }


def _copy(row: Mapping[str, Any], columns: tuple[str, ...]) -> Row:
    return {name: row[name] for name in columns if row.get(name) is not None}
