"""Indexes over all rows, deleted softly or not, of tables that refer to deleted rows."""

from alembic import op

revision = "0003"
down_revision = "0002"

WIDER = (("price_list_rule", "price_list_id"),)
NEW = (("price_rule", "price_id"),)


def upgrade() -> None:
    for table, column in WIDER:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table, column in (*WIDER, *NEW):
        op.create_index(f"ix_{table}_{column}", table, [column])
