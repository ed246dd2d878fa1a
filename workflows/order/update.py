"""Updates of an order's email, addresses, locale and metadata."""

from __future__ import annotations

from typing import TypedDict

from ...core.rows import Row
from ...modules.order.changing import Amendment
from ..cart.wording import Wording, worded
from ..kit import Flow, step, workflow


class Amended(TypedDict):
    id: str
    amendment: Amendment


async def _put_back(flow: Flow, amended: Amended) -> None:
    await flow.modules.order.put_back(amended["id"], amended["amendment"])


@step(undo=_put_back)
async def amend_order(flow: Flow, id: str, changes: Row, user_id: str | None, draft: bool = False) -> Amended:
    """Change an order's fields. Another locale changes what its lines, shipping methods and taxes are called."""
    said: Wording = {}
    if changes.get("locale") and flow.settings.translation:
        order = await flow.modules.order.load(id)
        if order["locale"] != changes["locale"]:
            said = await worded(flow, order["items"], order["shipping_methods"], changes["locale"])
    return {"id": id, "amendment": await flow.modules.order.amend(id, changes, by=user_id, draft=draft, said=said)}


@workflow("update-order-workflow", emits=("order.updated",))
async def update_order(flow: Flow, id: str, changes: Row, user_id: str | None = None) -> None:
    """Change `email`, addresses, `locale` and `metadata` of an order, for a user. It stays the same customer's, whatever the email.

    Raises NotFound; NotAllowed for a cancelled order; InvalidData for another country, which would be other taxes.
    """
    await flow.run(amend_order, id, changes, user_id)
    flow.emit("order.updated", id=id)
