"""Lines of a cart: adding, changing, removing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...core.budget import LINES, LINES_METADATA
from ...core.errors import InvalidData
from ...core.flow import Flow, workflow
from ...core.ids import new_id
from ...core.json import dumps
from ...core.sql.merging import merged
from .discounts import save_all, update_cart_promotions
from .draft import Draft
from .goods import Goods, confirm_stock, described, load_goods, load_prices, priced
from .saving import Changed, changed_cart, find_item, load_open, lock_of
from .shipping import refresh_shipping
from .surroundings import Surroundings, load_surroundings
from .taxes import update_tax_lines

Row = dict[str, Any]

MOST = 2**31 - 1
"""Of anything in one line."""


@workflow("add-to-cart", hooks=("validate", "setPricingContext"), emits=("cart.updated",))
async def add_to_cart(
    flow: Flow, cart_id: str, items: Sequence[Mapping[str, Any]], additional_data: Mapping[str, Any] | None = None
) -> Changed:
    """Add variants to a cart: `variant_id`, `quantity`, `metadata`, and where the caller sets the price, `unit_price`.

    The cart as it is then. A variant that is in the cart with the same metadata already is added to its line, at today's price for all.

    Raises NotFound; InvalidData where the cart is completed or a variant can't be bought here; InsufficientInventory.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = Draft(await load_open(flow, cart_id))
        await flow.hooks.validate(draft, additional_data)
        goods = await load_goods(flow, [item["variant_id"] for item in items], draft["sales_channel_id"])
        surroundings = await load_surroundings(flow, draft["region_id"], draft["customer_id"])
        await put_lines(flow, draft, goods, surroundings, items, additional_data)
        changed = await refresh_and_save(flow, draft, surroundings)
    flow.emit("cart.updated", id=cart_id)
    return changed


async def put_lines(
    flow: Flow,
    draft: Draft,
    goods: Goods,
    surroundings: Surroundings,
    items: Sequence[Mapping[str, Any]],
    additional_data: Mapping[str, Any] | None,
) -> None:
    """Put variants into a draft, with prices and with stock confirmed. Raises InvalidData where they are too many lines."""
    for line in map(_new_line, items):
        known = next((other for other in draft.items if _same(other, line)), None)
        draft.put_item(line if known is None else {**known, "quantity": whole(known["quantity"] + line["quantity"])})
        if len(draft.items) > LINES:
            raise InvalidData(f"A cart may have {LINES} lines.")
    await price_lines(flow, draft, goods, surroundings, {item["variant_id"] for item in items}, additional_data)


async def price_lines(
    flow: Flow,
    draft: Draft,
    goods: Goods,
    surroundings: Surroundings,
    variant_ids: Collection[str],
    additional_data: Mapping[str, Any] | None,
) -> None:
    """Bring all lines of these variants up to date: what they are of, and today's price for the quantity they ask for together.

    Raises InvalidData where the lines hold more metadata than they may.
    """
    if sum(len(dumps(line["metadata"])) for line in draft.items if line["metadata"]) > LINES_METADATA:
        raise InvalidData(f"The lines of a cart may have {LINES_METADATA} bytes of metadata.")
    lines = [line for line in draft.items if line["variant_id"] in variant_ids]
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line["variant_id"]] = whole(quantities.get(line["variant_id"], 0) + line["quantity"])
    confirm_stock(goods, quantities, draft["sales_channel_id"])
    to_price = {line["variant_id"]: quantities[line["variant_id"]] for line in lines if not line["is_custom_price"]}
    prices: Mapping[str, Row] = {}
    if to_price:
        prices = await load_prices(flow, goods, to_price, await pricing_context(flow, draft, surroundings, additional_data))
    for line in lines:
        price = {} if line["is_custom_price"] else priced(prices[line["variant_id"]])
        draft.put_item({**line, **described(goods[line["variant_id"]]), **price})


