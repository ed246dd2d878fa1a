"""Stripe as tests have it: localstripe on a loopback port, behind a desk that knows idempotency keys and can lose answers.

localstripe does what is asked every time it is asked. The desk answers a repeated key with what it answered first and refuses one that is
being carried out, as Stripe does, says how much of a payment was captured, gives no more than that back, and moves amounts of three
decimals only where the last is 0. Requests whose `METHOD /path` matches an entry of `lost` are carried out, but their answer never arrives;
those that match one of `down` aren't carried out either.
"""

from __future__ import annotations

import json
import re
import time
import warnings
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # localstripe's handlers are plain functions
    from localstripe import resources, server

Row = dict[str, Any]

SECRET = "whsec_velella"
KEY = "sk_test_velella"
THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")


class StripeDesk:
    """`async with StripeDesk() as desk: desk.url`"""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.down: list[str] = []
        self.asked: list[str] = []
        """`METHOD /path` of the requests that were carried out."""
        self._answered: dict[str, tuple[bytes, int, bytes]] = {}
        self._busy: set[str] = set()
        self._captured: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        """Intent → what was taken and not given back."""
        self._currencies: dict[str, str] = {}
        self._runners: list[web.AppRunner] = []
        self.url = ""
        """The URL for the provider."""
        self.behind = ""
        """The URL of localstripe itself."""

    async def __aenter__(self) -> StripeDesk:
        resources.Store.dump_to_disk = lambda _: None  # its file is the same for every run on a machine
        self.behind = await self._serve(server.app)
        desk = web.Application()
        desk.router.add_route("*", "/{path:.*}", self._answer)
        self.url = await self._serve(desk)
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"})
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()
        for runner in reversed(self._runners):
            await runner.cleanup()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = f"{request.method} {request.path}"
        if any(re.search(each, name) for each in self.down):
            return self._silence(request)
        body, key = await request.read(), request.headers.get("Idempotency-Key")
        known = self._answered.get(key) if key is not None else None
        if key in self._busy:
            error = {"type": "invalid_request_error", "code": "idempotency_key_in_use", "message": "There is another request with this key"}
            return web.json_response({"error": error}, status=409)
        if known is None:
            if key is None:
                status, text = await self._carry_out(request, name, body)
            else:
                self._busy.add(key)
                status, text = await self._carry_out(request, name, body)
                self._busy.remove(key)
                self._answered[key] = (name.encode() + body, status, text)
        else:
            asked, status, text = known
            if asked != name.encode() + body:
                error = {"type": "idempotency_error", "message": "Keys for idempotent requests can only be used with the same parameters"}
                return web.json_response({"error": error}, status=400)
        if any(re.search(each, name) for each in self.lost):
            return self._silence(request)
        return web.Response(body=text, status=status, content_type="application/json")

    async def _carry_out(self, request: web.Request, name: str, body: bytes) -> tuple[int, bytes]:
        if self._is_too_fine(request.path, dict(parse_qsl(body.decode()))):
            error = {"type": "invalid_request_error", "message": "Invalid amount: the last digit has to be 0"}
            return 400, json.dumps({"error": error}).encode()
        said = dict(parse_qsl(body.decode()))
        if name == "POST /v1/refunds" and int(said.get("amount", 0)) > self._taken.get(said.get("payment_intent", ""), 0):
            error = {"type": "invalid_request_error", "message": "Refund amount is greater than unrefunded amount on charge"}
            return 400, json.dumps({"error": error}).encode()
        self.asked.append(name)
        headers = {"Content-Type": request.headers.get("Content-Type", "")}
        async with self._session.request(request.method, self.behind + request.path_qs, data=body, headers=headers) as answer:
            status, made = answer.status, await answer.json()
        if made.get("object") == "payment_intent":
            self._currencies[made["id"]] = made["currency"]
            taken = re.search(rb"amount_to_capture=(\d+)", body)
            if taken and status == 200:
                self._captured[made["id"]] = int(taken[1])
            made["amount_received"] = self._captured.get(made["id"], made["amount"]) if made["status"] == "succeeded" else 0
            if made["amount_received"]:
                self._taken.setdefault(made["id"], made["amount_received"])
        if name == "POST /v1/refunds" and status == 200:
            self._taken[made["payment_intent"]] = self._taken.get(made["payment_intent"], 0) - made["amount"]
        return status, json.dumps(made).encode()

    def _is_too_fine(self, path: str, said: dict[str, str]) -> bool:
        intents = [said.get("payment_intent", ""), *path.split("/")]
        currency = said.get("currency") or next((self._currencies[each] for each in intents if each in self._currencies), "")
        amount = said.get("amount") or said.get("amount_to_capture") or "0"
        return currency in THREE_DECIMALS and int(amount) % 10 != 0

    @staticmethod
    def _silence(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    # -- what a buyer's browser, or the merchant in Stripe's dashboard, does

    async def __call__(self, method: str, path: str, /, **data: Any) -> Row:
        async with self._session.request(method, f"{self.url}/v1/{path}", data=data) as answer:
            made: Row = await answer.json()
            assert answer.status == 200, made
            return made

    async def card(self, number: str = "4242424242424242", customer: str | None = None) -> str:
        """A card, saved for a customer of Stripe."""
        details = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
        made = await self("POST", "payment_methods", type="card", **details)
        if customer is not None:
            await self("POST", f"payment_methods/{made['id']}/attach", customer=customer)
        return str(made["id"])

    async def pay(self, intent_id: str, number: str = "4242424242424242") -> Row:
        """Confirm a payment in the browser."""
        await self("POST", f"payment_intents/{intent_id}", payment_method=await self.card(number))
        return await self("POST", f"payment_intents/{intent_id}/confirm")

    async def refunds(self, intent_id: str) -> list[int]:
        """Refunded amounts, the smallest first."""
        found = await self("GET", f"refunds?payment_intent={intent_id}")
        return sorted(row["amount"] for row in found["data"])


def event(kind: str, intent: Row, id: str = "evt_1") -> bytes:
    return json.dumps({"id": id, "object": "event", "type": kind, "data": {"object": intent}}).encode()


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Headers of a webhook."""
    from stripe import WebhookSignature

    signature = WebhookSignature.generate_signature_header(body.decode(), secret, int(at if at is not None else time.time()))
    return {"Stripe-Signature": signature, "Content-Type": "application/json"}
