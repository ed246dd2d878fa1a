"""Beginning and ending the change of a cart: shared by all of its workflows."""

from __future__ import annotations

from typing import TypedDict

from ...commerce.types import Cart, Line
from ...core.errors import InvalidData, NotFound
from ..kit import Flow, step
from .context import CartContext
from .types import Buyer
from .working import WorkingCart


def lock_of(cart_id: str) -> str:
    """The lock for changes of a cart, so that two changes take turns instead of one being refused."""
    return f"cart:{cart_id}"


async def load_open(flow: Flow, cart_id: str) -> Cart:
    """A whole cart that can still be changed. Raises NotFound, InvalidData where it is completed."""
    cart = await flow.modules.cart.load(cart_id)
    if cart["completed_at"] is not None:
        raise InvalidData(f"Cart {cart_id} is already completed.")
    return cart


class ChangedCart(TypedDict):
    """A cart that was just written, so that the caller needn't read it again."""

    cart: Cart
    """The whole cart, as `modules.cart.load` returns it."""
    is_promoted: bool
    """Whether it has discounts of promotions."""
    customer: Buyer | None
    """Its buyer, with the fields of `surroundings.CUSTOMER`."""


def changed_cart(draft: WorkingCart, cart_context: CartContext) -> ChangedCart:
    return {
        "cart": draft.written,
        "is_promoted": bool(draft.promotion_ids()),
        "customer": cart_context.customer,
    }


class Saved(TypedDict):
    """A cart as it was written, and as it was before."""

    cart: Cart
    before: Cart


async def _put_back(flow: Flow, saved: Saved) -> None:
    await flow.modules.cart.change(saved["cart"]["id"], saved["cart"]["version"], saved["before"])


@step(undo=_put_back)
async def change_cart(flow: Flow, cart: Cart, before: Cart) -> Saved:
    version = await flow.modules.cart.change(cart["id"], before["version"], cart)
    return {"cart": {**cart, "version": version}, "before": before}


async def save(flow: Flow, draft: WorkingCart) -> None:
    """Write the cart. Raises Conflict if it was changed although we held its lock."""
    saved = await flow.run(change_cart, draft.document(flow.now()), draft.before)
    draft.written = saved["cart"]


async def _remove(flow: Flow, cart: Cart) -> None:
    await flow.modules.cart.delete("cart", [cart["id"]])


@step(undo=_remove)
async def insert_cart(flow: Flow, cart: Cart) -> Cart:
    return {**cart, "version": await flow.modules.cart.open(cart["id"], cart)}


async def open_cart(flow: Flow, draft: WorkingCart) -> None:
    """Create the cart of a draft."""
    draft.written = await flow.run(insert_cart, draft.document(flow.now()))


def find_item(draft: WorkingCart, item_id: str) -> Line:
    """A line of the cart. Raises NotFound for a line that isn't in it."""
    for item in draft.items:
        if item["id"] == item_id:
            return item
    raise NotFound(f"Line item with id: {item_id} was not found")
