"""Edits of draft orders: as those of orders, and ways of sending and promotions change as well; what these take off is shown at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...commerce.priced import OWNER, Kind
from ...commerce.reprice import reprice
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.rows import Row
from ...modules.order.changes.actions import Adjust
from ...modules.order.changes.applying import Prices
from ...modules.order.pending import NONE_OPEN, Priced
from ..cart.context import CartContext, load_context
from ..cart.discounts import discount
from ..cart.pricing import Loaded, update_tax_lines
from ..cart.working import WorkingCart
from ..kit import Flow, step, workflow
from ..rows import written
from .changes import lock_of
from .difference import settle_difference
from .pending import (
    Acts,
    adding,
    begin_change,
    drop_change,
    item_acts,
    open_change,
    removing,
    request_change,
    revised_item,
    revised_shipping,
    revising,
    shipping_acts,
    updating,
    working,
)

_TAX_LINE = ("description", "tax_rate_id", "code", "rate", "provider_id")
_ADJUSTMENT = ("description", "promotion_id", "code", "amount", "provider_id", "is_tax_inclusive")
_PREFIXES: Mapping[Kind, tuple[str, str]] = {"items": ("ordlitxl", "ordliadj"), "shipping_methods": ("ordsmtxl", "ordsmadj")}


class DraftMarket:
    """The shop as a draft order meets it (`commerce.reprice.Market`): lines and ways of sending cost what the merchant was told."""

    def __init__(self, flow: Flow, draft: WorkingCart, cart_context: CartContext) -> None:
        self.document = draft
        self._flow = flow
        self._loaded = draft, cart_context

    async def price_lines(self, variant_ids: Collection[str]) -> None: ...

    async def tax(self) -> None:
        await self._flow.run(update_tax_lines, self.document.id, loaded=self._loaded)

    async def discount(self) -> None:
        await self._flow.run(refresh_draft_adjustments, self.document.id, loaded=self._loaded)

    async def price_shipping(self) -> bool:
        return False


@workflow("refresh-draft-order-adjustments", hooks=("setPromotionContext",))
async def refresh_draft_adjustments(flow: Flow, order_id: str, loaded: Loaded) -> None:
    """Work out what promotions take off a draft that is in hand; `entered` in it says which."""
    await discount(flow, *loaded)


async def entered_in(flow: Flow, order_id: str, acts: Sequence[Row]) -> set[str]:
    """Promotions that a draft is linked to, once this is done."""
    ids = {link["promotion_id"] for link in await flow.modules.link.linked("order_promotion", "order_id", [order_id])}
    for act in acts:
        if act["action"] == "PROMOTION_ADD":
            ids.add(act["reference_id"])
        elif act["action"] == "PROMOTION_REMOVE":
            ids.discard(act["reference_id"])
    return ids


def prices_of(order: Mapping[str, Any], document: WorkingCart) -> Prices:
    """Taxes and discounts of a document that was made of an order, where they are others than it has."""
    prices: dict[str, dict[str, Sequence[Row]]] = {}
    lines: dict[Kind, Any] = {"items": document.items, "shipping_methods": document.shipping_methods}
    for kind, (tax, adjustment) in _PREFIXES.items():
        before = {line["id"]: line for line in order[kind]}
        for line in lines[kind]:
            was = before[line["id"]]
            owner = {OWNER[kind]: line["id"]}
            rows: dict[str, Sequence[Row]] = {}
            for name, prefix, columns in (("tax_lines", tax, _TAX_LINE), ("adjustments", adjustment, _ADJUSTMENT)):
                made = [{"id": new_id(prefix), **owner, **{column: row.get(column) for column in columns}} for row in line[name]]
                rows[name] = was[name] if line[name] is was[name] else made
            if any(rows[name] is not was[name] for name in rows):
                prices[line["id"]] = rows
    return prices


async def _after(flow: Flow, order_id: str) -> tuple[Row, WorkingCart, CartContext]:
    """A draft as its open change makes it, but for discounts, and as what is priced. Raises InvalidData where none is open."""
    after: Any = await flow.modules.order.preview(order_id, adjusted=False)
    if after["order_change"] is None:
        raise InvalidData(NONE_OPEN)
    after["items"] = [line for line in after["items"] if line["quantity"] > 0]
    document = working(after)
    document.entered = await entered_in(flow, order_id, after["order_change"]["actions"])
    return after, document, await load_context(flow, after["region_id"], after["customer_id"])


adjust = written("adjust-change", lambda modules: modules.order.adjust)


@workflow("compute-draft-order-adjustments", hooks=("setPromotionContext",))
async def compute_draft_adjustments(flow: Flow, order_id: str) -> None:
    """Say in the open change of a draft what promotions take off by then."""
    after, document, cart_context = await _after(flow, order_id)
    await discount(flow, document, cart_context)
    acts = [
        {"action": Adjust.name, "details": {"reference_id": id, "adjustments": price["adjustments"]}, "amount": 0}
        for id, price in prices_of(after, document).items()
    ]
    await flow.run(adjust, after["order_change"]["id"], acts)


# -- what an edit consists of


@workflow("begin-draft-order-edit")
async def begin_draft_edit(flow: Flow, id: str, created_by: str | None = None) -> str:
    """Begin to edit a draft. Its id. Raises NotFound; InvalidData where it is no draft, or is being edited."""
    await flow.run(begin_change, id, {"change_type": "edit", "created_by": created_by}, draft=True)
    return id


async def _checked_items(flow: Flow, change: Row, given: Row) -> list[Row]:
    if any(not item.get("variant_id") and not item.get("title") for item in given["items"]):
        raise InvalidData("Items must have either a variant_id or a title")
    return await item_acts(flow, change, given)


async def _updated_item(flow: Flow, change: Row, given: Row) -> list[Row]:
    return [updating(await flow.modules.order.load(change["order_id"]), given["item_id"], given)]


def _promoting(action: str) -> Acts:
    async def acts(flow: Flow, change: Row, given: Row) -> list[Row]:
        codes = list(dict.fromkeys(given["promo_codes"]))
        found = {promotion["code"]: promotion for promotion in await flow.modules.promotion.by_codes(sorted(codes))}
        for code in codes:
            if code not in found:
                raise InvalidData(f'Promotion code "{code}" not found')
            if action == "PROMOTION_ADD" and found[code]["status"] != "active":
                raise InvalidData(f'Promotion code "{code}" is not active')
        name = "added_code" if action == "PROMOTION_ADD" else "removed_code"
        return [
            {"action": action, "reference": "order_promotion", "reference_id": found[code]["id"], "details": {name: code}} for code in codes
        ]

    return acts


async def _updated_method(flow: Flow, change: Row, given: Row) -> list[Row]:
    """A method of the draft at another amount; or another one in its place, where the option is another."""
    order = await flow.modules.order.load(change["order_id"])
    method = next((each for each in order["shipping_methods"] if each["id"] == given["method_id"]), None)
    if method is None:
        raise InvalidData(f"Order {order['id']} has no shipping method {given['method_id']}")
    of = {"reference": "order_shipping_method", "reference_id": method["id"], "internal_note": given.get("internal_note")}
    if given.get("shipping_option_id", method["shipping_option_id"]) != method["shipping_option_id"]:
        return [{"action": "SHIPPING_REMOVE", **of}, *await shipping_acts(flow, change, given)]
    if given.get("custom_amount") is None:
        return []
    return [{"action": "SHIPPING_UPDATE", **of, "amount": given["custom_amount"]}]


async def _removed_method(flow: Flow, change: Row, given: Row) -> list[Row]:
    return [{"action": "SHIPPING_REMOVE", "reference": "order_shipping_method", "reference_id": given["method_id"]}]


_ADJUSTING = compute_draft_adjustments
add_draft_items = adding("add-draft-order-items", "order", "edit", _checked_items, adjusting=_ADJUSTING)
update_draft_action_item = revising("update-draft-order-action-item", revised_item, adjusting=_ADJUSTING)
remove_draft_action_item = removing("remove-draft-order-action-item", adjusting=_ADJUSTING)
update_draft_item = adding("update-draft-order-item", "order", "edit", _updated_item, adjusting=_ADJUSTING)
add_draft_promotions = adding("add-draft-order-promotion", "order", "edit", _promoting("PROMOTION_ADD"), adjusting=_ADJUSTING)
remove_draft_promotions = adding("remove-draft-order-promotions", "order", "edit", _promoting("PROMOTION_REMOVE"), adjusting=_ADJUSTING)
add_draft_shipping = adding("add-draft-order-shipping-methods", "order", "edit", shipping_acts, adjusting=_ADJUSTING)
update_draft_action_shipping = revising("update-draft-order-action-shipping-method", revised_shipping, adjusting=_ADJUSTING)
remove_draft_action_shipping = removing("remove-draft-order-action-shipping-method", adjusting=_ADJUSTING)
update_draft_shipping = adding("update-draft-order-shipping-method", "order", "edit", _updated_method, adjusting=_ADJUSTING)
remove_draft_shipping = adding("remove-draft-order-shipping-method", "order", "edit", _removed_method, adjusting=_ADJUSTING)


# -- how it ends


@workflow("request-draft-order-edit")
async def request_draft_edit(flow: Flow, id: str, requested_by: str | None = None) -> str:
    """Say that an edit of a draft waits to be confirmed. Its id. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "order", id, "edit", draft=True)
    await flow.run(request_change, change["id"], by=requested_by)
    return id


