"""What of a shop is translated."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rows import Row
from ...modules.translation.types import Decided
from ..kit import Flow, step, workflow


@step
async def decide(flow: Flow, create: Sequence[Row], update: Sequence[Row], delete: Sequence[str]) -> Decided:
    return await flow.modules.translation.decide(flow.graph.catalogue.translatable, create, update, delete)


@workflow("batch-translation-settings")
async def batch_translation_settings(flow: Flow, create: list[Row], update: list[Row], delete: list[str]) -> Decided:
    """Say which columns of which entities are translated: all of it, or nothing. Returns the settings. Raises what `decide` of the module
    raises."""
    return await flow.run(decide, create, update, delete)
