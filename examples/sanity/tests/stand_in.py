"""Sanity as tests have it: its HTTP API, as its documentation describes it, on a loopback port, with documents in memory.

It knows the one query that the plugin asks, and sends a signed webhook for each change of a published document where `webhook` is set.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from velella_sanity.client import VERSION
from velella_sanity.module import SHOWN

Document = dict[str, Any]

TOKEN, SECRET, DATASET = "sk-test", "webhook-secret", "test"


class SanityStandIn:
    """`async with SanityStandIn() as sanity: sanity.options`"""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.asked: list[str] = []
        """The last part of each request's path: `doc`, `query`, `mutate`."""
        self.fails: list[int] = []
        """Statuses that the next requests are answered with, without being carried out; 0: carried out, but the answer is lost."""
        self.slow = 0.0
        """Seconds before each answer."""
        self.meanwhile: Callable[[], None] | None = None
        """Called once, before the next mutation is carried out."""
        self.webhook: str | None = None
        self.sent = 0
        """Webhooks."""
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._hooks: set[asyncio.Task[None]] = set()

    @property
    def options(self) -> dict[str, Any]:
        """What the plugin is set up with."""
        base = f"http://127.0.0.1:{self._port}"
        given = {"project": "abc12345", "dataset": DATASET, "token": TOKEN, "webhook_secret": SECRET, "api_base": base}
        return {**given, "timeout": 1.0, "storefront_timeout": 0.3, "fresh_seconds": 0.0}

    async def __aenter__(self) -> SanityStandIn:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """On the same port again after `stop`."""
        app = web.Application()
        app.router.add_get(f"/{VERSION}/data/doc/{DATASET}/{{ids}}", self._doc)
        app.router.add_post(f"/{VERSION}/data/mutate/{DATASET}", self._mutate)
        app.router.add_post(f"/{VERSION}/data/query/{DATASET}", self._query)
        app.middlewares.append(self._front)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Nobody answers there any more."""
        await self.delivered()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    # -- editors

    def edit(self, id: str, **changes: Any) -> None:
        """What an editor publishes."""
        self._store({**self.documents[id], **changes})

    async def delivered(self) -> None:
        """Return when all webhooks are sent."""
        while self._hooks:
            await asyncio.wait(self._hooks)

    # -- the API

    @web.middleware
    async def _front(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path.split("/")[3])
        await asyncio.sleep(self.slow)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"statusCode": 401, "error": "Unauthorized", "message": "Session not found"}, status=401)
        status = self.fails.pop(0) if self.fails else None
        if status:
            return web.json_response({"statusCode": status, "error": "Error", "message": "As the test wants it"}, status=status)
        answer: web.StreamResponse = await handler(request)
        if status == 0 and request.transport is not None:
            request.transport.close()
        return answer

    async def _doc(self, request: web.Request) -> web.Response:
        ids = request.match_info["ids"].split(",")
        omitted = [{"id": id, "reason": "existence"} for id in ids if id not in self.documents]
        return web.json_response({"documents": [self.documents[id] for id in ids if id in self.documents], "omitted": omitted})

    async def _query(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["query"] != SHOWN:
            error = {
                "description": "the stand-in doesn't know it",
                "type": "queryParseError",
                "query": asked["query"],
                "start": 0,
                "end": 1,
            }
            return web.json_response({"error": error}, status=400)
        of = [each for id, each in self.documents.items() if id in asked["params"]["ids"] and each["_type"] == asked["params"]["type"]]
        names = ("_id", "body", "translations", "_updatedAt")
        return web.json_response({"query": SHOWN, "result": [{name: each.get(name) for name in names} for each in of], "ms": 1})

    async def _mutate(self, request: web.Request) -> web.Response:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        written: dict[str, Document] = {}
        for index, mutation in enumerate((await request.json())["mutations"]):
            [(kind, given)] = mutation.items()
            id = given["_id"] if kind == "create" else given["id"]
            known = written.get(id) or deepcopy(self.documents.get(id))
            if kind == "create":
                if known is not None:
                    return _refused(index, "documentAlreadyExistsError", f'Document by ID "{id}" already exists')
                written[id] = given
                continue
            if known is None:
                return _refused(index, "documentNotFoundError", f'The document with the ID "{id}" was not found')
            if given.get("ifRevisionID", known["_rev"]) != known["_rev"]:
                return _refused(index, "documentRevisionIDDoesNotMatchError", f'Document "{id}" has unexpected revision ID')
            kept = {name: value for name, value in known.items() if name not in given.get("unset", ())}
            written[id] = {**kept, **given.get("set", {})}
        for document in written.values():
            self._store(document)
        return web.json_response({"transactionId": uuid4().hex, "results": [{"id": id, "operation": "update"} for id in written]})

    # -- inside

    def _store(self, document: Document) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.documents[document["_id"]] = {**document, "_rev": uuid4().hex, "_updatedAt": at}
        if self.webhook is not None:
            task = asyncio.create_task(self._send(document["_id"]))
            self._hooks.add(task)
            task.add_done_callback(self._hooks.discard)

    async def _send(self, id: str) -> None:
        assert self.webhook is not None
        self.sent += 1
        body = json.dumps({"_id": id}).encode()
        async with aiohttp.ClientSession() as session, session.post(self.webhook, data=body, headers=signed(body)) as answer:
            assert answer.status == 200, await answer.text()


def signed(body: bytes, *, secret: str = SECRET, ago: float = 0.0) -> dict[str, str]:
    """The headers of a webhook."""
    at = int((time.time() - ago) * 1000)
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"content-type": "application/json", "sanity-webhook-signature": f"t={at},v1={signature}", "idempotency-key": uuid4().hex}


def _refused(index: int, type: str, description: str) -> web.Response:
    items = [{"error": {"type": type, "description": description}, "index": index}]
    error = {"type": "mutationError", "description": "The mutation(s) failed: 1 error(s)", "items": items}
    return web.json_response({"error": error}, status=409)
