"""The interface of payment providers.

A provider is a class named in the settings (`providers.payment`); its options are its constructor's arguments. One
instance serves all requests of a process. It is called outside of any transaction, so it may take its time.

Three promises hold for every call:

- `key` is the same whenever the same request is repeated, after a lost answer or a crash, and differs otherwise. A
  provider passes it on as the idempotency key of the outside party.
- `data` is what the provider itself returned last for this payment; it is stored as it is, and shown to storefronts, so it
  may hold a client secret for the buyer's browser but never a key of the shop.
- What a provider returns is a fact: it happened. Its errors must be precise. `PaymentOutcomeUnknown` means that
  it may have happened (a timeout, a closed connection): nothing is undone, and it is asked again with the same key.
  Any other error means that it certainly did not happen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal

from ...core.codec import wire
from ...core.service.providers import Provider

Status = Literal["authorized", "captured", "pending", "requires_more", "error", "canceled", "pending_authorization"]

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a provider."""

    key: str
    """The idempotency key."""
    data: Data
    """What the provider returned last; at the start, what the storefront sent with `session_id` added."""
    amount: Decimal
    """In major units of the currency, with no more decimals than the currency has. A provider whose `step` is coarser moves the nearest
    amount that it can instead, halves upwards."""
    currency_code: str
    """Lower case."""
    context: Data = field(default_factory=dict)
    """The buyer and further data: `customer`, `account_holder`, what the storefront sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A provider's answer."""

    data: Data
    """Stored with the session or payment and passed to the next request."""
    status: Status = "pending"
    captured: Decimal | None = None
    """With status `captured`: the captured amount, in total. None, and the amount that it moves for the whole: the whole amount."""


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """A buyer's account at the outside party."""

    id: str
    data: Data = field(default_factory=dict)


@wire
@dataclass(frozen=True, slots=True)
class Notice:
    """The contents of a webhook. It is only a hint: what `status` returns then is booked."""

    action: Literal["authorized", "captured", "failed", "pending", "requires_more", "canceled", "not_supported"]
    session_id: str | None = None
    amount: Decimal | None = None
    id: str | None = None
    """The outside party's own id: the same when the webhook is repeated."""


class PaymentProvider(Provider, ABC):
    """Base of all payment providers."""

    identifier: ClassVar[str]
    """The middle of its id: `pp_<identifier>_<id in the settings>`."""
    asks_nobody: ClassVar[bool] = False
    """Whether there is no outside party: nothing is ever held, or in doubt, so there is nothing to settle."""

    def step(self, currency_code: str) -> Decimal | None:
        """The smallest amount that it can move in a currency; None: as the currency's decimals.

        A whole (of a session, of what is left of a payment) is moved as a whole: the books hold it exactly, and the provider moves the
        nearest amount that it can. A part has to be a multiple of the step. So parts and the rest after them add up to the whole, here and
        at the provider.
        """
        return None

    @abstractmethod
    async def initiate(self, ask: Ask) -> Outcome:
        """Begin a payment that the buyer will confirm.

        Status `pending` is usual; `requires_more` where the buyer has to act first; `authorized` where there is
        nothing to confirm.
        """

    async def update(self, ask: Ask) -> Outcome:
        """Change the amount, or the buyer's data, of a payment that isn't authorised yet."""
        return Outcome(ask.data)

    @abstractmethod
    async def drop(self, ask: Ask) -> None:
        """Drop a payment that wasn't authorised as far as we know. What the buyer has paid meanwhile is given back.

        Does nothing if there is nothing to drop; may be repeated, under another key too. If the outside party supports that,
        the payment can't be paid afterwards.
        """

    @abstractmethod
    async def authorize(self, ask: Ask) -> Outcome:
        """Hold the money (`authorized`), or take it at once (`captured`).

        `pending_authorization`: the outside party needs time, the order may be placed, a webhook reports the end.
        `requires_more`: the buyer has to act. `error` and `canceled`: declined, for certain; the buyer may try again,
        which then comes with another key.
        """

    @abstractmethod
    async def capture(self, ask: Ask) -> Outcome:
        """Take `amount` of the money that is held; it never adds up to more than was authorised."""

    @abstractmethod
    async def refund(self, ask: Ask) -> Outcome:
        """Give `amount` of the captured money back; it never adds up to more than was captured."""

    @abstractmethod
    async def cancel(self, ask: Ask) -> Outcome:
        """Release the money that is held. Nothing of it was captured. May be repeated."""

    @abstractmethod
    async def status(self, ask: Ask) -> Outcome:
        """The payment's status at the outside party: what it really holds or has taken, `pending` if that is nothing.

        Called when the outcome of an authorisation is unknown, after a webhook, and when a session has got no order for a while.
        """

    async def account_holder(self, key: str, context: Data) -> AccountHolder | None:
        """Register the buyer in `context["customer"]` with the outside party. None: this provider has no accounts."""
        return None

    async def notice(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """Read a webhook; names of headers are lower case. Raises InvalidData for one that isn't signed by the outside party."""
        return Notice("not_supported")
