"""Every error that a client, a workflow or an operator can meet.

    VelellaError
    ├── InvalidData             400  the request can't be understood or breaks a rule of its shape
    │   └── TooLarge                 a message between processes, or its answer, is larger than any may be; nothing was done
    ├── NotAllowed              400  understood, but the state of the shop refuses it
    │   ├── InsufficientInventory
    │   └── StepFailed               whoever a step of a workflow waited for says that it failed; carries `response`
    │       └── NotAnswered          or didn't answer in time
    ├── Unauthorized            401
    ├── Forbidden               403
    ├── NotFound                404
    ├── Conflict                409  the same thing is being changed elsewhere: try again
    │   └── NotLocked                a lock can't be had in time, or was lost
    ├── Duplicate               422
    ├── TooManyRequests         429  too many attempts; carries `retry_after`
    ├── PaymentAuthorizationFailed 422
    ├── PaymentRequiresMore     422  the buyer has to act first (a redirect, a second factor)
    ├── UnexpectedState         500  our own books disagree; the message is shown
    │   └── TookDown                 the process died while it ran only this message, which isn't sent to another process
    └── Unavailable             503  no replica could take the message now; carries `retry_after`
        ├── Busy                     its admission queue is full
        ├── DeadlineExceeded    504  the answer did not come in time; a write may or may not have taken effect
        ├── ReplyLost                the connection closed after the message was sent; a write may or may not have taken effect
        ├── SessionsAway             where sessions are kept can't be reached
        ├── GoesOn                   a durable workflow is still running; a start under the same key joins it
        └── PaymentOutcomeUnknown    a payment provider did not answer; it is asked again, never guessed
            └── PaymentInDoubt       the same, and recorded: the shop asks the provider by itself, nothing goes on meanwhile

An error is data: it travels between processes by its class name and is an HTTP body for clients.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

Class: TypeAlias = "type[VelellaError]"


class VelellaError(Exception):
    """Base of all. `type`, `code` and `message` are the HTTP body; `hint` is for operators."""

    type: ClassVar[str] = "unknown_error"
    status: ClassVar[int] = 500
    default_code: ClassVar[str | None] = None
    registry: ClassVar[dict[str, Class]] = {}

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.data = data

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        VelellaError.registry[cls.__name__] = cls

    @property
    def refuses(self) -> bool:
        """Whether the request has ended with this error: nothing of it goes on, and repeating it at once gets the same answer."""
        return self.status < 500

    def body(self) -> dict[str, Any]:
        """The JSON body that a client gets."""
        body: dict[str, Any] = {"type": self.type, "message": self.message}
        return {"code": self.code, **body} if self.code else body

    def to_wire(self) -> list[Any]:
        return [type(self).__name__, self.message, self.code, self.hint, self.data]

    @staticmethod
    def from_wire(wire: list[Any]) -> VelellaError:
        name, message, code, hint, data = wire
        cls = VelellaError.registry.get(name, VelellaError)
        return cls(message, code=code, hint=hint, **data)


class InvalidData(VelellaError):
    type = "invalid_data"
    status = 400


class TooLarge(InvalidData):
    pass


class NotAllowed(VelellaError):
    type = "not_allowed"
    status = 400


class InsufficientInventory(NotAllowed):
    default_code = "insufficient_inventory"


class StepFailed(NotAllowed):
    @property
    def response(self) -> Any:
        """What was said about it."""
        return self.data.get("response")


class NotAnswered(StepFailed):
    pass


class Unauthorized(VelellaError):
    type = "unauthorized"
    status = 401


class Forbidden(VelellaError):
    type = "forbidden"
    status = 403


class NotFound(VelellaError):
    type = "not_found"
    status = 404


class Conflict(VelellaError):
    type = "conflict"
    status = 409
    default_code = "invalid_state_error"


class NotLocked(Conflict):
    pass


class Duplicate(VelellaError):
    type = "duplicate_error"
    status = 422
    default_code = "invalid_request_error"


class TooManyRequests(VelellaError):
    type = "too_many_requests"
    status = 429

    @property
    def retry_after(self) -> float:
        """Seconds after which a retry makes sense."""
        return float(self.data.get("retry_after", 60.0))


class PaymentAuthorizationFailed(VelellaError):
    type = "payment_authorization_error"
    status = 422


class PaymentRequiresMore(VelellaError):
    type = "payment_requires_more_error"
    status = 422


class UnexpectedState(VelellaError):
    type = "unexpected_state"
    status = 500


class TookDown(UnexpectedState):
    pass


class Unavailable(VelellaError):
    type = "unavailable"
    status = 503

    @property
    def retry_after(self) -> float:
        """Seconds after which a retry makes sense."""
        return float(self.data.get("retry_after", 1.0))


class Busy(Unavailable):
    pass


class SessionsAway(Unavailable):
    pass


class DeadlineExceeded(Unavailable):
    type = "deadline_exceeded"
    status = 504


class ReplyLost(Unavailable):
    pass


class GoesOn(Unavailable):
    pass


class PaymentOutcomeUnknown(Unavailable):
    """Money may have moved, or not. Raised by payment providers; a repetition must use the same idempotency key."""


class PaymentInDoubt(PaymentOutcomeUnknown):
    """The outcome of a payment isn't known. It is marked so in the database, and the provider is asked until it answers.

    Nothing goes on from here meanwhile: the flow that asked for the payment undoes what it did, and the buyer may try again later.
    """

    @property
    def refuses(self) -> bool:
        return True


class Misconfigured(VelellaError):
    """An operator's mistake: one clear line and a hint, exit code 1. Never reaches a client."""

    type = "misconfigured"
