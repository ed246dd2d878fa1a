"""Statements of the product module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import Compiled, compiled
from ...core.sql.write.undo import Aggregate, AggregatePart
from .tables import (
    image,
    product,
    product_category_product,
    product_option,
    product_option_value,
    product_product_option,
    product_product_option_value,
    product_tags,
    product_variant,
    product_variant_option,
    product_variant_product_image,
)

# -- pivots without entities


def _attach(table: str, left: str, right: str) -> Compiled:
    return compiled(
        text(f"""
        INSERT INTO {table} ({left}, {right})
        SELECT * FROM unnest(CAST(:lefts AS text[]), CAST(:rights AS text[])) ON CONFLICT DO NOTHING
    """)
    )


def _detach_others(table: str, left: str, right: str) -> Compiled:
    """For the things named in `lefts`, delete every pair that isn't among (`pair_lefts`, `pair_rights`)."""
    return compiled(
        text(f"""
        DELETE FROM {table} AS pivot
        WHERE pivot.{left} = ANY(CAST(:lefts AS text[])) AND NOT EXISTS (
            SELECT FROM unnest(CAST(:pair_lefts AS text[]), CAST(:pair_rights AS text[])) AS kept (one, other)
            WHERE kept.one = pivot.{left} AND kept.other = pivot.{right}
        )
    """)
    )


TAG = _attach("product_tags", "product_id", "product_tag_id")
UNTAG_OTHERS = _detach_others("product_tags", "product_id", "product_tag_id")
CATEGORISE = _attach("product_category_product", "product_id", "product_category_id")
UNCATEGORISE_OTHERS = _detach_others("product_category_product", "product_id", "product_category_id")
GIVE_VALUES = _attach("product_variant_option", "variant_id", "option_value_id")
TAKE_OTHER_VALUES = _detach_others("product_variant_option", "variant_id", "option_value_id")

# -- options

# A writer of a product's options or variants locks the product: combinations of values are unique within it.
LOCK_PRODUCTS = compiled(text("SELECT id FROM product WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR UPDATE"))

# Options with their values, as they are for all products. Locked against changes and deletion until they are linked.
OPTIONS = compiled(
    text("""
    SELECT option.id, option.title, option.is_exclusive,
           coalesce((
               SELECT jsonb_agg(jsonb_build_object('id', value.id, 'value', value.value) ORDER BY value.rank, value.id)
               FROM product_option_value AS value WHERE value.option_id = option.id AND value.deleted_at IS NULL), '[]') AS values,
           EXISTS (
               SELECT FROM product_product_option AS link
               WHERE link.product_option_id = option.id AND link.deleted_at IS NULL) AS is_used
    FROM product_option AS option
    WHERE option.id = ANY(CAST(:ids AS text[])) AND option.deleted_at IS NULL
    ORDER BY option.id
    FOR SHARE OF option
""")
)

# Options as their products use them.
CHOICES = compiled(
    text("""
    SELECT link.product_id, link.id AS link_id, option.id AS option_id, option.title, option.is_exclusive,
           coalesce((
               SELECT jsonb_object_agg(value.value, value.id)
               FROM product_product_option_value AS used
               JOIN product_option_value AS value ON value.id = used.product_option_value_id AND value.deleted_at IS NULL
               WHERE used.product_product_option_id = link.id AND used.deleted_at IS NULL), '{}') AS values
    FROM product_product_option AS link
    JOIN product_option AS option ON option.id = link.product_option_id AND option.deleted_at IS NULL
    WHERE link.product_id = ANY(CAST(:ids AS text[])) AND link.deleted_at IS NULL
    ORDER BY link.product_id, link.id
""")
)

UNLINK_OPTIONS = compiled(text("DELETE FROM product_product_option WHERE id = ANY(CAST(:ids AS text[]))"))

UNLINK_VALUES = compiled(
    text("""
    DELETE FROM product_product_option_value
    WHERE product_product_option_id = ANY(CAST(:links AS text[])) AND product_option_value_id = ANY(CAST(:values AS text[]))
      AND deleted_at IS NULL
""")
)

# The products that use an option.
LINKS_OF_OPTION = compiled(
    text("""
    SELECT id, product_option_id FROM product_product_option
    WHERE product_option_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id
""")
)

# Variants that are made of some of these values: a value with such variants can't be removed.
USES_OF_VALUES = compiled(
    text("""
    SELECT DISTINCT value.value, variant.title
    FROM product_variant_option AS made_of
    JOIN product_variant AS variant ON variant.id = made_of.variant_id AND variant.deleted_at IS NULL
    JOIN product AS product ON product.id = variant.product_id AND product.deleted_at IS NULL
    JOIN product_option_value AS value ON value.id = made_of.option_value_id
    WHERE made_of.option_value_id = ANY(CAST(:values AS text[]))
      AND (CAST(:products AS text[]) IS NULL OR variant.product_id = ANY(CAST(:products AS text[])))
    ORDER BY value.value, variant.title
    LIMIT 5
""")
)

