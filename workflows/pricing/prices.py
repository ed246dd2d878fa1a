"""Price sets: the prices of variants and shipping options."""

from __future__ import annotations

from collections.abc import Sequence

from ...modules.pricing.types import AddedPrices, NewPriceSet, Price, PriceSet, PriceSetChange
from ..kit import Flow, Kept, keep, step, take_back, unchanged


@step(undo=take_back)
async def create_price_sets(flow: Flow, rows: Sequence[NewPriceSet]) -> Kept[list[PriceSet]]:
    """Create price sets with their prices. Returns them in the order given."""
    return await keep(flow.modules.pricing.create_price_sets, rows) if rows else unchanged([])


@step(undo=take_back)
async def update_price_sets(flow: Flow, rows: Sequence[PriceSetChange]) -> Kept[list[PriceSet]]:
    """Replace the prices of sets."""
    return await keep(flow.modules.pricing.update_price_sets, rows) if rows else unchanged([])


@step(undo=take_back)
async def add_prices(flow: Flow, rows: Sequence[AddedPrices]) -> Kept[list[Price]]:
    """Add prices to sets, or change the amounts of those for the same. All others stay."""
    return await keep(flow.modules.pricing.add_prices, rows) if rows else unchanged([])
