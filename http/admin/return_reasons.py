"""Admin: return reasons."""

from __future__ import annotations

from ...workflows.order.reasons import RETURN_REASONS
from ..kit import (
    MANY,
    STAMPS,
    TEXT,
    Body,
    Filters,
    Metadata,
    Routes,
    View,
)

routes = Routes()

RETURN_REASON = View(
    "return_reason",
    "id value label parent_return_reason_id description created_at updated_at deleted_at *parent_return_reason *return_reason_children",
    limit=20,
)


class UpdateReason(Body):
    value: str
    label: str
    description: str | None = None
    metadata: Metadata = None


class CreateReturnReason(UpdateReason):
    parent_return_reason_id: str | None = None


routes.resource(
    "/admin/return-reasons",
    RETURN_REASON.but(defaults="id value label parent_return_reason_id description created_at updated_at deleted_at"),
    list=Filters(q=TEXT, id=MANY, value=MANY, label=MANY, description=MANY, parent_return_reason_id=MANY, logical=True, **STAMPS),
    get=False,
)
routes.resource("/admin/return-reasons", RETURN_REASON, RETURN_REASONS, create=CreateReturnReason, update=UpdateReason)
