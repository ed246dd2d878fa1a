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
from typing import Any, ClassVar, Literal

from ...core.errors import NotAllowed
from ...core.service.providers import Provider

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShippingPrice:
    """The price of a shipping option."""

    amount: Decimal
    """Major units of the cart's currency."""
    is_tax_inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Consignment:
    """A provider's answer to a new fulfillment."""

    data: Data = field(default_factory=dict)
    """Kept with the fulfilment and handed in when it is cancelled."""
    labels: Sequence[Data] = ()
    """`tracking_number`, `tracking_url` and `label_url` of each parcel."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """The status of a parcel, as a webhook reports it."""

    tracking_number: str
    status: Literal["shipped", "delivered"]


class FulfillmentProvider(Provider, ABC):
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

    async def calculate_price(self, option: Data, data: Data, context: Data) -> ShippingPrice:
        """What sending something costs. Asked for each cart that is shown it, and for what changes of orders send, or have sent back.

        Args:
            option: the shipping option's provider data.
            data: what the buyer gave with the choice of it.
            context: the cart or order: its `id`, totals, `currency_code`, `region_id`, `customer_id`, `sales_channel_id` and `email`;
                `shipping_address`, which is the buyer's; `from_location`, a stock location with its `address`, or None; `items`, the
                lines that go, each with as many units of it as go as its `quantity`, and with its `variant` (weight, measures, its
                product's). Of a change of an order also `is_return`: whether they go the other way, from the buyer's address to the
                location. Then `return_id` (None where the return begins with it) and `return_items`, the lines' `id` and `quantity`; of
                what a claim or an exchange sends instead `claim_id` and `claim_items`, or `exchange_id` and `exchange_items`.

        Raises what it can't be priced for. It is asked again with whatever changes: a price that is dear to find is to be remembered.
        """
        raise NotAllowed(f"The fulfillment provider {self.identifier} doesn't calculate prices")

    @abstractmethod
    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        """Have items sent. `key`, the fulfillment's id, is the same whenever the same fulfillment is asked for again: twice is once.

        Args:
            data: what `validate_data` kept when the buyer chose the way of sending.
            items: what is in it, as its rows have it.
            order: all of the order, or None.
            fulfillment: its row with `items` and `delivery_address`, and for one of an order also `option` (the provider data of the
                shipping option), `location` (the stock location with its `address`) and `lines`: the order's lines with what of them is
                sent as `quantity`, and each with its `variant` (weight, measures, its product's).

        Raises a refusal (4xx), and nothing was sent; Unavailable or OSError where that isn't known: then it is asked again.
        """

    async def create_return(self, key: str, fulfillment: Data) -> Consignment:
        """Have items sent back to where they came from. `delivery_address` is the buyer's. Otherwise as `create`."""
        return Consignment()

    @abstractmethod
    async def cancel(self, key: str, data: Data) -> None:
        """Cancel a fulfilment that isn't shipped yet. Repeating it does nothing. `data` is that of its `Consignment`; empty where its
        answer was lost. Raises a refusal where it can't be cancelled any more."""

    async def read_tracking(self, body: bytes, headers: Mapping[str, str]) -> Tracking | None:
        """What a webhook (`POST /hooks/fulfillment/<id>`) says of a parcel; None where it says nothing that matters. `headers` are in lower
        case. Raises NotAllowed for one that isn't from who it says."""
        raise NotAllowed(f"The fulfillment provider {self.identifier} takes no webhooks")
