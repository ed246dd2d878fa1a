"""A way to pay."""

from __future__ import annotations

from decimal import Decimal

from velella.modules.payment.provider import Ask, Outcome, PaymentProvider


class ThingPayment(PaymentProvider):
    """The buyer pays at the door, up to an amount. `PaymentProvider` says what each method promises."""

    identifier = "thing"
    asks_nobody = True

    def __init__(self, most: str = "1000") -> None:
        """The `options` of the settings."""
        self.most = Decimal(most)

    async def initiate(self, ask: Ask) -> Outcome:
        return Outcome({})

    async def drop(self, ask: Ask) -> None: ...

    async def authorize(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "authorized" if ask.amount <= self.most else "error")

    async def capture(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "captured")

    async def refund(self, ask: Ask) -> Outcome:
        return Outcome(ask.data)

    async def cancel(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "canceled")

    async def status(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "authorized")
