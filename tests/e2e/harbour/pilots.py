"""What a plugin does: a workflow that waits for the outside, and a subscriber."""

from __future__ import annotations

from typing import Any

from velella.workflows.kit import Event, Flow, Waits, step, subscriber, workflow


@step(waits=Waits(timeout=86_400))
async def ask_pilot(flow: Flow, ship: str) -> None: ...


@workflow("bring-in", durable=True, key="ship", by_hand=True)
async def bring_in(flow: Flow, ship: str) -> Any:
    return await flow.run(ask_pilot, ship)


@subscriber("auth.verification_requested")
async def pass_on(flow: Flow, event: Event) -> None:
    """Whoever walks through the SDK reads no mail: the code is in the feed."""
    note = {"to": "", "channel": "feed", "template": "code", "data": {"code": event.data["code"]}, "idempotency_key": event.id}
    await flow.modules.notification.create_notifications([note])
