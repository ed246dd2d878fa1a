"""Orders as they would be with their open change."""

from __future__ import annotations

from ...core.json import Fragment
from ...core.rows import Row
from ...modules.order.previewing import shown_preview
from ...modules.order.types import Change
from ..kit.request import Request


async def show_preview(request: Request, of: str | Change) -> Row | Fragment:
    """An order with its open change applied. Raises NotFound.

    `of`: the order's id, or its open change as it is, with its order.
    """
    if isinstance(of, str):
        return Fragment(await request.modules.order.preview(of))
    return shown_preview(of["order"], of)
