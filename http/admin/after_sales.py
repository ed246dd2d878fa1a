"""Admin: claims and exchanges. None can be begun yet, so the lists that order pages ask for are empty."""

from __future__ import annotations

from ..kit.routes import Routes
from ..kit.view import View
from .returns import OF_ORDERS

routes = Routes()

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

for path, view in (("/admin/claims", CLAIM), ("/admin/exchanges", EXCHANGE)):
    routes.resource(path, view, list=OF_ORDERS, get=False)
