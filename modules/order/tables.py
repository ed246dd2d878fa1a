"""Orders: what was bought, at which price, taxed and discounted how, and what has been paid of it.

Orders are copies: nothing in them follows the cart, the product or the region they came from. A line item says what was bought and never
changes; its `order_item` (`detail` to clients) says how many, and what became of them.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    false,
    true,
)
from sqlalchemy.sql.schema import SchemaItem

from ...core.sql.columns import (
    Json,
    Money,
    Quantity,
    Timestamp,
    email_column,
    identity,
    index_on,
    metadata_column,
    module_metadata,
    timestamps,
    trigrams,
)
from ...core.sql.tally import keep_tally

metadata = module_metadata()

order_address = Table(
    "order_address",
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
Index("ix_order_address_customer_id", order_address.c.customer_id)
trigrams(order_address, "company", "first_name", "last_name", "address_1", "address_2", "city", "province", "postal_code", "phone")

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
    Column("shipping_address_id", Text, ForeignKey("order_address.id", ondelete="SET NULL")),
    Column("billing_address_id", Text, ForeignKey("order_address.id", ondelete="SET NULL")),
    Column("no_notification", Boolean),
    Column("canceled_at", Timestamp),
    metadata_column(),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'completed', 'draft', 'archived', 'canceled', 'requires_action')", name="status"),
)
for _column in ("display_id", "region_id", "customer_id", "sales_channel_id", "shipping_address_id", "billing_address_id", "created_at"):
    index_on(order, _column)
trigrams(order, "display_id", "custom_display_id", "email")
Index("uq_order_custom_display_id", order.c.custom_display_id, unique=True, postgresql_where=order.c.deleted_at.is_(None))
keep_tally(order, "display_id", "status", "is_draft_order", "region_id", "customer_id", "sales_channel_id", "currency_code", "created_at")

order_line_item = Table(
    "order_line_item",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
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
    Column("requires_shipping", Boolean, nullable=False, server_default=true()),
    Column("is_giftcard", Boolean, nullable=False, server_default=false()),
    Column("is_discountable", Boolean, nullable=False, server_default=true()),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("is_custom_price", Boolean, nullable=False, server_default=false()),
    Column("compare_at_unit_price", Money),
    Column("unit_price", Money, nullable=False),
    metadata_column(),
    *timestamps(),
)
for _column in ("order_id", "variant_id", "product_id"):
    index_on(order_line_item, _column)

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
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("item_id", Text, ForeignKey("order_line_item.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("unit_price", Money),
    Column("compare_at_unit_price", Money),
    Column("quantity", Quantity, nullable=False),
    *(Column(name, Quantity, nullable=False, server_default="0") for name in _COUNTED),
    metadata_column(),
    *timestamps(),
)
index_on(order_item, "order_id")
# A line has one row that counts. Those of earlier versions of the order stay, softly deleted.
index_on(order_item, "item_id")
Index("uq_order_item_item_id", order_item.c.item_id, unique=True, postgresql_where=order_item.c.deleted_at.is_(None))

order_shipping_method = Table(
    "order_shipping_method",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Json),
    Column("amount", Money, nullable=False),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("is_custom_amount", Boolean, nullable=False, server_default=false()),
    Column("shipping_option_id", Text),
    Column("data", Json),
    metadata_column(),
    *timestamps(),
)
for _column in ("order_id", "shipping_option_id"):
    index_on(order_shipping_method, _column)

# Which version of the order a shipping method belongs to, and whether a return, claim or exchange brought it.
order_shipping = Table(
    "order_shipping",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("shipping_method_id", Text, ForeignKey("order_shipping_method.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("return_id", Text),
    Column("claim_id", Text),
    Column("exchange_id", Text),
    *timestamps(),
)
index_on(order_shipping, "order_id")
index_on(order_shipping, "shipping_method_id")
Index(
    "uq_order_shipping_shipping_method_id",
    order_shipping.c.shipping_method_id,
    unique=True,
    postgresql_where=order_shipping.c.deleted_at.is_(None),
)


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
        Column("rate", Money, nullable=False),
        Column("provider_id", Text),
        Column("data", Json),
        metadata_column(),
        *timestamps(),
    )
    index_on(table, key)
    return table


def _adjustment(name: str, owner: str, key: str, *extra: SchemaItem) -> Table:
    """Adjustments of line items or shipping methods: what a promotion took off the owner's price."""
    table = Table(
        name,
        metadata,
        identity(),
        Column(key, Text, ForeignKey(f"{owner}.id", ondelete="CASCADE"), nullable=False),
        Column("version", Integer, nullable=False, server_default="1"),
        Column("description", Text),
        Column("promotion_id", Text),
        Column("code", Text),
        Column("amount", Money, nullable=False),
        Column("provider_id", Text),
        *timestamps(),
        *extra,
    )
    index_on(table, key)
    return table


order_line_item_tax_line = _tax_line("order_line_item_tax_line", "order_line_item", "item_id")
order_shipping_method_tax_line = _tax_line("order_shipping_method_tax_line", "order_shipping_method", "shipping_method_id")
order_line_item_adjustment = _adjustment(
    "order_line_item_adjustment", "order_line_item", "item_id", Column("is_tax_inclusive", Boolean, nullable=False, server_default=false())
)
order_shipping_method_adjustment = _adjustment("order_shipping_method_adjustment", "order_shipping_method", "shipping_method_id")

order_credit_line = Table(
    "order_credit_line",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("amount", Money, nullable=False),
    metadata_column(),
    *timestamps(),
)
index_on(order_credit_line, "order_id")

# Money that went to the shop (positive) or back (negative).
order_transaction = Table(
    "order_transaction",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("amount", Money, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("return_id", Text),
    Column("claim_id", Text),
    Column("exchange_id", Text),
    *timestamps(),
)
index_on(order_transaction, "order_id")
# One capture or refund is one transaction, however often it is reported.
Index(
    "uq_order_transaction_reference",
    order_transaction.c.order_id,
    order_transaction.c.reference,
    order_transaction.c.reference_id,
    unique=True,
    postgresql_where=order_transaction.c.deleted_at.is_(None) & order_transaction.c.reference_id.is_not(None),
)

# What the order costs and what is left to pay, of its newest version: written by whatever changes one of the two, in the same transaction.
order_summary = Table(
    "order_summary",
    metadata,
    identity(),
    Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("totals", Json, nullable=False),
    *timestamps(),
)
index_on(order_summary, "order_id")
Index("uq_order_summary_order_id", order_summary.c.order_id, unique=True, postgresql_where=order_summary.c.deleted_at.is_(None))

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
