"""Admin: payments, and a merchant's operations on them."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Literal

from ...workflows.kit import Workflow
from ...workflows.payment.payments import capture_payment, refund_payment
from ..kit.bodies import ABSENT, Body, Positive
from ..kit.filters import MANY, STAMPS, TEXT, Filters
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

PAYMENT = View(
    "payment",
    "id currency_code amount captured_at payment_collection_id payment_session_id captures.id captures.amount refunds.id refunds.amount"
    " refunds.note refunds.payment_id refunds.refund_reason.label refunds.refund_reason.code",
    limit=20,
)

routes.resource(
    "/admin/payments",
    PAYMENT,
    list=Filters(q=TEXT, id=MANY, payment_session_id=MANY, logical=True, **STAMPS),
)


class CapturePayment(Body):
    amount: Positive = ABSENT


class RefundPayment(Body):
    amount: Positive = ABSENT
    refund_reason_id: str = ABSENT
    note: str = ABSENT


@routes.post("/admin/payments/{id}/capture", body=CapturePayment, returns=PAYMENT)
async def capture(request: Request) -> Answer:
    """Capture authorised money, all that is left or a part."""
    return await _once(request, "capture", capture_payment, captured_by=request.actor_id)


@routes.post("/admin/payments/{id}/refund", body=RefundPayment, returns=PAYMENT)
async def refund(request: Request) -> Answer:
    """Refund captured money, all that is left or a part."""
    return await _once(request, "refund", refund_payment, created_by=request.actor_id)


async def _once(request: Request, kind: Literal["capture", "refund"], workflow: Workflow[..., str], **who: str) -> Answer:
    """Move money, once for each request.

    The client's Idempotency-Key identifies the request. Without one it is what the merchant sees: the payment, the
    amount, and how many operations on it were shown to them before. So pressing again is another capture or refund only after the
    last one was answered.
    """
    id, payments = request.params["id"], request.modules.payment
    key = request.idempotency_key
    if key is None:
        amount = request.body.get("amount")
        presses = await payments.presses(id, kind, time.monotonic() - request.arrived)
        key = f"{id}:{'all' if amount is None else Decimal(amount).normalize()}:{presses}"
    await request.run_once(key, workflow, payment_id=id, **who, **request.body)
    answer = await request.fetch(PAYMENT, id)
    await payments.was_shown(id, kind)
    return answer
