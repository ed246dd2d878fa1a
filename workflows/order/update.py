"""Changing what an order says about its buyer."""

from __future__ import annotations

from typing import Any, TypedDict

from ...core.errors import InvalidData, NotAllowed
from ...core.flow import Flow, step, workflow
from ...modules.order.service import ADDRESSES

Row = dict[str, Any]


class Amended(TypedDict):
    id: str
    before: Row


async def _put_back(flow: Flow, amended: Amended) -> None:
    await flow.modules.order.put_back(amended["id"], amended["before"])


@step(undo=_put_back)
async def amend_order(flow: Flow, id: str, changes: Row) -> Amended:
    return {"id": id, "before": await flow.modules.order.amend(id, changes)}


@step
async def guest_of(flow: Flow, email: str) -> str:
    """The guest with that email, who is made where there is none."""
    return str((await flow.modules.customer.guest(email))["id"])


@workflow("update-order-workflow")
async def update_order(flow: Flow, id: str, changes: Row) -> None:
    """Change `email`, addresses, `locale` and `metadata` of an order. Another email makes another guest the buyer, unless the buyer has an
    account.

    Raises NotFound; NotAllowed for a cancelled order; InvalidData for another country, which would be other taxes.
    """
    fields = ("status", "email", "customer.has_account", *(f"{name}.country_code" for name in ADDRESSES))
    order = await flow.graph.one("order", id, fields)
    if order["status"] == "canceled":
        raise NotAllowed("A canceled order can't be changed")
    for name in ADDRESSES:
        country = (order[name] or {}).get("country_code")
        if (changes.get(name) or {}).get("country_code", country) != country and country is not None:
            raise InvalidData(f"The country of the {name.replace('_', ' ')} can't be changed")
    if changes.get("email") not in (None, order["email"]) and not (order["customer"] or {}).get("has_account"):
        changes = {**changes, "customer_id": await flow.run(guest_of, changes["email"])}
    await flow.run(amend_order, id, changes)
    flow.emit("order.updated", id=id)
