"""Subscribers: what is done after an event, once the workflow that emitted it has gone well."""

from __future__ import annotations

from collections import Counter

from velella.workflows.kit import Event, Flow, subscriber

from .module.service import Thing, ThingService


@subscriber("order.placed")
async def count_sales(flow: Flow, event: Event) -> None:
    """Comes at least once for every order. Writes are recorded under the event's id, so each order counts once."""
    order = await flow.graph.one("order", event.data["id"], ("items.product_id", "items.quantity"))
    quantities: Counter[str] = Counter()
    for item in order["items"]:
        if item["product_id"] is not None:
            quantities[item["product_id"]] += int(item["quantity"])
    await flow.modules.of(ThingService).count_sales(quantities)


@subscriber("product.product.updated")
async def delete_what_is_withdrawn(flow: Flow, event: Event) -> None:
    """An event of a module: whatever changed the row. Things of a product that isn't on sale any more go."""
    service = flow.modules.of(ThingService)
    product = await flow.graph.one("product", event.data["id"], ("status",), with_deleted=True)
    if product["status"] != "published":
        things: list[Thing] = await service.list("thing", {"product_id": event.data["id"]}, fields=("id",))
        await service.delete("thing", [thing["id"] for thing in things])
