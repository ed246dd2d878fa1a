"""How the zones of the dashboard are laid out."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step, workflow


@step
async def put_layout(flow: Flow, zone: str, user_id: str, configuration: Row, is_default: bool) -> Row:
    return dict(await flow.modules.settings.set_layout(zone, user_id, configuration, default=is_default))


@workflow("set-layout-configuration")
async def set_layout_configuration(flow: Flow, zone: str, user_id: str, configuration: Row, is_default: bool = False) -> Row:
    """Lay out a zone, for one user or for everybody. The zone as that user sees it then."""
    return await flow.run(put_layout, zone, user_id, configuration, is_default)


@step
async def drop_layout(flow: Flow, zone: str, user_id: str) -> None:
    await flow.modules.settings.clear_layout(zone, user_id)


@workflow("clear-layout-configuration")
async def clear_layout_configuration(flow: Flow, zone: str, user_id: str) -> None:
    """Forget a user's own layout of a zone. May be repeated."""
    await flow.run(drop_layout, zone, user_id)
