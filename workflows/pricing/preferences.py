"""Whether the prices of a region or a currency include tax."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rows import Row
from ..kit import Flow, Kept, keep, step, take_back, unchanged
from ..plain import Plain

PRICE_PREFERENCES = Plain("price_preference", "create-price-preferences", "update-price-preferences", "delete-price-preferences")


@step(undo=take_back)
async def set_price_preferences(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Set preferences by attribute and value, existing or new: `{attribute, value, is_tax_inclusive}`. Null keeps the current value."""
    return await keep(flow.modules.pricing.set_price_preferences, rows) if rows else unchanged([])
