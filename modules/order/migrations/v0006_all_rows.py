"""Indexes over all rows, deleted softly or not, of what refers to what is deleted."""

from alembic import op

revision = "0006"
down_revision = "0005"

WIDER = (
    ("order", "billing_address_id"),
    ("order", "shipping_address_id"),
    ("order_change", "order_id"),
    ("order_claim", "order_id"),
    ("order_credit_line", "order_id"),
    ("order_exchange", "order_id"),
    ("order_line_item", "order_id"),
    ("order_shipping_method", "order_id"),
    ("order_transaction", "order_id"),
    ("return", "order_id"),
    ("order_change_action", "order_change_id"),
    ("order_claim_item", "claim_id"),
    ("order_claim_item", "item_id"),
    ("order_exchange_item", "exchange_id"),
    ("order_exchange_item", "item_id"),
    ("order_item", "order_id"),
    ("order_line_item_adjustment", "item_id"),
    ("order_line_item_tax_line", "item_id"),
    ("order_shipping", "order_id"),
    ("order_shipping_method_adjustment", "shipping_method_id"),
    ("order_shipping_method_tax_line", "shipping_method_id"),
    ("return_item", "item_id"),
    ("return_item", "reason_id"),
    ("return_item", "return_id"),
)
NEW = (
    ("order_summary", "order_id"),
    ("order_item", "item_id"),
    ("order_shipping", "shipping_method_id"),
)


def upgrade() -> None:
    for table, column in WIDER:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table, column in (*WIDER, *NEW):
        op.create_index(f"ix_{table}_{column}", table, [column])
