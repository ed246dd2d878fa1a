"""ShipStation, by version 2 of its HTTP API: rates at checkout, labels for what is sent and sent back, tracking by webhook.

    [[providers.fulfillment]]
    use = "shipstation"            # shipstation_shipstation
    id = "shipstation"
    options = { api_key = "…", ship_from = { name = "Harbour", address_line1 = "Quay 7", … } }

A shipping option of this provider names one service of one carrier (`options`). Its price may be calculated: it is the carrier's rate for
what goes by it, out or back. A fulfillment is a shipment with one label there, under the fulfillment's id as `external_shipment_id`, by
which it is found again after a lost answer. Point ShipStation's webhook "track" at `/hooks/fulfillment/shipstation_shipstation`.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, Literal

from cachetools import TTLCache

from ....core.errors import InvalidData, Misconfigured, NotAllowed, UnexpectedState
from ....core.json import received
from ....core.rows import Row
from ....core.service.outside import OutsideParty
from ..provider import Consignment, Data, FulfillmentProvider, ShippingPrice, Tracking

API = "https://api.shipstation.com/v2"
KEYS = "https://api.shipengine.com/jwks"
"""Where the public keys are by which webhooks are signed."""
SKEW = 300.0
"""Seconds that the time of a webhook may differ from ours."""
KEYS_PAUSE = 60.0
"""Seconds between two looks for an unknown key: a forged webhook must not make us ask each time."""
SHOWN = ("shipment_id", "label_id", "carrier_id", "service_code", "tracking_number", "tracking_url")
"""What is kept of a label."""
ON_ITS_WAY: Mapping[str, Literal["shipped", "delivered"]] = {
    "AC": "shipped", "IT": "shipped", "AT": "shipped", "SP": "shipped", "DE": "delivered",
}  # fmt: skip
"""Status codes of tracking (accepted, in transit, attempted, at a service point, delivered). The others change nothing."""
Unit = Literal["gram", "kilogram", "ounce", "pound"]


class ShipStationFulfillment(FulfillmentProvider):
    """One label a fulfillment. A label that was paid for is voided when the fulfillment is cancelled."""

    identifier: ClassVar[str] = "shipstation"

    def __init__(
        self,
        api_key: str,
        *,
        ship_from: Data | None = None,
        weight_unit: Unit = "gram",
        default_weight: float = 500.0,
        rates_seconds: float = 600.0,
        timeout: float = 12.0,
        retries: int = 2,
        test_labels: bool = False,
        api_base: str = API,
        keys_url: str = KEYS,
    ) -> None:
        """
        Args:
            ship_from: an address as ShipStation writes it, for locations that have none.
            weight_unit: of the weights of variants and products.
            default_weight: of one unit of what has no weight.
            rates_seconds: how long a rate is believed: carts are priced with each change, and ShipStation takes 200 requests a minute.
            timeout: seconds for one attempt, and the longest pause before another one.
            retries: attempts after one that failed (see `core.service.outside`).
            test_labels: labels that cost nothing and can't be used.
            api_base, keys_url: for tests.
        """
        if not api_key:
            raise Misconfigured("ShipStation needs an API key.", hint="Settings → Account → API Settings in ShipStation.")
        try:
            import cryptography.hazmat.primitives.asymmetric.rsa  # noqa: F401 - by which webhooks are checked
        except ImportError as error:
            raise Misconfigured(
                "The fulfillment provider shipstation needs the library cryptography.",
                hint="Install it with: pip install 'velella[shipstation]'",
            ) from error
        self._headers = {"API-Key": api_key, "Accept": "application/json"}
        self._ship_from = dict(ship_from or {})
        self._weight_unit = weight_unit
        self._default_weight = Decimal(str(default_weight))
        self.outside: OutsideParty = OutsideParty("ShipStation", timeout=timeout, retries=retries)
        self._test_labels = test_labels
        self._base = api_base.rstrip("/")
        self._keys_url = keys_url
        self._rates: TTLCache[str, tuple[Decimal, str]] = TTLCache(4096, rates_seconds)
        self._keys: dict[str, Any] = {}
        self._keys_asked = -KEYS_PAUSE

    # -- shipping options

    async def check(self) -> str:
        carriers = (await self._ask("GET", "/carriers"))["carriers"]
        if not carriers:
            raise Misconfigured("The account at ShipStation has no carriers", hint="Connect one there: without it there are no labels.")
        return f"ShipStation lets this shop in; {len(carriers)} carriers"

    async def options(self) -> list[dict[str, Any]]:
        """Every service of every carrier of the account; those that take things back a second time, with `is_return`."""
        made: list[dict[str, Any]] = []
        for carrier in (await self._ask("GET", "/carriers"))["carriers"]:
            for service in carrier.get("services") or ():
                said = {
                    "id": f"{carrier['carrier_id']}__{service['service_code']}",
                    "name": f"{carrier['friendly_name']}: {service['name']}",
                    "carrier_id": carrier["carrier_id"],
                    "carrier_service_code": service["service_code"],
                }
                made.append(said)
                if service.get("is_return_supported"):
                    made.append({**said, "id": f"{said['id']}__return", "name": f"{said['name']} (return)", "is_return": True})
        return made

    async def validate_option(self, data: Data) -> bool:
        return bool(data.get("carrier_id") and data.get("carrier_service_code"))

    async def can_calculate(self, option: Data) -> bool:
        return await self.validate_option(option.get("data") or option)

    async def calculate_price(self, option: Data, data: Data, context: Data) -> ShippingPrice:
        """The rate of the option's service for what is sent, or sent back, in its currency. Raises InvalidData without the buyer's address,
        or where the carrier has no rate."""
        address = context.get("shipping_address")
        if not address:
            raise InvalidData("A shipping address is required to calculate the price of this shipping option")
        currency = str(context["currency_code"]).lower()
        buyer, location = _address(address), self._from(context.get("from_location"))
        ship_from, ship_to = (buyer, location) if context.get("is_return") else (location, buyer)
        shipment = {
            "ship_to": ship_to,
            "ship_from": ship_from,
            "packages": [self._package([(item, Decimal(item["quantity"])) for item in context["items"]])],
        }
        asked = {
            "shipment": shipment,
            "rate_options": {
                "carrier_ids": [option["carrier_id"]],
                "service_codes": [option["carrier_service_code"]],
                "preferred_currency": currency,
            },
        }
        digest = sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
        known = self._rates.get(digest)
        if known is None:
            known = self._rates[digest] = _rate(await self._ask("POST", "/rates", asked, again=True), option)
        amount, of = known
        if of != currency:
            raise InvalidData(f"ShipStation prices this shipping option in {of.upper()}, the cart is in {currency.upper()}")
        return ShippingPrice(amount)

    # -- fulfillments

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        address = fulfillment.get("delivery_address")
        if not address:
            raise InvalidData("A delivery address is required to buy a label")
        return await self._label(key, fulfillment, ship_to=_address(address), ship_from=self._from(fulfillment.get("location")))

    async def create_return(self, key: str, fulfillment: Data) -> Consignment:
        address = fulfillment.get("delivery_address")
        if not address:
            raise InvalidData("The buyer's address is required to buy a label for a return")
        to = self._from(fulfillment.get("location"))
        return await self._label(key, fulfillment, ship_to=to, ship_from=_address(address), is_return_label=True)

    async def cancel(self, key: str, data: Data) -> None:
        """Void the label, and call off a shipment that has none. Raises NotAllowed where the carrier doesn't void it."""
        label_id = data.get("label_id")
        if label_id is None:
            shipment = await self._shipment(key)
            label = await self._label_of(shipment) if shipment is not None else None
            if label is None:
                if shipment is not None and shipment.get("shipment_status") != "cancelled":
                    await self._ask("PUT", f"/shipments/{shipment['shipment_id']}/cancel")
                return
            label_id = label["label_id"]
        known = await self._ask("GET", f"/labels/{label_id}")
        if known.get("status") == "voided":
            return
        said = await self._ask("PUT", f"/labels/{label_id}/void")
        if not said.get("approved"):
            raise NotAllowed(f"ShipStation doesn't void the label {label_id}: {said.get('message') or 'no reason given'}")

    # -- webhooks

    async def read_tracking(self, body: bytes, headers: Mapping[str, str]) -> Tracking | None:
        key_id, signature, at = (headers.get(f"x-shipengine-{name}") for name in ("rsa-sha256-key-id", "rsa-sha256-signature", "timestamp"))
        if not key_id or not signature or not at:
            raise NotAllowed("A webhook without a signature")
        try:
            sent = datetime.fromisoformat(at).timestamp()
        except ValueError:
            raise NotAllowed("A webhook whose time can't be read") from None
        if abs(time.time() - sent) > SKEW:
            raise NotAllowed("A webhook that is too old, or of the future")
        await self._check(key_id, signature, f"{at}.".encode() + body)
        said = received(body)
        if not isinstance(said, dict) or said.get("resource_type") != "API_TRACK":
            return None
        about = said.get("data") or {}
        status, number = ON_ITS_WAY.get(str(about.get("status_code"))), about.get("tracking_number")
        return Tracking(str(number), status) if status is not None and number else None

    async def _check(self, key_id: str, signature: str, signed: bytes) -> None:
        """Raises NotAllowed for a signature that isn't ShipStation's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        key = await self._public_key(key_id)
        if key is None:
            raise NotAllowed("A webhook signed by an unknown key")
        try:
            key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            raise NotAllowed("A webhook whose signature is wrong") from None

    async def _public_key(self, id: str) -> Any:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

        if id not in self._keys and time.monotonic() - self._keys_asked >= KEYS_PAUSE:
            self._keys_asked = time.monotonic()
            said = await self._ask("GET", self._keys_url)
            keys = [each for each in said["keys"] if each.get("kty") == "RSA"]
            self._keys = {each["kid"]: RSAPublicNumbers(_number(each["e"]), _number(each["n"])).public_key() for each in keys}
        return self._keys.get(id)

    # -- labels

    async def _label(self, key: str, fulfillment: Data, **shipment: Any) -> Consignment:
        """The label of a fulfillment, bought once."""
        known = await self._shipment(key)
        label = await self._label_of(known) if known is not None else None
        if label is None:
            option = fulfillment.get("option") or {}
            if not await self.validate_option(option):
                raise InvalidData("The shipping option names no carrier and service of ShipStation")
            units = [(line, Decimal(line["quantity"])) for line in fulfillment.get("lines") or fulfillment["items"]]
            asked = {
                "shipment": {
                    **shipment,
                    "external_shipment_id": key,
                    "carrier_id": option["carrier_id"],
                    "service_code": option["carrier_service_code"],
                    "packages": [self._package(units)],
                },
                "test_label": self._test_labels,
            }
            if known is None:
                label = await self._ask("POST", "/labels", asked)
            else:  # its label was not bought, or voided
                label = await self._ask("POST", f"/labels/shipment/{known['shipment_id']}", {"test_label": self._test_labels})
        number = str(label["tracking_number"])
        download = label.get("label_download") or {}
        made = {
            "tracking_number": number,
            "tracking_url": label.get("tracking_url") or "",
            "label_url": download.get("pdf") or download.get("href") or "",
        }
        return Consignment({name: label.get(name) for name in SHOWN}, [made])

    async def _shipment(self, key: str) -> Row | None:
        found: Row | None = await self._ask("GET", f"/shipments/external_shipment_id/{key}", missing=True)
        return found

    async def _label_of(self, shipment: Data) -> Row | None:
        """A label of a shipment that isn't voided."""
        said = await self._ask("GET", f"/labels?shipment_id={shipment['shipment_id']}&page_size=25")
        return next((label for label in said["labels"] if label.get("status") != "voided"), None)

    def _from(self, location: Data | None) -> Row:
        """Where a location sends from. Raises NotAllowed where neither it nor the settings have an address: nobody is asked then."""
        address = (location or {}).get("address")
        if address:
            return {**_address(address), "name": address.get("company") or (location or {}).get("name") or ""}
        if not self._ship_from:
            raise NotAllowed("The stock location has no address. Give it one, or set `ship_from` of ShipStation.")
        return self._ship_from

    def _package(self, units: Sequence[tuple[Data, Decimal]]) -> Row:
        weight = sum((self._weight(line) * quantity for line, quantity in units), Decimal(0))
        return {"weight": {"value": float(weight or self._default_weight), "unit": self._weight_unit}}

    def _weight(self, line: Data) -> Decimal:
        variant = line.get("variant") or {}
        known = variant.get("weight") or (variant.get("product") or {}).get("weight")
        return Decimal(str(known)) if known else self._default_weight

    # -- asking

    async def _ask(self, method: str, path: str, body: Row | None = None, *, missing: bool = False, again: bool | None = None) -> Any:
        """What ShipStation answers; None for a 404 where that may be `missing`.

        Raises InvalidData and NotAllowed for what it refuses, Busy where it is asked too often, Unavailable where it doesn't answer.
        """
        url = path if path.startswith("http") else f"{self._base}{path}"
        headers = {**self._headers, "Content-Type": "application/json"} if url.startswith(self._base) else {}
        data = json.dumps(body, default=str).encode() if body is not None else None
        answer = await self.outside.ask(method, url, headers=headers, data=data, again=again)
        if answer.status == 404 and missing:
            return None
        said = answer.json()
        if answer.status < 300:
            return said
        problem = _problem(said, answer.status)
        if answer.status in (401, 403):
            raise UnexpectedState(problem, hint="Look at `api_key` in providers.fulfillment.")
        raise InvalidData(problem) if answer.status in (400, 404, 422) else NotAllowed(problem)


