"""A forgotten password."""

from __future__ import annotations

from typing import Any

from ..kit import Event, Flow, step, subscriber, workflow

RESET_SECONDS = 15 * 60
"""Seconds for which a forgotten password may be replaced."""
FORGOTTEN = "auth.password_forgotten"


@step
async def begin_reset(flow: Flow, provider: str, entity_id: str, actor_type: str) -> str | None:
    return await flow.modules.auth.begin_reset(provider, entity_id, actor_type, RESET_SECONDS)


@workflow("generate-reset-password-token", emits=("auth.password_reset",))
async def generate_reset_password_token(flow: Flow, entity_id: str, actor_type: str, provider: str, metadata: dict[str, Any]) -> str | None:
    """A token that lets a person choose a new password, emitted for subscribers that send emails. None if there is no such name."""
    token = await flow.run(begin_reset, provider, entity_id, actor_type)
    if token is not None:
        flow.emit("auth.password_reset", entity_id=entity_id, actor_type=actor_type, token=token, metadata=metadata)
    return token


@workflow("forget-password", emits=(FORGOTTEN,))
async def forget_password(flow: Flow, entity_id: str, actor_type: str, provider: str, metadata: dict[str, Any]) -> None:
    """Have the email sent later: the answer takes the same time whether the name exists or not."""
    flow.emit(FORGOTTEN, entity_id=entity_id, actor_type=actor_type, provider=provider, metadata=metadata)


@subscriber(FORGOTTEN)
async def look_who_forgot(flow: Flow, event: Event) -> None:
    await generate_reset_password_token(flow, **event.data)
