"""A shop that Medusa 2.18 kept: its database, and what it answered. `python -m tests.medusa.moving BASE DATABASE_URL` records one.

It is recorded after scenarios were played there, and after a customer `Moving@Example.com` has registered with the password `moves-along`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg

from velella.cli.medusa.tables import LEFT
from velella.core.service.migrations import load_module
from velella.core.settings import Settings
from velella.modules import NAMES

from .ground import LOGIN

HERE = Path(__file__).parent / "moving.json.gz"
BUYER = ("moving@example.com", "moves-along")
TELLING = "mikro_orm_migrations"
"""The table by which a database of Medusa's is known. It is kept without rows."""
PARTS = (
    *("order_item", "order_shipping", "order_line_item", "order_shipping_method", "order_line_item_tax_line", "order_line_item_adjustment"),
    *("order_shipping_method_tax_line", "order_shipping_method_adjustment", "order_transaction", "order_credit_line", "order_address"),
    *("order_summary", "payment_session", "order_payment_collection", TELLING),
)
"""Tables that are parts of documents here."""
SOME = {"region_country": "WHERE region_id IS NOT NULL", "currency": "WHERE code IN ('eur', 'usd', 'dkk')", TELLING: "WHERE false"}
"""Which rows of long tables are kept."""
LISTS = (
    *("products", "product-variants", "product-categories", "product-types", "product-tags", "collections", "customers", "customer-groups"),
    *("regions", "sales-channels", "stock-locations", "inventory-items", "reservations", "promotions", "price-preferences", "orders"),
    *("returns", "exchanges", "draft-orders", "payments", "shipping-options", "shipping-profiles", "shipping-option-types", "tax-rates"),
    *("tax-regions", "users", "stores", "return-reasons", "refund-reasons"),
)
INSIDE = "?fields=*items.detail,*summary,*transactions,*payment_collections.payments,*returns"
OF_ORDERS = ("", "/changes", "/preview", "/shipping-options", INSIDE)
COLUMNS = """
    SELECT column_name, udt_name FROM information_schema.columns
    WHERE table_name = $1 AND NOT starts_with(column_name, 'raw_') ORDER BY ordinal_position
"""


class Table(NamedTuple):
    columns: dict[str, str]
    """Name → type."""
    rows: list[dict[str, Any]]


class Asked(NamedTuple):
    path: str
    key: str | None
    """The publishable key of a storefront; None: an admin asks."""
    answer: Any = None


def tables() -> dict[str, Table]:
    return {name: Table(*table) for name, table in _recorded()["tables"].items()}


def answers() -> list[Asked]:
    return [Asked(*row) for row in _recorded()["answers"]]


async def restore(url: str) -> None:
    """Fill an empty database with the recorded tables."""
    target = await asyncpg.connect(url)
    try:
        for name, table in tables().items():
            for column, kind in table.columns.items():
                if kind.endswith("_enum"):
                    labels = sorted({f"'{row[column]}'" for row in table.rows})
                    await target.execute(f'CREATE TYPE "{kind}" AS ENUM ({", ".join(labels)})')
            columns = ", ".join(f'"{column}" "{kind}"' for column, kind in table.columns.items())
            await target.execute(f'CREATE TABLE "{name}" ({columns})')
            await target.execute(
                f'INSERT INTO "{name}" SELECT * FROM json_populate_recordset(NULL::"{name}", $1::json)', json.dumps(table.rows)
            )
    finally:
        await target.close()


async def answered(session: aiohttp.ClientSession, base: str, asked: Asked, admin: dict[str, str]) -> Any:
    headers = admin if asked.key is None else {"x-publishable-api-key": asked.key}
    async with session.get(base + asked.path, headers=headers) as answer:
        assert answer.status == 200, f"{asked.path} {answer.status} {await answer.text()}"
        return await answer.json()


async def signed_in(session: aiohttp.ClientSession, base: str, actor: str, login: tuple[str, str]) -> dict[str, str]:
    """The headers of somebody who signs in."""
    async with session.post(f"{base}/auth/{actor}/emailpass", json=dict(zip(("email", "password"), login, strict=True))) as answer:
        assert answer.status == 200, await answer.text()
        return {"authorization": f"Bearer {(await answer.json())['token']}"}


def _recorded() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(gzip.decompress(HERE.read_bytes()))
    return recorded


async def _record(base: str, url: str) -> None:
    kept = await _tables(url)
    async with aiohttp.ClientSession() as session:
        admin = await signed_in(session, base, "user", LOGIN)
        asked = await _asked(session, base, admin)
        answers = [each._replace(answer=await answered(session, base, each, admin)) for each in asked]
    text = json.dumps({"tables": kept, "answers": answers}, separators=(",", ":"))
    HERE.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(kept)} tables, {len(answers)} answers, {HERE.stat().st_size:,} bytes")


async def _tables(url: str) -> dict[str, Table]:
    ours = {table.name for name in NAMES for table in load_module(name, Settings()).schema.metadata.tables.values()}
    source = await asyncpg.connect(url)
    kept = {}
    for name in sorted((ours | {*PARTS}) - LEFT):
        if columns := await source.fetch(COLUMNS, name):
            shown = ", ".join(f'"{column["column_name"]}"' for column in columns)
            rows = await source.fetchval(f'SELECT json_agg(t) FROM (SELECT {shown} FROM "{name}" {SOME.get(name, "")}) AS t')
            kept[name] = Table({column["column_name"]: column["udt_name"] for column in columns}, json.loads(rows or "[]"))
    await source.close()
    return kept


async def _asked(session: aiohttp.ClientSession, base: str, admin: dict[str, str]) -> list[Asked]:
    asked = [Asked(f"/admin/{each}?limit=100&order=id", None) for each in LISTS]
    orders = (await answered(session, base, Asked("/admin/orders?fields=id&order=id", None), admin))["orders"]
    asked += [Asked(f"/admin/orders/{order['id']}{part}", None) for order in orders for part in OF_ORDERS]
    asked.append(Asked("/admin/promotions?fields=*application_method.target_rules,*rules.values&order=id", None))
    regions = (await answered(session, base, Asked("/admin/regions?fields=id&order=id", None), admin))["regions"]
    keys = (await answered(session, base, Asked("/admin/api-keys?type=publishable&order=created_at", None), admin))["api_keys"]
    for key in keys:
        asked += [Asked("/store/regions?order=id", key["token"]), Asked("/store/products?order=id", key["token"])]
        priced = "/store/products?order=id&fields=*variants.calculated_price&region_id="
        asked += [Asked(f"{priced}{region['id']}", key["token"]) for region in regions]
    return asked


if __name__ == "__main__":
    asyncio.run(_record(*sys.argv[1:]))
