"""Webhooks of fulfillment providers."""

from __future__ import annotations

from ...core.errors import VelellaError
from ...workflows.fulfillment.fulfillments import track_fulfillment
from ..kit.reply import Answer, Reply
from ..kit.request import Request
from ..kit.routes import Routes

routes = Routes()

LIMIT = 1024 * 1024
"""Bytes of a webhook."""


@routes.post("/hooks/fulfillment/{provider}", query=None, raw_body=True, body_limit=LIMIT, answers="text/plain")
async def fulfillment_webhook(request: Request) -> Answer:
    """Receive a webhook of a fulfillment provider, by its id (`shipstation_shipstation`): parcels have left or arrived.

    It is acknowledged once its contents are booked, so a provider that gets no 200 sends it again.
    """
    headers = {name.lower(): value for name, value in request.http.headers.items()}
    try:
        tracked = await request.modules.fulfillment.read_tracking(request.params["provider"], request.raw, headers)
    except VelellaError as error:
        if error.status >= 500:
            raise
        return Reply(f"Webhook Error: {error.message}", 400, "text/plain")
    if tracked is not None:
        status = tracked["status"]
        for id in tracked["fulfillment_ids"]:
            await request.run_once(f"{id}:{status}", track_fulfillment, id=id, status=status)
    return Reply("OK", 200, "text/plain")
