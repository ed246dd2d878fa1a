"""A shop's own plugin: providers for what the SDK supports and ours don't.

Shipping with calculated prices, payments that need time, and a login that returns from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from velella.modules.auth.provider import AuthenticationResponse, AuthProvider, Identities, elsewhere, proven, refused
from velella.modules.fulfillment.provider import Consignment, Data, FulfillmentProvider, ShippingPrice
from velella.modules.payment.provider import Ask, PaymentProvider
from velella.modules.payment.provider import Outcome as Paid


class Scales(FulfillmentProvider):
    """Calculates shipping prices."""

    identifier = "scales"

    async def options(self) -> list[dict[str, Any]]:
        return [{"id": "by-weight"}]

    async def can_calculate(self, option: Data) -> bool:
        return True

    async def calculate_price(self, option: Data, data: Data, context: Data) -> ShippingPrice:
        return ShippingPrice(Decimal("7.50"))

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        return Consignment()

    async def cancel(self, key: str, data: Data) -> None: ...


class Packet(PaymentProvider):
    """Carries money over the sea: it is there when somebody asks for it a second time."""

    identifier = "packet"

    async def initiate(self, ask: Ask) -> Paid:
        return Paid(ask.data)

    async def drop(self, ask: Ask) -> None: ...

    async def authorize(self, ask: Ask) -> Paid:
        return Paid({**ask.data, "at_sea": True}, "authorized" if ask.data.get("at_sea") else "pending_authorization")

    async def capture(self, ask: Ask) -> Paid:
        return Paid(ask.data, "captured")

    async def refund(self, ask: Ask) -> Paid:
        return Paid(ask.data)

    async def cancel(self, ask: Ask) -> Paid:
        return Paid(ask.data, "canceled")

    async def status(self, ask: Ask) -> Paid:
        return Paid(ask.data)


class Lighthouse(AuthProvider):
    """Authenticates people who bring back the code that it sends everyone away with."""

    identifier = "lighthouse"
    display_name = "Lighthouse"
    CODE = "two short, one long"

    async def authenticate(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        return elsewhere(f"https://lighthouse.example/?code={self.CODE}")

    async def register(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        return await self.authenticate(given, identities)

    async def validate_callback(self, given: Mapping[str, Any], identities: Identities) -> AuthenticationResponse:
        if given["query"].get("code") != self.CODE:
            return refused("That isn't how we blink")
        made = await identities.create("keeper", {})
        return proven(made) if made is not None else refused("The keeper is in already")
