"""Names of properties in the dashboard."""

from __future__ import annotations

from typing import TypedDict

from ...core.rows import Row
from ..kit import Flow, workflow
from ..plain import Plain

PROPERTY_LABELS = Plain("property_label", "create-property-labels", "update-property-labels", "delete-property-labels")


class Done(TypedDict):
    created: list[str]
    updated: list[str]
    deleted: list[str]


@workflow("batch-property-labels")
async def batch_property_labels(flow: Flow, create: list[Row], update: list[Row], delete: list[str]) -> Done:
    """Create, update and delete labels: all of it, or nothing. Deleted ones make room for new ones. Returns ids."""
    if bool(create) + bool(update) + bool(delete) > 1:
        flow.durably()
    deleted = await flow.run(PROPERTY_LABELS.delete, delete) if delete else []
    updated = await flow.run(PROPERTY_LABELS.update, update) if update else []
    created = await flow.run(PROPERTY_LABELS.create, create) if create else []
    return {"created": [row["id"] for row in created], "updated": [row["id"] for row in updated], "deleted": deleted}
