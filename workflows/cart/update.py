"""Changing the data of a cart: its buyer, addresses, region, channel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ...commerce.priced import ADDRESSES
from ...commerce.reprice import reprice
from ...core.errors import NotFound
from ...core.rows import Given
from ...core.sql.write.merging import merged
from ..kit import Flow, workflow
from .context import CartContext, check_country, load_context
from .create import find_customer, find_sales_channel, normal_email
from .discounts import save_all
from .pricing import CartMarket
from .saving import ChangedCart, changed_cart, load_open, lock_of
from .taxes import drop_asked_taxes
from .wording import reword
from .working import WorkingCart


@workflow("update-cart", hooks=("validate", "setPricingContext", "cartUpdated"), emits=("cart.region_updated", "cart.updated"))
async def update_cart(flow: Flow, cart_id: str, update: Given, additional_data: Given | None = None) -> ChangedCart:
    """Change the named fields of a cart: its email (None: unchanged), region_id, sales_channel_id, shipping_address, billing_address,
    locale, metadata, or promo_codes (these replace all others). Returns the cart after the change.

    Another locale changes what its lines, shipping methods and taxes are called. Another email makes another guest the buyer, unless the
    buyer has an account. Another region brings its currency and its prices; lines with a price set by hand and the shipping methods are
    removed, and so is an address in a country outside the region. Taxes that the region computes on request only are removed with the
    address that they were for.

    Raises NotFound; InvalidData where the cart is completed, for a country outside the region, lines that can't be bought in the new one,
    or an unknown promotion code; InsufficientInventory where the new channel has less than its lines.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        moves = update.get("region_id") is not None and update["region_id"] != draft["region_id"]
        region_id = update["region_id"] if moves else draft["region_id"]
        cart_context, channel = await asyncio.gather(
            load_context(flow, region_id, draft["customer_id"]),
            find_sales_channel(flow, update.get("sales_channel_id")),
        )
        if moves and cart_context.region is None:
            raise NotFound(f"Region with id: {region_id} was not found")
        await _set_buyer(flow, draft, cart_context, update)
        resold = channel is not None and channel["id"] != draft["sales_channel_id"]
        if channel is not None:
            draft.set(sales_channel_id=channel["id"])
        if update.get("locale", draft["locale"]) != draft["locale"]:
            draft.set(locale=update["locale"])
            await reword(flow, draft)
        if "metadata" in update:
            draft.set(metadata=merged(draft["metadata"], update["metadata"]))
        taxed_before = _taxed_at(draft)
        if moves:
            _move(draft, cart_context)
        _set_addresses(draft, cart_context, update)
        if moves or _taxed_at(draft) != taxed_before:
            drop_asked_taxes(draft, cart_context)
        await flow.hooks.validate(
            input={"id": cart_id, **update, "additional_data": additional_data}, cart=lambda: draft.document(flow.now())
        )
        codes: Sequence[str] | None = update.get("promo_codes")
        market = CartMarket(
            flow,
            draft,
            cart_context,
            additional_data=additional_data,
            codes=codes or (),
            action="add" if codes is None else "replace",
            needed="stock" if resold else "price",
        )
        await reprice(market, lines_of=_variants(draft) if moves or resold else ())
        await save_all(flow, draft)
        await flow.hooks.cartUpdated(cart=lambda: draft.document(flow.now()))
    if moves:
        flow.emit("cart.region_updated", id=cart_id)
    flow.emit("cart.updated", id=cart_id)
    return changed_cart(draft, cart_context)


def _variants(draft: WorkingCart) -> set[str]:
    return {item["variant_id"] for item in draft.items if item["variant_id"] is not None}


async def _set_buyer(flow: Flow, draft: WorkingCart, cart_context: CartContext, update: Given) -> None:
    email = normal_email(update.get("email"))
    if email is None:
        return
    draft.set(email=email)
    registered = cart_context.customer is not None and cart_context.customer["has_account"]
    if registered or (cart_context.customer is not None and cart_context.customer["email"] == email):
        return
    cart_context.customer = await find_customer(flow, None, email)
    draft.set(customer_id=cart_context.customer["id"] if cart_context.customer is not None else None)


def _move(draft: WorkingCart, cart_context: CartContext) -> None:
    """Move a cart to another region: remove what depends on the old one."""
    assert cart_context.region is not None
    draft.set(region_id=cart_context.region["id"], currency_code=cart_context.region["currency_code"])
    for item in draft.items:
        if item["is_custom_price"] or item["variant_id"] is None:
            draft.drop_item(item["id"])
    for method in draft.shipping_methods:
        draft.drop_shipping_method(method["id"])
    address = draft.address()
    if address is not None and (address["country_code"] or "") not in cart_context.countries:
        draft.drop_address("shipping")
    if draft.address() is None and len(cart_context.countries) == 1:
        draft.put_address("shipping", {"country_code": cart_context.countries[0]})


def _taxed_at(draft: WorkingCart) -> tuple[Any, ...]:
    """The parts of the shipping address that taxes may depend on."""
    address: Mapping[str, Any] = draft.address() or {}
    return tuple(address.get(name) for name in ("country_code", "province", "city", "postal_code"))


def _set_addresses(draft: WorkingCart, cart_context: CartContext, update: Given) -> None:
    for kind in ADDRESSES:
        name = f"{kind}_address"
        if name not in update:
            continue
        given = update[name]
        if given is None:
            draft.drop_address(kind)
            continue
        known = draft.address(kind)
        if given.get("id") is not None:
            if known is None or known["id"] != given["id"]:
                raise NotFound(f"Address with id: {given['id']} was not found")
            given = {**known, **given}
        draft.put_address(kind, check_country(given, cart_context) if kind == "shipping" else given)


@workflow("transfer-cart-customer", hooks=("validate", "setPricingContext"), emits=("cart.customer_transferred",))
async def transfer_cart(flow: Flow, cart_id: str, customer_id: str, additional_data: Given | None = None) -> None:
    """Make a logged-in customer the buyer of a cart without a buyer or with a guest's; prices become theirs, except those of what can't be
    bought any more.

    Nothing happens to a cart of another customer with an account.

    Raises NotFound, InvalidData where the cart is completed.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        await flow.hooks.validate(
            input={"id": cart_id, "customer_id": customer_id, "additional_data": additional_data}, cart=lambda: draft.document(flow.now())
        )
        cart_context, before = await asyncio.gather(
            load_context(flow, draft["region_id"], customer_id), load_context(flow, None, draft["customer_id"])
        )
        if cart_context.customer is None:
            raise NotFound(f"Customer with id: {customer_id} was not found")
        if before.customer is not None and (before.customer["has_account"] or draft["customer_id"] == customer_id):
            return
        draft.set(customer_id=customer_id, email=cart_context.customer["email"])
        market = CartMarket(flow, draft, cart_context, additional_data=additional_data, needed="nothing")
        await reprice(market, lines_of=_variants(draft))
        await save_all(flow, draft)
    flow.emit("cart.customer_transferred", id=cart_id, customer_id=customer_id)
