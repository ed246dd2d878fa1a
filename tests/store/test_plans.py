"""Statements find their rows by indexes, however many rows their tables have: a capture read all payments of the shop once."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import velella.actors
import velella.modules
from velella.core.sql.db.compiled import Compiled

from .conftest import Market, Store
from .test_order_life import of

ROWS = 1_000_000
"""So many are in every table that holds a page, as the planner is told."""

WHOLE = {
    "actors.engine.queries BACKLOG": "reads indexes of what is worked on and of what has failed",
    "actors.engine.queries ORPHANED": "reads the index of what is worked on",
    "actors.engine.queries TAKE_OVER": "reads the index of what is worked on",
    "actors.engine.queries LIVING": "reads the index of what is worked on",
    "actors.engine.queries ANSWER": "reads the index of what is worked on",
    "actors.engine.queries PROGRESS": "reads indexes of what is worked on and of what has failed",
    "actors.engine.queries BEGIN_TICK": "reads the index of what is worked on",
    "actors.engine.queries RETRY": "reads the index of what has failed",
    "actors.engine.queries BEGIN_ONCE": "reads the index of what has failed",
    "actors.engine.queries LIST": "an operator's list, newest first",
    "actors.engine.queries JOBS": "an operator's list of a few jobs",
    "actors.engine.queries SUBSCRIPTIONS": "a shop has a few subscribers",
    "actors.engine.queries SUBSCRIPTIONS_NOW": "a shop has a few subscribers",
    "actors.engine.queries DROP_SUBSCRIPTIONS": "a shop has a few subscribers",
    "actors.engine.queries NEIGHBOURS": "a shop has a few coordinators",
    "actors.engine.queries DROP_COORDINATORS": "a shop has a few coordinators",
    "actors.engine.queries DROP_JOBS": "a shop has a few jobs",
    "modules.api_key.queries PUBLISHABLE": "a shop has a few keys, and remembers this",
    "modules.order.queries GO_ON_COUNTING": "once, when a shop is brought over",
    "modules.payment.operations BOOK_OPERATION": "reads the index of what isn't booked",
    "modules.payment.operations FAIL_OPERATION": "reads the index of what isn't booked",
    "modules.pricing.queries CONDITIONS": "looks over all price lists, and is remembered",
    "modules.product.category_queries COUNT_SIBLINGS": "categories are a tree that is moved as a whole",
    "modules.product.category_queries MOVE_SUBTREE": "categories are a tree that is moved as a whole",
    "modules.product.category_queries FAMILY": "categories are a tree that is moved as a whole",
    "modules.region.queries RELEASE": "there are 250 countries",
}
"""Statements that read all of something, and why they may."""


def statements() -> Iterator[tuple[str, Compiled]]:
    """Every statement that a module of ours keeps, and its name."""
    seen: set[str] = set()
    for package in (velella.modules, velella.actors):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." in found.name:
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                for each in value.values() if isinstance(value, Mapping) else (value,):
                    if isinstance(each, Compiled) and each.sql not in seen:
                        seen.add(each.sql)
                        yield f"{found.name.removeprefix('velella.')} {name}", each


def read_whole(plan: Mapping[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from one end to the other."""
    if plan["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan") and "Index Cond" not in plan:
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from read_whole(inner)


async def test_no_statement_reads_a_whole_table(market: Market, store: Store, merchant: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=9)
    order = (await store.complete(await store.ready(variant, quantity=2)))["order"]
    [collection] = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["payment_collections"]
    assert (await merchant.post(f"/admin/payments/{collection['payments'][0]['id']}/capture", {})).status == 200
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", of(order, 1))).status == 200

    found, names = {}, set[str]()
    async with market.host.database("order").transaction() as running:
        connection = running.connection
        await connection.execute("ANALYZE; SET LOCAL plan_cache_mode = force_generic_plan")
        of_ours = "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        pages = "greatest(pg_relation_size(oid)::int / 8192, 1)"
        told = f"'relname', relname::text, 'relpages', {pages}, 'reltuples', {ROWS}::real"
        await connection.fetch(f"SELECT pg_restore_relation_stats('schemaname', 'public', {told}) {of_ours} AND relkind IN ('r', 'i')")
        empty = {row[0] for row in await connection.fetch(f"SELECT relname {of_ours} AND relkind = 'r' AND pg_relation_size(oid) = 0")}
        assert not empty & {"order", "payment", "payment_operation", "capture", "cart", "fulfillment", "workflow_execution"}
        for name, statement in statements():
            names.add(name)
            await connection.execute(f"PREPARE asked AS {statement.sql}")
            count = await connection.fetchval("SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'")
            given = f"({', '.join(['NULL'] * count)})" if count else ""
            [plan] = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}"))
            await connection.execute("DEALLOCATE asked")
            if read := sorted(set(read_whole(plan["Plan"])) - empty):
                found[name] = read
        await connection.execute("ROLLBACK; BEGIN")  # what the planner was told
    assert {name: read for name, read in found.items() if name not in WHOLE} == {}
    assert set(WHOLE) <= names
