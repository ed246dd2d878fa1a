"""Workflows: business flows that touch several modules, undone in reverse order when a later step fails.

    @workflow("complete-cart", durable=True, key="cart_id", hooks=("validate",))
    async def complete_cart(flow: Flow, cart_id: str) -> str:
        cart = await flow.run(load_cart, cart_id)
        await flow.hooks.validate(cart)
        order, _ = await flow.parallel((create_order, cart), (reserve_stock, cart))
        await flow.run(authorize_payment, cart, order)
        flow.emit("order.placed", id=order["id"])
        return str(order["id"])

    @step(reads=True)
    async def load_cart(flow: Flow, cart_id: str) -> Row: ...

    @step(undo=release_stock)
    async def reserve_stock(flow: Flow, cart: Row) -> list[Row]:
        return await flow.modules.inventory.reserve(lines_of(cart))

    async def release_stock(flow: Flow, reservations: list[Row]) -> None: ...      # gets what the step returned

What an author has to keep in mind:

- A step is all or nothing: one write message, or writes that may stay. What a step did before it failed itself is not undone.
- A *short* flow lives in memory: fast, undone when it fails, gone with its process.
- A *durable* flow survives its process: another coordinator runs its function again from the top. Steps that were finished answer with
  what they returned; the writes of the one that was interrupted are recorded under `execution:step/n` and aren't done twice. So everything
  that may differ the second time (reading, time, chance) belongs into a step of its own, with `reads=True`: its result is kept. A step
  that writes does what follows from its arguments, and does it in the same order each time. What steps take and return has to be able
  to travel (`core.codec`): JSON values, Decimal, times, `@wire` classes; tuples become lists.
- A step that calls a third party passes `flow.idempotency_key` on, so that asking twice is asking once.
"""

from .definitions import Hook, Step, Subscriber, Workflow, on_hook, step, subscriber, workflow, workflow_named
from .flow import Flow, FlowContext, Held, Locks
from .run import Event

__all__ = [
    "Event",
    "Flow",
    "FlowContext",
    "Held",
    "Hook",
    "Locks",
    "Step",
    "Subscriber",
    "Workflow",
    "on_hook",
    "step",
    "subscriber",
    "workflow",
    "workflow_named",
]
