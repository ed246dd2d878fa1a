"""One way to price: in which order what a document costs is worked out.

    prices of lines → taxes → promotions → prices of shipping, and where these have changed taxes and promotions once more

Promotions come after taxes, because what a discount that includes taxes takes off depends on the rates; shipping comes after promotions,
because its price may depend on what is to be paid for the lines; and what is taken off shipping, and taxed, on that. More rounds change
nothing: prices of shipping are found by the lines, and the second round leaves these as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from .priced import PricedDocument


class Market(Protocol):
    """Where a document is priced. Each of these changes the document in hand, and writes nothing."""

    @property
    def document(self) -> PricedDocument: ...

    async def price_lines(self, variant_ids: Collection[str]) -> None:
        """Bring the lines of these variants up to date: what they are of, and today's price for the quantity they ask for together."""

    async def tax(self) -> None:
        """Work out the taxes on lines and shipping methods."""

    async def discount(self) -> None:
        """Work out what promotions take off."""

    async def price_shipping(self) -> bool:
        """Give shipping methods today's price, and drop those that can't be chosen any more. Whether that changed anything."""


async def reprice(market: Market, *, lines_of: Collection[str] = (), shipping: bool = True) -> None:
    """Work out what a document costs. The prices of lines are what the buyer was told, but of the variants in `lines_of`; those of shipping
    methods stay, too, unless `shipping`. Raises what the market raises; then the document is to be thrown away."""
    if lines_of:
        await market.price_lines(lines_of)
    await market.tax()
    await market.discount()
    if shipping and market.document.shipping_methods and await market.price_shipping():
        await market.tax()
        await market.discount()
