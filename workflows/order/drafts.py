"""Draft orders: made by merchants, priced as carts are, edited until they are right, and then made orders.

Of a draft nothing is reserved and nothing counted: that begins when it becomes an order. Its promotions are those that it is linked to
and those that apply by themselves; they are looked at again with everything that changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...commerce.priced import ADDRESSES
from ...commerce.reprice import reprice
from ...core.clock import iso
from ...core.errors import InvalidData, NotAllowed
from ...core.ids import new_id
from ...core.rows import Row
from ...modules.order.changes.applying import Prices
from ...modules.order.placing import placed
from ...modules.payment.types import CollectionColumns
from ..cart.checkout import buyer_of, uses_of
from ..cart.complete import link_promotions, place_order, register_usage
from ..cart.context import CartContext, check_country, load_context
from ..cart.create import find_customer, find_region, find_sales_channel, normal_email, saved_addresses
from ..cart.order_of import order_of
from ..cart.pricing import CartMarket
from ..cart.sellables import by_hand, whole
from ..cart.working import WorkingCart
from ..kit import Flow, step, workflow
from ..rows import written
from .adjusting import entered_in, prices_of, working
from .changes import lock_of
from .difference import UNPAID, settle_difference
from .draft_edits import DraftMarket
from .reserving import plan_all, reserve_all
from .update import amend_order


@workflow("create-orders", hooks=("setPricingContext", "orderCreated"))
async def create_draft_order(flow: Flow, given: Row, additional_data: Row | None = None) -> str:
    """Make a draft order: for a customer or an email, in a region, with lines of variants and by hand, ways of sending and codes. Returns
    its id.

    Raises NotFound where there is no such region, customer or channel; InvalidData for what can't be sold here or has no price, and for
    codes that aren't known; InsufficientInventory.
    """
    if not given.get("email") and not given.get("customer_id"):
        raise InvalidData("Either email or customer_id must be provided")
    email = normal_email(given.get("email"))
    region = await find_region(flow, given["region_id"], None)
    channel = await find_sales_channel(flow, given.get("sales_channel_id"))
    addresses = {kind: given.get(f"{kind}_address") for kind in ADDRESSES}
    saved = await saved_addresses(flow, given.get("customer_id"), [each for each in addresses.values() if isinstance(each, str)])
    customer = await find_customer(flow, given.get("customer_id"), email)
    cart_context = CartContext(region, customer)
    draft = WorkingCart.new(
        {
            "region_id": region["id"],
            "customer_id": customer["id"] if customer is not None else None,
            "sales_channel_id": channel["id"] if channel is not None else None,
            "email": email or (customer["email"] if customer is not None else None),
            "currency_code": (given.get("currency_code") or region["currency_code"]).lower(),
            **{name: given.get(name) for name in ("locale", "metadata")},
        }
    )
    for kind, address in addresses.items():
        if address is not None:
            known = saved[address] if isinstance(address, str) else address
            draft.put_address(kind, check_country(known, cart_context, strict=False))
    titles = _put_lines(draft, given)
    market = CartMarket(flow, draft, cart_context, additional_data=additional_data, codes=given.get("promo_codes") or ())
    await reprice(market, lines_of={line["variant_id"] for line in draft.items if line["variant_id"]}, shipping=False)
    for line in draft.items:
        if line["id"] in titles:
            draft.put_item({**line, "title": titles[line["id"]]})
    about = {"status": "draft", "is_draft_order": True, "no_notification": bool(given.get("no_notification_order"))}
    order = placed(order_of(draft.document(flow.now())) | about, iso(flow.now()))
    promotions = sorted(draft.entered | draft.promotion_ids())
    if promotions:
        flow.durably()
        await flow.run(link_promotions, order["id"], [{"promotion_id": id, "code": None, "amount": Decimal(0)} for id in promotions])
    await flow.run(place_order, order)
    await flow.hooks.orderCreated(order=order)
    return str(order["id"])


def _put_lines(draft: WorkingCart, given: Row) -> dict[str, str]:
    """Returns what lines of variants are called, by their ids, where the merchant says so."""
    titles: dict[str, str] = {}
    for item in given.get("items") or ():
        if not item.get("variant_id") and not item.get("title"):
            raise InvalidData("Items must have either a variant_id or a title")
        if whole(item["quantity"]) <= 0:
            raise InvalidData("Item quantity must be greater than 0")
        line: Any = {"id": new_id("cali"), "quantity": whole(item["quantity"]), "metadata": item.get("metadata") or {}}
        if item.get("variant_id"):
            custom = item.get("unit_price") is not None
            if custom:
                line |= {"unit_price": item["unit_price"], "compare_at_unit_price": None, "is_tax_inclusive": False}
            draft.put_item(line | {"variant_id": item["variant_id"], "is_custom_price": custom})
            if item.get("title"):
                titles[line["id"]] = item["title"]
        else:
            custom_line: Any = by_hand({"variant_sku": item.get("sku"), "variant_barcode": item.get("barcode"), **item})
            custom_line |= line
            draft.put_item(custom_line)
    for method in given.get("shipping_methods") or ():
        said: Any = {name: method.get(name) for name in ("name", "shipping_option_id", "amount", "data")}
        draft.put_shipping_method(said | {"id": new_id("casm"), "is_tax_inclusive": False, "is_custom_amount": True})
    return titles


# -- changed


@step(pivot=True)
async def price_draft(flow: Flow, order_id: str, revision: int, prices: Prices) -> bool:
    """Give a draft its taxes and discounts. Returns False if it has another revision by now. They are of what it says by then, so that
    isn't taken back any more."""
    return await flow.modules.order.price(order_id, revision, prices)


