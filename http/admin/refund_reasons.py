"""Admin: why money is given back."""

from __future__ import annotations

from ...workflows.payment.reasons import create_refund_reasons, delete_refund_reasons, update_refund_reasons
from ..frontend.bodies import ABSENT, Body
from ..frontend.cached import Cached
from ..frontend.filters import MANY, STAMPS, TEXT, Filters
from ..frontend.flows import changes, creates
from ..frontend.request import Answer, Request, deleted
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

REFUND_REASON = View("refund_reason", "id label code description created_at updated_at deleted_at", limit=15)
REASONS = Filters(id=MANY, q=TEXT, **STAMPS)


class CreateReason(Body):
    label: str
    code: str
    description: str | None = None


class UpdateReason(CreateReason):
    label: str = ABSENT
    code: str = ABSENT


routes.resource(
    "/admin/refund-reasons",
    REFUND_REASON,
    list=REASONS,
    get=False,
    create=Write(CreateReason, run=creates(create_refund_reasons, "refund_reasons"), query=REASONS.ignoring()),
    update=Write(UpdateReason, run=changes(update_refund_reasons)),
    delete=False,
)


@routes.get("/admin/refund-reasons/{id}", query=REASONS.ignoring(), returns=REFUND_REASON, cached=Cached(one=()))
async def get(request: Request) -> Answer:
    """Get a refund reason."""
    return await request.fetch(REFUND_REASON, request.params["id"])


@routes.delete("/admin/refund-reasons/{id}", query=REASONS.ignoring(), returns=REFUND_REASON)
async def delete(request: Request) -> Answer:
    """Delete a refund reason."""
    id = request.params["id"]
    await request.run(delete_refund_reasons, ids=[id])
    return deleted(id, "refund_reason")
