"""Admin: refund reasons."""

from ...workflows.payment.reasons import REFUND_REASONS
from ..kit import MANY, STAMPS, TEXT, Body, Filters, Routes, View

routes = Routes()
REFUND_REASON = View("refund_reason", "id label code description created_at updated_at deleted_at", limit=15)
LISTED = Filters(id=MANY, q=TEXT, **STAMPS)


class CreateRefundReason(Body):
    label: str
    code: str
    description: str | None = None


routes.resource(
    "/admin/refund-reasons",
    REFUND_REASON,
    REFUND_REASONS,
    list=LISTED,
    create=CreateRefundReason,
    update=True,
    like_list="get create delete",
)
