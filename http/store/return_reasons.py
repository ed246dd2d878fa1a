"""Store: return reasons."""

from __future__ import annotations

from ..kit.filters import Filters
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

COLUMNS = "id value label parent_return_reason_id description created_at updated_at deleted_at"
RETURN_REASON = View(
    "return_reason",
    f"{COLUMNS} *parent_return_reason *return_reason_children",
    allowed=f"{COLUMNS} parent_return_reason return_reason_children",
    limit=20,
)

routes.resource("/store/return-reasons", RETURN_REASON, list=Filters())
