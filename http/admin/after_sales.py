"""Admin: returns, claims and exchanges. None can be begun yet, so the lists that order pages ask for are empty."""

from __future__ import annotations

from ..kit.filters import MANY, STAMPS, Filters
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

OF_ORDERS = Filters(id=MANY, order_id=MANY, status=MANY, **STAMPS)

RETURN = View(
    "return",
    "id order_id exchange_id claim_id display_id location_id order_version status metadata no_notification refund_amount created_by "
    "created_at updated_at canceled_at requested_at received_at",
    limit=15,
)
CLAIM = View(
    "order_claim",
    "id type order_id return_id display_id order_version refund_amount created_by created_at updated_at canceled_at",
    limit=15,
    key="claim",
)
EXCHANGE = View(
    "order_exchange",
    "id order_id return_id display_id order_version created_by created_at updated_at canceled_at",
    limit=15,
    key="exchange",
)

for path, view in (("/admin/returns", RETURN), ("/admin/claims", CLAIM), ("/admin/exchanges", EXCHANGE)):
    routes.resource(path, view, list=OF_ORDERS, get=False)
