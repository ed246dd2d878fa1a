"""Discounts of a cart: which promotions are computed, and what is stored of the result.

The adjustments say which promotions a cart has; the links `cart_promotion` exist for queries. Links are removed before the
cart is written, and created after it. So a flow that is interrupted in between leaves correct adjustments, from which the next change of
the cart repairs the links.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict

from ...commerce.types import Adjustment
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.plugins import rules_of
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.promotion import computing
from ...modules.promotion.types import Promotion
from ..kit import Flow, step
from .context import CartContext
from .payment import other_amount, update_amount
from .saving import open_cart, save
from .working import WorkingCart

Action = Literal["add", "remove", "replace"]

LINK = "cart_promotion"
PRODUCT = ("id", "collection_id", "type_id", "collection.id", "type.id", "categories.id", "tags.id")
OPTION = ("id", "shipping_option_type_id", "type.id")


async def work_out_discounts(
    flow: Flow, draft: WorkingCart, cart_context: CartContext, codes: Sequence[str] = (), action: Action = "add"
) -> None:
    """Compute the discounts of a cart, see `discount`, and note which links to promotions are to be made or undone."""
    if await discount(flow, draft, cart_context, codes, action):
        await _unlink_others(flow, draft)


async def discount(
    flow: Flow,
    draft: WorkingCart,
    cart_context: CartContext,
    codes: Sequence[str] = (),
    action: Action = "add",
    *,
    counted: bool = False,
) -> bool:
    """Compute the discounts of a cart, after codes were entered, removed, or replaced by others.

    Automatic promotions always take part. A code without a discount isn't kept: it has to be entered again. Raises
    InvalidData for an unknown code that is to be added. Returns whether there are discounts, or were.

    `counted`: no other promotions take part than those that it has, and those were counted for it already (see `computing.compute`).
    """
    offers = await (_by_ids(flow, draft.entered) if counted else _offers(flow, draft, codes, action))
    draft.entered = {promotion["id"] for promotion in offers if not promotion["is_automatic"]}
    made: Sequence[computing.ComputedAdjustment] = ()
    if offers and (draft.items or draft.shipping_methods):
        cart = await _snapshot(flow, draft, cart_context)
        for added in await flow.hooks.setPromotionContext(
            cart=lambda: draft.document(flow.now()), order=lambda: draft.document(flow.now()), action=action, promo_codes=codes
        ):
            cart |= added or {}
        if not counted:
            await _add_usages(flow, offers, cart)
        made = computing.compute(offers, cart, flow.now(), counted=counted, rules=rules_of(flow.settings)).adjustments
    had = draft.promotion_ids()
    draft.set_discounts(
        [
            {**_adjustment(each, "caliadj"), "item_id": each.id, "is_tax_inclusive": each.is_tax_inclusive}
            for each in made
            if each.kind == "items"
        ],
        [{**_adjustment(each, "casmadj"), "shipping_method_id": each.id} for each in made if each.kind == "shipping_methods"],
    )
    return bool(had or made)


async def _offers(flow: Flow, draft: WorkingCart, codes: Sequence[str], action: Action) -> list[Promotion]:
    """The promotions to compute: the automatic ones, and those whose codes were entered."""
    automatic = await flow.modules.promotion.automatic()
    entered = await _by_ids(flow, draft.entered)
    named = await _by_codes(flow, codes if action != "remove" else ())
    if action == "remove":
        entered = [promotion for promotion in entered if promotion["code"] not in codes]
    elif action == "replace":
        entered = []
    return list({promotion["id"]: promotion for promotion in (*automatic, *entered, *named)}.values())


async def _by_ids(flow: Flow, ids: Iterable[str]) -> list[Promotion]:
    wanted = sorted(ids)
    return await flow.modules.promotion.by_ids(wanted) if wanted else []


async def _by_codes(flow: Flow, codes: Sequence[str]) -> list[Promotion]:
    """The active promotions with these codes. Raises InvalidData for unknown codes."""
    wanted = sorted(set(codes))
    found = await flow.modules.promotion.by_codes(wanted) if wanted else []
    known = {promotion["code"] for promotion in found}
    unknown = [code for code in dict.fromkeys(codes) if code not in known]
    if unknown:
        raise InvalidData(f"The promotion code {', '.join(unknown)} is invalid")
    return [promotion for promotion in found if promotion["status"] == "active"]


async def _add_usages(flow: Flow, offers: Sequence[Promotion], cart: Row) -> None:
    """Give budgets that count by an attribute what they have been used for under the cart's value."""
    budgets = [budget for promotion in offers if (budget := (promotion.get("campaign") or {}).get("budget")) is not None]
    values = {
        budget["id"]: value
        for budget in budgets
        if budget["type"].endswith("by_attribute") and (value := computing.attribute_of(cart, budget.get("attribute") or "")) is not None
    }
    used = await flow.modules.promotion.usages(values) if values else []
    for budget in budgets:
        budget["usages"] = [usage for usage in used if usage.get("budget_id") == budget["id"]]


