"""Tables of deltas are called so."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS write_inventory_item_tally() CASCADE")  # and its triggers; both are made again
    op.rename_table("inventory_item_tally", "inventory_item_deltas")
    op.execute("ALTER INDEX ix_inventory_item_tally_xid RENAME TO ix_inventory_item_deltas_xid")
