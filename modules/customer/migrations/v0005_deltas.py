"""Tables of deltas are called so."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS write_customer_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("customer_tally", "customer_deltas")
    op.execute("ALTER INDEX ix_customer_tally_xid RENAME TO ix_customer_deltas_xid")
