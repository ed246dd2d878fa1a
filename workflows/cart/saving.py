"""Beginning and ending the change of a cart: what all of its workflows have in common."""

from __future__ import annotations

from typing import TypedDict

from ...commerce.types import Cart, Line
from ...core.errors import InvalidData, NotFound
from ..kit import Flow, step
from .draft import Draft
from .surroundings import Surroundings
from .types import Buyer


def lock_of(cart_id: str) -> str:
    """Who changes a cart holds this lock, so that two changes take turns instead of one being refused."""
    return f"cart:{cart_id}"


async def load_open(flow: Flow, cart_id: str) -> Cart:
    """All of a cart that can still be changed. Raises NotFound, InvalidData where it is completed."""
    cart = await flow.modules.cart.load(cart_id)
    if cart["completed_at"] is not None:
        raise InvalidData(f"Cart {cart_id} is already completed.")
    return cart


class Changed(TypedDict):
    """A cart that was just written: whoever has it needn't read it again."""

    cart: Cart
    """All of it, as `modules.cart.load` gives it."""
    is_promoted: bool
    """Whether promotions take something off it."""
    customer: Buyer | None
    """Its buyer, as `surroundings.CUSTOMER` says."""


def changed_cart(draft: Draft, surroundings: Surroundings) -> Changed:
    return {
        "cart": draft.written,
        "is_promoted": bool(draft.promotion_ids()),
        "customer": surroundings.customer,
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


async def save(flow: Flow, draft: Draft) -> None:
    """Write the cart. Raises Conflict where it was changed although we held its lock."""
    saved = await flow.run(change_cart, draft.document(flow.now()), draft.before)
    draft.written = saved["cart"]


async def _remove(flow: Flow, cart: Cart) -> None:
    await flow.modules.cart.delete("cart", [cart["id"]])


@step(undo=_remove)
async def insert_cart(flow: Flow, cart: Cart) -> Cart:
    return {**cart, "version": await flow.modules.cart.open(cart["id"], cart)}


async def open_cart(flow: Flow, draft: Draft) -> None:
    """Create the cart that the draft is of."""
    draft.written = await flow.run(insert_cart, draft.document(flow.now()))


def find_item(draft: Draft, item_id: str) -> Line:
    """Raises NotFound for a line that isn't in this cart."""
    for item in draft.items:
        if item["id"] == item_id:
            return item
    raise NotFound(f"Line item with id: {item_id} was not found")