@workflow("update-draft-order", durable=True, emits=("order.updated",))
async def update_draft_order(flow: Flow, id: str, changes: Row, user_id: str | None = None) -> str:
    """Change `email`, `customer_id`, `sales_channel_id`, `locale`, `metadata` and addresses of a draft, and price it anew. Returns its id.

    Raises NotFound; InvalidData where it is no draft.
    """
    async with flow.lock(lock_of(id)):
        if changes.get("customer_id"):
            await find_customer(flow, changes["customer_id"], None)
        await find_sales_channel(flow, changes.get("sales_channel_id"))
        await flow.run(amend_order, id, changes, user_id, True)
        if changes.keys() & {"shipping_address", "billing_address", "customer_id", "sales_channel_id", "email"}:
            await _reprice(flow, id)
    flow.emit("order.updated", id=id)
    return id


async def _reprice(flow: Flow, id: str) -> None:
    """Compute and write the taxes and discounts of a draft. Raises InvalidData if it is no draft any more."""
    while True:
        order = await flow.modules.order.load(id)
        document = working(order)
        cart_context = await load_context(flow, order["region_id"], order["customer_id"])
        document.entered = await entered_in(flow, id, ())
        await reprice(DraftMarket(flow, document, cart_context), shipping=False)
        if await flow.run(price_draft, id, order["revision"], prices_of(order, document)):
            await flow.run(settle_difference, id, False)
            return


discard_draft = written("discard-draft-order", lambda modules: modules.order.discard_draft)


@step
async def unlink_promotions(flow: Flow, order_id: str, links: Sequence[Mapping[str, Any]]) -> None:
    await flow.modules.link.detach("order_promotion", [{"order_id": order_id, "promotion_id": link["promotion_id"]} for link in links])


@step
async def drop_collections(flow: Flow, order_id: str) -> None:
    """Have nobody pay for a draft any more. Raises NotAllowed where something was paid for it."""
    of = {"order_id": order_id, "status": {"$ne": "canceled"}}
    collections: list[CollectionColumns] = await flow.modules.payment.list("payment_collection", of, fields=("id", "status"))
    if any(collection["status"] not in UNPAID for collection in collections):
        raise NotAllowed(f"Something was paid for draft order {order_id}: it can't be deleted")
    for collection in collections:
        await flow.modules.payment.delete_collection(collection["id"], begun=True)


@workflow("delete-draft-order", durable=True)
async def delete_draft_order(flow: Flow, id: str) -> str:
    """Delete a draft, with what it asks to be paid. Returns its id.

    Raises NotFound; InvalidData where it is no draft; NotAllowed where something was paid for it.
    """
    async with flow.lock(lock_of(id)):
        await flow.run(discard_draft, id)
        await flow.run(drop_collections, id)
        links = await flow.modules.link.linked("order_promotion", "order_id", [id])
        await flow.run(unlink_promotions, id, links)
    return id


# -- made an order


@step(pivot=True)
async def convert_draft(flow: Flow, order_id: str, revision: int) -> None:
    """Turn a draft into an order: the pivot."""
    await flow.modules.order.convert(order_id, revision)


@workflow("convert-draft-order", durable=True, emits=("reservation-item.created", "order.placed"))
async def convert_draft_order(flow: Flow, id: str) -> str:
    """Turn a draft into an order: its items are reserved and its promotions counted first. Returns its id.

    Raises NotFound; InvalidData where it is no draft or is being edited; InsufficientInventory; NotAllowed where a promotion has been used
    up by others.
    """
    async with flow.lock(lock_of(id)):
        order = await flow.modules.order.load(id)
        if not order["is_draft_order"]:
            raise InvalidData(f"Order {id} is not a draft order")
        moves = await flow.run(plan_all, order)
        reserved = await reserve_all(flow, moves["more"], moves["location_ids"])
        uses = uses_of(order)
        if uses:
            await flow.run(register_usage, id, uses, buyer_of(order))
        await flow.run(convert_draft, id, order["revision"])
        await flow.run(settle_difference, id, False)
    for made in reserved:
        flow.emit("reservation-item.created", id=made["id"], order_id=id)
    flow.emit("order.placed", id=id)
    return id
