"""Tables of deltas are called so."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS write_product_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("product_tally", "product_deltas")
    op.execute("ALTER INDEX ix_product_tally_xid RENAME TO ix_product_deltas_xid")
    op.execute("DROP FUNCTION IF EXISTS write_product_variant_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("product_variant_tally", "product_variant_deltas")
    op.execute("ALTER INDEX ix_product_variant_tally_xid RENAME TO ix_product_variant_deltas_xid")