# -- variants

VARIANTS = compiled(
    text("""
    SELECT variant.id, variant.product_id, variant.title, variant.variant_rank,
           ARRAY(SELECT made_of.option_value_id FROM product_variant_option AS made_of WHERE made_of.variant_id = variant.id) AS values
    FROM product_variant AS variant
    WHERE variant.product_id = ANY(CAST(:products AS text[])) AND variant.deleted_at IS NULL
    ORDER BY variant.variant_rank, variant.id
""")
)

PRODUCTS_OF_VARIANTS = compiled(
    text("SELECT id, product_id FROM product_variant WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL")
)

# -- images

IMAGES = compiled(
    text("""
    SELECT id, product_id, url, rank FROM image
    WHERE product_id = ANY(CAST(:products AS text[])) AND deleted_at IS NULL ORDER BY rank, id
""")
)

ASSIGNED = compiled(
    text("""
    SELECT assigned.variant_id, assigned.image_id FROM product_variant_product_image AS assigned
    JOIN image ON image.id = assigned.image_id
    WHERE image.product_id = ANY(CAST(:products AS text[])) AND image.deleted_at IS NULL
""")
)

# Only images of the variant's own product can be assigned to it.
ASSIGN_IMAGES = compiled(
    text("""
    INSERT INTO product_variant_product_image (id, variant_id, image_id)
    SELECT given.id, variant.id, image.id
    FROM unnest(CAST(:ids AS text[]), CAST(:variants AS text[]), CAST(:images AS text[])) AS given (id, variant_id, image_id)
    JOIN product_variant AS variant ON variant.id = given.variant_id AND variant.deleted_at IS NULL
    JOIN image ON image.id = given.image_id AND image.product_id = variant.product_id AND image.deleted_at IS NULL
    ON CONFLICT (variant_id, image_id) WHERE deleted_at IS NULL DO NOTHING
    RETURNING id, variant_id, image_id
""")
)
UNASSIGN_IMAGES = compiled(
    text("""
    DELETE FROM product_variant_product_image AS assigned
    USING unnest(CAST(:variants AS text[]), CAST(:images AS text[])) AS given (variant_id, image_id)
    WHERE assigned.variant_id = given.variant_id AND assigned.image_id = given.image_id
    RETURNING assigned.variant_id, assigned.image_id, to_jsonb(assigned) AS was
""")
)
UNASSIGN_IMAGE_EVERYWHERE = compiled(text("DELETE FROM product_variant_product_image WHERE image_id = ANY(CAST(:ids AS text[]))"))

# -- the tables that an update of a product may change, for undoing it

_OF_PRODUCT = "product_id = ANY(:ids)"
_THERE = f"{_OF_PRODUCT} AND deleted_at IS NULL"
"""An update neither sees nor changes rows that were deleted before it; and only rows that aren't deleted are in the index."""
_OWN_OPTIONS = (
    "SELECT link.product_option_id FROM product_product_option AS link "
    "JOIN product_option AS own ON own.id = link.product_option_id AND own.is_exclusive "
    "WHERE link.product_id = ANY(:ids) AND link.deleted_at IS NULL"
)
_LINKS = f"SELECT id FROM product_product_option WHERE {_THERE}"
_VARIANTS = f"SELECT id FROM product_variant WHERE {_THERE}"
VALUES_OF_VARIANTS = Aggregate(AggregatePart(product_variant_option, "variant_id = ANY(:ids)"))
PRODUCT_ROWS = Aggregate(
    AggregatePart(product, "id = ANY(:ids)"),
    AggregatePart(image, _THERE),
    AggregatePart(product_option, f"id IN ({_OWN_OPTIONS})"),
    AggregatePart(product_option_value, f"option_id IN ({_OWN_OPTIONS}) AND deleted_at IS NULL"),
    AggregatePart(product_product_option, _THERE),
    AggregatePart(product_product_option_value, f"product_product_option_id IN ({_LINKS}) AND deleted_at IS NULL"),
    AggregatePart(product_variant, _THERE),
    AggregatePart(product_variant_option, f"variant_id IN ({_VARIANTS})"),
    AggregatePart(product_variant_product_image, f"variant_id IN ({_VARIANTS}) AND deleted_at IS NULL"),
    AggregatePart(product_tags, _OF_PRODUCT),
    AggregatePart(product_category_product, _OF_PRODUCT),
)
