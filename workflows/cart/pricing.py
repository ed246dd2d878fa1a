"""Pricing a cart: in the order of `commerce.reprice`, with today's data and with what an application's hooks add."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from ...commerce.reprice import reprice
from ...commerce.types import Line
from ...core.rows import Row
from ...modules.pricing.types import CalculatedPrice
from ..kit import Flow, workflow
from .context import CartContext, load_context
from .discounts import Action, save_all, work_out_discounts
from .saving import ChangedCart, changed_cart, load_open, lock_of
from .sellables import confirm_stock, described, load_prices, load_sellables, priced, whole
from .shipping import refresh_shipping
from .taxes import work_out_taxes
from .working import WorkingCart

Loaded = tuple[WorkingCart, CartContext]
Needed = Literal["stock", "price", "nothing"]
"""What is needed to price a line: that it is sold here, has a price and enough is in stock; that it is sold here and has a price; or
nothing: then a line that can't be bought any more stays as it is, and the buyer is told at checkout."""


class CartMarket:
    """The shop for a cart that a workflow changes (`commerce.reprice.Market`)."""

    def __init__(
        self,
        flow: Flow,
        draft: WorkingCart,
        cart_context: CartContext,
        *,
        additional_data: Mapping[str, Any] | None = None,
        codes: Sequence[str] = (),
        action: Action = "add",
        needed: Needed = "stock",
    ) -> None:
        """`flow`: of a workflow that has the hook `setPricingContext`, if lines are to be priced. `codes` are entered, removed, or replace
        the others, as `action` says. `needed`: of lines that are priced; no stock where nobody wants more of them."""
        self.document = draft
        self._flow = flow
        self._draft = draft
        self._surroundings = cart_context
        self._additional_data = additional_data
        self._entering: tuple[Sequence[str], Action] = codes, action
        self._needed = needed

    async def price_lines(self, variant_ids: Collection[str]) -> None:
        """Raises InvalidData where something can't be bought here or has no price, and InsufficientInventory, as it is `needed`."""
        draft, must = self._draft, self._needed != "nothing"
        sellables = await load_sellables(self._flow, variant_ids, draft["sales_channel_id"], draft["locale"], must=must)
        sold = sellables.by_variant.keys() & set(variant_ids)
        lines = [(id, line) for line in draft.items if (id := line["variant_id"]) is not None and id in sold]
        quantities: dict[str, int] = {}
        for id, line in lines:
            quantities[id] = whole(quantities.get(id, 0) + line["quantity"])
        if self._needed == "stock":
            confirm_stock(sellables, quantities, draft["sales_channel_id"])
        to_price = {id: quantities[id] for id, line in lines if not line["is_custom_price"]}
        prices: Mapping[str, CalculatedPrice] = {}
        if to_price:
            context = self._surroundings.pricing(draft)
            for added in await self._flow.hooks.setPricingContext(
                cart=lambda: draft.document(self._flow.now()),
                cart_id=draft.id,
                variantIds=list(to_price),
                items=[line for _, line in lines],
                item=lines[0][1],
                region=self._surroundings.region,
                salesChannel=lambda: self._channel(),
                customerData={"customer": self._surroundings.customer, "email": draft["email"]},
                additional_data=self._additional_data,
            ):
                context |= added or {}
            prices = await load_prices(self._flow, sellables, to_price, context, must=must)
        for id, line in lines:
            item: Line = {**line, **described(sellables[id])}
            draft.put_item({**item, **priced(prices[id])} if id in prices and not item["is_custom_price"] else item)

    async def _channel(self) -> Row | None:
        id = self._draft["sales_channel_id"]
        return await self._flow.graph.one("sales_channel", id, ("*",)) if id is not None else None

    async def tax(self) -> None:
        await self._flow.run(update_tax_lines, self._draft.id, loaded=(self._draft, self._surroundings))

    async def discount(self) -> None:
        codes, action = self._entering
        self._entering = (), "add"  # once: from then on they are in the cart, or not
        await self._flow.run(update_cart_promotions, self._draft.id, codes, action, loaded=(self._draft, self._surroundings))

    async def price_shipping(self) -> bool:
        return await refresh_shipping(self._flow, self._draft, self._surroundings)


@workflow("update-tax-lines", hooks=("setTaxLineContext",))
async def update_tax_lines(flow: Flow, cart_id: str, force: bool = False, loaded: Loaded | None = None) -> None:
    """Compute the taxes on everything in a cart, if its region does so automatically, or if `force`d.

    `loaded` is for workflows that have read the cart and write it themselves. Raises NotFound, InvalidData where the cart is completed.
    """
    if loaded is not None:
        await work_out_taxes(flow, *loaded, force=force)
        return
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        await work_out_taxes(flow, draft, cart_context, force=force)
        await flow.run(update_cart_promotions, draft.id, loaded=(draft, cart_context))
        await save_all(flow, draft)


@workflow("update-cart-promotions", hooks=("validate", "setPromotionContext"), emits=("cart.updated",))
async def update_cart_promotions(
    flow: Flow, cart_id: str, promo_codes: Sequence[str] = (), action: Action = "add", loaded: Loaded | None = None
) -> ChangedCart | None:
    """Compute the discounts of a cart, after codes were entered, removed, or replaced by others. Returns the cart after the change.

    Automatic promotions always take part. A code without a discount isn't kept: it has to be entered again. `loaded` is
    for workflows that have read the cart and write it themselves (`save_all`); they get None.

    Raises NotFound; InvalidData where the cart is completed, or for an unknown code that is to be added.
    """
    if loaded is not None:
        await work_out_discounts(flow, *loaded, promo_codes, action)
        return None
    if promo_codes:  # then links will most likely be created or removed
        flow.durably()
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        await flow.hooks.validate(cart=lambda: draft.document(flow.now()))
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        await reprice(CartMarket(flow, draft, cart_context, codes=promo_codes, action=action))
        await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)
    return changed_cart(draft, cart_context)
