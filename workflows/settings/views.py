"""Views of the dashboard's lists: their columns, filters and order."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step, workflow


@step
async def keep_view(flow: Flow, row: Row, user_id: str, active: bool) -> str:
    return await flow.modules.settings.create_view(row, user_id, active)


@step
async def change_view(flow: Flow, id: str, changes: Row, user_id: str, active: bool) -> None:
    await flow.modules.settings.update_view(id, changes, user_id, active)


@step
async def drop_view(flow: Flow, id: str, user_id: str) -> None:
    await flow.modules.settings.delete_view(id, user_id)


@step
async def choose_view(flow: Flow, entity: str, user_id: str, id: str | None) -> None:
    await flow.modules.settings.choose_view(entity, user_id, id)


@workflow("create-view-configuration")
async def create_view_configuration(flow: Flow, row: Row, user_id: str, set_active: bool = False) -> str:
    """Keep a view of a list, for one user or for all. Returns its id. Raises Duplicate for a second default of a list."""
    return await flow.run(keep_view, row, user_id, set_active)


@workflow("update-view-configuration")
async def update_view_configuration(flow: Flow, id: str, changes: Row, user_id: str, set_active: bool = False) -> str:
    """Change a view of a list. Returns its id. Raises NotFound, for another user's as well; Duplicate for a second default of a list."""
    await flow.run(change_view, id, changes, user_id, set_active)
    return id


@workflow("delete-view-configuration")
async def delete_view_configuration(flow: Flow, id: str, user_id: str) -> None:
    """Delete a view of a list. Raises NotFound, for another user's as well."""
    await flow.run(drop_view, id, user_id)


@workflow("choose-view-configuration")
async def choose_view_configuration(flow: Flow, entity: str, user_id: str, id: str | None) -> None:
    """Choose the view of a list that a user sees; None: the default of all users. Raises NotFound, InvalidData."""
    await flow.run(choose_view, entity, user_id, id)
