"""Captures, refunds and cancellations: operations that a provider carries out on a payment.

Each has three steps. The operation is recorded and committed, with its amount checked under the payment's lock; the provider is asked,
outside of any transaction, under the operation's id; the answer is booked. A process that dies in between leaves a pending operation, which
counts against what is left, and which the next operation on the payment takes up under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ...commerce import money
from ...core import numbers
from ...core.clock import iso, utc_now
from ...core.errors import InvalidData, NotAllowed, NotFound, PaymentOutcomeUnknown, VelellaError
from ...core.ids import new_id
from ...core.message import reads, repeatable, writes
from ...core.numbers import Amount
from .provider import Ask, Outcome
from .queries import (
    BEGIN_OPERATION,
    BOOK_OPERATION,
    FAIL_OPERATION,
    LOCK_BOTH,
    LOCK_PAYMENT,
    PRESSES,
    SHOWN,
    STANDING,
    STANDING_AND_BEGUN,
)
from .sessions import Sessions
from .types import HeldPayment, Payment, PaymentSession, Standing, StandingAndBegun

Kind = Literal["capture", "refund", "cancel"]

PATIENCE = 60.0
"""Seconds after which the process that began an operation is taken for dead."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to a provider."""

    id: str
    kind: Kind
    payment: HeldPayment
    amount: Decimal
    details: Mapping[str, Any]
    """Booked with it: `created_by`, `note`, `refund_reason_id`, `metadata`."""


