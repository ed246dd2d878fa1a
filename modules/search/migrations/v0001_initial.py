"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "search_document",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket", sa.BigInteger(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("fields", postgresql.JSONB(), nullable=True),
        sa.Column("parts", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "id", name=op.f("pk_search_document")),
    )
    op.create_index(
        "ix_search_document_fields",
        "search_document",
        ["fields"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"fields": "jsonb_path_ops"},
    )
    op.create_index("ix_search_document_parts", "search_document", ["parts"], unique=False, postgresql_using="gin")
    op.create_index("ix_search_document_words", "search_document", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "search_index",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_index")),
        sa.UniqueConstraint("name", name=op.f("uq_search_index_name")),
    )
    op.create_table(
        "search_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_message")),
    )
    op.create_index(op.f("ix_search_message_created_at"), "search_message", ["created_at"], unique=False)
    op.create_table(
        "search_pending",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("key", "whole", name=op.f("pk_search_pending")),
        sa.UniqueConstraint("position", name=op.f("uq_search_pending_position")),
    )
    op.create_table(
        "search_word",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("spellings", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "word", name=op.f("pk_search_word")),
    )
    op.create_index("ix_search_word_spellings", "search_word", ["spellings"], unique=False, postgresql_using="gin")
    op.create_table(
        "search_index_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("physical_name", sa.Text(), nullable=False),
        sa.Column("definition_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("search_index_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'building', 'ready', 'error')", name=op.f("ck_search_index_version_status")),
        sa.ForeignKeyConstraint(
            ["search_index_id"], ["search_index.id"], name=op.f("fk_search_index_version_search_index_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_index_version")),
        sa.UniqueConstraint("search_index_id", "version", name=op.f("uq_search_index_version_search_index_id_version")),
    )
    op.create_table(
        "search_index_sync",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("filters", postgresql.JSONB(), nullable=True),
        sa.Column("last_key", sa.Text(), nullable=True),
        sa.Column("resumable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("documents_synced", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("search_index_version_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'processing', 'done', 'failed', 'canceled')", name=op.f("ck_search_index_sync_status")),
        sa.ForeignKeyConstraint(
            ["search_index_version_id"],
            ["search_index_version.id"],
            name=op.f("fk_search_index_sync_search_index_version_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_index_sync")),
    )
    op.create_index(op.f("ix_search_index_sync_job_id"), "search_index_sync", ["job_id"], unique=False)
    op.create_index(op.f("ix_search_index_sync_search_index_version_id"), "search_index_sync", ["search_index_version_id"], unique=False)
