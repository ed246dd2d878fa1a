"""Subscribers: what is done after an event, once the workflow that emitted it has gone well."""

from __future__ import annotations

from collections import Counter

from velella.workflows.kit import Event, Flow, subscriber

from .module.service import ThingService


@subscriber("order.placed")
async def count_sales(flow: Flow, event: Event) -> None:
    """Comes at least once for every order. Writes are recorded under the event's id, so each order counts once."""
    order = await flow.graph.one("order", event.data["id"], ("items.product_id", "items.quantity"))
    quantities: Counter[str] = Counter()
    for item in order["items"]:
        if item["product_id"] is not None:
            quantities[item["product_id"]] += int(item["quantity"])
    await flow.modules.of(ThingService).count_sales(quantities)
