"""Beginning and ending the change of a cart: what all of its workflows have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.errors import InvalidData, NotFound
from ...core.flow import Flow, step
from ...modules.cart.change import CartChange
from .draft import Draft
from .surroundings import Surroundings

Row = dict[str, Any]


def lock_of(cart_id: str) -> str:
    """Who changes a cart holds this lock, so that two changes take turns instead of one being refused."""
    return f"cart:{cart_id}"


async def load_open(flow: Flow, cart_id: str) -> Row:
    """All of a cart that can still be changed. Raises NotFound, InvalidData where it is completed."""
    cart = await flow.modules.cart.load(cart_id)
    if cart["completed_at"] is not None:
        raise InvalidData(f"Cart {cart_id} is already completed.")
    return cart


class Changed(TypedDict):
    """A cart that was just written: whoever has it needn't read it again."""

    cart: Row
    """All of it, with raw_ twins, without totals."""
    is_paid_for: bool
    """Whether it has a payment collection."""
    is_promoted: bool
    """Whether promotions take something off it."""
    customer: Row | None
    """Its buyer, as `surroundings.CUSTOMER` says."""


def changed_cart(draft: Draft, collection_ids: Sequence[str], surroundings: Surroundings) -> Changed:
    return {
        "cart": draft.stored(),
        "is_paid_for": bool(collection_ids),
        "is_promoted": bool(draft.promotion_ids()),
        "customer": surroundings.customer,
    }


class Saved(TypedDict):
    """What was written, and how to take it back."""

    id: str
    version: int
    at: str
    back: CartChange


async def _put_back(flow: Flow, saved: Saved) -> None:
    await flow.modules.cart.change(saved["id"], saved["version"], saved["back"])


@step(undo=_put_back)
async def change_cart(flow: Flow, id: str, version: int, change: CartChange, back: CartChange) -> Saved:
    written = await flow.modules.cart.change(id, version, change)
    return {"id": id, "version": written["version"], "at": written["at"], "back": back}


async def save(flow: Flow, draft: Draft) -> None:
    """Write the difference. Raises Conflict where the cart was changed although we held its lock."""
    saved = await flow.run(change_cart, draft.id, draft.version, draft.change(), draft.change_back())
    draft.written(saved["version"], saved["at"])


class Opened(TypedDict):
    id: str
    version: int
    at: str


async def _remove(flow: Flow, opened: Opened) -> None:
    await flow.modules.cart.delete("cart", [opened["id"]])


@step(undo=_remove)
async def insert_cart(flow: Flow, id: str, change: CartChange) -> Opened:
    written = await flow.modules.cart.open(id, change)
    return {"id": id, "version": written["version"], "at": written["at"]}


async def open_cart(flow: Flow, draft: Draft) -> None:
    """Create the cart that the draft is of."""
    opened = await flow.run(insert_cart, draft.id, draft.change())
    draft.written(opened["version"], opened["at"])


def find_item(draft: Draft, item_id: str) -> Row:
    """Raises NotFound for a line that isn't in this cart."""
    for item in draft.items:
        if item["id"] == item_id:
            return item
    raise NotFound(f"Line item with id: {item_id} was not found")