class Operations(Sessions):
    """Capturing authorised money, refunding it, releasing it."""

    async def capture_payment(
        self,
        payment_id: str,
        *,
        amount: Amount | None = None,
        captured_by: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Payment:
        """Capture authorised money; all that is left if no amount is given. Returns the payment, with its captures and refunds.

        With a `key` the message may be repeated: under one key it is one capture. A fully captured payment is returned as it is.

        Raises NotFound; InvalidData for more than is authorised and not yet captured, and where the payment was cancelled;
        PaymentOutcomeUnknown if the provider doesn't answer (repeating with the same key settles it).
        """
        return await self._operate("capture", payment_id, amount, {"created_by": captured_by, "metadata": metadata}, key)

    async def refund_payment(
        self,
        payment_id: str,
        *,
        amount: Amount | None = None,
        created_by: str | None = None,
        note: str | None = None,
        refund_reason_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Payment:
        """Refund captured money; all that is left if no amount is given. Otherwise as `capture_payment`.

        Raises InvalidData for more than was captured and not yet refunded, NotFound for an unknown reason.
        """
        if refund_reason_id is not None:  # checked before any money moves: it couldn't be booked
            await self.retrieve("refund_reason", refund_reason_id, fields=("id",))
        details = {"created_by": created_by, "note": note, "refund_reason_id": refund_reason_id, "metadata": metadata}
        return await self._operate("refund", payment_id, amount, details, key)

    @repeatable
    async def cancel_payment(self, payment_id: str) -> Payment:
        """Release authorised money. A cancelled payment is returned as it is.

        Raises NotFound; NotAllowed where something of it was captured: that can only be refunded.
        """
        return await self._operate("cancel", payment_id, None, {}, "cancel")

    @reads
    async def presses(self, payment_id: str, kind: Kind, ago: float = 0.0) -> int:
        """How many captures or refunds of a payment merchants had been shown so many seconds ago, when their request came. It makes the
        key of a request without one: until the result is shown, a repetition is the same operation."""
        return int(await self.database.fetch_value(PRESSES, {"payment_id": payment_id, "kind": kind, "ago": ago}))

    @writes(one_statement=True)
    async def was_shown(self, payment_id: str, kind: Kind) -> None:
        """Record that a merchant is being shown what was captured or refunded of a payment."""
        await self.database.execute(SHOWN, {"payment_id": payment_id, "kind": kind})

    # -- inside

    async def _operate(self, kind: Kind, payment_id: str, amount: Amount | None, details: Mapping[str, Any], key: str | None) -> Payment:
        wanted = _exact(amount)
        while True:
            begun = await self._begin(kind, payment_id, wanted, details, key)
            if begun is None:
                return await self._payment(payment_id)
            operation, mine = begun
            await self._carry_out(operation, mine=mine)
            if mine:
                return await self._payment(payment_id)

    @writes
    async def _begin(
        self, kind: Kind, payment_id: str, amount: Decimal | None, details: Mapping[str, Any], key: str | None
    ) -> tuple[Operation, bool] | None:
        """The operation to carry out now, and whether it is the caller's (else one that another process has left
        behind, after which this is to be called again). None: there is nothing left to do."""
        payment = await self._hold_payment(payment_id)
        found: list[StandingAndBegun] = await self.database.rows(
            STANDING_AND_BEGUN, {"id": payment_id, "kind": kind, "request_key": key, "patience": PATIENCE}
        )
        [standing] = found  # an aggregate always returns a row
        for row in standing["begun"]:
            if row["mine"] and row["state"] == "done":
                return None
            if row["mine"] or row["state"] == "pending":
                return Operation(row["id"], row["kind"], payment, Decimal(row["amount"]), row["details"]), row["mine"]
        step = self._provider(payment["provider_id"]).step(payment["currency_code"])
        taken = _amount_for(kind, payment, standing, amount, step)
        if taken is None:
            return None
        operation = Operation(new_id("payop"), kind, payment, taken, details)
        await self.database.execute(
            BEGIN_OPERATION,
            {
                "id": operation.id,
                "payment_id": payment_id,
                "kind": kind,
                "amount": taken,
                "request_key": key,
                "details": {name: value for name, value in details.items() if value is not None},
            },
        )
        return operation, True

    async def _carry_out(self, operation: Operation, *, mine: bool) -> None:
        """Ask the provider, and book its answer."""
        payment = operation.payment
        ask = Ask(operation.id, payment["data"] or {}, operation.amount, payment["currency_code"])
        try:
            outcome = await self._asked(payment["provider_id"], operation.kind, ask)
        except Exception as error:
            answered = payment["provider_id"] in self.providers  # it may have been asked before it was taken out of the settings
            if not answered or not isinstance(error, VelellaError) or error.status >= 500:  # not refused, for certain
                said = error.hint if isinstance(error, PaymentOutcomeUnknown) else f"{type(error).__name__}: {error}"
                what = f"the {operation.kind} of payment {payment['id']}"
                raise PaymentOutcomeUnknown(
                    f"The payment provider did not answer, so it isn't known whether {what} was done",
                    hint=f"{said}. It is asked again with the next request.",
                    retry_after=5.0,
                ) from error
            await self._failed(operation, error)
            if mine:
                raise
        else:
            await self._booked(operation, outcome)

    @writes(one_statement=lambda operation, _: operation.kind != "cancel")
    async def _booked(self, operation: Operation, outcome: Outcome) -> None:
        payment = operation.payment
        booking = {**dict.fromkeys(("created_by", "metadata", "note", "refund_reason_id")), **operation.details}
        booking |= {
            "id": operation.id,
            "kind": operation.kind,
            "amount": operation.amount,
            "payment_id": payment["id"],
            "collection_id": payment["payment_collection_id"],
            "row_id": new_id("capt" if operation.kind == "capture" else "ref"),
            "data": {**(payment["data"] or {}), **outcome.data},
        }
        while (became := await self.database.fetch_value(BOOK_OPERATION, booking)) == "passed":
            continue
        if became == "gone":
            raise NotFound(f"Payment collection with id: {payment['payment_collection_id']} was not found")
        if became == "ended":  # another call has booked it
            return
        if operation.kind == "cancel":  # the buyer can't pay in its session any more
            await self._changed_session(payment["payment_session_id"], _end_session)
        self.touch("payment", "capture", "refund", "payment_collection")

    @writes(one_statement=True)
    async def _failed(self, operation: Operation, error: Exception) -> None:
        await self.database.execute(FAIL_OPERATION, {"id": operation.id, "failure": f"{type(error).__name__}: {error}"})

    async def _hold_payment(self, id: str) -> HeldPayment:
        held: list[HeldPayment] = await self.database.rows(LOCK_PAYMENT, {"id": id})
        if not held:
            raise NotFound(f"Payment with id: {id} was not found")
        return held[0]

    async def _hold_both(self, id: str, collection_id: str) -> HeldPayment:
        """Lock a payment's collection, then the payment. Raises NotFound."""
        held: list[HeldPayment] = await self.database.rows(LOCK_BOTH, {"id": id, "collection_id": collection_id})
        if not held:
            raise NotFound(f"Payment with id: {id} was not found")
        return held[0]

    async def _standing(self, payment_id: str) -> Standing:
        standing: list[Standing] = await self.database.rows(STANDING, {"id": payment_id})
        return standing[0]  # an aggregate always returns a row


def _end_session(session: PaymentSession) -> bool:
    session |= {"status": "canceled", "updated_at": iso(utc_now())}
    return True


def _amount_for(kind: Kind, payment: HeldPayment, standing: Standing, wanted: Decimal | None, step: Decimal | None) -> Decimal | None:
    """The amount that the operation moves, given what the payment has left. None: it is done already. `step`: see
    `PaymentProvider.step`."""
    id, authorized = payment["id"], payment["amount"]
    captured = standing["captured"]
    if kind == "cancel":
        if payment["canceled_at"] is not None:
            return None
        if captured or standing["capturing"]:
            raise NotAllowed(f"Payment {id} has been captured: it can be refunded, not cancelled")
        return Decimal(authorized)
    if payment["canceled_at"] is not None or standing["canceling"]:
        raise InvalidData(f"Payment {id} has been cancelled")
    if kind == "capture":
        if payment["captured_at"] is not None:
            return None
        left, what = numbers.difference(authorized, captured, standing["capturing"]), "authorized and not yet captured"
    else:
        left, what = numbers.difference(captured, standing["refunded"], standing["refunding"]), "captured and not yet refunded"
    amount = left if wanted is None else wanted
    if amount <= 0 or amount > left:
        raise InvalidData(f"Cannot {kind} {amount:f} of payment {id}: {left:f} is {what}")
    if amount != left:  # all of it can be moved; a part that the provider can't move exactly would leave a rest like it
        money.check_movable(amount, payment["currency_code"], f"An amount to {kind}", step)
    return Decimal(amount)


def _exact(amount: Amount | None) -> Decimal | None:
    if amount is None:
        return None
    exact = Decimal(amount)
    if not exact.is_finite() or exact <= 0:
        raise InvalidData(f"An amount to move has to be above zero, not {amount}")
    return exact
