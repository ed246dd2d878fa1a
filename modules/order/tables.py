"""Orders: what was bought, at which price, taxed and discounted how, and what has been paid of it.

Orders are copies: nothing in them follows the cart, the product or the region they came from. An order is one row: what lists show, filter
and sort by, and one document with all that is in it. A line item says what was bought and never changes; its `order_item` (`detail` to
clients) says how many, and what became of them.

`version` is the API's: it rises when what was agreed is changed, and the order as it was before is put away in `order_version`. `revision`
rises with every write. Whoever writes an order has read it, and names the revision that was read.

What lies in the document has tables here as well: views, for whoever asks for lines by themselves.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    false,
    func,
)
from sqlalchemy.sql.schema import SchemaItem

from ...commerce.addresses import FIELDS, address_columns
from ...core.sql.schema.columns import (
    OF_ROOT,
    Json,
    Money,
    Quantity,
    Timestamp,
    document_columns,
    email_column,
    identity,
    index_on,
    metadata_column,
    module_metadata,
    root_column,
    timestamps,
    trigrams,
)
from ...core.sql.schema.deltas import keep_deltas

metadata = module_metadata()
inside = MetaData()
"""Of the views."""

display_ids = Sequence("order_display_id_seq", metadata=metadata)

order = Table(
    "order",
    metadata,
    identity(),
    Column("display_id", Integer, display_ids, server_default=display_ids.next_value(), nullable=False),
    Column("custom_display_id", Text),
    Column("region_id", Text),
    Column("customer_id", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("sales_channel_id", Text),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("is_draft_order", Boolean, nullable=False, server_default=false()),
    email_column(),
    Column("currency_code", Text, nullable=False),
    Column("locale", Text),
    Column("shipping_address_id", Text),
    Column("billing_address_id", Text),
    Column("no_notification", Boolean),
    Column("canceled_at", Timestamp),
    Column("summary", Json, nullable=False),
    metadata_column(),
    *timestamps(),
    *document_columns(),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("search", Text, nullable=False),
    Column("variant_ids", ARRAY(Text), nullable=False),
    Column("product_ids", ARRAY(Text), nullable=False),
    CheckConstraint("status IN ('pending', 'completed', 'draft', 'archived', 'canceled', 'requires_action')", name="status"),
    postgresql_with={"fillfactor": 80},  # what is paid is written soon after, and finds room in the page
)
COLUMNS = (
    "region_id",
    "customer_id",
    "version",
    "sales_channel_id",
    "status",
    "is_draft_order",
    "email",
    "currency_code",
    "locale",
    "shipping_address_id",
    "billing_address_id",
    "no_notification",
    "canceled_at",
    "summary",
    "metadata",
)
"""Columns of an order that a write sets. The others are the database's, or stay as they were made."""
WORDS = tuple(name for name in FIELDS if name != "country_code")
"""What of its addresses an order is found by with words."""
HIDDEN = frozenset({"document", "document_schema", "revision", "search", "variant_ids", "product_ids"})
for _column in ("display_id", "region_id", "customer_id", "sales_channel_id", "created_at"):
    index_on(order, _column)
trigrams(order, "search")
Index("ix_order_drafts", order.c.id, postgresql_where=order.c.is_draft_order & order.c.deleted_at.is_(None))
for _column in ("variant_ids", "product_ids"):
    Index(f"ix_order_{_column}", order.c[_column], postgresql_using="gin")
Index("uq_order_custom_display_id", order.c.custom_display_id, unique=True, postgresql_where=order.c.deleted_at.is_(None))
keep_deltas(order, "display_id", "status", "is_draft_order", "region_id", "customer_id", "sales_channel_id", "currency_code", "created_at")

# Orders as they were, each until the version that follows. Rows come, and never change.
order_version = Table(
    "order_version",
    metadata,
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("fields", JSON, nullable=False),  # what its columns said, as they are shown
    *document_columns(),
    Column("created_at", Timestamp, nullable=False, server_default=func.now()),
)

