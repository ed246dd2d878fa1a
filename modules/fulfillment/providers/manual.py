"""The provider for shops that pack and send by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..provider import Consignment, Data, FulfillmentProvider


class ManualFulfillmentProvider(FulfillmentProvider):
    """Offers one way of sending and one of sending back; somebody in the shop does the rest."""

    identifier: ClassVar[str] = "manual"

    async def options(self) -> list[dict[str, Any]]:
        return [{"id": "manual-fulfillment"}, {"id": "manual-fulfillment-return", "is_return": True}]

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        return Consignment()

    async def cancel(self, key: str, data: Data) -> None:
        """Nothing was set in motion outside."""
