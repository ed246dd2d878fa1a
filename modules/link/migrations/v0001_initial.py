"""The tables of all links."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "customer_account_holder",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_holder_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "account_holder_id", name=op.f("pk_customer_account_holder")),
    )
    op.create_index(
        "one_customer_in_customer_account_holder",
        "customer_account_holder",
        ["account_holder_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_customer_account_holder_id", "customer_account_holder", ["id"], unique=True)
    op.create_table(
        "link_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_message")),
    )
    op.create_index(op.f("ix_link_message_created_at"), "link_message", ["created_at"], unique=False)
    op.create_table(
        "location_fulfillment_provider",
        sa.Column("stock_location_id", sa.Text(), nullable=False),
        sa.Column("fulfillment_provider_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("stock_location_id", "fulfillment_provider_id", name=op.f("pk_location_fulfillment_provider")),
    )
    op.create_index(
        "ix_location_fulfillment_provider_fulfillment_provider_id",
        "location_fulfillment_provider",
        ["fulfillment_provider_id"],
        unique=False,
    )
    op.create_index("uq_location_fulfillment_provider_id", "location_fulfillment_provider", ["id"], unique=True)
    op.create_table(
        "location_fulfillment_set",
        sa.Column("stock_location_id", sa.Text(), nullable=False),
        sa.Column("fulfillment_set_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("stock_location_id", "fulfillment_set_id", name=op.f("pk_location_fulfillment_set")),
    )
    op.create_index(
        "one_location_in_location_fulfillment_set",
        "location_fulfillment_set",
        ["fulfillment_set_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_location_fulfillment_set_id", "location_fulfillment_set", ["id"], unique=True)
    op.create_table(
        "order_fulfillment",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("fulfillment_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "fulfillment_id", name=op.f("pk_order_fulfillment")),
    )
    op.create_index(
        "one_order_in_order_fulfillment",
        "order_fulfillment",
        ["fulfillment_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_order_fulfillment_id", "order_fulfillment", ["id"], unique=True)
    op.create_table(
        "product_sales_channel",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("sales_channel_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("product_id", "sales_channel_id", name=op.f("pk_product_sales_channel")),
    )
    op.create_index("ix_product_sales_channel_sales_channel_id", "product_sales_channel", ["sales_channel_id"], unique=False)
    op.create_index("uq_product_sales_channel_id", "product_sales_channel", ["id"], unique=True)
    op.create_table(
        "product_shipping_profile",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("shipping_profile_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("product_id", "shipping_profile_id", name=op.f("pk_product_shipping_profile")),
    )
    op.create_index("ix_product_shipping_profile_shipping_profile_id", "product_shipping_profile", ["shipping_profile_id"], unique=False)
    op.create_index(
        "one_shipping_profile_in_product_shipping_profile",
        "product_shipping_profile",
        ["product_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_product_shipping_profile_id", "product_shipping_profile", ["id"], unique=True)
    op.create_table(
        "product_variant_inventory_item",
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("inventory_item_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("required_quantity", sa.Numeric(), server_default="1", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("variant_id", "inventory_item_id", name=op.f("pk_product_variant_inventory_item")),
    )
    op.create_index(
        "ix_product_variant_inventory_item_inventory_item_id", "product_variant_inventory_item", ["inventory_item_id"], unique=False
    )
    op.create_index("uq_product_variant_inventory_item_id", "product_variant_inventory_item", ["id"], unique=True)
    op.create_table(
        "product_variant_price_set",
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("price_set_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("variant_id", "price_set_id", name=op.f("pk_product_variant_price_set")),
    )
    op.create_index(
        "one_price_set_in_product_variant_price_set",
        "product_variant_price_set",
        ["variant_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "one_variant_in_product_variant_price_set",
        "product_variant_price_set",
        ["price_set_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_product_variant_price_set_id", "product_variant_price_set", ["id"], unique=True)
    op.create_table(
        "publishable_api_key_sales_channel",
        sa.Column("publishable_key_id", sa.Text(), nullable=False),
        sa.Column("sales_channel_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("publishable_key_id", "sales_channel_id", name=op.f("pk_publishable_api_key_sales_channel")),
    )
    op.create_index(
        "ix_publishable_api_key_sales_channel_sales_channel_id", "publishable_api_key_sales_channel", ["sales_channel_id"], unique=False
    )
    op.create_index("uq_publishable_api_key_sales_channel_id", "publishable_api_key_sales_channel", ["id"], unique=True)
    op.create_table(
        "region_payment_provider",
        sa.Column("region_id", sa.Text(), nullable=False),
        sa.Column("payment_provider_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("region_id", "payment_provider_id", name=op.f("pk_region_payment_provider")),
    )
    op.create_index("ix_region_payment_provider_payment_provider_id", "region_payment_provider", ["payment_provider_id"], unique=False)
    op.create_index("uq_region_payment_provider_id", "region_payment_provider", ["id"], unique=True)
    op.create_table(
        "return_fulfillment",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("fulfillment_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("return_id", "fulfillment_id", name=op.f("pk_return_fulfillment")),
    )
    op.create_index(
        "one_return_in_return_fulfillment",
        "return_fulfillment",
        ["fulfillment_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_return_fulfillment_id", "return_fulfillment", ["id"], unique=True)
    op.create_table(
        "sales_channel_stock_location",
        sa.Column("sales_channel_id", sa.Text(), nullable=False),
        sa.Column("stock_location_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("sales_channel_id", "stock_location_id", name=op.f("pk_sales_channel_stock_location")),
    )
    op.create_index(
        "ix_sales_channel_stock_location_stock_location_id", "sales_channel_stock_location", ["stock_location_id"], unique=False
    )
    op.create_index("uq_sales_channel_stock_location_id", "sales_channel_stock_location", ["id"], unique=True)
    op.create_table(
        "shipping_option_price_set",
        sa.Column("shipping_option_id", sa.Text(), nullable=False),
        sa.Column("price_set_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("shipping_option_id", "price_set_id", name=op.f("pk_shipping_option_price_set")),
    )
    op.create_index(
        "one_price_set_in_shipping_option_price_set",
        "shipping_option_price_set",
        ["shipping_option_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "one_shipping_option_in_shipping_option_price_set",
        "shipping_option_price_set",
        ["price_set_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_shipping_option_price_set_id", "shipping_option_price_set", ["id"], unique=True)
