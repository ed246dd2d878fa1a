"""External logins that the dashboard asks about: none is supported."""

from __future__ import annotations

from ..kit import ANY_IDENTITY, Answer, Request, Routes
from ..kit.access import PUBLIC

routes = Routes()


@routes.get("/auth/mfa/factors", auth=ANY_IDENTITY, query=None)
async def list_factors(request: Request) -> Answer:
    """List the second factors of the logged-in actor."""
    return {"mfa_factors": []}


@routes.get("/cloud/auth", auth=PUBLIC, query=None)
async def cloud(request: Request) -> Answer:
    """Whether accounts of Medusa's cloud may log in."""
    return {"enabled": False}
