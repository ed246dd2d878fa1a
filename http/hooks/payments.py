"""Webhooks of payment providers."""

from __future__ import annotations

from contextlib import suppress

from ...core.errors import InvalidData, NotFound, VelellaError
from ...workflows.cart.sellable import refresh_cart
from ...workflows.payment.process import process_payment
from ..kit.reply import Answer, Reply
from ..kit.request import Request
from ..kit.routes import Routes

routes = Routes()

LIMIT = 1024 * 1024
"""Bytes of a webhook."""


@routes.post("/hooks/payment/{provider}", query=None, raw_body=True, body_limit=LIMIT, answers="text/plain")
async def payment_webhook(request: Request) -> Answer:
    """Receive a webhook of a payment provider, `stripe_stripe` or `pp_stripe_stripe`.

    It is acknowledged once its contents are booked, so a provider that gets no 200 sends it again.
    """
    provider_id = f"pp_{request.params['provider'].removeprefix('pp_')}"
    headers = {name.lower(): value for name, value in request.http.headers.items()}
    try:
        notice = await request.modules.payment.read_notice(provider_id, request.raw, headers)
    except VelellaError as error:
        if error.status >= 500:
            raise
        return Reply(f"Webhook Error: {error.message}", 400, "text/plain")
    if notice.action != "not_supported" and notice.session_id is not None:
        done = await request.run_once(
            f"{provider_id}:{notice.id}" if notice.id is not None else None,
            process_payment,
            provider_id=provider_id,
            action=notice.action,
            session_id=notice.session_id,
            amount=None if notice.amount is None else f"{notice.amount:f}",
            notice_id=notice.id,
        )
        if done is not None and done["outdated_cart_id"] is not None:  # as when the buyer completes it
            with suppress(InvalidData, NotFound):  # its region or channel is deleted, or the cart itself: it can't be bought at all
                await request.run(refresh_cart, cart_id=done["outdated_cart_id"])
    return Reply("OK", 200, "text/plain")
