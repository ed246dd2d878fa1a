"""Carts: lines, addresses, shipping methods, and what taxes and promotions say about them.

A cart has one `version`, which rises with every change of anything in it. Whoever changes a cart names the version that was read, so of two
who change it at once the second is told, and nothing is written on stale figures.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Numeric, Table, Text, false, true
from sqlalchemy.sql.schema import SchemaItem

from ...core.sql.columns import (
    Json,
    Money,
    Timestamp,
    email_column,
    identity,
    index_on,
    metadata_column,
    module_metadata,
    timestamps,
    version,
)
from ...core.sql.entity import Entity, Relation, Schema, many, one

metadata = module_metadata()

cart_address = Table(
    "cart_address",
    metadata,
    identity(),
    Column("customer_id", Text),
    Column("company", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("address_1", Text),
    Column("address_2", Text),
    Column("city", Text),
    Column("country_code", Text),
    Column("province", Text),
    Column("postal_code", Text),
    Column("phone", Text),
    metadata_column(),
    *timestamps(),
)

cart = Table(
    "cart",
    metadata,
    identity(),
    Column("region_id", Text),
    Column("customer_id", Text),
    Column("sales_channel_id", Text),
    email_column(),
    Column("currency_code", Text, nullable=False),
    Column("locale", Text),
    Column("shipping_address_id", Text, ForeignKey("cart_address.id", ondelete="SET NULL")),
    Column("billing_address_id", Text, ForeignKey("cart_address.id", ondelete="SET NULL")),
    Column("completed_at", Timestamp),
    metadata_column(),
    version(),
    *timestamps(),
)
for _column in ("customer_id", "region_id", "sales_channel_id", "shipping_address_id", "billing_address_id"):
    Index(f"ix_cart_{_column}", cart.c[_column], postgresql_where=cart.c.deleted_at.is_(None) & cart.c[_column].is_not(None))

cart_line_item = Table(
    "cart_line_item",
    metadata,
    identity(),
    Column("cart_id", Text, ForeignKey("cart.id", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("thumbnail", Text),
    Column("quantity", Integer, nullable=False),
    Column("variant_id", Text),
    Column("product_id", Text),
    Column("product_title", Text),
    Column("product_description", Text),
    Column("product_subtitle", Text),
    Column("product_type", Text),
    Column("product_type_id", Text),
    Column("product_collection", Text),
    Column("product_handle", Text),
    Column("variant_sku", Text),
    Column("variant_barcode", Text),
    Column("variant_title", Text),
    Column("variant_option_values", Json),
    Column("requires_shipping", Boolean, nullable=False, server_default=true()),
    Column("is_discountable", Boolean, nullable=False, server_default=true()),
    Column("is_giftcard", Boolean, nullable=False, server_default=false()),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("is_custom_price", Boolean, nullable=False, server_default=false()),
    Column("compare_at_unit_price", Money),
    Column("unit_price", Money, nullable=False),
    metadata_column(),
    *timestamps(),
    CheckConstraint("unit_price >= 0", name="unit_price_not_negative"),
    CheckConstraint("quantity > 0", name="quantity_positive"),
)
index_on(cart_line_item, "cart_id")
for _column in ("variant_id", "product_id"):
    Index(f"ix_cart_line_item_{_column}", cart_line_item.c[_column], postgresql_where=cart_line_item.c.deleted_at.is_(None))

cart_shipping_method = Table(
    "cart_shipping_method",
    metadata,
    identity(),
    Column("cart_id", Text, ForeignKey("cart.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Json),
    Column("amount", Money, nullable=False),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("shipping_option_id", Text),
    Column("data", Json),
    metadata_column(),
    *timestamps(),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
)
index_on(cart_shipping_method, "cart_id")

credit_line = Table(
    "credit_line",
    metadata,
    identity(),
    Column("cart_id", Text, ForeignKey("cart.id", ondelete="CASCADE"), nullable=False),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("amount", Money, nullable=False),
    metadata_column(),
    *timestamps(),
)
index_on(credit_line, "cart_id")


def _tax_line(name: str, owner: str, key: str) -> Table:
    """Tax lines of line items or shipping methods: a rate in percent that applies to all of the owner's price."""
    table = Table(
        name,
        metadata,
        identity(),
        Column(key, Text, ForeignKey(f"{owner}.id", ondelete="CASCADE"), nullable=False),
        Column("description", Text),
        Column("tax_rate_id", Text),
        Column("code", Text, nullable=False),
        Column("rate", Numeric, nullable=False),
        Column("provider_id", Text),
        Column("data", Json),
        metadata_column(),
        *timestamps(),
    )
    index_on(table, key)
    return table


