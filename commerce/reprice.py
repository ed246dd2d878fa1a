"""One way to price: the order in which the parts of a document's price are computed.

    prices of lines → taxes → promotions → prices of shipping, and where these have changed taxes and promotions once more

Promotions come after taxes, because the amount of a tax-inclusive discount depends on the rates; shipping comes after promotions,
because its price may depend on the discounted total of the lines; discounts and taxes on shipping depend on that price. Further rounds
change nothing: prices of shipping depend on the lines, which the second round leaves as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from .priced import PricedDocument


class Market(Protocol):
    """The context in which a document is priced. Each method changes the document in memory, and writes nothing."""

    @property
    def document(self) -> PricedDocument: ...

    async def price_lines(self, variant_ids: Collection[str]) -> None:
        """Update the lines of these variants: their product data, and today's price for the quantity that they have together."""

    async def tax(self) -> None:
        """Compute the taxes on lines and shipping methods."""

    async def discount(self) -> None:
        """Compute the discounts of promotions."""

    async def price_shipping(self) -> bool:
        """Give shipping methods today's price, and drop those that can't be chosen any more. Returns whether anything changed."""


async def reprice(market: Market, *, lines_of: Collection[str] = (), shipping: bool = True) -> None:
    """Price a document. Lines keep the prices that the buyer has seen, except those of the variants in `lines_of`; shipping methods keep
    theirs unless `shipping`. Raises the market's errors; then the document must be discarded."""
    if lines_of:
        await market.price_lines(lines_of)
    await market.tax()
    await market.discount()
    if shipping and market.document.shipping_methods and await market.price_shipping():
        await market.tax()
        await market.discount()
