"""Writes of one statement, as durable steps send them: the statement records itself, and who sends it again gets its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from velella.core.clock import iso, utc_now
from velella.core.flow.keeping import keep
from velella.core.ids import new_id
from velella.core.message import CallContext, call_context
from velella.modules.order.placing import placed

from ..modules.test_order import order
from .conftest import Shop


async def sent(call: Callable[[], Awaitable[Any]], scope: str, *, fresh: bool) -> Any:
    """The answer of the writes of a step: under the same scope they have the same message ids."""

    async def run() -> Any:
        call_context.set(CallContext().scoped(scope, fresh=fresh))
        return await call()

    return await asyncio.create_task(run())


async def test_what_a_step_has_written_is_answered_again_and_not_done_again(shop: Shop) -> None:
    steps = 0

    async def repeated(call: Callable[[], Awaitable[Any]], meanwhile: Callable[[], Awaitable[Any]] | None = None) -> Any:
        nonlocal steps
        steps += 1
        scope = f"wfex_1:step{steps}"
        first = await sent(call, scope, fresh=True)
        if meanwhile is not None:
            await meanwhile()
        for fresh in (True, False):  # by who doesn't know that it was done, and by who isn't sure
            assert await sent(call, scope, fresh=fresh) == first
        return first

    modules = shop.modules
    row = placed({**order(), "customer_id": "cus_1"}, iso(utc_now()))
    await repeated(lambda: modules.order.place(row))
    change: Any = {"change_type": "transfer", "status": "requested"}
    act: Any = {"action": "TRANSFER_CUSTOMER", "reference": "customer", "reference_id": "cus_2", "details": {"token": "t"}}
    begun = await repeated(lambda: keep(modules.order.begin, row["id"], change, None, [act]))
    found = await modules.order.list("order_change", {"order_id": row["id"]}, fields=("id", "actions.reference_id"))
    assert [(one["id"], [each["reference_id"] for each in one["actions"]]) for one in found] == [(begun["answer"]["id"], ["cus_2"])]
    await modules.order.undo(begun["change"])
    assert await modules.order.list("order_change", {"order_id": row["id"]}) == []
    back: Any = {"return": {"id": new_id("return")}}
    kind: Any = {"change_type": "return_request", "return_id": back["return"]["id"]}
    begun = await repeated(lambda: keep(modules.order.begin, row["id"], kind, back))
    assert await modules.order.count("return") == 1
    of = {"order_id": row["id"], "status": "requested", "requested_by": "user_1"}
    asked = await sent(lambda: keep(modules.order.request, begun["answer"], by="user_1"), "wfex_1:asked", fresh=True)
    again = await sent(lambda: keep(modules.order.request, begun["answer"], by="user_1"), "wfex_1:asked", fresh=False)
    assert (asked["answer"]["revision"], again["answer"]["revision"], await modules.order.count("order_change", of)) == (2, 2, 1)
    await modules.order.undo(asked["change"])
    [now] = await modules.order.list("order_change", {"order_id": row["id"]}, fields=("status", "requested_by", "requested_at"))
    assert (now["status"], now["requested_by"], now["requested_at"]) == ("pending", None, None)

    pair = {"order_id": row["id"], "promotion_id": "promo_1"}
    linked = await repeated(lambda: keep(modules.link.attach_all, {"order_promotion": [pair]}))
    assert linked["answer"] == {"order_promotion": [pair]}
    assert await repeated(lambda: modules.link.detach("order_promotion", [pair])) == [pair]
    assert await repeated(lambda: modules.link.detach("order_promotion", [pair])) == []
    await modules.link.attach("order_promotion", [pair])
    gone = await repeated(
        lambda: keep(modules.link.detach_all, {"order_promotion": [pair]}), lambda: modules.link.attach("order_promotion", [pair])
    )
    assert len(await modules.link.linked("order_promotion", "order_id", [row["id"]])) == 1, "what was linked since stays"
    assert gone["answer"] == {"order_promotion": [pair]}

    (item,) = await modules.inventory.create_items([{"sku": "BOX"}])
    await modules.inventory.create_levels([{"inventory_item_id": item["id"], "location_id": "sloc_1", "stocked_quantity": 9}])
    for_line: Any = {"inventory_item_id": item["id"], "location_id": "sloc_1", "quantity": 2, "line_item_id": "ordli_1"}
    await modules.inventory.reserve([for_line])
    released = await repeated(
        lambda: modules.inventory.release_reservations(line_item_ids=["ordli_1"]), lambda: modules.inventory.reserve([for_line])
    )
    assert [(one["line_item_id"], one["quantity"]) for one in released] == [("ordli_1", Decimal(2))]
    levels = await modules.inventory.list("inventory_level", {"inventory_item_id": item["id"]}, fields=("reserved_quantity",))
    assert [level["reserved_quantity"] for level in levels] == [2]

    id = new_id("ful")
    parcel = {"id": id, "location_id": "sloc_1", "provider_id": None, "delivery_address": {"city": "Bremen"}}
    parcel["items"] = [{"title": "Box", "sku": "BOX", "barcode": "", "quantity": 1, "line_item_id": "ordli_1"}]
    recorded = await repeated(lambda: modules.fulfillment.record(parcel))
    fields = ("*", "items.*", "labels.*", "delivery_address.*")
    assert await modules.fulfillment.retrieve("fulfillment", id, fields=fields) == recorded
    assert await modules.fulfillment.count("fulfillment") == 1
    marks = ("shipped_at", "marked_shipped_by", "delivered_at")
    shipped = await repeated(lambda: keep(modules.fulfillment.ship, id, [], by="user_1"))
    delivered = await repeated(lambda: keep(modules.fulfillment.deliver, id))
    held = await modules.fulfillment.retrieve("fulfillment", id, fields=marks)
    assert held["marked_shipped_by"] == "user_1"
    assert None not in (held["shipped_at"], held["delivered_at"])
    for done in (delivered, shipped):
        await modules.fulfillment.undo(done["change"])
    held = await modules.fulfillment.retrieve("fulfillment", id, fields=marks)
    assert [held[name] for name in marks] == [None, None, None]

    (collection,) = await repeated(
        lambda: modules.payment.create_collections([{"amount": Decimal("9.99"), "currency_code": "eur", "order_id": row["id"]}])
    )
    there = await modules.payment.list("payment_collection", {"order_id": row["id"]}, fields=("id", "amount", "created_at"))
    assert there == [{name: collection[name] for name in ("id", "amount", "created_at")}]
