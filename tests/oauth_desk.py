"""Stand-ins for Google's and GitHub's sign-in, which behave as their documentation says: codes for one use, bound to the client, to its
callback and to the PKCE challenge; errors as each of them answers them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

CLIENT = {"client_id": "shop", "client_secret": "s3cret"}
CALLBACK = "https://shop.example/back"
OTHER = "https://shop.example/app/login"


@dataclass
class Desk:
    """One service. `people`: name → what it says of them."""

    kind: str
    people: dict[str, Any]
    base: str = ""
    status: int = 200
    """What it answers instead, if it isn't 200."""
    asked: int = 0
    codes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        urls = {"authorize_url": f"{self.base}/authorize", "token_url": f"{self.base}/token", "api_url": self.base}
        return {**CLIENT, "callback_url": CALLBACK, "callback_urls": [OTHER], "timeout": 2.0, **urls}

    def consent(self, location: str, person: str) -> dict[str, str]:
        """What a browser brings back once a person has agreed, from the page that it was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.base}/authorize?")
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == ("shop", "code", "S256")
        code = secrets.token_hex(8)
        self.codes[code] = person, asked
        return {"code": code, "state": asked["state"]}

    async def token(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status, text="<html>later</html>")
        given = await request.post()
        person, asked = self.codes.pop(str(given.get("code")), ("", {}))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(given.get("code_verifier")).encode()).digest()).rstrip(b"=").decode()
        right = (
            {name: given.get(name) for name in CLIENT} == CLIENT
            and given.get("grant_type") == "authorization_code"
            and asked.get("code_challenge") == challenge
            and asked.get("redirect_uri") == given.get("redirect_uri")
        )
        if not right:
            of_client = {name: given.get(name) for name in CLIENT} != CLIENT
            if self.kind == "github":
                return web.json_response({"error": "incorrect_client_credentials" if of_client else "bad_verification_code"})
            return web.json_response({"error": "invalid_client" if of_client else "invalid_grant"}, status=401 if of_client else 400)
        token = secrets.token_hex(8)
        self.tokens[token] = person
        return web.json_response({"access_token": token, "token_type": "Bearer", "scope": asked["scope"]})

    def _person(self, request: web.Request) -> Any:
        name = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if name is None:
            raise web.HTTPUnauthorized(text='{"message": "Bad credentials"}', content_type="application/json")
        return self.people[name]

    async def about(self, request: web.Request) -> web.StreamResponse:
        said = json.dumps({name: value for name, value in self._person(request).items() if name != "emails"}).encode()
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        for piece in (said[:20], said[20:]):  # as what comes from far away does
            await answer.write(piece)
            await asyncio.sleep(0.02)
        return answer

    async def emails(self, request: web.Request) -> web.Response:
        return web.json_response(self._person(request)["emails"])


@asynccontextmanager
async def opened(desk: Desk) -> AsyncIterator[Desk]:
    app = web.Application()
    app.router.add_post("/token", desk.token)
    app.router.add_get("/v1/userinfo" if desk.kind == "google" else "/user", desk.about)
    app.router.add_get("/user/emails", desk.emails)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    desk.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield desk
    finally:
        await runner.cleanup()
