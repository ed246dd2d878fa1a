"""Registering and logging in: `/auth/{actor_type}/{auth_provider}` and the paths below it."""

from __future__ import annotations

import re
import time
from typing import Any

from ...core.errors import NotAllowed, Unauthorized
from ...core.json import dumps
from ...modules.auth.provider import AuthenticationResponse
from ...workflows.auth.reset_password import forget_password
from ..kit import PUBLIC, Answer, Part, Reply, Request, Routes
from ..kit.client import network_of
from .claims import signed_in, token_of
from .session import set_cookie

routes = Routes()

BROWSER = "velella.browser"
"""Name of the cookie with the word by which a browser is known that signs in elsewhere."""
BROWSER_SECONDS = 3600.0
_WORD = re.compile(r"[A-Za-z0-9_-]{32,128}")


class ResetPassword(Part):
    model_config = {"extra": "forbid"}

    identifier: str
    metadata: dict[str, Any] = {}


def check_provider(request: Request, actor_type: str | None = None) -> tuple[str, str]:
    """Actor type (by default the path's) and provider. Raises NotAllowed if the settings don't allow the combination."""
    actor_type, provider = actor_type or request.params["actor_type"], request.params["auth_provider"]
    allowed = request.settings.auth_methods.get(actor_type)
    if allowed is not None and provider not in allowed:
        raise NotAllowed(f"The actor type {actor_type} is not allowed to use the auth provider {provider}")
    return actor_type, provider


def _given(request: Request) -> dict[str, Any]:
    """The parts of the request that a provider gets."""
    word = request.http.cookies.get(BROWSER, "")
    browser = word if _WORD.fullmatch(word) else None
    about = {"protocol": request.http.scheme, "actor_type": request.params["actor_type"], "browser": browser}
    return {"body": request.body, "query": dict(request.http.query), **about}


def _address(request: Request) -> str:
    """The client's address, as limits count it."""
    return network_of(request.client_address)


async def _answer(request: Request, outcome: AuthenticationResponse, actor_type: str, provider: str) -> Answer:
    if not outcome["success"]:
        raise Unauthorized(outcome["error"] or "Authentication failed")
    if outcome["location"] is not None:
        word = outcome.get("browser")
        headers = {"Set-Cookie": set_cookie(request, BROWSER, word, BROWSER_SECONDS, "/auth")} if word is not None else {}
        return Reply(dumps({"location": outcome["location"]}), headers=headers)
    if outcome["auth_identity"] is None:
        raise Unauthorized("Authentication failed")
    return await signed_in(request, outcome["auth_identity"], actor_type, provider, int(time.time()))


async def sign_in(request: Request) -> Answer:
    """Log in: returns a token, or a URL where the login goes on."""
    actor_type, provider = check_provider(request)
    outcome = await request.modules.auth.authenticate(provider, _given(request), _address(request))
    return await _answer(request, outcome, actor_type, provider)


async def come_back(request: Request) -> Answer:
    """Finish a login that went on elsewhere."""
    actor_type, provider = check_provider(request)
    outcome = await request.modules.auth.validate_callback(provider, _given(request), _address(request))
    return await _answer(request, outcome, actor_type, provider)


for _method in ("GET", "POST"):
    routes.route(_method, "/auth/{actor_type}/{auth_provider}", query=None)(sign_in)
    routes.route(_method, "/auth/{actor_type}/{auth_provider}/callback", query=None)(come_back)


@routes.post("/auth/{actor_type}/{auth_provider}/register", query=None)
async def register(request: Request) -> Answer:
    """Register: returns a token of an identity without an actor."""
    actor_type, provider = check_provider(request)
    outcome = await request.modules.auth.register(provider, _given(request), _address(request))
    if not outcome["success"] or outcome["auth_identity"] is None:
        raise Unauthorized(outcome["error"] or "Authentication failed")
    return {"token": token_of(request, outcome["auth_identity"], actor_type, provider, int(time.time()))}


@routes.get("/auth/{actor_type}/providers", query=None)
async def providers(request: Request) -> Answer:
    """List the providers by which an actor of this type may log in."""
    allowed = request.settings.auth_methods.get(request.params["actor_type"])
    there = await request.modules.auth.auth_providers()
    return {"providers": [provider for provider in there if allowed is None or provider["id"] in allowed]}


@routes.post(
    "/auth/{actor_type}/{auth_provider}/reset-password", body=ResetPassword, query=None, auth=PUBLIC, status=201, answers="text/plain"
)
async def reset_password(request: Request) -> Answer:
    """Request an email about a forgotten password. Neither the answer nor its time tells whether the account exists."""
    actor_type, provider = check_provider(request)
    entity_id = request.body["identifier"]
    await request.modules.auth.count_email(entity_id, _address(request))
    about = {"entity_id": entity_id, "actor_type": actor_type, "provider": provider, "metadata": request.body["metadata"]}
    await request.run(forget_password, **about)
    return Reply(b"Created", 201, "text/plain")


@routes.post("/auth/{actor_type}/{auth_provider}/update", query=None)
async def update(request: Request) -> Answer:
    """Choose a new password, once, by the token of the email."""
    actor_type, provider = check_provider(request)
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("Invalid token")
    outcome = await request.modules.auth.update_by_reset(token.strip(), provider, actor_type, request.body)
    if not outcome["success"]:
        raise Unauthorized(outcome["error"] or "Unauthorized")
    return {"success": True}