@workflow("cancel-draft-order-edit")
async def cancel_draft_edit(flow: Flow, id: str) -> str:
    """Give an edit of a draft up. Its id. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "order", id, "edit", draft=True)
    await flow.run(drop_change, change["id"])
    return id


@step(pivot=True)
async def confirm_edit(flow: Flow, change_id: str, by: str | None, priced: Priced) -> None:
    await flow.modules.order.confirm(change_id, by=by, priced=priced)


@step
async def relink_promotions(flow: Flow, order_id: str, acts: Sequence[Row]) -> None:
    """Link a draft to the promotions that it has by these actions, and to no others of them."""
    kept = await entered_in(flow, order_id, acts)
    named = {act["reference_id"] for act in acts if act["action"] in ("PROMOTION_ADD", "PROMOTION_REMOVE")}
    await flow.modules.link.attach("order_promotion", _links(order_id, named & kept))
    await flow.modules.link.detach("order_promotion", _links(order_id, named - kept))


def _links(order_id: str, promotion_ids: Collection[str]) -> list[Row]:
    return [{"order_id": order_id, "promotion_id": id} for id in sorted(promotion_ids)]


@workflow("confirm-draft-order-edit", durable=True)
async def confirm_draft_edit(flow: Flow, id: str, confirmed_by: str | None = None) -> str:
    """Do what an edit of a draft says, with taxes and discounts as they are by now. Its id.

    Raises NotFound; InvalidData where none is open.
    """
    async with flow.lock(lock_of(id)):
        await open_change(flow, "order", id, "edit", draft=True)
        after, document, cart_context = await _after(flow, id)
        await reprice(DraftMarket(flow, document, cart_context), shipping=False)
        change = after["order_change"]
        acts = [act["id"] for act in change["actions"]]
        priced: Priced = {"revision": after["revision"], "acts": acts, "prices": prices_of(after, document)}
        await flow.run(confirm_edit, change["id"], confirmed_by, priced)
        await flow.run(relink_promotions, id, [{name: act[name] for name in ("action", "reference_id")} for act in change["actions"]])
        await flow.run(settle_difference, id)
    return id
