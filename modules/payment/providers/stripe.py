"""Stripe, by its official library: cards and all other methods that the shop's Stripe account accepts.

    [[providers.payment]]
    use = "stripe"                 # pp_stripe_stripe
    id = "stripe"
    options = { api_key = "sk_…", webhook_secret = "whsec_…" }

A session is a PaymentIntent. The storefront confirms it in the buyer's browser with its `client_secret`, or names a saved
`payment_method`, which is then confirmed when the cart is completed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from ....commerce import money
from ....core import numbers
from ....core.errors import (
    Busy,
    InvalidData,
    Misconfigured,
    NotAllowed,
    PaymentAuthorizationFailed,
    PaymentOutcomeUnknown,
    UnexpectedState,
    VelellaError,
)
from ....core.json import received
from ....core.rows import Row
from ....core.service.outside import Missed, OutsideParty
from ..provider import AccountHolder, Ask, Data, Notice, Outcome, PaymentProvider, Status

if TYPE_CHECKING:
    import stripe


FROM_STOREFRONTS = ("payment_method", "payment_method_types", "return_url", "setup_future_usage")
"""What a storefront may set on a payment. A browser never decides on amounts, customers or captures."""
SHOWN = (
    "id", "amount", "amount_received", "capture_method", "client_secret", "currency", "customer", "next_action", "payment_method",
    "payment_method_types", "setup_future_usage", "status",
)  # fmt: skip
"""The fields of a PaymentIntent that are stored; storefronts see them."""
DECIMALS = {
    **dict.fromkeys(("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"), 0),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}
"""Decimals in which Stripe counts amounts; 2 for all other currencies. The shop's own decimals decide how amounts are rounded: the two may
differ."""
STEPS = {
    code: Decimal(1).scaleb(-moved)
    for code, each in money.CURRENCIES.items()
    if each.decimal_digits > (moved := min(DECIMALS.get(code, 2), 2))
}
"""Currencies that Stripe moves in coarser steps than their decimals: of three decimals the last has to be 0."""
NOTICES: Mapping[str, Any] = {
    "payment_intent.amount_capturable_updated": "authorized",
    "payment_intent.canceled": "canceled",
    "payment_intent.partially_funded": "requires_more",
    "payment_intent.payment_failed": "failed",
    "payment_intent.processing": "pending",
    "payment_intent.requires_action": "requires_more",
    "payment_intent.succeeded": "captured",
}
STATUSES: Mapping[str, Status] = {
    "requires_payment_method": "pending",
    "requires_confirmation": "pending",
    "requires_action": "requires_more",
    "processing": "pending_authorization",
    "requires_capture": "authorized",
    "succeeded": "captured",
    "canceled": "canceled",
}


class StripePayment(PaymentProvider):
    """Payments by PaymentIntents.

    A partial capture releases the rest: Stripe captures a payment once. There may be many refunds.
    """

    identifier: ClassVar[str] = "stripe"

    def __init__(
        self,
        api_key: str,
        webhook_secret: str | None = None,
        *,
        capture: bool = False,
        payment_description: str | None = None,
        payment_method_configuration: str | None = None,
        api_base: str | None = None,
        timeout: float = 12.0,
        retries: int = 1,
    ) -> None:
        """`capture`: take money at once instead of only holding it. `timeout` in seconds is for one attempt, `retries` for lost answers:
        who was silent for the whole time isn't asked again at once. `api_base` is for tests."""
        try:
            import stripe
        except ImportError as error:
            raise Misconfigured(
                "The payment provider stripe needs Stripe's library.", hint="Install it with: pip install 'velella[stripe]'"
            ) from error
        self._stripe = stripe
        self._secret = webhook_secret
        self._capture_method = "automatic" if capture else "manual"
        self._extra: Row = {}
        if payment_description is not None:
            self._extra["description"] = payment_description
        if payment_method_configuration is not None:
            self._extra["payment_method_configuration"] = payment_method_configuration
        self.outside: OutsideParty = OutsideParty("Stripe", timeout=timeout)
        client = stripe.StripeClient(
            api_key,
            http_client=_http_client(stripe, self.outside),
            max_network_retries=retries,
            base_addresses={"api": api_base} if api_base is not None else {},
        )
        # Any: parameters are built as dicts here, while the library's types want literals
        self._intents: Any = client.v1.payment_intents
        self._refunds: Any = client.v1.refunds
        self._customers: Any = client.v1.customers

    def step(self, currency_code: str) -> Decimal | None:
        return STEPS.get(currency_code)

    async def check(self) -> str:
        await self._call(self._customers.list_async({"limit": 1}))
        if self._secret is None:
            raise Misconfigured(
                "Stripe lets this shop in, but webhooks are refused: webhook_secret is not set",
                hint="Make an endpoint at Stripe for /hooks/payment/…, and put its signing secret into the options of the provider.",
            )
        return "Stripe lets this shop in, and webhooks are believed by their signatures"

    # -- beginning
    async def initiate(self, ask: Ask) -> Outcome:
        params: Row = {
            "amount": minor_units(ask.amount, ask.currency_code),
            "currency": ask.currency_code,
            "capture_method": self._capture_method,
            "metadata": {"session_id": str(ask.data["session_id"])},
            **self._extra,
        }
        params |= {name: ask.data[name] for name in FROM_STOREFRONTS if ask.data.get(name) and name != "return_url"}
        holder = ask.context.get("account_holder")
        if holder:
            params["customer"] = holder["external_id"]
        return self._outcome(await self._call(self._intents.create_async(params, {"idempotency_key": ask.key})), ask)

    async def update(self, ask: Ask) -> Outcome:
        params = {"amount": minor_units(ask.amount, ask.currency_code), "currency": ask.currency_code}
        return self._outcome(await self._call(self._intents.update_async(ask.data["id"], params, {"idempotency_key": ask.key})), ask)

    async def drop(self, ask: Ask) -> None:
        if "id" not in ask.data:
            return
        intent = await self._intent(ask)
        if intent["status"] in ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"):
            try:
                intent = await self._call(self._intents.cancel_async(intent["id"]))
            except InvalidData:  # the buyer was faster
                intent = await self._intent(ask)
        if intent["status"] == "succeeded":
            key = f"{intent['id']}:dropped"  # there is one such refund, whatever it is asked for by
            if not await self._refunded(intent["id"], None):
                params = {"payment_intent": intent["id"], "metadata": {"key": key}}
                await self._call(self._refunds.create_async(params, {"idempotency_key": key}))

    # -- holding and taking
    async def authorize(self, ask: Ask) -> Outcome:
        intent = await self._intent(ask)
        if intent["status"] == "requires_confirmation":
            params = {"return_url": ask.data["return_url"]} if ask.data.get("return_url") else {}
            try:
                intent = await self._call(self._intents.confirm_async(intent["id"], params, {"idempotency_key": ask.key}))
            except PaymentAuthorizationFailed:
                return Outcome(self._outcome(await self._intent(ask), ask).data, "error")
        outcome = self._outcome(intent, ask)
        # nothing is under way: the buyer must act in the browser, with the money or with another card
        return Outcome(outcome.data, "requires_more") if outcome.status == "pending" else outcome

    async def capture(self, ask: Ask) -> Outcome:
        params = {"amount_to_capture": minor_units(ask.amount, ask.currency_code)}
        return self._outcome(await self._call(self._intents.capture_async(ask.data["id"], params, {"idempotency_key": ask.key})), ask)

    async def refund(self, ask: Ask) -> Outcome:
        id = ask.data["id"]
        params = {
            "payment_intent": id,
            "amount": minor_units(ask.amount, ask.currency_code),
            "metadata": {"key": ask.key},
        }
        try:
            refund = await self._call(self._refunds.create_async(params, {"idempotency_key": ask.key}))
        except PaymentOutcomeUnknown:
            if not await self._refunded(id, ask.key):
                raise
            return Outcome({}, "captured")
        if refund["status"] in ("failed", "canceled"):
            raise NotAllowed(f"Stripe could not give the money back: {refund.get('failure_reason') or refund['status']}")
        return Outcome({}, "captured")

    async def cancel(self, ask: Ask) -> Outcome:
        try:
            return self._outcome(await self._call(self._intents.cancel_async(ask.data["id"])), ask)
        except (InvalidData, PaymentOutcomeUnknown) as error:
            outcome = await self.status(ask)
            if outcome.status == "canceled":
                return outcome
            if isinstance(error, PaymentOutcomeUnknown):
                raise
            raise NotAllowed(f"Stripe can't cancel the payment any more: {error.message}") from error

    async def status(self, ask: Ask) -> Outcome:
        return self._outcome(await self._intent(ask), ask)

    # -- buyers
    async def account_holder(self, key: str, context: Data) -> AccountHolder | None:
        customer = context["customer"]
        name = " ".join(part for part in (customer.get("first_name"), customer.get("last_name")) if part) or customer.get("company_name")
        params = {"email": customer.get("email"), "name": name, "phone": customer.get("phone")}
        params = {name: value for name, value in params.items() if value} | {"metadata": {"customer_id": customer["id"]}}
        # one key stands for one request: a buyer with changed details is another one
        digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:32]
        made = await self._call(self._customers.create_async(params, {"idempotency_key": f"{key}:{digest}"}))
        return AccountHolder(made["id"], {"id": made["id"]})

    # -- webhooks
    async def notice(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        if self._secret is None:
            raise InvalidData("The payment provider stripe takes no webhooks: it has no webhook_secret")
        try:
            self._stripe.WebhookSignature.verify_header(
                body, headers.get("stripe-signature"), self._secret, self._stripe.Webhook.DEFAULT_TOLERANCE
            )
            event = received(body)
            kind, intent = event["type"], event["data"]["object"]
        except self._stripe.SignatureVerificationError as error:
            raise InvalidData(f"The webhook isn't signed by Stripe: {error.user_message}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidData("The webhook isn't an event of Stripe") from error
        action = NOTICES.get(kind)
        session_id = (intent.get("metadata") or {}).get("session_id")
        if action is None or session_id is None:  # not about a payment of ours
            return Notice("not_supported", id=event.get("id"))
        amount = intent.get("amount_received") if action == "captured" else intent.get("amount")
        return Notice(action, session_id, None if amount is None else major_units(amount, intent["currency"]), event.get("id"))

    # -- inside
    async def _intent(self, ask: Ask) -> Row:
        return await self._call(self._intents.retrieve_async(ask.data["id"]))

    async def _refunded(self, intent_id: str, key: str | None) -> bool:
        """Whether Stripe has a refund with our key, or any refund."""
        found = await self._call(self._refunds.list_async({"payment_intent": intent_id, "limit": 100}))
        return any(
            key is None or (refund["metadata"] or {}).get("key") == key
            for refund in found["data"]
            if refund["status"] not in ("failed", "canceled")
        )

    def _outcome(self, intent: Row, ask: Ask) -> Outcome:
        data = {name: intent[name] for name in SHOWN if intent.get(name) is not None}
        status = STATUSES.get(intent["status"], "pending")
        received = intent.get("amount_received")
        if status != "captured" or received is None or received == minor_units(ask.amount, ask.currency_code):
            return Outcome(data, status)
        return Outcome(data, status, major_units(received, intent["currency"]))

    async def _call(self, request: Awaitable[stripe.StripeObject]) -> Row:
        """Stripe's answer. Its errors say whether it may have been done (PaymentOutcomeUnknown) or certainly was not."""
        stripe = self._stripe
        try:
            answer: Row = (await request).to_dict()
        except stripe.CardError as error:
            raise PaymentAuthorizationFailed(error.user_message or "The card was declined", code=error.code) from error
        except stripe.APIConnectionError as error:
            raise PaymentOutcomeUnknown("Stripe did not answer", hint=str(error)) from error
        except stripe.StripeError as error:
            raise _refusal(stripe, error) from error
        return answer


def _http_client(library: Any, outside: OutsideParty) -> Any:
    """What Stripe's library asks Stripe by. The library decides when to ask again: Stripe says in its answers whether that makes sense."""

    class Client(library.HTTPClient):  # type: ignore[misc]
        name = "velella"

        async def request_async(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> Any:
            try:
                answer = await outside.send(method, url, headers=headers, data=post_data)
            except Missed as missed:
                said = f"{missed.error.message}: {missed.error.hint}"
                raise library.APIConnectionError(said, should_retry=missed.went != "timeout") from missed
            return answer.body, answer.status, answer.headers

        async def sleep_async(self, secs: float) -> None:
            await asyncio.sleep(secs)

    return Client()


def _refusal(library: Any, error: stripe.StripeError) -> VelellaError:
    message = error.user_message or "Stripe refused the request"
    status = error.http_status or 0
    if isinstance(error, library.RateLimitError) or status == 429:
        return Busy("Stripe is asked too often", hint=message, retry_after=2.0)
    if isinstance(error, library.AuthenticationError | library.PermissionError):
        return UnexpectedState("Stripe doesn't let this shop in", hint=f"{message} Look at api_key in providers.payment.")
    if not 400 <= status < 500 or status == 409:  # 409: the same request is being carried out right now; 200: with what nobody understands
        return PaymentOutcomeUnknown("Stripe could not say whether it did what it was asked for", hint=message)
    if isinstance(error, library.IdempotencyError):
        return UnexpectedState("Stripe was asked for two things under one key", hint=message)
    return InvalidData(message, code=error.code)


def _decimals(currency: str) -> int:
    return DECIMALS.get(currency.lower(), 2)


def minor_units(amount: Decimal, currency: str) -> int:
    """The nearest amount that Stripe can move, in Stripe's units. Raises InvalidData for an amount with more decimals than its currency,
    and for one that would become zero."""
    step = STEPS.get(currency.lower())
    moved = amount if step is None else numbers.nearest(amount, step)
    scaled = moved.scaleb(_decimals(currency))
    units = int(scaled)
    if units != scaled or money.rounded(amount, currency) != amount or (amount and not units):
        raise InvalidData(f"Stripe can't move {amount:f} {currency.upper()}")
    return units


def major_units(units: int, currency: str) -> Decimal:
    """The inverse of `minor_units`."""
    return numbers.plain(Decimal(units).scaleb(-_decimals(currency)))
