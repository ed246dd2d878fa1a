"""Resources nested below others in a path: `/admin/tax-rates/{id}/rules/{rule_id}`."""

from __future__ import annotations

from .reply import Answer, deleted
from .request import Request, as_shown
from .view import View


async def belongs(request: Request, entity: str, id: str, **parent: str) -> bool:
    """Whether a row exists and belongs to the parent that the path names: `tax_rate_id="txr_1"`."""
    return bool(await request.owner_of(entity).list(entity, {"id": id, **parent}, fields=("id",), limit=1))


async def belonging(request: Request, entity: str, id: str, **parent: str) -> None:
    """Check the same. Raises NotFound."""
    if not await belongs(request, entity, id, **parent):
        raise request.not_found(View(entity, ()), id)


async def deleted_from(request: Request, view: View, parent_id: str, id: str, object: str) -> Answer:
    """The answer of a route that deleted a nested row, with the parent as it is now. Raises NotFound."""
    page = await request.rows(view, {"id": parent_id}, limit=1)
    if page.empty:
        raise request.not_found(view, parent_id)
    return deleted(id, object, as_shown(view, page).json[1:-1].strip())
