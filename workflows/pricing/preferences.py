"""Whether the prices of a region or a currency hold their tax."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rows import Row
from ..kit import Flow, Kept, keep, step, take_back, unchanged
from ..plain import Plain

PRICE_PREFERENCES = Plain("price_preference", "create-price-preferences", "update-price-preferences", "delete-price-preferences")


@step(undo=take_back)
async def set_price_preferences(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    """Preferences by attribute and value, there or not: `{attribute, value, is_tax_inclusive}`. Null leaves one as it is."""
    return await keep(flow.modules.pricing.set_price_preferences, rows) if rows else unchanged([])
