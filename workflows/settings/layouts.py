"""Layouts of the dashboard's zones."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step, workflow


@step
async def put_layout(flow: Flow, zone: str, user_id: str, configuration: Row, is_default: bool) -> Row:
    return dict(await flow.modules.settings.set_layout(zone, user_id, configuration, default=is_default))


@workflow("set-layout-configuration")
async def set_layout_configuration(flow: Flow, zone: str, user_id: str, configuration: Row, is_default: bool = False) -> Row:
    """Set the layout of a zone, for one user or for all. Returns the zone as that user sees it then."""
    return await flow.run(put_layout, zone, user_id, configuration, is_default)


@step
async def drop_layout(flow: Flow, zone: str, user_id: str) -> None:
    await flow.modules.settings.clear_layout(zone, user_id)


@workflow("clear-layout-configuration")
async def clear_layout_configuration(flow: Flow, zone: str, user_id: str) -> None:
    """Delete a user's own layout of a zone. May be repeated."""
    await flow.run(drop_layout, zone, user_id)
