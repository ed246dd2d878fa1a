"""What promotions take off an order that is being changed: said in its open change, anew after each of its actions.

Of a draft that are the promotions that were entered and those that apply by themselves. Of an order it stays what it was, unless the change
carries its promotions over to what it adds (`carry_over_promotions`): these were counted when the order was placed, so what their limits
leave by now doesn't matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...commerce.priced import OWNER, Kind
from ...commerce.types import Order
from ...core.clock import iso
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...modules.cart.tables import COLUMNS
from ...modules.order.changes.actions import ADJUSTING
from ...modules.order.changes.applying import Prices, TaxesAndDiscounts, previewed
from ...modules.order.open_change import as_read, opened
from ...modules.order.types import Act, ChangeRevision
from ..cart.context import CartContext, load_context
from ..cart.discounts import discount
from ..cart.working import WorkingCart
from ..kit import Flow, workflow
from ..rows import update_rows, written

_TAX_LINE = ("description", "tax_rate_id", "code", "rate", "provider_id")
_ADJUSTMENT = ("description", "promotion_id", "code", "amount", "provider_id", "is_tax_inclusive")
_PREFIXES: Mapping[Kind, tuple[str, str]] = {"items": ("ordlitxl", "ordliadj"), "shipping_methods": ("ordsmtxl", "ordsmadj")}
_SAYS: Mapping[Kind, str] = dict(zip(_PREFIXES, ADJUSTING, strict=True))

carry_over = written("carry-promotions-over", lambda modules: modules.order.carry_over)


def working(order: Mapping[str, Any], **but: Any) -> WorkingCart:
    """An order as the document by which carts are priced."""
    return WorkingCart({**dict.fromkeys(COLUMNS), **order, **but})


async def entered_in(flow: Flow, order_id: str, acts: Sequence[Act]) -> set[str]:
    """The ids of the promotions that an order is linked to after these actions."""
    ids: set[str] = {link["promotion_id"] for link in await flow.modules.link.linked("order_promotion", "order_id", [order_id])}
    for act in acts:
        if act["action"] == "PROMOTION_ADD":
            ids.add(_promotion_of(act))
        elif act["action"] == "PROMOTION_REMOVE":
            ids.discard(_promotion_of(act))
    return ids


def _promotion_of(act: Act) -> str:
    id = act["reference_id"]
    assert id is not None
    return id


def prices_of(order: Order, document: WorkingCart) -> Prices:
    """The taxes and discounts of a document made of an order, where they differ from the order's."""
    return {id: price for kind in _PREFIXES for id, price in _prices(order, document, kind).items()}


def _prices(order: Order, document: WorkingCart, kind: Kind) -> dict[str, TaxesAndDiscounts]:
    prices: dict[str, TaxesAndDiscounts] = {}
    of_order: Any = order[kind]
    before = {line["id"]: line for line in of_order}
    lines: Any = document.items if kind == "items" else document.shipping_methods
    tax, adjustment = _PREFIXES[kind]
    for line in lines:
        was = before[line["id"]]
        owner = {OWNER[kind]: line["id"]}
        rows: Any = {}
        for name, prefix, columns in (("tax_lines", tax, _TAX_LINE), ("adjustments", adjustment, _ADJUSTMENT)):
            made = [{"id": new_id(prefix), **owner, **{column: row.get(column) for column in columns}} for row in line[name]]
            rows[name] = was[name] if line[name] is was[name] else made
        if any(rows[name] is not was[name] for name in rows):
            prices[line["id"]] = rows
    return prices


async def after_change(flow: Flow, order: Order, acts: Sequence[Act]) -> tuple[Order, WorkingCart, CartContext]:
    """An order after these actions, without new discounts, and the document to price it by."""
    after = previewed(order, [act for act in acts if act["action"] not in ADJUSTING], iso(flow.now()))
    after["items"] = [line for line in after["items"] if line["quantity"] > 0]
    document = working(after)
    document.entered = await entered_in(flow, order["id"], acts)
    return after, document, await load_context(flow, after["region_id"], after["customer_id"])


def _said(after: Order, document: WorkingCart) -> list[Act]:
    """The actions that say the discounts which differ from the order's."""
    return [
        {"action": action, "details": {"reference_id": id, "adjustments": price["adjustments"]}, "amount": 0}
        for kind, action in _SAYS.items()
        for id, price in _prices(after, document, kind).items()
    ]


@workflow("compute-draft-order-adjustments", hooks=("setPromotionContext",))
async def compute_draft_adjustments(flow: Flow, order: Order, acts: Sequence[Act]) -> list[Act]:
    """What promotions take off a draft after these actions, as actions."""
    after, document, cart_context = await after_change(flow, order, acts)
    await discount(flow, document, cart_context)
    return _said(after, document)


@workflow("compute-adjustments-for-preview", hooks=("setPromotionContext",))
async def compute_adjustments(flow: Flow, order: Order, acts: Sequence[Act]) -> list[Act]:
    """What the promotions of an order take off after these actions, as actions."""
    after, document, cart_context = await after_change(flow, order, acts)
    await discount(flow, document, cart_context, counted=True)
    return _said(after, document)


# -- what a change says about itself


async def _check_carried(flow: Flow, order_id: str) -> None:
    """Raises InvalidData where an order has a promotion that can't be carried over: of an amount that all lines share, or that is taken
    off once, nothing follows for lines that come later."""
    ids = sorted(await entered_in(flow, order_id, ()))
    for promotion in await flow.modules.promotion.by_ids(ids) if ids else ():
        method = promotion.get("application_method")
        if method is None:
            continue
        allowed: Collection[str | None] = ("each",) if method["type"] == "fixed" else ("each", "across")
        if method.get("allocation") not in allowed:
            raise InvalidData(f"Promotion {promotion['code']} can't be carried over: what it takes off isn't said of single lines")


@workflow("update-order-change-workflow")
async def update_order_change(flow: Flow, id: str, given: ChangeRevision) -> str:
    """Change what a change of an order says about itself: its `internal_note`, and while it is open whether it carries the order's
    promotions over to what it adds (`carry_over_promotions`). Returns its id.

    Raises NotFound; InvalidData where that is meant and it isn't open, or where a promotion of the order can't be carried over; Conflict
    where it is being changed elsewhere.
    """
    change = await flow.modules.order.retrieve("order_change", id, fields=("id", "order_id"))
    if given.get("carry_over_promotions"):
        await _check_carried(flow, change["order_id"])
        open_one = opened(await flow.modules.order.at_work(change["order_id"], {"id": id}))
        taken_off = await flow.run(compute_adjustments, open_one["order"], open_one["actions"])
        await flow.run(carry_over, id, given, seen=as_read(open_one, {}, taken_off))
    elif given.get("carry_over_promotions") is False:
        await flow.run(carry_over, id, given)
    elif given:
        await flow.run(update_rows, "order_change", [{**given, "id": id}])
    return id
