"""Orders as they would be with their open change. A preview is computed from rows in memory: nothing is written for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...commerce.totals import COURSE_TOTALS, TOTALS
from ...core.numbers import raw
from ...core.rows import Row
from ...modules.order.open_change import preview_of
from ...modules.order.showing import shown
from ...modules.order.types import Change
from ..kit.request import Request
from ..kit.view import words

PREVIEW_TOTALS = tuple(sorted((TOTALS - {"gift_card_total", "gift_card_tax_total"}) | COURSE_TOTALS.keys()))
_FIELDS = (
    *words("id version email summary *items *items.detail *shipping_methods *shipping_methods.detail *transactions *credit_lines"),
    *PREVIEW_TOTALS,
)
_CHANGE = words("id return_id claim_id exchange_id version change_type description status internal_note requested_by requested_at order_id")
_CHANGE = (*_CHANGE, "carry_over_promotions")


async def show_preview(request: Request, of: str | Change) -> Row:
    """An order with its open change applied: lines and shipping methods name their `actions`. Raises NotFound.

    `of`: the order's id, or its open change as it is, with its order.
    """
    whole = await request.modules.order.preview(of) if isinstance(of, str) else preview_of(of["order"], of)
    previewed: Row = {**whole}
    rows = shown([whole], _FIELDS)
    assert rows is not None  # all fields lie in the document
    order = rows[0]
    for kind in ("items", "shipping_methods"):
        acts = {line["id"]: line["actions"] for line in previewed[kind]}
        for line in order[kind]:
            if acts[line["id"]]:
                line["actions"] = [_act(act) for act in acts[line["id"]]]
    order |= {f"raw_{name}": raw(order[name]) for name in PREVIEW_TOTALS}
    change: Mapping[str, Any] | None = whole["order_change"]
    if change is not None:
        order["order_change"] = {**{name: change[name] for name in _CHANGE}, "order": {"id": order["id"]}}
    return order


def _act(act: Row) -> Row:
    return {**{name: value for name, value in act.items() if name != "line"}, "raw_amount": raw(act["amount"])}
