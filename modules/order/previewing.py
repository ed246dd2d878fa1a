"""Previews of orders as clients see them: with their open change, lines and shipping methods with the `actions` on them. Nothing is written
for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...commerce.totals import COURSE_TOTALS, TOTALS
from ...commerce.types import Order
from ...core.numbers import raw
from ...core.rows import Row
from .open_change import preview_of
from .showing import shown
from .types import Act, Change

_TOTALS = tuple(sorted((TOTALS - {"gift_card_total", "gift_card_tax_total"}) | COURSE_TOTALS.keys()))
_FIELDS = (
    *("id", "version", "email", "summary", "*items", "*items.detail", "*shipping_methods", "*shipping_methods.detail"),
    *("*transactions", "*credit_lines"),
    *_TOTALS,
)
_CHANGE = (
    *("id", "return_id", "claim_id", "exchange_id", "version", "change_type", "description", "status", "internal_note"),
    *("requested_by", "requested_at", "order_id", "carry_over_promotions"),
)


def shown_preview(order: Order, change: Change | None) -> Row:
    """An order as it would be with its open change; None: as it is. A pure function of the order where no change is open."""
    whole = preview_of(order, change)
    previewed: Row = {**whole}
    rows = shown([whole], _FIELDS)
    assert rows is not None  # all fields lie in the document
    row = rows[0]
    for kind in ("items", "shipping_methods"):
        acts = {line["id"]: line["actions"] for line in previewed[kind]}
        for line in row[kind]:
            if acts[line["id"]]:
                line["actions"] = [_act(act) for act in acts[line["id"]]]
    row |= {f"raw_{name}": raw(row[name]) for name in _TOTALS}
    if change is not None:
        columns: Mapping[str, Any] = change
        row["order_change"] = {**{name: columns[name] for name in _CHANGE}, "order": {"id": row["id"]}}
    return row


def _act(act: Act) -> Row:
    return {**{name: value for name, value in act.items() if name != "line"}, "raw_amount": raw(act["amount"])}