@workflow("update-line-item-in-cart", hooks=("validate", "setPricingContext"), emits=("cart.updated",))
async def update_line_item(
    flow: Flow, cart_id: str, item_id: str, update: Mapping[str, Any], additional_data: Mapping[str, Any] | None = None
) -> Changed:
    """Change the quantity (0 removes the line) or the metadata of a line. Its price is found anew for the quantity. The cart as it is then.

    Raises what `add_to_cart` raises, and NotFound for a line that isn't in the cart.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = Draft(await load_open(flow, cart_id))
        line = find_item(draft, item_id)
        await flow.hooks.validate(draft, additional_data)
        quantity = whole(update.get("quantity", line["quantity"]))
        surroundings = await load_surroundings(flow, draft["region_id"], draft["customer_id"])
        if quantity == 0:
            draft.drop_item(item_id)
        else:
            metadata = merged(line["metadata"], update["metadata"]) if "metadata" in update else line["metadata"]
            draft.put_item({**line, "quantity": quantity, "metadata": metadata})
            variants = [line["variant_id"]] if line["variant_id"] is not None else []
            goods = await load_goods(flow, variants, draft["sales_channel_id"])
            await price_lines(flow, draft, goods, surroundings, variants, additional_data)
        changed = await refresh_and_save(flow, draft, surroundings)
    flow.emit("cart.updated", id=cart_id)
    return changed


@workflow("delete-line-items", emits=("cart.updated",))
async def delete_line_items(flow: Flow, cart_id: str, ids: Sequence[str]) -> None:
    """Remove lines. Ids that aren't in the cart are passed over."""
    async with flow.lock(lock_of(cart_id)):
        draft = Draft(await load_open(flow, cart_id))
        there = {item["id"] for item in draft.items}
        gone = [id for id in dict.fromkeys(ids) if id in there]
        if gone:
            for id in gone:
                draft.drop_item(id)
            surroundings = await load_surroundings(flow, draft["region_id"], draft["customer_id"])
            await refresh_and_save(flow, draft, surroundings)
    flow.emit("cart.updated", id=cart_id)


# -- shared


async def refresh_and_save(flow: Flow, draft: Draft, surroundings: Surroundings, promo_codes: Sequence[str] | None = None) -> Changed:
    """Bring what depends on the lines up to date (taxes, discounts, shipping prices, the amount to pay), and write the cart.

    `promo_codes`, where given, take the place of those that the cart has.
    """
    loaded = draft, surroundings
    await flow.run(update_tax_lines, draft.id, loaded=loaded)
    replacing = promo_codes is not None
    await flow.run(update_cart_promotions, draft.id, promo_codes or (), "replace" if replacing else "add", loaded=loaded)
    if await refresh_shipping(flow, draft, surroundings):
        await flow.run(update_tax_lines, draft.id, loaded=loaded)
        await flow.run(update_cart_promotions, draft.id, loaded=loaded)
    await save_all(flow, draft)
    return changed_cart(draft, surroundings)


async def pricing_context(
    flow: Flow, draft: Draft, surroundings: Surroundings, additional_data: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """What price rules can be about, with what the application's hooks add to it."""
    context = surroundings.pricing(draft)
    for added in await flow.hooks.setPricingContext(draft, additional_data):
        context |= added or {}
    return context


def _new_line(item: Mapping[str, Any]) -> Row:
    custom = item.get("unit_price") is not None
    line: Row = {
        "id": new_id("cali"),
        "variant_id": item["variant_id"],
        "quantity": whole(item["quantity"]),
        "metadata": item.get("metadata") or {},
        "is_custom_price": custom,
    }
    if custom:
        line |= {name: item.get(name) for name in ("unit_price", "compare_at_unit_price", "is_tax_inclusive")}
    return line


def _same(line: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether what is added belongs to a line: the same variant with the same metadata, and nobody has set a price of their own."""
    return (
        line["variant_id"] == new["variant_id"]
        and not line["is_custom_price"]
        and not new["is_custom_price"]
        and (line["metadata"] or None) == (new["metadata"] or None)
    )


def whole(quantity: Any) -> int:
    """Raises InvalidData for a quantity that a line can't hold."""
    if quantity != int(quantity):
        raise InvalidData(f"The quantity of a line has to be a whole number, not {quantity}")
    if not 0 <= quantity <= MOST:
        raise InvalidData(f"The quantity of a line has to be between 0 and {MOST}")
    return int(quantity)
