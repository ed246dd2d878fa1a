"""Hooks: steps of ours in workflows of others."""

from __future__ import annotations

from velella.workflows.kit import Flow, Kept, keep, on_hook, step, take_back

from .module.service import Thing, ThingService


@on_hook("delete-products", "productsDeleted")
@step(undo=take_back)
async def delete_with_products(flow: Flow, ids: list[str]) -> Kept[list[str]]:
    """Things go with their products, and come back with them if the deletion fails."""
    service = flow.modules.of(ThingService)
    gone: list[Thing] = await service.list("thing", {"product_id": ids}, fields=("id",))
    return await keep(service.delete, "thing", [thing["id"] for thing in gone])
