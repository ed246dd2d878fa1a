"""ShipStation as tests have it: version 2 of its HTTP API, as its documentation describes it, on a loopback port.

It keeps shipments and labels in memory, refuses a second shipment of one external id, counts requests against a limit (429 with
Retry-After), and signs webhooks with a key of its own. Requests whose `METHOD /path` matches an entry of `lost` are carried out, but their
answer never arrives; those that match one of `down` aren't carried out either.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

Row = dict[str, Any]

KEY = "TEST_velella"
CARRIER = "se-100"
FARAWAY = "25999"
"""The postal code of a place to which all costs 1.00 more."""
SERVICES = (
    {"carrier_id": CARRIER, "carrier_code": "dhl", "service_code": "parcel", "name": "Parcel", "is_return_supported": True},
    {"carrier_id": CARRIER, "carrier_code": "dhl", "service_code": "express", "name": "Express", "is_return_supported": False},
)


class ShipDesk:
    """`async with ShipDesk() as desk: desk.options`"""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.down: list[str] = []
        self.limited = 0
        """So many requests to come find that there were too many."""
        self.unvoidable = False
        """Whether carriers refuse to void labels."""
        self.asked: list[str] = []
        self.rated: list[Row] = []
        """Shipments whose rates were asked for."""
        self.shipments: dict[str, Row] = {}
        self.labels: dict[str, Row] = {}
        self._numbers = count(1)
        self._key = rsa.generate_private_key(65537, 2048)
        self._runner: web.AppRunner | None = None
        self.url = ""

    @property
    def options(self) -> Row:
        """What the provider is set up with."""
        return {"api_key": KEY, "api_base": f"{self.url}/v2", "keys_url": f"{self.url}/jwks", "timeout": 3.0, "ship_from": FROM}

    async def __aenter__(self) -> ShipDesk:
        app = web.Application()
        app.router.add_get("/jwks", self._keys)
        app.router.add_route("*", "/v2/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def bought(self, key: str) -> list[Row]:
        """The labels of one external id."""
        return [label for label in self.labels.values() if label["external_shipment_id"] == key]

    def webhook(self, number: str, status: str, *, ago: float = 0.0, forged: bool = False) -> tuple[bytes, dict[str, str]]:
        """Body and headers of what is told about a tracking number."""
        body = json.dumps({"resource_type": "API_TRACK", "data": {"tracking_number": number, "status_code": status}}).encode()
        at = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
        key = rsa.generate_private_key(65537, 2048) if forged else self._key
        signature = key.sign(f"{at}.".encode() + body, PKCS1v15(), SHA256())
        return body, {
            "Content-Type": "application/json",
            "X-ShipEngine-RSA-SHA256-Key-ID": "key-1",
            "X-ShipEngine-RSA-SHA256-Signature": base64.b64encode(signature).decode(),
            "X-ShipEngine-Timestamp": at,
        }

    # -- the API

    async def _keys(self, request: web.Request) -> web.Response:
        numbers = self._key.public_key().public_numbers()
        return web.json_response({"keys": [{"kty": "RSA", "kid": "key-1", "use": "sig", "n": _base64(numbers.n), "e": _base64(numbers.e)}]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = f"{request.method} /{request.match_info['path']}"
        if any(re.search(each, name) for each in self.down):
            return self._silence(request)
        if self.limited:
            self.limited -= 1
            return _refused(429, "rate_limit_exceeded", "Too many requests", headers={"Retry-After": "0"})
        if request.headers.get("API-Key") != KEY:
            return _refused(401, "unauthorized", "The API key is invalid")
        self.asked.append(name)
        body = await request.json() if request.can_read_body else {}
        answer = self._carried_out(request.method, request.match_info["path"], body, request)
        return self._silence(request) if any(re.search(each, name) for each in self.lost) else answer

    def _carried_out(self, method: str, path: str, body: Row, request: web.Request) -> web.StreamResponse:
        match method, path.split("/"):
            case "GET", ["carriers"]:
                carriers = [{"carrier_id": CARRIER, "carrier_code": "dhl", "friendly_name": "DHL", "services": SERVICES}]
                return web.json_response({"carriers": carriers, "errors": []})
            case "POST", ["rates"]:
                return web.json_response({"rate_response": self._rates(body)})
            case "GET", ["shipments", "external_shipment_id", key]:
                found = next((each for each in self.shipments.values() if each["external_shipment_id"] == key), None)
                return web.json_response(found) if found is not None else _refused(404, "invalid_identifier", "No shipment of that id")
            case "PUT", ["shipments", id, "cancel"]:
                self.shipments[id]["shipment_status"] = "cancelled"
                return web.Response(status=204)
            case "POST", ["labels"]:
                return self._shipped(body["shipment"])
            case "POST", ["labels", "shipment", id]:
                return self._labelled(self.shipments[id])
            case "GET", ["labels"]:
                of = [label for label in self.labels.values() if label["shipment_id"] == request.query["shipment_id"]]
                return web.json_response({"labels": of, "total": len(of)})
            case "GET", ["labels", id]:
                return web.json_response(self.labels[id])
            case "PUT", ["labels", id, "void"]:
                if self.unvoidable:
                    return web.json_response({"approved": False, "message": "The parcel was scanned already"})
                self.labels[id]["status"] = "voided"
                return web.json_response({"approved": True, "message": "Voided"})
        return _refused(404, "unspecified", f"No such thing: {method} {path}")

    def _rates(self, body: Row) -> Row:
        shipment, wanted = body["shipment"], body["rate_options"]
        self.rated.append(shipment)
        if shipment["ship_to"]["country_code"] == "SE":
            return {"rates": [], "invalid_rates": [{"error_messages": ["DHL doesn't go to Sweden"]}], "errors": []}
        weight = shipment["packages"][0]["weight"]["value"]
        weight += 1000.0 if shipment["ship_to"]["postal_code"] == FARAWAY else 0.0
        of = {"currency": wanted["preferred_currency"]}
        return {
            "rates": [
                {
                    "service_code": code,
                    "carrier_id": CARRIER,
                    "shipping_amount": {**of, "amount": round(3.1 + weight / 1000, 2)},
                    "insurance_amount": {**of, "amount": 0.0},
                    "confirmation_amount": {**of, "amount": 0.25},
                    "other_amount": {**of, "amount": 0.0},
                }
                for code in wanted["service_codes"]
            ],
            "invalid_rates": [],
            "errors": [],
        }

    def _shipped(self, given: Row) -> web.Response:
        if any(each["external_shipment_id"] == given["external_shipment_id"] for each in self.shipments.values()):
            return _refused(409, "identifier_conflict", "There is a shipment of that external id")
        if not given["ship_to"]["postal_code"]:
            return _refused(400, "field_value_required", "ship_to.postal_code is required")
        shipment = {**given, "shipment_id": f"se-{next(self._numbers)}", "shipment_status": "label_purchased"}
        self.shipments[shipment["shipment_id"]] = shipment
        return self._labelled(shipment)

    def _labelled(self, shipment: Row) -> web.Response:
        number = next(self._numbers)
        label = {
            "label_id": f"se-{number}",
            "shipment_id": shipment["shipment_id"],
            "external_shipment_id": shipment["external_shipment_id"],
            "status": "completed",
            "tracking_number": f"1Z{number:08}",
            "tracking_url": f"https://track.example/1Z{number:08}",
            "carrier_id": CARRIER,
            "service_code": shipment["service_code"],
            "is_return_label": shipment.get("is_return_label", False),
            "shipment_cost": {"currency": "eur", "amount": 5.2},
            "label_download": {"pdf": f"https://labels.example/{number}.pdf"},
        }
        self.labels[label["label_id"]] = label
        return web.json_response(label)

    @staticmethod
    def _silence(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()


FROM = {
    "name": "Harbour", "address_line1": "Quay 1", "city_locality": "Copenhagen", "postal_code": "1000", "country_code": "DK",
}  # fmt: skip


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    error = {"error_source": "ShipStation", "error_type": "business_rules", "error_code": code, "message": message}
    return web.json_response({"request_id": "req-1", "errors": [error]}, status=status, headers=headers)


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
