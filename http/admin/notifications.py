"""Admin: notifications that were sent."""

from __future__ import annotations

from ..kit.filters import MANY, TEXT, Filters
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

NOTIFICATION = View(
    "notification",
    "id to channel template data trigger_type resource_id resource_type receiver_id created_at updated_at",
    order="-created_at",
)

routes.resource("/admin/notifications", NOTIFICATION, list=Filters(q=TEXT, id=MANY, channel=MANY, to=MANY, logical=True))