def _rate(said: Row, option: Data) -> tuple[Decimal, str]:
    """Amount and currency of the cheapest rate of an option's service."""
    answer = said.get("rate_response") or {}
    rates = [each for each in answer.get("rates") or () if each["service_code"] == option["carrier_service_code"]]
    if not rates:
        reasons = [problem.get("message", "") for problem in answer.get("errors") or ()]
        reasons += [text for each in answer.get("invalid_rates") or () for text in each.get("error_messages") or ()]
        raise InvalidData(f"ShipStation has no rate for this cart: {'; '.join(filter(None, reasons)) or 'no reason given'}")
    return min((_cost(each), str(each["shipping_amount"]["currency"]).lower()) for each in rates)


def _cost(rate: Row) -> Decimal:
    return sum((Decimal(rate[name]["amount"]) for name in _PARTS if rate.get(name)), Decimal(0))


_PARTS = ("shipping_amount", "insurance_amount", "confirmation_amount", "other_amount")


def _address(address: Data) -> Row:
    """One of ours as ShipStation writes it."""
    name = " ".join(filter(None, (address.get("first_name"), address.get("last_name"))))
    return {
        "name": name or address.get("company") or "",
        "phone": address.get("phone") or "",
        "company_name": address.get("company") or "",
        "address_line1": address.get("address_1") or "",
        "address_line2": address.get("address_2") or "",
        "city_locality": address.get("city") or "",
        "state_province": address.get("province") or "",
        "postal_code": address.get("postal_code") or "",
        "country_code": (address.get("country_code") or "").upper(),
        "address_residential_indicator": "unknown",
    }


def _problem(said: Any, status: int) -> str:
    errors = said.get("errors") or () if isinstance(said, dict) else ()
    texts = "; ".join(str(each.get("message")) for each in errors if each.get("message"))
    request = f" (request {said['request_id']})" if isinstance(said, dict) and said.get("request_id") else ""
    return f"ShipStation: {texts or f'it answers {status}'}{request}"


def _number(text: str) -> int:
    """A number of a JSON web key: base64 without padding, most significant byte first (RFC 7518, section 6.3.1)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
