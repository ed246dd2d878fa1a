"""What properties are called in the dashboard."""

from __future__ import annotations

from typing import Any, TypedDict

from ...core.flow import Flow, workflow
from ..rows import create_rows, delete_rows, update_rows

Row = dict[str, Any]


@workflow("create-property-labels")
async def create_property_labels(flow: Flow, labels: list[Row]) -> list[Row]:
    """Raises InvalidData where a property has a name already."""
    return (await flow.run(create_rows, "property_label", labels))["answer"]


@workflow("update-property-labels")
async def update_property_labels(flow: Flow, labels: list[Row]) -> list[str]:
    """Change names, each by its id; the ids. Raises NotFound."""
    return [row["id"] for row in (await flow.run(update_rows, "property_label", labels))["answer"]]


@workflow("delete-property-labels")
async def delete_property_labels(flow: Flow, ids: list[str]) -> list[str]:
    return (await flow.run(delete_rows, "property_label", ids))["answer"]


class Done(TypedDict):
    created: list[str]
    updated: list[str]
    deleted: list[str]


@workflow("batch-property-labels")
async def batch_property_labels(flow: Flow, create: list[Row], update: list[Row], delete: list[str]) -> Done:
    """All of it, or nothing. What is deleted makes room for what is created. Ids."""
    if bool(create) + bool(update) + bool(delete) > 1:
        flow.durably()
    deleted = await flow.run(delete_property_labels, delete) if delete else []
    updated = await flow.run(update_property_labels, update) if update else []
    created = await flow.run(create_property_labels, create) if create else []
    return {"created": [row["id"] for row in created], "updated": updated, "deleted": deleted}
