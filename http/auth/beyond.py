"""Logins of others that the dashboard asks about: there are none."""

from __future__ import annotations

from ...core.errors import InvalidData, Unauthorized
from ..kit import ANY_IDENTITY, Answer, Request, Routes
from ..kit.access import PUBLIC, USER_REGISTERING

routes = Routes()


@routes.get("/auth/mfa/factors", auth=ANY_IDENTITY, query=None)
async def list_factors(request: Request) -> Answer:
    """List the second factors of the logged-in actor."""
    return {"mfa_factors": []}


@routes.get("/cloud/auth", auth=PUBLIC, query=None)
async def cloud(request: Request) -> Answer:
    """Whether accounts of Medusa's cloud may log in."""
    return {"enabled": False}


@routes.post("/cloud/auth/users", auth=USER_REGISTERING, query=None)
async def cloud_user(request: Request) -> Answer:
    """Make an account of Medusa's cloud a user: there are none here, so it is always refused."""
    if request.actor_id:
        raise InvalidData("The user is already registered and cannot create a new account.")
    raise Unauthorized("Only cloud identities can create a user account, and this server belongs to no cloud.")
