"""Indexes over all rows, deleted softly or not, of what refers to what is deleted."""

from alembic import op

revision = "0002"
down_revision = "0001"

WIDER = (
    ("cart_line_item", "cart_id"),
    ("cart_shipping_method", "cart_id"),
    ("credit_line", "cart_id"),
    ("cart_line_item_adjustment", "item_id"),
    ("cart_line_item_tax_line", "item_id"),
    ("cart_shipping_method_adjustment", "shipping_method_id"),
    ("cart_shipping_method_tax_line", "shipping_method_id"),
)


def upgrade() -> None:
    for table, column in WIDER:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table, column in WIDER:
        op.create_index(f"ix_{table}_{column}", table, [column])
