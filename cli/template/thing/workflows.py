"""What is done with things. What a step wrote is taken back when a later step fails."""

from __future__ import annotations

from velella.core.errors import NotFound
from velella.core.rows import Row
from velella.workflows.kit import Flow, Kept, keep, step, take_back, workflow
from velella.workflows.plain import Plain

from .module.service import Thing, ThingService

THINGS = Plain("thing", update="update-things", delete="delete-things", event="thing")


@step(reads=True)
async def check_product(flow: Flow, product_id: str) -> None:
    product = await flow.graph.one("product", product_id, ("id", "status"))
    if product["status"] != "published":
        raise NotFound(f"Product with id: {product_id} was not found")


@step(undo=take_back)
async def write_thing(flow: Flow, row: Row) -> Kept[list[Thing]]:
    return await keep(flow.modules.of(ThingService).create, "thing", [row])


@workflow("create-thing", hooks=("thingCreated",), emits=("thing.created",))
async def create_thing(flow: Flow, name: str, product_id: str) -> str:
    """Create a thing of a product; returns its id. Raises NotFound for a product that isn't on sale."""
    await flow.run(check_product, product_id)
    [made] = (await flow.run(write_thing, {"name": name, "product_id": product_id}))["answer"]
    await flow.hooks.thingCreated(made)
    flow.emit("thing.created", id=made["id"])
    return made["id"]
