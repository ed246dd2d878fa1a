"""What a fulfillment provider has to be able to do.

A provider is a class named in the settings (`providers.fulfillment`); its options are its constructor's arguments. One
instance serves all requests of a process. Nothing it does runs inside a transaction of ours, so it may take its time.
What it cannot do it raises an error for; what an error says is shown to the caller.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from ...core.errors import NotAllowed

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Price:
    """What sending costs."""

    amount: Decimal
    """Major units of the cart's currency."""
    is_tax_inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Consignment:
    """What a provider makes of a fulfilment."""

    data: Data = field(default_factory=dict)
    """Kept with the fulfilment and handed in when it is cancelled."""
    labels: Sequence[Data] = ()
    """`tracking_number`, `tracking_url` and `label_url` of each parcel."""


class FulfillmentProvider(ABC):
    """Base of all fulfillment providers."""

    identifier: ClassVar[str]
    """The beginning of its id: `<identifier>_<id in the settings>`."""

    @abstractmethod
    async def options(self) -> list[dict[str, Any]]:
        """The ways of sending a shop can build shipping options on; each has an `id`, and `is_return` where it sends back."""

    async def validate_option(self, data: Data) -> bool:
        """Whether the provider data of a shipping option is usable."""
        return True

    async def validate_data(self, option: Data, data: Data, context: Data) -> dict[str, Any]:
        """Check what a storefront sends with the choice of an option (a pick-up point, say) and return what is to be kept.

        Raises InvalidData for what the buyer has to correct.
        """
        return dict(data)

    async def can_calculate(self, option: Data) -> bool:
        """Whether the provider can price this option for a cart."""
        return False

    async def calculate_price(self, option: Data, data: Data, context: Data) -> Price:
        """What sending the cart in `context` costs. `option` is the shipping option's provider data."""
        raise NotAllowed(f"The fulfillment provider {self.identifier} doesn't calculate prices")

    @abstractmethod
    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        """Have items sent. `key` is the same whenever the same fulfilment is asked for again."""

    async def create_return(self, key: str, fulfillment: Data) -> Consignment:
        """Have items sent back."""
        return Consignment()

    @abstractmethod
    async def cancel(self, key: str, data: Data) -> None:
        """Call a fulfilment off that hasn't left yet. Repeating it does nothing."""
