"""Carts: lines, addresses, shipping methods, and what taxes and promotions say about them.

A cart is one row: the columns that lists filter and sort by, its `version`, and one document with everything that is in it. The version
rises with every change. A writer names the version that it read, so of two concurrent changes the second is refused, and nothing is
written on stale values.

The rows inside the document have tables here as well: views, for queries for lines by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import ARRAY, Boolean, Column, Index, Integer, MetaData, Numeric, Table, Text, false, true
from sqlalchemy.sql.schema import SchemaItem

from ...commerce.addresses import address_columns
from ...core.sql.schema.columns import (
    LEAST,
    ROOT,
    Json,
    Money,
    Timestamp,
    document_columns,
    email_column,
    identity,
    metadata_column,
    module_metadata,
    root_column,
    timestamps,
    version,
)
from ...core.sql.schema.entity import Document, Entity, Relation, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()
inside = MetaData()
"""Metadata of the views."""

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
    Column("shipping_address_id", Text),
    Column("billing_address_id", Text),
    Column("completed_at", Timestamp),
    Column("payment_collection_id", Text),
    Column("order_id", Text),
    metadata_column(),
    version(),
    *timestamps(),
    *document_columns(),
    Column("variant_ids", ARRAY(Text), nullable=False),
    postgresql_with={"fillfactor": 60},  # a change finds room for the row's next version in its page
)
COLUMNS = (
    "region_id",
    "customer_id",
    "sales_channel_id",
    "email",
    "currency_code",
    "locale",
    "shipping_address_id",
    "billing_address_id",
    "payment_collection_id",
    "metadata",
)
"""Columns of a cart that a change sets. The module sets the others itself."""
for _column in ("customer_id", "region_id", "sales_channel_id"):
    Index(f"ix_cart_{_column}", cart.c[_column], postgresql_where=cart.c.deleted_at.is_(None) & cart.c[_column].is_not(None))
for _column in ("order_id", "payment_collection_id"):
    Index(f"uq_cart_{_column}", cart.c[_column], unique=True, postgresql_where=cart.c[_column].is_not(None))
Index("ix_cart_variant_ids", cart.c.variant_ids, postgresql_using="gin")

cart_address = Table(
    "cart_address",
    inside,
    root_column(),
    identity(),
    Column("customer_id", Text),
    *address_columns(),
    metadata_column(),
    *timestamps(),
)

cart_line_item = Table(
    "cart_line_item",
    inside,
    root_column(),
    identity(),
    Column("cart_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("thumbnail", Text),
    Column("quantity", Integer, nullable=False, info={LEAST: 1}),
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
    Column("unit_price", Money, nullable=False, info={LEAST: 0}),
    metadata_column(),
    *timestamps(),
)

cart_shipping_method = Table(
    "cart_shipping_method",
    inside,
    root_column(),
    identity(),
    Column("cart_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Json),
    Column("amount", Money, nullable=False, info={LEAST: 0}),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("shipping_option_id", Text),
    Column("data", Json),
    metadata_column(),
    *timestamps(),
)

credit_line = Table(
    "credit_line",
    inside,
    root_column(),
    identity(),
    Column("cart_id", Text, nullable=False),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("amount", Money, nullable=False),
    metadata_column(),
    *timestamps(),
)


def _tax_line(name: str, key: str) -> Table:
    """Tax lines of line items or shipping methods: a rate in percent on the owner's whole price."""
    return Table(
        name,
        inside,
        root_column(),
        identity(),
        Column(key, Text, nullable=False),
        Column("description", Text),
        Column("tax_rate_id", Text),
        Column("code", Text, nullable=False),
        Column("rate", Numeric, nullable=False),
        Column("provider_id", Text),
        Column("data", Json),
        metadata_column(),
        *timestamps(),
    )


def _adjustment(name: str, key: str, *extra: SchemaItem) -> Table:
    """Adjustments of line items or shipping methods: discounts on the owner's price."""
    return Table(
        name,
        inside,
        root_column(),
        identity(),
        Column(key, Text, nullable=False),
        Column("description", Text),
        Column("promotion_id", Text),
        Column("code", Text),
        Column("amount", Money, nullable=False, info={LEAST: 0}),
        Column("provider_id", Text),
        metadata_column(),
        *timestamps(),
        *extra,
    )


cart_line_item_tax_line = _tax_line("cart_line_item_tax_line", "item_id")
cart_shipping_method_tax_line = _tax_line("cart_shipping_method_tax_line", "shipping_method_id")
cart_line_item_adjustment = _adjustment(
    "cart_line_item_adjustment", "item_id", Column("is_tax_inclusive", Boolean, nullable=False, server_default=false())
)
cart_shipping_method_adjustment = _adjustment("cart_shipping_method_adjustment", "shipping_method_id")


def _owned(kind: str, key: str) -> dict[str, Relation]:
    return {"tax_lines": many(f"{kind}_tax_line", key), "adjustments": many(f"{kind}_adjustment", key), "cart": one("cart", "cart_id")}


def _inside(
    table: Table, prefix: str, relations: Mapping[str, Relation] = MappingProxyType({}), label: str = "", *, bare: bool = True
) -> Entity:
    hidden = frozenset({ROOT})
    return Entity(table.name, table, prefix=prefix, label=label, bare=bare, relations=relations, hidden=hidden, inside="cart")


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
            "items": many("cart_line_item", "cart_id"),
            "shipping_methods": many("cart_shipping_method", "cart_id"),
            "credit_lines": many("credit_line", "cart_id"),
        },
        hidden=frozenset({"document", "document_schema", "variant_ids"}),
        unstarred=frozenset({"order_id", "payment_collection_id"}),
        document=Document(found_by={("cart_line_item", "variant_id"): "variant_ids"}),
    ),
    _inside(cart_address, "caaddr", label="Address"),
    _inside(cart_line_item, "cali", _owned("cart_line_item", "item_id"), "LineItem"),
    _inside(cart_shipping_method, "casm", _owned("cart_shipping_method", "shipping_method_id"), "ShippingMethod", bare=False),
    _inside(cart_line_item_tax_line, "calitxl", {"item": one("cart_line_item", "item_id")}),
    _inside(cart_line_item_adjustment, "caliadj", {"item": one("cart_line_item", "item_id")}),
    _inside(cart_shipping_method_tax_line, "casmtxl", {"shipping_method": one("cart_shipping_method", "shipping_method_id")}),
    _inside(cart_shipping_method_adjustment, "casmadj", {"shipping_method": one("cart_shipping_method", "shipping_method_id")}),
    _inside(credit_line, "cacl", {"cart": one("cart", "cart_id")}),
)
