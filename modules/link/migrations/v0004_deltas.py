"""Tables of deltas are called so."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS write_product_sales_channel_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("product_sales_channel_tally", "product_sales_channel_deltas")
    op.execute("ALTER INDEX ix_product_sales_channel_tally_xid RENAME TO ix_product_sales_channel_deltas_xid")
