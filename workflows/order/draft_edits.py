"""Edits of draft orders: as those of orders, and ways of sending and promotions change as well; what these take off is shown at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...commerce.reprice import reprice
from ...core.errors import InvalidData
from ...core.rows import Row
from ...modules.order.open_change import Priced
from ...modules.order.types import Act, ActDetails, Change
from ..cart.context import CartContext
from ..cart.discounts import discount
from ..cart.pricing import Loaded, update_tax_lines
from ..cart.working import WorkingCart
from ..kit import Flow, step, workflow
from .adjusting import after_change, entered_in, prices_of
from .changes import lock_of
from .difference import settle_difference
from .pending import (
    Acts,
    adding,
    begin_change,
    confirm_change,
    drop_change,
    item_acts,
    open_change,
    removing,
    request_change,
    revised_item,
    revising,
    updating,
    without_order,
)
from .ways import revised_shipping, shipping_acts


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
    """Compute the discounts of a loaded draft by the promotions that were entered (`entered`)."""
    await discount(flow, *loaded)


# -- what an edit consists of


@workflow("begin-draft-order-edit")
async def begin_draft_edit(flow: Flow, id: str, created_by: str | None = None) -> Change:
    """Begin an edit of a draft. Returns the change. Raises NotFound; InvalidData where it is no draft, or is being edited."""
    return (await flow.run(begin_change, id, {"change_type": "edit", "created_by": created_by}, draft=True))["answer"]


async def _checked_items(flow: Flow, change: Change, given: Row) -> list[Act]:
    if any(not item.get("variant_id") and not item.get("title") for item in given["items"]):
        raise InvalidData("Items must have either a variant_id or a title")
    return await item_acts(flow, change, given)


async def _updated_item(flow: Flow, change: Change, given: Row) -> list[Act]:
    return [updating(change["order"], given["item_id"], given)]


def _promoting(action: str) -> Acts:
    async def acts(flow: Flow, change: Change, given: Row) -> list[Act]:
        codes = list(dict.fromkeys(given["promo_codes"]))
        found = {promotion["code"]: promotion for promotion in await flow.modules.promotion.by_codes(sorted(codes))}
        for code in codes:
            if code not in found:
                raise InvalidData(f'Promotion code "{code}" not found')
            if action == "PROMOTION_ADD" and found[code]["status"] != "active":
                raise InvalidData(f'Promotion code "{code}" is not active')
        made: list[Act] = []
        for code in codes:
            details: ActDetails = {"added_code": code} if action == "PROMOTION_ADD" else {"removed_code": code}
            made.append({"action": action, "reference": "order_promotion", "reference_id": found[code]["id"], "details": details})
        return made

    return acts


async def _updated_method(flow: Flow, change: Change, given: Row) -> list[Act]:
    """Actions that set the amount of a shipping method of the draft, or replace it if the option is another."""
    order = change["order"]
    method = next((each for each in order["shipping_methods"] if each["id"] == given["method_id"]), None)
    if method is None:
        raise InvalidData(f"Order {order['id']} has no shipping method {given['method_id']}")
    note = given.get("internal_note")
    of = Act(action="SHIPPING_REMOVE", reference="order_shipping_method", reference_id=method["id"], internal_note=note)
    if given.get("shipping_option_id", method["shipping_option_id"]) != method["shipping_option_id"]:
        return [of, *await shipping_acts(flow, change, given)]
    if given.get("custom_amount") is None:
        return []
    return [{**of, "action": "SHIPPING_UPDATE", "amount": given["custom_amount"]}]


async def _removed_method(flow: Flow, change: Change, given: Row) -> list[Act]:
    return [{"action": "SHIPPING_REMOVE", "reference": "order_shipping_method", "reference_id": given["method_id"]}]


add_draft_items = adding("add-draft-order-items", "order", "edit", _checked_items, draft=True)
update_draft_action_item = revising("update-draft-order-action-item", revised_item, draft=True)
remove_draft_action_item = removing("remove-draft-order-action-item", draft=True)
update_draft_item = adding("update-draft-order-item", "order", "edit", _updated_item, draft=True)
add_draft_promotions = adding("add-draft-order-promotion", "order", "edit", _promoting("PROMOTION_ADD"), draft=True)
remove_draft_promotions = adding("remove-draft-order-promotions", "order", "edit", _promoting("PROMOTION_REMOVE"), draft=True)
add_draft_shipping = adding("add-draft-order-shipping-methods", "order", "edit", shipping_acts, draft=True)
update_draft_action_shipping = revising("update-draft-order-action-shipping-method", revised_shipping, draft=True)
remove_draft_action_shipping = removing("remove-draft-order-action-shipping-method", draft=True)
update_draft_shipping = adding("update-draft-order-shipping-method", "order", "edit", _updated_method, draft=True)
remove_draft_shipping = adding("remove-draft-order-shipping-method", "order", "edit", _removed_method, draft=True)


# -- how it ends


@workflow("request-draft-order-edit")
async def request_draft_edit(flow: Flow, id: str, requested_by: str | None = None) -> Change:
    """Mark an edit of a draft as waiting for its confirmation. Returns the change as it is then. Raises NotFound; InvalidData where none is
    open."""
    change = await open_change(flow, "order", id, "edit", draft=True)
    return (await flow.run(request_change, change, by=requested_by))["answer"]


@workflow("cancel-draft-order-edit")
async def cancel_draft_edit(flow: Flow, id: str) -> str:
    """Drop an edit of a draft. Returns its id. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "order", id, "edit", draft=True)
    await flow.run(drop_change, change["id"])
    return id


@step
async def relink_promotions(flow: Flow, order_id: str, acts: Sequence[Act]) -> None:
    """Link a draft to the promotions that these actions add, and unlink those that they remove."""
    kept = await entered_in(flow, order_id, acts)
    named = {str(act["reference_id"]) for act in acts if act["action"] in ("PROMOTION_ADD", "PROMOTION_REMOVE")}
    await flow.modules.link.attach("order_promotion", _links(order_id, named & kept))
    await flow.modules.link.detach("order_promotion", _links(order_id, named - kept))


def _links(order_id: str, promotion_ids: Collection[str]) -> list[Row]:
    return [{"order_id": order_id, "promotion_id": id} for id in sorted(promotion_ids)]


@workflow("confirm-draft-order-edit", durable=True)
async def confirm_draft_edit(flow: Flow, id: str, confirmed_by: str | None = None) -> str:
    """Confirm an edit of a draft, with taxes and discounts computed now. Returns its id.

    Raises NotFound; InvalidData where none is open.
    """
    async with flow.lock(lock_of(id)):
        change = await open_change(flow, "order", id, draft=True)
        after, document, cart_context = await after_change(flow, change["order"], change["actions"])
        await reprice(DraftMarket(flow, document, cart_context), shipping=False)
        priced: Priced = {"revision": after["revision"], "prices": prices_of(after, document)}
        await flow.run(confirm_change, without_order(change), confirmed_by, priced)
        await flow.run(
            relink_promotions, id, [Act(action=act["action"], reference_id=act.get("reference_id")) for act in change["actions"]]
        )
        await flow.run(settle_difference, id)
    return id
