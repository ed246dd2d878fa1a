"""How orders end: cancelled, completed, archived."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...commerce.types import Order
from ...core.errors import NotAllowed, Unavailable, VelellaError
from ...core.rows import Row
from ...core.waiting import all_of
from ...modules.payment.types import Payment
from ..kit import Flow, step, workflow
from ..payment.payments import add_to_order
from .changes import check_unchanged, lock_of


@workflow("cancel-order", durable=True, hooks=("orderCanceled",), emits=("order.canceled", "reservation-item.deleted"))
async def cancel_order(flow: Flow, order_id: str, canceled_by: str | None = None, no_notification: bool | None = None) -> str:
    """Cancel an order: its reservations end, held money is released, and captured money is refunded. Returns its id.

    The pivot is the money. Raises NotFound; InvalidData where it is cancelled already, and while it is being changed;
    NotAllowed where it is completed, and while some of it is in a fulfillment that isn't cancelled.
    """
    async with flow.lock(lock_of(order_id)):
        payments = await flow.run(check_unsent, order_id)
        closed = await flow.run(close_order, order_id)
        released = await flow.run(release_goods, order_id, closed.get("lines"))
        settled = await flow.run(give_back, payments, canceled_by)
        for payment in settled:
            await flow.run(add_to_order, payment)
        if late := await flow.run(close_collections, order_id, payments):
            for payment in await flow.run(give_back_late, late, canceled_by):
                await flow.run(add_to_order, payment)
            await flow.run(close_collections, order_id, [*payments, *late])  # giving back says anew how they stand
        await flow.hooks.orderCanceled(order=lambda: flow.modules.order.load(order_id))
    flow.emit("order.canceled", id=order_id)
    for reservation in released:
        flow.emit("reservation-item.deleted", id=reservation, order_id=order_id)
    return order_id


@step(reads=True)
async def check_unsent(flow: Flow, order_id: str) -> list[str]:
    """Payments of the order. Raises NotAllowed where one of its fulfillments isn't cancelled; InvalidData while a change of it is
    open: nobody could confirm that any more."""
    fields = ("fulfillments.canceled_at", "payment_collections.payments.id")
    [order] = await flow.graph.expand("order", [{"id": order_id}], fields)
    if any(one["canceled_at"] is None for one in order["fulfillments"]):
        raise NotAllowed("All fulfillments must be canceled before canceling an order")
    await check_unchanged(flow, order_id)
    return sorted(payment["id"] for collection in order["payment_collections"] for payment in collection["payments"])


async def _reopen(flow: Flow, closed: Row) -> None:
    await flow.modules.order.reopen(closed["id"], closed["status"])


@step(undo=_reopen)
async def close_order(flow: Flow, order_id: str) -> Row:
    """Returns the status before, and the ids of the order's `lines` where they are in hand."""
    status, order = await flow.modules.order.cancel(order_id)
    return {"id": order_id, "status": status, "lines": _lines(order) if order is not None else None}


def _lines(order: Order) -> list[str]:
    return [line["id"] for line in order["items"]]


async def _hold_again(flow: Flow, ids: Sequence[str]) -> None:
    await flow.modules.inventory.restore_reservations(ids)


@step(undo=_hold_again)
async def release_goods(flow: Flow, order_id: str, lines: Sequence[str] | None = None) -> list[str]:
    """End the reservations of the lines of an order that is cancelled. Returns the reservations."""
    if lines is None:
        lines = _lines(await flow.modules.order.load(order_id))
    released = await flow.modules.inventory.release_reservations(line_item_ids=lines)
    return [row["id"] for row in released]


@step(pivot=True)
async def give_back(flow: Flow, payment_ids: Sequence[str], by: str | None) -> list[Payment]:
    """Refund what was captured of these payments, and cancel the others. Returns the payments as they are then.

    One that is refused while others are done already is asked again: the order is cancelled for good then.
    """
    return await _given_back(flow, payment_ids, by)


@step
async def give_back_late(flow: Flow, payment_ids: Sequence[str], by: str | None) -> list[Payment]:
    """`give_back` for payments that were made while the order was being cancelled."""
    return await _given_back(flow, payment_ids, by)


async def _given_back(flow: Flow, payment_ids: Sequence[str], by: str | None) -> list[Payment]:
    done: list[Payment] = []
    for id in payment_ids:
        payment: Payment = await flow.modules.payment.retrieve("payment", id, fields=_MONEY)
        captured = sum((row["amount"] for row in payment["captures"]), Decimal(0))
        refunded = sum((row["amount"] for row in payment["refunds"]), Decimal(0))
        try:
            if captured > refunded:
                payment = await flow.modules.payment.refund_payment(id, created_by=by, key=f"{flow.idempotency_key}:{id}")
            elif not captured and payment["canceled_at"] is None:
                payment = await flow.modules.payment.cancel_payment(id)
        except VelellaError as error:
            if done and error.status < 500:
                raise Unavailable(f"Payment {id} isn't given back yet: {error}") from error
            raise
        done.append(payment)
    return done


_MONEY = ("*", "captures.*", "refunds.*")


@step
async def close_collections(flow: Flow, order_id: str, known: Sequence[str]) -> list[str]:
    """Have nobody pay for the order any more. Returns the payments that were made in it beside the known ones."""
    return sorted({*await flow.modules.payment.close_collections_of(order_id)} - {*known})


# -- done


@step
async def mark(flow: Flow, order_id: str, status: str, but: Sequence[str]) -> None:
    await flow.modules.order.set_status(order_id, status, but=but)


@workflow("complete-order-workflow", hooks=("ordersCompleted",), emits=("order.completed",))
async def complete_order(flow: Flow, order_id: str, additional_data: Row | None = None) -> str:
    """Complete an order or a draft. Returns its id. Raises NotFound; InvalidData for a cancelled one."""
    await flow.run(mark, order_id, "completed", ("canceled",))
    await flow.hooks.ordersCompleted(orders=lambda: all_of(flow.modules.order.load(order_id)))
    flow.emit("order.completed", id=order_id)
    return order_id


@workflow("archive-order-workflow", emits=("order.archived",))
async def archive_order(flow: Flow, order_id: str) -> str:
    """Archive an order that is completed or cancelled, or a draft. Returns its id. Raises NotFound; InvalidData for others."""
    await flow.run(mark, order_id, "archived", ("pending", "requires_action", "archived"))
    flow.emit("order.archived", id=order_id)
    return order_id
