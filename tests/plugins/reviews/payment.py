"""Payment by invoice."""

from __future__ import annotations

from decimal import Decimal

from velella.modules.payment.provider import Ask, Outcome, PaymentProvider


class InvoicePayment(PaymentProvider):
    """The buyer pays within some days, up to an amount. Nobody outside is asked, so no outcome is ever unknown."""

    identifier = "invoice"
    asks_nobody = True

    def __init__(self, days: int = 14, limit: str = "1000") -> None:
        """The options of its row in the settings."""
        self.days = days
        self.limit = Decimal(limit)

    async def initiate(self, ask: Ask) -> Outcome:
        return Outcome({"days": self.days})

    async def drop(self, ask: Ask) -> None:
        """Nothing was begun."""

    async def authorize(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "authorized" if ask.amount <= self.limit else "error")

    async def capture(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "captured")

    async def refund(self, ask: Ask) -> Outcome:
        return Outcome(ask.data)

    async def cancel(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "canceled")

    async def status(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "authorized")
