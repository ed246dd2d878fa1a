"""What buyers read, in their language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.graph.graph import Graph
from ..core.graph.translating import put_texts
from ..modules import Modules
from .kit import Flow


async def translate(modules: Modules, graph: Graph, entity: str, fields: Iterable[str], rows: Sequence[Any], locale: str | None) -> None:
    """Put the translations of a locale into rows of an entity that show these fields, in place. Costs one statement, and nothing without a
    locale. Rows that don't show their key stay as they are."""
    if not locale or not rows:
        return
    found = list(graph.translatable(entity, tuple(fields)).rows(rows))
    if found:
        put_texts(found, await modules.translation.texts(sorted({key for key, _, _ in found}), locale))


async def spoken(flow: Flow, entity: str, fields: Iterable[str], rows: Sequence[Any], locale: str | None) -> None:
    """`translate` for what a flow has read."""
    if locale and flow.settings.translation:
        await translate(flow.modules, flow.graph, entity, fields, rows, locale)
