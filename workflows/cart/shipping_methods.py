"""Choosing the shipping methods of a cart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...commerce.reprice import reprice
from ...commerce.types import NewShippingMethod
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.sql.schema.query import Query
from ...core.waiting import all_of
from ..kit import Flow, workflow
from .context import load_context
from .discounts import save_all
from .pricing import CartMarket
from .saving import ChangedCart, changed_cart, load_open, lock_of
from .shipping import list_with_pricing, seen_by_provider
from .types import PricedOption
from .working import WorkingCart


@workflow("add-shipping-method-to-cart", hooks=("validate",), emits=("cart.updated",))
async def add_shipping_methods(
    flow: Flow, cart_id: str, options: Sequence[Mapping[str, Any]], additional_data: Mapping[str, Any] | None = None
) -> ChangedCart:
    """Give a cart these shipping options (`id`, `data`), in place of those of the same shipping profiles. Returns the cart after the
    change.

    Items of one profile are shipped by one option, so a cart with items of two profiles has two shipping methods.

    Raises NotFound; InvalidData where the cart is completed, an option can't be chosen for it, or has no price.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        await flow.hooks.validate(cart=lambda: draft.document(flow.now()))
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        data = {option["id"]: option.get("data") or {} for option in options}
        found = await flow.run(list_with_pricing, cart_id, data, loaded=(draft, cart_context))
        _check_chosen(list(data), found)
        methods = await all_of(*(_method(flow, draft, option, data[option["id"]]) for option in found))
        for id in await _replaced(flow, draft, {option["shipping_profile_id"] for option in found}):
            draft.drop_shipping_method(id)
        for method in methods:
            draft.put_shipping_method(method)
        await reprice(CartMarket(flow, draft, cart_context), shipping=False)  # the method's price was just found
        await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)
    return changed_cart(draft, cart_context)


async def _replaced(flow: Flow, draft: WorkingCart, profiles: Collection[str]) -> list[str]:
    """Shipping methods of these profiles, and those whose options are deleted."""
    chosen = {method["id"]: method["shipping_option_id"] for method in draft.shipping_methods if method["shipping_option_id"] is not None}
    if not chosen:
        return []
    options = await flow.graph.rows(Query("shipping_option", ("id", "shipping_profile_id"), {"id": sorted(set(chosen.values()))}))
    others = {option["id"] for option in options if option["shipping_profile_id"] not in profiles}
    return [id for id, option in chosen.items() if option not in others]


def _check_chosen(ids: Sequence[str], found: Sequence[PricedOption]) -> None:
    missing = sorted(set(ids) - {option["id"] for option in found})
    if missing:
        raise InvalidData(f"Shipping Options are invalid for cart: {', '.join(missing)}")
    priceless = [option["id"] for option in found if option["amount"] is None]
    if priceless:
        raise _priceless(priceless)


def _priceless(ids: Sequence[str]) -> InvalidData:
    return InvalidData(f"Shipping options with IDs {', '.join(ids)} do not have a price")


async def _method(flow: Flow, draft: WorkingCart, option: PricedOption, data: Mapping[str, Any]) -> NewShippingMethod:
    """The cart's shipping method for an option, with the data that its provider returns for the buyer's data."""
    if option["amount"] is None:
        raise _priceless([option["id"]])
    context = {**seen_by_provider(draft), "from_location": {"id": option["location_id"]}}
    kept = await flow.modules.fulfillment.validate_fulfillment_data(option["provider_id"], option["data"] or {}, data, context)
    return {
        "id": new_id("casm"),
        "name": option["name"],
        "amount": option["amount"],
        "is_tax_inclusive": option["is_tax_inclusive"],
        "shipping_option_id": option["id"],
        "data": kept,
    }
