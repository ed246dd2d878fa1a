"""The currency module's messages."""

from __future__ import annotations

from ...commerce.money import CURRENCIES
from ...core.message import writes
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA


class CurrencyService(ModuleService):
    """The currencies that a store may choose from."""

    name = "currency"
    schema = SCHEMA

    @writes
    async def keep_currencies(self) -> int:
        """Make the table hold all currencies of `commerce.money`. Returns how many rows changed; may be repeated."""
        known = list(CURRENCIES.values())
        changed = await self.database.execute(
            queries.KEEP_CURRENCIES,
            {
                "codes": [each.code for each in known],
                "symbols": [each.symbol for each in known],
                "native": [each.symbol_native for each in known],
                "names": [each.name for each in known],
                "digits": [each.decimal_digits for each in known],
                "rounding": [each.rounding for each in known],
            },
        )
        if changed:
            self.touch("currency")
        return changed
