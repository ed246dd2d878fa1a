"""Tables of deltas are called so."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS write_order_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("order_tally", "order_deltas")
    op.execute("ALTER INDEX ix_order_tally_xid RENAME TO ix_order_deltas_xid")
