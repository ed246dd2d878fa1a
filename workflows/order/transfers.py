"""Transfers of orders to another customer: requested, and accepted with the token of the email that the owner gets.

The email's token is known to who can read the owner's mail, and to the shop. Until it is accepted the order stays whose it is.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Literal
from uuid import uuid4

from ...commerce.types import Order
from ...core.clock import iso
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...modules.order.after_sales import OPEN
from ...modules.order.changing import check_alive
from ...modules.order.open_change import NONE_OPEN
from ...modules.order.types import Act, ActDetails, Change, NewChange
from ..customer.customers import CUSTOMERS
from ..kit import Flow, step, workflow
from .changes import check_unchanged, lock_of
from .pending import begin_change, drop_change


@step(reads=True)
async def new_token(flow: Flow) -> str:
    return str(uuid4())


@workflow("request-order-transfer-workflow", durable=True, emits=("order.transfer_requested",))
async def request_transfer(
    flow: Flow,
    order_id: str,
    customer_id: str,
    requested_by: str,
    description: str | None = None,
    internal_note: str | None = None,
    update_order_email: bool = False,
) -> str:
    """Request an order's transfer to a customer with an account, from its present owner. Returns the order's id.

    Raises NotFound; InvalidData where it is that customer's already, cancelled, or being changed, and for a customer without an account.
    """
    order = await _owned(flow, order_id)
    found = await flow.modules.customer.list("customer", {"id": customer_id}, fields=("id", "email", "has_account"))
    if not found:
        raise NotFound(f"Customer with id: {customer_id} was not found")
    if order["customer_id"] == customer_id:
        raise InvalidData(f"Order: {order_id} already belongs to customer: {customer_id}")
    if not found[0]["has_account"]:
        raise InvalidData(f"Cannot transfer order: {order_id} to a guest customer account: {found[0]['email']}")
    details: ActDetails = {"token": await flow.run(new_token), "original_email": order["email"]}
    if update_order_email:
        details["new_email"] = found[0]["email"]
    change: NewChange = {
        "change_type": "transfer",
        "status": "requested",
        "created_by": requested_by,
        "requested_by": requested_by,
        "requested_at": iso(flow.now()),
        "description": description,
        "internal_note": internal_note,
    }
    begun = await flow.run(begin_change, order_id, change, None, [_to(customer_id, details)])
    flow.emit("order.transfer_requested", id=order_id, order_change_id=begun["answer"]["id"])
    return order_id


async def _owned(flow: Flow, order_id: str) -> Order:
    """What of an order says whose it is. Raises NotFound."""
    order: Order = await flow.modules.order.retrieve("order", order_id, fields=("id", "status", "customer_id", "email"))
    return order


def _to(customer_id: str, details: ActDetails) -> Act:
    return {"action": "TRANSFER_CUSTOMER", "reference": "customer", "reference_id": customer_id, "details": details}


async def _open(flow: Flow, order_id: str) -> Change | None:
    """The open transfer of an order. Raises NotFound."""
    of = {"order_id": order_id, "change_type": "transfer", "status": list(OPEN)}
    found: list[Change] = await flow.modules.order.list("order_change", of, fields=("*", "revision", "actions.*"), limit=1)
    if not found:
        await flow.modules.order.retrieve("order", order_id, fields=("id",))
        return None
    return found[0]


async def _with_token(flow: Flow, order_id: str, token: str) -> Change:
    """The open transfer that a token is of. Raises NotFound; InvalidData where none is open; NotAllowed for another token."""
    change = await _open(flow, order_id)
    if change is None:
        raise InvalidData(f"Order {order_id} does not have an order transfer request.")
    if not compare_digest(str(change["actions"][0]["details"].get("token")).encode(), token.encode()):
        raise NotAllowed("Invalid token.")
    return change


@step
async def confirm(flow: Flow, change: Change) -> None:
    await flow.modules.order.confirm(change)


@workflow("accept-order-transfer-workflow")
async def accept_transfer(flow: Flow, order_id: str, token: str) -> str:
    """Accept the transfer of an order: it belongs to the new customer in its next version. Returns its id. Raises NotFound; InvalidData
    where nobody has asked, or whose
    account is gone; NotAllowed for a token that isn't the email's."""
    change = await _with_token(flow, order_id, token)
    to = change["actions"][0]["reference_id"]
    if not await flow.modules.customer.list("customer", {"id": to}, fields=("id",), limit=1):
        raise InvalidData(f"The customer who asked for order {order_id} has no account any more")
    await flow.run(confirm, change)
    return order_id


@step
async def decline(flow: Flow, change_id: str) -> None:
    await flow.modules.order.decline(change_id)


@workflow("decline-transfer-order-request")
async def decline_transfer(flow: Flow, order_id: str, token: str) -> str:
    """Decline the transfer of an order. Returns its id. Raises what `accept_transfer` raises."""
    change = await _with_token(flow, order_id, token)
    await flow.run(decline, change["id"])
    return order_id


@workflow("cancel-transfer-order-request")
async def cancel_transfer(flow: Flow, order_id: str, canceled_by: str, actor_type: Literal["customer", "user"] = "user") -> str:
    """Cancel the requested transfer of an order: a user any transfer, a customer their own. Returns the order's id.

    Raises NotFound; InvalidData where nobody has asked; NotAllowed for a customer who hasn't.
    """
    change = await _open(flow, order_id)
    if change is None:
        raise InvalidData(NONE_OPEN)
    if actor_type == "customer" and change["requested_by"] != canceled_by:
        raise NotAllowed("This customer is not allowed to cancel the transfer.")
    await flow.run(drop_change, change["id"])
    return order_id


@step
async def hand_over(flow: Flow, order_id: str, acts: list[Act], change: NewChange) -> None:
    await flow.modules.order.register(order_id, acts, change)


@workflow("transfer-order-to-guest-workflow", durable=True)
async def transfer_to_guest(
    flow: Flow, order_id: str, email: str, user_id: str, description: str | None = None, internal_note: str | None = None
) -> str:
    """Transfer an order to a guest at once: to the one with this email, or to a new one. Returns its id.

    Raises NotFound; InvalidData where the order is cancelled, being changed, or that guest's already, and for the email of an account: who
    has one is asked for it with `request_transfer`.
    """
    async with flow.lock(lock_of(order_id)):
        order = await _owned(flow, order_id)
        check_alive(order)
        await check_unchanged(flow, order_id)
        there = await flow.modules.customer.list("customer", {"email": email.lower()}, fields=("id", "has_account"), limit=2)
        if any(one["has_account"] for one in there):
            raise InvalidData(f"Cannot transfer order: {order_id} to registered customer account: {email}. Only guests are allowed.")
        guest = there[0] if there else (await flow.run(CUSTOMERS.create, [{"email": email, "has_account": False}]))[0]
        if order["customer_id"] == guest["id"]:
            raise InvalidData(f"Order: {order_id} already belongs to customer: {guest['id']}")
        change: NewChange = {
            "change_type": "transfer",
            "created_by": user_id,
            "confirmed_by": user_id,
            "description": description,
            "internal_note": internal_note,
        }
        details: ActDetails = {"original_email": order["email"], "new_email": email.lower()}
        await flow.run(hand_over, order_id, [_to(guest["id"], details)], change)
    return order_id
