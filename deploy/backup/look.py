"""What a restored shop holds. Run by `drill`."""

from datetime import UTC, datetime

from velella.cli.script import ShopHandle
from velella.core.sql.schema.query import Query

SHOWN = ("product", "product_variant", "customer", "order", "cart", "user")


async def main(shop: ShopHandle) -> int:
    for entity in SHOWN:
        page = await shop.graph.query(Query(entity, ("id",), limit=1, count=True))
        print(f"{entity:<16} {page.count:>10,}")
    newest = [
        row["updated_at"]
        for entity in ("cart", "customer", "order", "product", "user")
        for row in await shop.graph.rows(Query(entity, ("id", "updated_at"), order=("-updated_at",), limit=1))
    ]
    if not newest:
        print("There is nothing in it.")
        return 1
    last = datetime.fromisoformat(max(newest)).astimezone(UTC)
    print(f"last change      {last:%Y-%m-%d %H:%M} UTC")
    return 0
