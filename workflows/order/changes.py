"""Steps that change an order by actions (`modules.order.changes`)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NotRequired, TypedDict

from ...commerce.types import Order
from ...core.errors import InvalidData
from ...modules.order.after_sales import OPEN
from ...modules.order.types import Act
from ..kit import Flow, step


class Registered(TypedDict):
    order_id: str
    change_id: str | None
    acts: list[Act]
    order: NotRequired[Order | None]
    """The order as it is then, where that is in hand."""


def lock_of(order_id: str) -> str:
    """The name of the lock under which an order is changed."""
    return f"order:{order_id}"


async def check_unchanged(flow: Flow, order_id: str) -> None:
    """Raises InvalidData while a change of an order is open."""
    if await flow.modules.order.list("order_change", {"order_id": order_id, "status": list(OPEN)}, fields=("id",), limit=1):
        raise InvalidData(f"Order ({order_id}) already has an existing active order change")


async def _unregister(flow: Flow, done: Registered) -> None:
    if done["change_id"] is not None:
        await flow.modules.order.unregister(done["order_id"], done["change_id"], done["acts"])


@step(undo=_unregister)
async def register(flow: Flow, order_id: str, acts: Sequence[Act]) -> Registered:
    """Apply actions that count units of an order's lines: its next version. Raises InvalidData if the order doesn't allow them."""
    change_id, order = await flow.modules.order.register(order_id, acts) if acts else (None, None)
    return {"order_id": order_id, "change_id": change_id, "acts": list(acts), "order": order}


def counting(action: str, fulfillment_id: str, quantities: Sequence[tuple[str, Decimal]]) -> list[Act]:
    """Actions on these units of lines, for a fulfillment."""
    return [
        Act(
            action=action,
            reference="fulfillment",
            reference_id=fulfillment_id,
            details={"reference_id": line, "quantity": quantity},
        )
        for line, quantity in quantities
    ]
