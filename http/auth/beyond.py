"""Other ways to sign in than a password, which the dashboard asks about: none of them is there."""

from __future__ import annotations

from ..kit import ANY_IDENTITY, Answer, Request, Routes
from ..kit.access import PUBLIC

routes = Routes()


@routes.get("/auth/mfa/factors", auth=ANY_IDENTITY, query=None)
async def list_factors(request: Request) -> Answer:
    """List the second factors of whoever is signed in."""
    return {"mfa_factors": []}


@routes.get("/cloud/auth", auth=PUBLIC, query=None)
async def cloud(request: Request) -> Answer:
    """Whether accounts of Medusa's cloud may sign in."""
    return {"enabled": False}
