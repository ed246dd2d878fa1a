"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "engine_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_message")),
    )
    op.create_index(op.f("ix_engine_message_created_at"), "engine_message", ["created_at"], unique=False)
    op.create_table(
        "event_outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("served", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_outbox")),
    )
    op.create_index("ix_event_outbox_created", "event_outbox", ["created_at"], unique=False)
    op.create_index("ix_event_outbox_due", "event_outbox", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "workflow_coordinator",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("replica", sa.Text(), nullable=False),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_coordinator")),
    )
    op.create_table(
        "workflow_execution",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("journal", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("undo", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("steps", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("resume_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_execution")),
    )
    op.create_index(
        "ix_workflow_execution_expires",
        "workflow_execution",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_workflow_execution_live",
        "workflow_execution",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("state IN ('invoking', 'compensating')"),
    )
    op.create_index("ix_workflow_execution_started", "workflow_execution", ["started_at"], unique=False)
    op.create_index(
        "uq_workflow_execution_key",
        "workflow_execution",
        ["workflow", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL AND state IN ('invoking', 'compensating', 'done')"),
    )
