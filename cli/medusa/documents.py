"""Orders and payment collections: many rows at Medusa, one document here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from ...core import json
from ...core.clock import iso
from ...core.rows import Row

AT_ONCE = 200
"""Orders that are read together."""

_PAGE = 'SELECT id, row_to_json(t)::text AS row FROM "{table}" AS t WHERE id > $1 ORDER BY id LIMIT $2'
_ROWS = """
    SELECT row_to_json(t)::text AS row FROM "{table}" AS t WHERE "{key}" = ANY ($1::text[]) AND deleted_at IS NULL ORDER BY created_at, id
"""
_NO_DOUBT: Row = {"attempt": 0, "settle_at": None, "settle_begun": None, "doubted_at": None, "request_key": None}
"""What is open between a session and its provider: nothing."""


async def orders(source: asyncpg.Connection) -> AsyncIterator[list[Row]]:
    """All orders, some at a time: each as it is now."""
    last = ""
    while True:
        found = await source.fetch(_PAGE.format(table="order"), last, AT_ONCE)
        if not found:
            return
        last = found[-1]["id"]
        ids = [row["id"] for row in found]
        yield await _assembled(source, _rows(found), ids)


async def _assembled(source: asyncpg.Connection, rows: list[Row], ids: Sequence[str]) -> list[Row]:
    items, shipping = await _by(source, "order_item", "order_id", ids), await _by(source, "order_shipping", "order_id", ids)
    lines = await _one(source, "order_line_item", "id", [item["item_id"] for each in items.values() for item in each])
    methods = await _one(source, "order_shipping_method", "id", [one["shipping_method_id"] for each in shipping.values() for one in each])
    taxes = await _by(source, "order_line_item_tax_line", "item_id", list(lines))
    taken_off = await _by(source, "order_line_item_adjustment", "item_id", list(lines))
    shipping_taxes = await _by(source, "order_shipping_method_tax_line", "shipping_method_id", list(methods))
    shipping_off = await _by(source, "order_shipping_method_adjustment", "shipping_method_id", list(methods))
    moved, credit = await _by(source, "order_transaction", "order_id", ids), await _by(source, "order_credit_line", "order_id", ids)
    addresses = [row[name] for row in rows for name in ("shipping_address_id", "billing_address_id") if row[name]]
    where = await _one(source, "order_address", "id", addresses)
    summaries: dict[str, Row] = {}
    for row in await _all(source, "order_summary", "order_id", ids):
        if row["version"] >= summaries.get(row["order_id"], row)["version"]:
            summaries[row["order_id"]] = row
    for row in rows:
        version = row["version"]
        row["items"] = [
            {**lines[item["item_id"]], "quantity": item["quantity"], "detail": item}
            | ({"unit_price": item["unit_price"]} if item.get("unit_price") is not None else {})
            | {"tax_lines": taxes[item["item_id"]], "adjustments": _of(taken_off[item["item_id"]], version)}
            for item in items[row["id"]]
            if item["version"] == version and item["item_id"] in lines
        ]
        row["shipping_methods"] = [
            {**methods[one["shipping_method_id"]], "order_id": row["id"], "detail": one}
            | {"tax_lines": shipping_taxes[one["shipping_method_id"]], "adjustments": _of(shipping_off[one["shipping_method_id"]], version)}
            for one in shipping[row["id"]]
            if one["version"] == version and one["shipping_method_id"] in methods
        ]
        for item in row["items"]:
            item["order_id"] = row["id"]
        row["transactions"], row["credit_lines"] = moved[row["id"]], _of(credit[row["id"]], version)
        for name in ("shipping_address", "billing_address"):
            row[name] = where.get(row[f"{name}_id"] or "")
        totals = summaries[row["id"]]["totals"] if row["id"] in summaries else {}
        row["total"], row["original_total"] = totals.get("current_order_total"), totals.get("original_order_total")
        if row["email"]:
            row["email"] = row["email"].lower()
    return rows


def _of(rows: list[Row], version: int) -> list[Row]:
    """Those of a version of the order; where older releases have none, all."""
    return [each for each in rows if each.get("version", version) == version]


async def collections(source: asyncpg.Connection) -> AsyncIterator[list[Row]]:
    """All payment collections, some at a time, with their sessions, and with what they are for."""
    last = ""
    while True:
        found = await source.fetch(_PAGE.format(table="payment_collection"), last, AT_ONCE)
        if not found:
            return
        last = found[-1]["id"]
        ids = [row["id"] for row in found]
        sessions = await _by(source, "payment_session", "payment_collection_id", ids)
        payments = await _by(source, "payment", "payment_collection_id", ids)
        links = await _all(source, "order_payment_collection", "payment_collection_id", ids)
        ordered = {row["payment_collection_id"]: row["order_id"] for row in links}
        rows = _rows(found)
        for row in rows:
            paid = {payment["payment_session_id"]: payment["id"] for payment in payments[row["id"]]}
            row["version"], row["order_id"] = 1, ordered.get(row["id"])
            row["payment_sessions"] = [{**session, **_NO_DOUBT, "payment_id": paid.get(session["id"])} for session in sessions[row["id"]]]
        yield rows


async def _all(source: asyncpg.Connection, table: str, key: str, ids: Sequence[str]) -> list[Row]:
    found = await source.fetch(_ROWS.format(table=table, key=key), list(ids))
    return _rows(found)


def _rows(found: Sequence[asyncpg.Record]) -> list[Row]:
    return [_plain(json.loads(row["row"])) for row in found]


async def _by(source: asyncpg.Connection, table: str, key: str, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each key."""
    by: dict[str, list[Row]] = defaultdict(list)
    for row in await _all(source, table, key, ids) if ids else ():
        by[row[key]].append(row)
    return by


async def _one(source: asyncpg.Connection, table: str, key: str, ids: Sequence[str]) -> dict[str, Row]:
    return {row[key]: row for row in await _all(source, table, key, ids)} if ids else {}


def _plain(row: Row) -> Row:
    """A row as it stands in documents: amounts are exact as they are, times as the API shows them."""
    return {name: _shown(name, value) for name, value in row.items() if not name.startswith("raw_")}


def _shown(name: str, value: Any) -> Any:
    return iso(datetime.fromisoformat(value)) if name.endswith("_at") and value is not None else value
