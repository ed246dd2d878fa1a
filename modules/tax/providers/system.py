"""The provider that uses the rates of the shop's own tax regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..provider import CalculatedTaxLine, Taxable, TaxProvider


class SystemTaxProvider(TaxProvider):
    """Each rate that applies to a line becomes a tax line."""

    identifier: ClassVar[str] = "system"

    async def tax_lines(self, taxables: Sequence[Taxable], context: Mapping[str, Any]) -> list[CalculatedTaxLine]:
        return [
            CalculatedTaxLine(taxable.line["id"], rate.rate, rate.code, rate.name, rate.id, taxable.is_shipping)
            for taxable in taxables
            for rate in taxable.rates
        ]
