"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "product_category",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("mpath", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_internal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parent_category_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_category_id"], ["product_category.id"], name=op.f("fk_product_category_parent_category_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_category")),
    )
    op.create_index("ix_product_category_mpath", "product_category", ["mpath"], unique=False, postgresql_ops={"mpath": "text_pattern_ops"})
    op.create_index(
        "ix_product_category_parent_category_id_rank",
        "product_category",
        ["parent_category_id", "rank"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_product_category_handle", "product_category", ["handle"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "product_collection",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_collection")),
    )
    op.create_index(
        "uq_product_collection_handle", "product_collection", ["handle"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "product_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_message")),
    )
    op.create_index(op.f("ix_product_message_created_at"), "product_message", ["created_at"], unique=False)
    op.create_table(
        "product_option",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_exclusive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_option")),
    )
    op.create_index(
        "uq_product_option_title",
        "product_option",
        ["title"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND is_exclusive IS false"),
    )
    op.create_table(
        "product_tag",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_tag")),
    )
    op.create_index("uq_product_tag_value", "product_tag", ["value"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "product_type",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_type")),
    )
    op.create_index("uq_product_type_value", "product_type", ["value"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "product",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_giftcard", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("length", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.Column("width", sa.Double(), nullable=True),
        sa.Column("origin_country", sa.Text(), nullable=True),
        sa.Column("hs_code", sa.Text(), nullable=True),
        sa.Column("mid_code", sa.Text(), nullable=True),
        sa.Column("material", sa.Text(), nullable=True),
        sa.Column("collection_id", sa.Text(), nullable=True),
        sa.Column("type_id", sa.Text(), nullable=True),
        sa.Column("discountable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'proposed', 'published', 'rejected')", name=op.f("ck_product_status")),
        sa.ForeignKeyConstraint(["collection_id"], ["product_collection.id"], name=op.f("fk_product_collection_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["type_id"], ["product_type.id"], name=op.f("fk_product_type_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index("ix_product_collection_id", "product", ["collection_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_product_status_id", "product", ["status", "id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_product_type_id", "product", ["type_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("uq_product_handle", "product", ["handle"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "product_option_value",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("option_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["option_id"], ["product_option.id"], name=op.f("fk_product_option_value_option_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_option_value")),
    )
    op.create_index(
        "uq_product_option_value_option_id_value",
        "product_option_value",
        ["option_id", "value"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_image_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
    )
    op.create_index(
        "ix_image_product_id_rank", "image", ["product_id", "rank"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "product_category_product",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("product_category_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_category_id"],
            ["product_category.id"],
            name=op.f("fk_product_category_product_product_category_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_category_product_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", "product_category_id", name=op.f("pk_product_category_product")),
    )
    op.create_index("ix_product_category_product_product_category_id", "product_category_product", ["product_category_id"], unique=False)
    op.create_table(
        "product_product_option",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("product_option_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_product_option_product_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["product_option_id"], ["product_option.id"], name=op.f("fk_product_product_option_product_option_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_product_option")),
    )
    op.create_index(
        "ix_product_product_option_product_option_id",
        "product_product_option",
        ["product_option_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_product_product_option_product_id_product_option_id",
        "product_product_option",
        ["product_id", "product_option_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "product_tags",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("product_tag_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_tags_product_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_tag_id"], ["product_tag.id"], name=op.f("fk_product_tags_product_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", "product_tag_id", name=op.f("pk_product_tags")),
    )
    op.create_index("ix_product_tags_product_tag_id", "product_tags", ["product_tag_id"], unique=False)
    op.create_table(
        "product_variant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("ean", sa.Text(), nullable=True),
        sa.Column("upc", sa.Text(), nullable=True),
        sa.Column("allow_backorder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("manage_inventory", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("origin_country", sa.Text(), nullable=True),
        sa.Column("hs_code", sa.Text(), nullable=True),
        sa.Column("mid_code", sa.Text(), nullable=True),
        sa.Column("material", sa.Text(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("length", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.Column("width", sa.Double(), nullable=True),
        sa.Column("variant_rank", sa.Integer(), server_default="0", nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_variant_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variant")),
    )
    op.create_index(
        "ix_product_variant_product_id_variant_rank",
        "product_variant",
        ["product_id", "variant_rank"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_product_variant_barcode", "product_variant", ["barcode"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index("uq_product_variant_ean", "product_variant", ["ean"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("uq_product_variant_sku", "product_variant", ["sku"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("uq_product_variant_upc", "product_variant", ["upc"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "product_product_option_value",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_product_option_id", sa.Text(), nullable=False),
        sa.Column("product_option_value_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_option_value_id"],
            ["product_option_value.id"],
            name=op.f("fk_product_product_option_value_product_option_value_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_product_option_id"],
            ["product_product_option.id"],
            name=op.f("fk_product_product_option_value_product_product_option_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_product_option_value")),
    )
    op.create_index(
        "ix_product_product_option_value_value",
        "product_product_option_value",
        ["product_option_value_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_product_product_option_value_link_value",
        "product_product_option_value",
        ["product_product_option_id", "product_option_value_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "product_variant_option",
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("option_value_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["option_value_id"], ["product_option_value.id"], name=op.f("fk_product_variant_option_option_value_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variant.id"], name=op.f("fk_product_variant_option_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("variant_id", "option_value_id", name=op.f("pk_product_variant_option")),
    )
    op.create_index("ix_product_variant_option_option_value_id", "product_variant_option", ["option_value_id"], unique=False)
    op.create_table(
        "product_variant_product_image",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("image_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_product_variant_product_image_image_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variant.id"], name=op.f("fk_product_variant_product_image_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variant_product_image")),
    )
    op.create_index(
        "ix_product_variant_product_image_image_id",
        "product_variant_product_image",
        ["image_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_product_variant_product_image_variant_id_image_id",
        "product_variant_product_image",
        ["variant_id", "image_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
