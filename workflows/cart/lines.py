"""Lines of a cart: adding, changing, removing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...commerce.reprice import reprice
from ...commerce.types import Line, NewLine
from ...core.budget import LINES, LINES_METADATA
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.json import dumps
from ...core.sql.write.merging import merged
from ..kit import Flow, workflow
from .context import load_context
from .discounts import save_all
from .pricing import CartMarket, Needed
from .saving import ChangedCart, changed_cart, find_item, load_open, lock_of
from .sellables import whole
from .working import WorkingCart


@workflow("add-to-cart", hooks=("validate", "setPricingContext"), emits=("cart.updated",))
async def add_to_cart(
    flow: Flow, cart_id: str, items: Sequence[Mapping[str, Any]], additional_data: Mapping[str, Any] | None = None
) -> ChangedCart:
    """Add variants to a cart: `variant_id`, `quantity`, `metadata`, and `unit_price` if the caller sets the price.

    Returns the cart after the change. A variant that is in the cart with the same metadata is added to its line, at today's price for all.

    Raises NotFound; InvalidData where the cart is completed or a variant can't be bought here; InsufficientInventory.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        await flow.hooks.validate(cart=lambda: draft.document(flow.now()))
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        put_lines(draft, items)
        market = CartMarket(flow, draft, cart_context, additional_data=additional_data)
        await reprice(market, lines_of={item["variant_id"] for item in items})
        await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)
    return changed_cart(draft, cart_context)


def put_lines(draft: WorkingCart, items: Sequence[Mapping[str, Any]]) -> None:
    """Put variants into a working cart, not priced yet. Raises InvalidData for too many lines."""
    for line in map(_new_line, items):
        known = next((other for other in draft.items if _same(other, line)), None)
        if known is None:
            draft.put_item(line)
        else:
            draft.put_item({**known, "quantity": whole(known["quantity"] + line["quantity"])})
        if len(draft.items) > LINES:
            break
    _check_size(draft)


def _check_size(draft: WorkingCart) -> None:
    """Raises InvalidData for a cart with more lines than allowed, or with more metadata in them."""
    if len(draft.items) > LINES:
        raise InvalidData(f"A cart may have {LINES} lines.")
    if sum(len(dumps(line["metadata"])) for line in draft.items if line["metadata"]) > LINES_METADATA:
        raise InvalidData(f"The lines of a cart may have {LINES_METADATA} bytes of metadata.")


@workflow("update-line-item-in-cart", hooks=("validate", "setPricingContext"), emits=("cart.updated",))
async def update_line_item(
    flow: Flow, cart_id: str, item_id: str, update: Mapping[str, Any], additional_data: Mapping[str, Any] | None = None
) -> ChangedCart:
    """Change the quantity (0 removes the line) or the metadata of a line. Its price is found again for the quantity. Returns the cart after
    the change.

    Raises what `add_to_cart` raises, and NotFound for a line that isn't in the cart.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        line = find_item(draft, item_id)
        await flow.hooks.validate(cart=lambda: draft.document(flow.now()))
        quantity = whole(update.get("quantity", line["quantity"]))
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        variants: set[str] = set()
        needed: Needed = "stock"
        if quantity == 0:
            draft.drop_item(item_id)
            variants, needed = _still_there(draft, [line]), "nothing"
        else:
            metadata = merged(line["metadata"], update["metadata"]) if "metadata" in update else line["metadata"]
            draft.put_item({**line, "quantity": quantity, "metadata": metadata})
            _check_size(draft)
            if line["variant_id"] is not None:
                variants.add(line["variant_id"])
        market = CartMarket(flow, draft, cart_context, additional_data=additional_data, needed=needed)
        await reprice(market, lines_of=variants)
        await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)
    return changed_cart(draft, cart_context)


@workflow("delete-line-items", hooks=("setPricingContext",), emits=("cart.updated",))
async def delete_line_items(flow: Flow, cart_id: str, ids: Sequence[str]) -> None:
    """Remove lines. Other lines of their variants get the price of the quantity that is left. Unknown ids are ignored."""
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        gone = [item for item in draft.items if item["id"] in ids]
        if gone:
            for item in gone:
                draft.drop_item(item["id"])
            cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
            await reprice(CartMarket(flow, draft, cart_context, needed="nothing"), lines_of=_still_there(draft, gone))
            await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)


def _still_there(draft: WorkingCart, gone: Sequence[Line]) -> set[str]:
    """The variants of removed lines of which the cart has other lines: their price depends on how many there are together."""
    return {id for line in gone if (id := line["variant_id"]) is not None} & {line["variant_id"] for line in draft.items}


def _new_line(item: Mapping[str, Any]) -> NewLine:
    custom = item.get("unit_price") is not None
    line: NewLine = {
        "id": new_id("cali"),
        "variant_id": item["variant_id"],
        "quantity": whole(item["quantity"]),
        "metadata": item.get("metadata") or {},
        "is_custom_price": custom,
    }
    if custom:
        line["unit_price"] = item["unit_price"]
        line["compare_at_unit_price"] = item.get("compare_at_unit_price")
        line["is_tax_inclusive"] = bool(item.get("is_tax_inclusive"))
    return line


def _same(line: Line, new: NewLine) -> bool:
    """Whether an added item belongs to a line: the same variant with the same metadata, and neither price was set by hand."""
    return (
        line["variant_id"] == new["variant_id"]
        and not line["is_custom_price"]
        and not new["is_custom_price"]
        and (line["metadata"] or None) == (new["metadata"] or None)
    )
