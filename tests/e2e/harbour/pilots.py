"""A workflow of a plugin that waits for the outside."""

from __future__ import annotations

from typing import Any

from velella.workflows.kit import Flow, Waits, step, workflow


@step(waits=Waits(timeout=86_400))
async def ask_pilot(flow: Flow, ship: str) -> None: ...


@workflow("bring-in", durable=True, key="ship", by_hand=True)
async def bring_in(flow: Flow, ship: str) -> Any:
    return await flow.run(ask_pilot, ship)