order_address = Table(
    "order_address",
    inside,
    root_column(),
    identity(),
    Column("customer_id", Text),
    *address_columns(),
    metadata_column(),
    *timestamps(),
)
order_line_item = Table(
    "order_line_item",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("thumbnail", Text),
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
    Column("requires_shipping", Boolean, nullable=False, default=True),
    Column("is_giftcard", Boolean, nullable=False, default=False),
    Column("is_discountable", Boolean, nullable=False, default=True),
    Column("is_tax_inclusive", Boolean, nullable=False, default=False),
    Column("is_custom_price", Boolean, nullable=False, default=False),
    Column("compare_at_unit_price", Money),
    Column("unit_price", Money, nullable=False),
    Column("quantity", Quantity, nullable=False),  # as its detail has it
    metadata_column(),
    *timestamps(),
)

_COUNTED = (
    "fulfilled_quantity",
    "delivered_quantity",
    "shipped_quantity",
    "return_requested_quantity",
    "return_received_quantity",
    "return_dismissed_quantity",
    "written_off_quantity",
)

order_item = Table(
    "order_item",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False, info={OF_ROOT: True}),
    Column("item_id", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("unit_price", Money),
    Column("compare_at_unit_price", Money),
    Column("quantity", Quantity, nullable=False),
    *(Column(name, Quantity, nullable=False, default=0) for name in _COUNTED),
    metadata_column(),
    *timestamps(),
)

order_shipping_method = Table(
    "order_shipping_method",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Json),
    Column("amount", Money, nullable=False),
    Column("is_tax_inclusive", Boolean, nullable=False, default=False),
    Column("is_custom_amount", Boolean, nullable=False, default=False),
    Column("shipping_option_id", Text),
    Column("data", Json),
    metadata_column(),
    *timestamps(),
)

# Which version of the order a shipping method belongs to, and whether a return, claim or exchange brought it.
order_shipping = Table(
    "order_shipping",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False, info={OF_ROOT: True}),
    Column("shipping_method_id", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("return_id", Text),
    Column("claim_id", Text),
    Column("exchange_id", Text),
    *timestamps(),
)


def _tax_line(name: str, key: str) -> Table:
    """Tax lines of line items or shipping methods: a rate in percent that applies to all of the owner's price."""
    return Table(
        name,
        inside,
        root_column(),
        identity(),
        Column(key, Text, nullable=False),
        Column("description", Text),
        Column("tax_rate_id", Text),
        Column("code", Text, nullable=False),
        Column("rate", Money, nullable=False),
        Column("provider_id", Text),
        Column("data", Json),
        metadata_column(),
        *timestamps(),
    )


def _adjustment(name: str, key: str, *extra: SchemaItem) -> Table:
    """Adjustments of line items or shipping methods: what a promotion took off the owner's price."""
    return Table(
        name,
        inside,
        root_column(),
        identity(),
        Column(key, Text, nullable=False),
        Column("version", Integer, nullable=False, default=1),
        Column("description", Text),
        Column("promotion_id", Text),
        Column("code", Text),
        Column("amount", Money, nullable=False),
        Column("provider_id", Text),
        *timestamps(),
        *extra,
    )


order_line_item_tax_line = _tax_line("order_line_item_tax_line", "item_id")
order_shipping_method_tax_line = _tax_line("order_shipping_method_tax_line", "shipping_method_id")
order_line_item_adjustment = _adjustment(
    "order_line_item_adjustment", "item_id", Column("is_tax_inclusive", Boolean, nullable=False, default=False)
)
order_shipping_method_adjustment = _adjustment("order_shipping_method_adjustment", "shipping_method_id")

order_credit_line = Table(
    "order_credit_line",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("amount", Money, nullable=False),
    metadata_column(),
    *timestamps(),
)

# Money that went to the shop (positive) or back (negative).
order_transaction = Table(
    "order_transaction",
    inside,
    root_column(),
    identity(),
    Column("order_id", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("amount", Money, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("return_id", Text),
    Column("claim_id", Text),
    Column("exchange_id", Text),
    *timestamps(),
)

# Why things come back: the reasons a shop chooses from, each maybe a finer one of another.
return_reason = Table(
    "return_reason",
    metadata,
    identity(),
    Column("value", Text, nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("description", Text),
    Column("parent_return_reason_id", Text, ForeignKey("return_reason.id", ondelete="SET NULL"), index=True),
    metadata_column(),
    *timestamps(),
)
