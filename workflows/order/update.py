"""Changing what an order says about its buyer."""

from __future__ import annotations

from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ...modules.order.service import Amendment

Row = dict[str, Any]


class Amended(TypedDict):
    id: str
    amendment: Amendment


async def _put_back(flow: Flow, amended: Amended) -> None:
    await flow.modules.order.put_back(amended["id"], amended["amendment"])


@step(undo=_put_back)
async def amend_order(flow: Flow, id: str, changes: Row, user_id: str | None) -> Amended:
    return {"id": id, "amendment": await flow.modules.order.amend(id, changes, by=user_id)}


@step
async def guest_of(flow: Flow, email: str) -> str:
    """The guest with that email, who is made where there is none."""
    return str((await flow.modules.customer.guest(email))["id"])


@workflow("update-order-workflow")
async def update_order(flow: Flow, id: str, changes: Row, user_id: str | None = None) -> None:
    """Change `email`, addresses, `locale` and `metadata` of an order, on behalf of a user. Another email makes another guest the buyer,
    unless the buyer has an account.

    Raises NotFound; NotAllowed for a cancelled order; InvalidData for another country, which would be other taxes.
    """
    order = await flow.graph.one("order", id, ("email", "customer.has_account"))
    if changes.get("email") not in (None, order["email"]) and not (order["customer"] or {}).get("has_account"):
        changes = {**changes, "customer_id": await flow.run(guest_of, changes["email"])}
    await flow.run(amend_order, id, changes, user_id)
    flow.emit("order.updated", id=id)
