"""Staying logged in: sessions for browsers, new tokens for other clients."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from ...core.json import dumps
from ..kit import ANY_BEARER, SESSION_ONLY, Answer, Reply, Request, Routes
from ..kit.access import COOKIE, HALFWAY
from ..kit.reply import unauthorized
from .claims import token_of, unverified

routes = Routes()


def set_cookie(request: Request, name: str, value: str, lives: float, path: str = "/") -> str:
    """A Set-Cookie header. The cookie is sent to this server only, below `path`, and scripts of the page can't read it."""
    expires = format_datetime(datetime.now(UTC) + timedelta(seconds=lives), usegmt=True)
    secure = "; Secure" if (request.settings.public_url or "").startswith("https:") else ""
    return f"{name}={value}; Path={path}; Expires={expires}; HttpOnly; SameSite=Lax{secure}"


@routes.post("/auth/session", auth=ANY_BEARER, query=None)
async def begin(request: Request) -> Answer:
    """Begin a session with a token: from then on the cookie has the same rights."""
    assert request.actor is not None
    longest = seconds_left(request)
    context = {name: value for name, value in request.actor.claims.items() if name not in ("iat", "exp")}
    before = request.credentials.session_id(request.http)
    if before is not None:
        await request.modules.auth.close_session(before)
    lives = min(float(request.settings.session_expires), longest)
    session_id = await request.modules.auth.open_session(context, lives, longest)
    cookie = set_cookie(request, COOKIE, request.credentials.tokens.sign_cookie(session_id), lives)
    return Reply(dumps({"user": context}), headers={"Set-Cookie": cookie})


@routes.delete("/auth/session", auth=SESSION_ONLY, query=None)
async def end(request: Request) -> Answer:
    """End the session."""
    session_id = request.credentials.session_id(request.http)
    if session_id is not None:
        await request.modules.auth.close_session(session_id)
    return Reply(dumps({"success": True}), headers={"Set-Cookie": set_cookie(request, COOKIE, "", -86_400)})


@routes.post("/auth/token/refresh", auth=HALFWAY, query=None)
async def refresh(request: Request) -> Answer:
    """Get a new token, which includes actors that the identity was linked to meanwhile, and that its address is verified by now. It doesn't
    extend the time beyond a session's end, and stands for no second factor."""
    actor = request.actor
    assert actor is not None
    longest = seconds_left(request)
    identity = await request.modules.auth.identity(actor.identity)
    if identity["secret_version"] != actor.claims["secret_version"]:  # it changed meanwhile
        raise unauthorized()
    mfa_at = actor.claims.get("mfa_challenge_completed_at")
    waits = bool(actor.claims.get("halfway")) and identity["mfa_enabled"] and mfa_at is None
    halfway = waits or await unverified(request, identity, actor.type, actor.provider) is not None
    expires = min(request.settings.jwt_expires, int(longest))
    since = actor.claims["auth_time"]
    token = token_of(request, identity, actor.type, actor.provider, since, mfa_at=mfa_at, halfway=halfway, expires=expires)
    return {"token": token}


def seconds_left(request: Request) -> float:
    """Seconds until the caller has to prove the secret again. Raises Refused (401) if that is now."""
    assert request.actor is not None
    left = float(request.actor.claims["auth_time"]) + request.settings.session_lifetime - time.time()
    if left < 1:
        raise unauthorized()
    return left
