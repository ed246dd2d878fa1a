"""What is deleted for good (lines of carts, orders whose payment failed) takes along what refers to it: without reading whole tables."""

from __future__ import annotations

from sqlalchemy import text

from velella.core.sql.db.compiled import compiled

from .conftest import Market

# References that delete or change rows here, without an index over all rows that begins with their column.
UNINDEXED = compiled(
    text("""
    SELECT reference.conrelid::regclass::text AS referring, reference.conname AS name
    FROM pg_constraint AS reference
    WHERE reference.contype = 'f' AND reference.confdeltype IN ('c', 'n')
      AND NOT EXISTS (
          SELECT FROM pg_index AS known
          WHERE known.indrelid = reference.conrelid AND known.indkey[0] = reference.conkey[1] AND known.indpred IS NULL
      )
""")
)
DELETED_FOR_GOOD = ("cart_", "order", "return", "price_rule", "price_list_rule", "credit_line")


async def test_cascades_find_their_rows_by_an_index(market: Market) -> None:
    found = await market.host.database("cart").fetch(UNINDEXED)
    assert found, "settings and catalogues are deleted softly, and small: nobody looks for all of their rows"
    assert [row["name"] for row in found if row["referring"].strip('"').startswith(DELETED_FOR_GOOD)] == []
