"""Changes of orders and their actions, and the returns, claims and exchanges that changes are of, as plain dicts.

Amounts are decimals in major units, times are UTC as the API shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Required, TypedDict

from ...commerce.types import Adjustment, Order, OrderLine, OrderShippingMethod, Stamps
from ...core.numbers import Amount

Subject = Literal["return", "order_claim", "order_exchange"]
"""The entities that a change may be of, besides the order itself."""
Cause = Literal["return_id", "claim_id", "exchange_id"]
"""The columns that name the return, claim or exchange for which something is changed in an order."""


class ActDetails(TypedDict, total=False):
    """The details of an action, as far as its kind has them."""

    reference_id: str
    """The line that the action changes; in `Adjust` the line or shipping method."""
    quantity: Amount
    quantity_diff: Amount
    """The new quantity minus the former one, in `ITEM_UPDATE`."""
    unit_price: Amount | None
    compare_at_unit_price: Amount | None
    adjustments: Sequence[Adjustment]
    """Discounts of the line or shipping method, in `Adjust`."""
    reason: str | None
    """Why a line is claimed."""
    reason_id: str | None
    """Why a line is returned."""
    token: str
    """The secret with which a transfer is accepted."""
    original_email: str | None
    new_email: str | None
    """The order's email once it is transferred."""
    added_code: str
    removed_code: str
    """The code of the promotion, in `PROMOTION_ADD` and `PROMOTION_REMOVE`."""
    metadata: dict[str, Any] | None


class ActRevision(TypedDict, total=False):
    """The fields of an action that may be changed while its change is open."""

    details: ActDetails
    amount: Amount | None
    """The price of what the action is about: of a line, a credit line or a shipping method."""
    line: OrderLine | OrderShippingMethod | None
    """The line or shipping method that the action adds to the order, whole; None for other kinds."""
    internal_note: str | None


class Act(ActRevision, total=False):
    """One action of a change: a row of `order_change_action`, or one that isn't stored yet."""

    id: str
    action: Required[str]
    """A name in `ACTIONS`."""
    reference: str | None
    """The kind of thing that `reference_id` names."""
    reference_id: str | None
    return_id: str | None
    claim_id: str | None
    exchange_id: str | None
    order_id: str
    order_change_id: str
    version: int
    ordering: int
    """Rises from each action of a change to the next."""
    updated_at: str


class ChangeRevision(TypedDict, total=False):
    """The fields of a change that may be changed after it has begun."""

    internal_note: str | None
    carry_over_promotions: bool | None
    """Whether the order's promotions are applied to the lines that the change adds."""


class NewChange(ChangeRevision, total=False):
    """A change before it is stored."""

    change_type: Required[str]
    """A name in `KINDS`, or of a change that is confirmed at once."""
    status: str
    return_id: str | None
    claim_id: str | None
    exchange_id: str | None
    description: str | None
    created_by: str | None
    requested_by: str | None
    requested_at: str | None
    confirmed_by: str | None
    metadata: dict[str, Any] | None


class Change(NewChange, Stamps, total=False):
    """A change of an order with its actions in order: a row of `order_change`."""

    id: Required[str]
    order_id: Required[str]
    version: Required[int]
    """The order's version once the change is confirmed."""
    revision: int
    """Rises with each write to the change: of one that is open."""
    actions: Required[list[Act]]
    order: Order
    """The order as it is: of an open change that was read with it."""
    subjects: Subjects
    """The return, claim or exchange by which it was asked for: likewise."""


class SubjectItem(Stamps, total=False):
    """Units of an order's line in a return, a claim or an exchange."""

    id: Required[str]
    item_id: Required[str]
    """The order's line."""
    quantity: Required[Amount]
    note: str | None


class ReturnItem(SubjectItem, total=False):
    """Units that the buyer sends back."""

    return_id: str
    reason_id: str | None
    received_quantity: Amount
    """Units that have arrived, damaged ones included."""
    damaged_quantity: Amount


class Return(Stamps, total=False):
    """A return with its items."""

    id: Required[str]
    order_id: Required[str]
    order_version: int
    claim_id: str | None
    exchange_id: str | None
    status: str
    location_id: str | None
    """The stock location that the items come back to."""
    no_notification: bool | None
    created_by: str | None
    requested_at: str | None
    received_at: str | None
    canceled_at: str | None
    items: Required[list[ReturnItem]]


class Claim(Stamps, total=False):
    """A claim with its items."""

    id: Required[str]
    order_id: Required[str]
    order_version: int
    return_id: Required[str | None]
    type: str
    created_by: str | None
    canceled_at: str | None
    claim_items: list[SubjectItem]
    """Units that arrived wrong or not at all."""
    additional_items: list[SubjectItem]
    """Units that are sent instead."""


class Exchange(Stamps, total=False):
    """An exchange with the items that are sent to the buyer."""

    id: Required[str]
    order_id: Required[str]
    order_version: int
    return_id: Required[str | None]
    created_by: str | None
    canceled_at: str | None
    additional_items: list[SubjectItem]


Subjects = TypedDict("Subjects", {"return": Return, "order_claim": Claim, "order_exchange": Exchange}, total=False)
"""What a change is of: a return, a claim or an exchange; with the latter two their return, if they have one."""


class AtWork(TypedDict):
    """An order as it is, and its open change."""

    order: Order
    change: Change | None
    subjects: Subjects
    """What the change was asked for by, as it was named."""


class PreviewedOrder(Order):
    """An order as it would be after its open change."""

    order_change: Change | None
