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
- A flow may catch what a step failed with and go on: the failure is written down, and a run that repeats it gets the same one there.
- A *short* flow lives in memory: it is fast, undone when it fails, and lost with its process. So it writes once: one message that is one
  transaction. A second write is refused, because a death between the two would leave the first without a trace of it.
- A flow that writes more than once is *durable*: always (`@workflow(…, durable=True)`), or where its input or what it has read says so
  (`flow.durably()`, before the first write: the flow then starts again as a durable one). A flow becomes durable by itself if an
  application adds a handler that isn't a step with `reads=True`, or if it emits an event that has a subscriber (`emits=(…)` names its
  events): then the event is in the outbox when the flow is over, whichever process dies.
- A durable flow survives its process: another coordinator runs its function again from the top. Finished steps return their recorded
  result; the writes of the interrupted step are recorded under `execution:step/n` and aren't done twice. What the function reads by
  `flow.modules` and `flow.graph` is recorded and answered again, ids that it makes (`new_id`) are the same again, and `flow.now()` stands
  still. Anything else that may differ the second time belongs into a step with `reads=True`: its result is recorded. Writes belong into
  steps in any case. A step that writes depends on its arguments alone and writes in the same order each time. What
  steps take and return must be encodable (`core.codec`): JSON values, Decimal, times, `@wire` classes; tuples become lists.
- A step that calls a third party passes `flow.idempotency_key` on, so that asking twice is asking once.

**The point of no return.** A durable flow may have a pivot: the step whose effect others can see (money taken, label bought).

    @step(pivot=True)
    async def authorize_payment(flow: Flow, session_id: str) -> Row: ...

- A pivot that is *refused* (4xx) never happened: what was done before it is undone. After any other failure it may have happened, so it
  is repeated, under the same `flow.idempotency_key`, until it succeeds or is refused.
- Once it has succeeded the execution only goes forward. A later step that fails is repeated with growing pauses (`@step(retry=Retry(…))`
  says which) until it is done; nothing is undone any more. Later steps start again each time, so their message ids and idempotency keys
  make sure that what they do is done once. A step that is refused (4xx) raises that in the flow's function, which may do something else
  instead; if the function doesn't catch it, the step is repeated as well.
- `flow.answer(value)` gives the result before the later steps are done. A waiting caller gets it when the flow ends, and at the latest
  when a step has to be repeated. Without an answer the caller gets GoesOn (503 with Retry-After); a start under the same key joins.
- While the execution waits to go on, its state is `finishing`, and its last error is recorded with it. The same goes for an execution whose
  coordinator died and that can't be finished yet, because it is unknown how far it had come.
- Neither a pivot inside of `flow.parallel` nor a pivot in a short flow is allowed.

**Calling and waiting.** In the function of a durable workflow, never inside of a step:

- `await flow.call(other, key=…, cart_id=…)`: another durable workflow as an execution of its own, joined if it exists already, never undone
  by its caller; with `retry=Retry(…)` carried out again where it failed other than by a refusal. `flow.run` takes steps and workflows that
  become part of the flow: short ones, and durable ones that have no key of their own.
- `await flow.start(other, key=…, cart_id=…)`: the same without waiting for it. It is started once, and stays started whatever becomes of
  the flow. In a subscriber, too: it begins when the event is settled.
- `await flow.sleep(seconds)`: from a second to months.
- `@step(retry=Retry(interval=60, factor=2, most=3600, during=3 * 86_400, times=50))`: tried again at intervals, before or after the
  pivot.
- `@step(waits=Waits(timeout=14 * 86_400), undo=call_off)`: asks somebody outside of the shop, and is over when they say so
  (`POST /admin/workflows-executions/{workflow}/steps/success`, or `workflows.set_step_success` from a route). `flow.run` gives what they
  said. One that fails, or isn't answered in time, is undone with all before it, unless the flow catches StepFailed; beyond the point of no
  return it is asked again, under another key.

Where it waits, it waits in its row: it keeps no process, lock or connection, and any coordinator continues it when it is due.
"""

from .definitions import (
    THREE_DAYS,
    Event,
    Hook,
    Retry,
    Step,
    Subscriber,
    Waits,
    Workflow,
    job,
    on_hook,
    once,
    step,
    subscriber,
    workflow,
    workflow_named,
)
from .flow import Flow, FlowContext, FlowLock, Locks
from .keeping import Kept, keep, take_back, unchanged

__all__ = [
    "THREE_DAYS",
    "Event",
    "Flow",
    "FlowContext",
    "FlowLock",
    "Hook",
    "Kept",
    "Locks",
    "Retry",
    "Step",
    "Subscriber",
    "Waits",
    "Workflow",
    "job",
    "keep",
    "on_hook",
    "once",
    "step",
    "subscriber",
    "take_back",
    "unchanged",
    "workflow",
    "workflow_named",
]
