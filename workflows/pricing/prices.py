"""Price sets: what variants and shipping options cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step

Row = dict[str, Any]


async def _delete_price_sets(flow: Flow, ids: list[str]) -> None:
    await flow.modules.pricing.delete("price_set", ids)


@step(undo=_delete_price_sets)
async def create_price_sets(flow: Flow, rows: Sequence[Row]) -> list[str]:
    """Price sets with their prices; ids in the order given."""
    if not rows:
        return []
    return [row["id"] for row in await flow.modules.pricing.create_price_sets(rows)]


class PricesBefore(TypedDict):
    ids: list[str]
    before: dict[str, list[Row]]


async def _put_back_prices(flow: Flow, changed: PricesBefore) -> None:
    if changed["ids"]:
        await flow.modules.pricing.put_back_prices(changed["ids"], changed["before"])


@step(undo=_put_back_prices)
async def update_price_sets(flow: Flow, rows: Sequence[Row]) -> PricesBefore:
    """Replace the prices of sets: `{id, prices}`."""
    if not rows:
        return {"ids": [], "before": {}}
    changed = await flow.modules.pricing.update_price_sets(rows)
    return {"ids": [row["id"] for row in rows], "before": changed["before"]}
