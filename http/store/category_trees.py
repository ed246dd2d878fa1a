"""Categories as trees: with ancestors up to the root and descendants down to the leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...core.sql.schema.query import Page, Query
from ..kit.filters import BOOLEAN, Filters
from ..kit.reply import Answer, envelope, list_envelope
from ..kit.request import Request, not_found
from ..kit.view import View

TREE: dict[str, Any] = {"include_ancestors_tree": BOOLEAN, "include_descendants_tree": BOOLEAN}
TREES = Filters(**TREE)


def tree_of(request: Request) -> dict[str, bool]:
    """In which directions the request wants its categories shown."""
    return {
        "ancestors": bool(request.filters.get("include_ancestors_tree")),
        "descendants": bool(request.filters.get("include_descendants_tree")),
    }


def without_tree(request: Request, **more: Any) -> dict[str, Any]:
    return {**{name: value for name, value in request.filters.items() if name not in TREE}, **more}


async def category_list(request: Request, view: View, **more: Any) -> Answer:
    """A page of categories; `more` are filters besides the request's."""
    tree, filters = tree_of(request), without_tree(request, **more)
    if not any(tree.values()):
        return await request.fetch_list(view, filters)
    paging = request.page
    query = Query(
        view.entity,
        fields=request.fields,
        filters=filters,
        order=paging.order,
        limit=paging.limit,
        offset=paging.offset,
        with_deleted=paging.with_deleted,
        count=True,
    )
    return list_envelope(view.plural, await _grown(request, view, query), paging)


async def one_category(request: Request, view: View, id: str, **more: Any) -> Answer:
    """One category. Raises NotFound."""
    tree, filters = tree_of(request), without_tree(request, **more)
    if not any(tree.values()):
        return await request.fetch(view, id, filters=filters)
    page = await _grown(request, view, Query(view.entity, fields=request.fields, filters={**filters, "id": id}, limit=1))
    if not page.rows:
        raise not_found(view, id)
    return envelope(view.key, page)


async def _grown(request: Request, view: View, query: Query) -> Page:
    """Categories with their relatives in the tree, as far as the view lets them be seen."""
    family = (*query.fields, "parent_category.id", "category_children.id")
    local = await request.graph.local(replace(query, visible=request.visible(view, query.filters, family)))
    return await request.translated(view, await request.modules.product.category_trees(local, **tree_of(request)), family)