def _adjustment(made: computing.ComputedAdjustment, prefix: str) -> Adjustment:
    return {"id": new_id(prefix), "code": made.code, "amount": made.amount, "promotion_id": made.promotion_id}


# -- the cart as rules see it


async def _snapshot(flow: Flow, draft: WorkingCart, cart_context: CartContext) -> Row:
    """A cart with everything that rules of promotions can name. Its stable parts come from the cache."""
    cart = draft.totalled(promoted=False)
    products = {item["product_id"] for item in draft.items if item["product_id"] is not None}
    options = {method["shipping_option_id"] for method in draft.shipping_methods if method["shipping_option_id"] is not None}
    known, sent_by = await asyncio.gather(_known(flow, "product", PRODUCT, products), _known(flow, "shipping_option", OPTION, options))
    for item in cart["items"]:
        item["product"], item["variant"] = known.get(item["product_id"]), {"id": item["variant_id"]}
    for method in cart["shipping_methods"]:
        method["shipping_option"] = sent_by.get(method["shipping_option_id"])
    for line in (*cart["items"], *cart["shipping_methods"]):
        line["tax_rate"] = sum(tax["rate"] for tax in line["tax_lines"])
    region, customer = cart_context.region, cart_context.customer
    return {
        **cart,
        **{name: draft[name] for name in ("region_id", "sales_channel_id", "customer_id", "email", "metadata")},
        "id": draft.id,
        "region": region or {"id": draft["region_id"]},
        "customer": customer,
        "customer_email": draft["email"],
        "sales_channel": {"id": draft["sales_channel_id"]},
        "shipping_address": draft.address("shipping"),
        "billing_address": draft.address("billing"),
    }


async def _known(flow: Flow, entity: str, fields: tuple[str, ...], ids: Iterable[str]) -> dict[str, Row]:
    wanted = sorted(ids)
    rows = await flow.graph.rows(Query(entity, fields, {"id": wanted})) if wanted else []
    return {row["id"]: row for row in rows}


# -- writing


class _Pairs(TypedDict):
    cart_id: str
    promotion_ids: list[str]


def _pairs(pairs: _Pairs) -> list[Mapping[str, str]]:
    return [{"cart_id": pairs["cart_id"], "promotion_id": id} for id in pairs["promotion_ids"]]


async def _detach(flow: Flow, pairs: _Pairs) -> None:
    await flow.modules.link.detach(LINK, _pairs(pairs))


async def _attach(flow: Flow, pairs: _Pairs) -> None:
    await flow.modules.link.attach(LINK, _pairs(pairs))


@step(undo=_detach)
async def link_promotions(flow: Flow, pairs: _Pairs) -> _Pairs:
    await _attach(flow, pairs)
    return pairs


@step(undo=_attach)
async def unlink_promotions(flow: Flow, pairs: _Pairs) -> _Pairs:
    await _detach(flow, pairs)
    return pairs


async def _unlink_others(flow: Flow, draft: WorkingCart) -> None:
    """Remove links to promotions that the cart doesn't have any more, and note missing ones."""
    now = draft.promotion_ids()
    pairs = await flow.modules.link.linked(LINK, "cart_id", [draft.id]) if draft.version else []
    linked = {pair["promotion_id"] for pair in pairs}
    if linked - now:
        flow.durably()
        await flow.run(unlink_promotions, {"cart_id": draft.id, "promotion_ids": sorted(linked - now)})
    draft.unlinked = now - linked


async def save_all(flow: Flow, draft: WorkingCart) -> None:
    """Write a cart, with its data in other modules: links to its promotions, and the amount to pay."""
    amount = await other_amount(flow, draft)
    if amount is not None or draft.unlinked:
        flow.durably()
    await save(flow, draft)
    await _link_new(flow, draft)
    if amount is not None:
        await flow.run(update_amount, amount)


async def open_with_promotions(flow: Flow, draft: WorkingCart) -> None:
    """Write a new cart, with the links to its promotions."""
    if draft.unlinked:
        flow.durably()
    await open_cart(flow, draft)
    await _link_new(flow, draft)


async def _link_new(flow: Flow, draft: WorkingCart) -> None:
    if draft.unlinked:
        await flow.run(link_promotions, {"cart_id": draft.id, "promotion_ids": sorted(draft.unlinked)})
