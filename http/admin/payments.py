"""Admin: payments, and what merchants do with them."""

from __future__ import annotations

from ...workflows.payment.payments import capture_payment, refund_payment
from ..frontend.bodies import ABSENT, Body, Positive
from ..frontend.filters import MANY, STAMPS, TEXT, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes
from ..frontend.view import View

routes = Routes()

PAYMENT = View(
    "payment",
    "payment",
    "payments",
    "id currency_code amount captured_at payment_collection_id payment_session_id captures.id captures.amount refunds.id refunds.amount"
    " refunds.note refunds.payment_id refunds.refund_reason.label refunds.refund_reason.code",
    limit=20,
)

routes.resource(
    "/admin/payments",
    PAYMENT,
    list=Filters(q=TEXT, id=MANY, payment_session_id=MANY, logical=True, **STAMPS),
    delete=False,
)


class CapturePayment(Body):
    amount: Positive = ABSENT


class RefundPayment(Body):
    amount: Positive = ABSENT
    refund_reason_id: str = ABSENT
    note: str = ABSENT


@routes.post("/admin/payments/{id}/capture", body=CapturePayment, returns=PAYMENT)
async def capture(request: Request) -> Answer:
    """Take authorised money, all that is left or a part."""
    id = request.params["id"]
    await request.run(capture_payment, payment_id=id, captured_by=request.actor_id, **request.body)
    return await request.fetch(PAYMENT, id)


@routes.post("/admin/payments/{id}/refund", body=RefundPayment, returns=PAYMENT)
async def refund(request: Request) -> Answer:
    """Give captured money back, all that is left or a part."""
    id = request.params["id"]
    await request.run(refund_payment, payment_id=id, created_by=request.actor_id, **request.body)
    return await request.fetch(PAYMENT, id)
