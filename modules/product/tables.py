"""Products, their variants and options, and what groups them: categories, collections, tags, types."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Double, ForeignKey, Index, Integer, MetaData, Table, Text, false, true

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps, trigrams
from ...core.sql.schema.deltas import keep_deltas

metadata = module_metadata()


def _live_index(table: Table, *columns: str, unique: bool = False, name: str | None = None) -> None:
    """An index over the rows that aren't deleted, so that a deleted product's handle is free again."""
    prefix = "uq" if unique else "ix"
    Index(
        name or f"{prefix}_{table.name}_{'_'.join(columns)}",
        *(table.c[column] for column in columns),
        unique=unique,
        postgresql_where=table.c.deleted_at.is_(None),
    )


def _measures() -> tuple[Column[float], ...]:
    return tuple(Column(name, Double) for name in ("weight", "length", "height", "width"))


def _customs() -> tuple[Column[str], ...]:
    """Columns for customs."""
    return tuple(Column(name, Text) for name in ("origin_country", "hs_code", "mid_code", "material"))


product_collection = Table(
    "product_collection",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("external_id", Text),
    metadata_column(),
    *timestamps(),
)
_live_index(product_collection, "handle", unique=True)

product_type = Table(
    "product_type",
    metadata,
    identity(),
    Column("value", Text, nullable=False),
    Column("external_id", Text),
    metadata_column(),
    *timestamps(),
)
_live_index(product_type, "value", unique=True)

product_tag = Table(
    "product_tag",
    metadata,
    identity(),
    Column("value", Text, nullable=False),
    Column("external_id", Text),
    metadata_column(),
    *timestamps(),
)
_live_index(product_tag, "value", unique=True)

# `mpath` is the ids from the root down to the category itself, joined by dots: a subtree is a prefix.
product_category = Table(
    "product_category",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("handle", Text, nullable=False),
    Column("mpath", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=false()),
    Column("is_internal", Boolean, nullable=False, server_default=false()),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("parent_category_id", Text, ForeignKey("product_category.id", ondelete="CASCADE")),
    Column("external_id", Text),
    metadata_column(),
    *timestamps(),
)
_live_index(product_category, "handle", unique=True)
_live_index(product_category, "parent_category_id", "rank")
Index("ix_product_category_mpath", product_category.c.mpath, postgresql_ops={"mpath": "text_pattern_ops"})

product = Table(
    "product",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("subtitle", Text),
    Column("description", Text),
    Column("is_giftcard", Boolean, nullable=False, server_default=false()),
    Column("status", Text, nullable=False, server_default="draft"),
    Column("thumbnail", Text),
    *_measures(),
    *_customs(),
    Column("collection_id", Text, ForeignKey("product_collection.id", ondelete="SET NULL")),
    Column("type_id", Text, ForeignKey("product_type.id", ondelete="SET NULL")),
    Column("discountable", Boolean, nullable=False, server_default=true()),
    Column("external_id", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("status IN ('draft', 'proposed', 'published', 'rejected')", name="status"),
)
_live_index(product, "handle", unique=True)
_live_index(product, "status", "id")
_live_index(product, "collection_id")
_live_index(product, "type_id")
_live_index(product, "created_at")
_live_index(product, "title")
trigrams(product, "title", "subtitle", "description")
keep_deltas(product, "title", "handle", "status", "is_giftcard", "collection_id", "type_id", "created_at")

image = Table(
    "image",
    metadata,
    identity(),
    Column("url", Text, nullable=False),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("product_id", Text, ForeignKey("product.id", ondelete="CASCADE"), nullable=False),
    metadata_column(),
    *timestamps(),
)
_live_index(image, "product_id", "rank")

# An exclusive option belongs to the one product that made it; others are shared by all products, so their titles are unique.
product_option = Table(
    "product_option",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("is_exclusive", Boolean, nullable=False, server_default=false()),
    metadata_column(),
    *timestamps(),
)
Index(
    "uq_product_option_title",
    product_option.c.title,
    unique=True,
    postgresql_where=product_option.c.deleted_at.is_(None) & product_option.c.is_exclusive.is_(False),
)

product_option_value = Table(
    "product_option_value",
    metadata,
    identity(),
    Column("value", Text, nullable=False),
    Column("rank", Integer),
    Column("option_id", Text, ForeignKey("product_option.id", ondelete="CASCADE")),
    metadata_column(),
    *timestamps(),
)
_live_index(product_option_value, "option_id", "value", unique=True)

product_variant = Table(
    "product_variant",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("sku", Text),
    Column("barcode", Text),
    Column("ean", Text),
    Column("upc", Text),
    Column("allow_backorder", Boolean, nullable=False, server_default=false()),
    Column("manage_inventory", Boolean, nullable=False, server_default=true()),
    *_customs(),
    *_measures(),
    Column("variant_rank", Integer, server_default="0"),
    Column("thumbnail", Text),
    Column("product_id", Text, ForeignKey("product.id", ondelete="CASCADE")),
    metadata_column(),
    *timestamps(),
)
for _column in ("sku", "barcode", "ean", "upc"):
    _live_index(product_variant, _column, unique=True)
_live_index(product_variant, "product_id", "variant_rank")
trigrams(product_variant, "title", "sku", "barcode", "ean", "upc")
keep_deltas(product_variant, "title", "sku", "product_id", "manage_inventory", "allow_backorder", "variant_rank", "created_at")

# -- pivots: rows are deleted with what they join; a soft delete of a product leaves them, so that it can be restored

product_tags = Table(
    "product_tags",
    metadata,
    Column("product_id", Text, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True),
    Column("product_tag_id", Text, ForeignKey("product_tag.id", ondelete="CASCADE"), primary_key=True),
)
Index("ix_product_tags_product_tag_id", product_tags.c.product_tag_id)

product_category_product = Table(
    "product_category_product",
    metadata,
    Column("product_id", Text, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True),
    Column("product_category_id", Text, ForeignKey("product_category.id", ondelete="CASCADE"), primary_key=True),
)
Index("ix_product_category_product_product_category_id", product_category_product.c.product_category_id)

product_product_option = Table(
    "product_product_option",
    metadata,
    identity(),
    Column("product_id", Text, ForeignKey("product.id", ondelete="CASCADE"), nullable=False),
    Column("product_option_id", Text, ForeignKey("product_option.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
_live_index(product_product_option, "product_id", "product_option_id", unique=True)
_live_index(product_product_option, "product_option_id")

product_product_option_value = Table(
    "product_product_option_value",
    metadata,
    identity(),
    Column("product_product_option_id", Text, ForeignKey("product_product_option.id", ondelete="CASCADE"), nullable=False),
    Column("product_option_value_id", Text, ForeignKey("product_option_value.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
_live_index(
    product_product_option_value,
    "product_product_option_id",
    "product_option_value_id",
    unique=True,
    name="uq_product_product_option_value_link_value",  # PostgreSQL cuts names at 63 bytes
)
_live_index(product_product_option_value, "product_option_value_id", name="ix_product_product_option_value_value")

product_variant_option = Table(
    "product_variant_option",
    metadata,
    Column("variant_id", Text, ForeignKey("product_variant.id", ondelete="CASCADE"), primary_key=True),
    Column("option_value_id", Text, ForeignKey("product_option_value.id", ondelete="CASCADE"), primary_key=True),
)
Index("ix_product_variant_option_option_value_id", product_variant_option.c.option_value_id)

product_variant_product_image = Table(
    "product_variant_product_image",
    metadata,
    identity(),
    Column("variant_id", Text, ForeignKey("product_variant.id", ondelete="CASCADE"), nullable=False),
    Column("image_id", Text, ForeignKey("image.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
_live_index(product_variant_product_image, "variant_id", "image_id", unique=True)
_live_index(product_variant_product_image, "image_id")

# -- views: shared things as one product sees them

views = MetaData()

# A product may use only some values of a shared option: this view shows an option with those.
product_option_of_product = Table(
    "product_option_of_product",
    views,
    Column("link_id", Text, primary_key=True),
    Column("product_id", Text),
    *(Column(column.name, column.type) for column in product_option.c),
)

# A variant shows the images assigned to it and those assigned to no variant at all.
product_variant_image = Table(
    "product_variant_image",
    views,
    Column("variant_id", Text),
    Column("image_id", Text),
)

metadata.info["views"] = {
    "product_option_of_product": f"""
        SELECT link.id AS link_id, link.product_id, {", ".join(f"option.{column.name}" for column in product_option.c)}
        FROM product_product_option AS link
        JOIN product_option AS option ON option.id = link.product_option_id
        WHERE link.deleted_at IS NULL
    """,
    "product_variant_image": """
        SELECT variant.id AS variant_id, image.id AS image_id
        FROM product_variant AS variant
        JOIN image ON image.product_id = variant.product_id AND image.deleted_at IS NULL
        WHERE EXISTS (SELECT FROM product_variant_product_image AS own WHERE own.image_id = image.id AND own.variant_id = variant.id)
           OR NOT EXISTS (SELECT FROM product_variant_product_image AS any_ WHERE any_.image_id = image.id)
    """,
}
