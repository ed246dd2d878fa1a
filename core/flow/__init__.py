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
- A *short* flow lives in memory: fast, undone when it fails, gone with its process. So it writes once: one message that is one
  transaction. A second one is refused, for a death between the two would leave the first, and no trace of it.
- What writes more than once is *durable*: always (`@workflow(…, durable=True)`), or where its input or what it has read says so
  (`flow.durably()`, before the first write: then it is begun anew as a durable one). So is, by itself, what an application has added a
  handler to that isn't a step with `reads=True`, and what emits an event that somebody subscribes to (`emits=(…)` names them): the event
  is in the outbox when the flow is over, whoever dies.
- A durable flow survives its process: another coordinator runs its function again from the top. Steps that were finished answer with
  what they returned; the writes of the one that was interrupted are recorded under `execution:step/n` and aren't done twice. What the
  function reads by `flow.modules` and `flow.graph` is kept and answered again, ids that it makes (`new_id`) are the same again, and
  `flow.now()` stands still. Whatever else may differ the second time belongs into a step with `reads=True`: its result is kept. Writing
  belongs into steps in any case. A step that writes does what follows from its arguments, and does it in the same order each time. What
  steps take and return has to be able to travel (`core.codec`): JSON values, Decimal, times, `@wire` classes; tuples become lists.
- A step that calls a third party passes `flow.idempotency_key` on, so that asking twice is asking once.

**The point of no return.** A durable flow may have a pivot: the step after which others have seen what it does (money taken, label bought).

    @step(pivot=True)
    async def authorize_payment(flow: Flow, session_id: str) -> Row: ...

- A pivot that is *refused* (4xx) never happened: what was done before it is undone. After any other failure it may have happened, so it
  is asked again, under the same `flow.idempotency_key`, until it succeeds or is refused.
- Once it has succeeded the execution only goes forward. A later step that fails is repeated with growing pauses (`@step(retry=Retry(…))`
  says which) until it is done; nothing is undone any more. Later steps are begun anew each time, so what they do is done once by their
  message ids and idempotency keys. One that is refused (4xx) raises that in the flow's function, which may do something else instead; if
  it doesn't catch it, the step is repeated as well.
- `flow.answer(value)` says what the result is, before the later steps are done. Who waits gets it when the flow ends, and at the latest
  when something has to be repeated. Without an answer they hear GoesOn (503 with Retry-After); the same key joins.
- While it waits to go on, its state is `finishing`, and its last error stands beside it. So stands one whose coordinator died and that
  can't be brought to an end yet: nobody knows how far it had come.
- Neither a pivot inside of `flow.parallel` nor a pivot in a short flow is allowed.

**Calling and waiting.** In the function of a durable workflow, never inside of a step:

- `await flow.call(other, key=…, cart_id=…)`: another durable workflow as an execution of its own, joined if it is there, never undone by
  its caller. `flow.run` takes steps and workflows that become part of the flow: short ones, and durable ones that have no key of their
  own.
- `await flow.sleep(seconds)`: from a second to months.
- `@step(retry=Retry(interval=60, factor=2, most=3600, during=3 * 86_400))`: tried again at intervals, before or after the pivot.

In all three the execution waits in its row: no process, lock or connection is kept, any coordinator goes on from there when it is due.
"""

from .definitions import THREE_DAYS, Event, Hook, Retry, Step, Subscriber, Workflow, on_hook, step, subscriber, workflow, workflow_named
from .flow import Flow, FlowContext, Held, Locks
from .keeping import Kept, keep, take_back, unchanged

__all__ = [
    "THREE_DAYS",
    "Event",
    "Flow",
    "FlowContext",
    "Held",
    "Hook",
    "Kept",
    "Locks",
    "Retry",
    "Step",
    "Subscriber",
    "Workflow",
    "keep",
    "on_hook",
    "step",
    "subscriber",
    "take_back",
    "unchanged",
    "workflow",
    "workflow_named",
]
