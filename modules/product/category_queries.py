"""Statements about the tree of categories."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

HOLD_TREE = compiled(text("SELECT pg_advisory_xact_lock(hashtext('velella.product_category'))"))

PATH = compiled(text("SELECT mpath FROM product_category WHERE id = CAST(:id AS text) AND deleted_at IS NULL"))

_SIBLINGS = (
    "parent_category_id IS NOT DISTINCT FROM CAST(:parent AS text) AND deleted_at IS NULL AND id IS DISTINCT FROM CAST(:without AS text)"
)

COUNT_SIBLINGS = compiled(text(f"SELECT count(*) FROM product_category WHERE {_SIBLINGS}"))

SHIFT = compiled(
    text(f"UPDATE product_category SET rank = rank + CAST(:by AS integer) WHERE {_SIBLINGS} AND rank >= CAST(:rank AS integer)")
)

CHILDREN_LEFT = compiled(
    text("""
    SELECT parent_category_id FROM product_category
    WHERE parent_category_id = ANY(CAST(:ids AS text[])) AND id <> ALL(CAST(:ids AS text[])) AND deleted_at IS NULL
    ORDER BY parent_category_id LIMIT 1
""")
)

# A path begins with the parent's path: replacing that prefix moves the subtree.
MOVE_SUBTREE = compiled(
    text("""
    UPDATE product_category SET mpath = CAST(:new AS text) || substr(mpath, length(CAST(:old AS text)) + 1)
    WHERE mpath = CAST(:old AS text) OR mpath LIKE CAST(:old AS text) || '.%'
""")
)

# Ancestors (ids in the path) and descendants (the path is a prefix of theirs).
FAMILY = compiled(
    text("""
    SELECT DISTINCT near.id
    FROM unnest(CAST(:paths AS text[])) AS root (path)
    JOIN product_category AS near
      ON (CAST(:up AS boolean) AND near.id = ANY(string_to_array(root.path, '.')))
      OR (CAST(:down AS boolean) AND near.mpath LIKE root.path || '.%')
    WHERE near.deleted_at IS NULL
""")
)

PUT_IN = compiled(
    text("""
    INSERT INTO product_category_product (product_id, product_category_id)
    SELECT id, CAST(:category AS text) FROM unnest(CAST(:products AS text[])) AS given (id)
    ON CONFLICT DO NOTHING RETURNING product_id
""")
)

TAKE_OUT = compiled(
    text("""
    DELETE FROM product_category_product
    WHERE product_category_id = CAST(:category AS text) AND product_id = ANY(CAST(:products AS text[])) RETURNING product_id
""")
)
