"""The fulfillment module's messages."""

from __future__ import annotations

from typing import ClassVar

from ...core.service.provider_rows import keep_provider_rows
from .fulfillments import Fulfillments
from .options import ShippingOptions
from .tables import SCHEMA, fulfillment_provider
from .zones import Zones


class FulfillmentService(Zones, ShippingOptions, Fulfillments):
    """Where the shop sends to, by which options, and what was sent."""

    name: ClassVar[str] = "fulfillment"
    schema = SCHEMA

    async def start(self) -> None:
        await super().start()
        await keep_provider_rows(self, fulfillment_provider)

    async def stop(self) -> None:
        for _, provider in self.providers.items():
            await provider.close()
        await super().stop()
