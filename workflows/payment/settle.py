"""Settling payment sessions: no provider keeps money that no order claims, or misses a request that only a log records.

The rows say which sessions have to be looked after (`modules/payment/settling.py`). Each is an execution of its own, which asks
until it has an answer: operators see it with `velella workflows list`, waiting, with the provider's last answer.
"""

from __future__ import annotations

from ...core.errors import Unavailable, VelellaError
from ..kit import THREE_DAYS, Flow, Retry, step, workflow

EVERY = 15.0
"""Seconds between two checks for sessions that have to be settled."""


@step(retry=Retry(interval=2.0, factor=2.0, most=900.0))
async def settle(flow: Flow, session_id: str) -> str:
    """Settle a session, repeated for as long as the provider doesn't answer; what it refuses now may succeed later."""
    try:
        return str(await flow.modules.payment.settle_session(session_id))
    except VelellaError as error:
        if error.status >= 500:
            raise
        raise Unavailable(f"Payment session {session_id} could not be settled: {error.message}", hint=error.hint) from error


@workflow("settle-payment-session", durable=True, retention=THREE_DAYS)
async def settle_payment_session(flow: Flow, session_id: str) -> str:
    """Release what is held in a session that no order claims. Returns what was done, see `settle_session`."""
    return await flow.run(settle, session_id)


@workflow("settle-payments", every=EVERY)
async def settle_payments(flow: Flow, grace: float = 5.0) -> int:
    """Begin to settle sessions that have been due for `grace` seconds: by then the process that dropped or doubted them would have done it.

    Returns how many; sessions that are being settled already aren't counted.
    """
    due = await flow.modules.payment.unsettled_sessions(grace)
    for session in due:
        await flow.start(settle_payment_session, key=f"{session['id']}@{session['due'].timestamp():.3f}", session_id=session["id"])
    if due:
        await flow.modules.payment.settling_begun(due)
    return len(due)