def _adjustment(name: str, owner: str, key: str, *extra: SchemaItem) -> Table:
    """Adjustments of line items or shipping methods: what a promotion takes off the owner's price."""
    table = Table(
        name,
        metadata,
        identity(),
        Column(key, Text, ForeignKey(f"{owner}.id", ondelete="CASCADE"), nullable=False),
        Column("description", Text),
        Column("promotion_id", Text),
        Column("code", Text),
        Column("amount", Money, nullable=False),
        Column("provider_id", Text),
        metadata_column(),
        *timestamps(),
        *extra,
        CheckConstraint("amount >= 0", name="amount_not_negative"),
    )
    index_on(table, key)
    return table


cart_line_item_tax_line = _tax_line("cart_line_item_tax_line", "cart_line_item", "item_id")
cart_shipping_method_tax_line = _tax_line("cart_shipping_method_tax_line", "cart_shipping_method", "shipping_method_id")
cart_line_item_adjustment = _adjustment(
    "cart_line_item_adjustment", "cart_line_item", "item_id", Column("is_tax_inclusive", Boolean, nullable=False, server_default=false())
)
cart_shipping_method_adjustment = _adjustment("cart_shipping_method_adjustment", "cart_shipping_method", "shipping_method_id")


def _owned(kind: str, key: str) -> dict[str, Relation]:
    return {
        "tax_lines": many(f"{kind}_tax_line", key, cascade=True),
        "adjustments": many(f"{kind}_adjustment", key, cascade=True),
        "cart": one("cart", "cart_id"),
    }


def _part(table: Table, prefix: str, owner: str) -> Entity:
    """Tax lines or adjustments of line items or shipping methods."""
    kind = {"item": "cart_line_item", "shipping_method": "cart_shipping_method"}[owner]
    return Entity(table.name, table, prefix=prefix, relations={owner: one(kind, f"{owner}_id")}, bare=True)


SCHEMA = Schema(
    "cart",
    Entity(
        "cart",
        cart,
        prefix="cart",
        label="Cart",
        relations={
            "shipping_address": one("cart_address", "shipping_address_id"),
            "billing_address": one("cart_address", "billing_address_id"),
            "items": many("cart_line_item", "cart_id", cascade=True),
            "shipping_methods": many("cart_shipping_method", "cart_id", cascade=True),
            "credit_lines": many("credit_line", "cart_id", cascade=True),
        },
    ),
    Entity("cart_address", cart_address, prefix="caaddr", label="Address", bare=True),
    Entity("cart_line_item", cart_line_item, prefix="cali", label="LineItem", relations=_owned("cart_line_item", "item_id"), bare=True),
    Entity(
        "cart_shipping_method",
        cart_shipping_method,
        prefix="casm",
        label="ShippingMethod",
        relations=_owned("cart_shipping_method", "shipping_method_id"),
    ),
    _part(cart_line_item_tax_line, "calitxl", "item"),
    _part(cart_line_item_adjustment, "caliadj", "item"),
    _part(cart_shipping_method_tax_line, "casmtxl", "shipping_method"),
    _part(cart_shipping_method_adjustment, "casmadj", "shipping_method"),
    Entity("credit_line", credit_line, prefix="cacl", relations={"cart": one("cart", "cart_id")}, bare=True),
)
