"""The interface of tax providers.

A provider is a class named in the settings (`providers.tax`); its options are its constructor's arguments. A country's
tax region says which provider computes its taxes. It is called outside of any transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from ...core.service.providers import Provider
from .rates import Rate


@dataclass(frozen=True, slots=True)
class Taxable:
    """A line of a cart, and the rates that the shop's own tax regions have for it."""

    line: Mapping[str, Any]
    """`id` and further data: product_id, quantity, unit_price, shipping_option_id, …"""
    rates: Sequence[Rate]
    is_shipping: bool = False


@dataclass(frozen=True, slots=True)
class CalculatedTaxLine:
    """A tax on one line."""

    line_id: str
    rate: Decimal
    """Percent."""
    code: str
    name: str
    rate_id: str | None = None
    """The shop's own rate that it comes from, or None."""
    is_shipping: bool = False


class TaxProvider(Provider, ABC):
    """Base of all tax providers."""

    identifier: ClassVar[str]
    """Part of its id (`tp_<identifier>`), and the provider that tax lines name."""

    @abstractmethod
    async def tax_lines(self, taxables: Sequence[Taxable], context: Mapping[str, Any]) -> list[CalculatedTaxLine]:
        """The taxes on all lines of a cart. A line without taxes is left out of the answer.

        `context` has the `address` the goods go to, and the `customer` where one is known.
        """
