"""Sign-ins elsewhere."""

from __future__ import annotations

from ...core.errors import InvalidData, Unauthorized
from ...workflows.user.joining import join_as_user
from ..admin.users import USER
from ..kit import Answer, Request, Routes
from ..kit.access import PUBLIC, USER_JOINING, USER_REGISTERING
from .identities import check_provider

routes = Routes()

NAMES = {"first_name": "given_name", "last_name": "family_name", "avatar_url": "picture"}
"""Column of a user → what providers call it."""


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


@routes.post("/auth/{auth_provider}/user", auth=USER_JOINING, returns=USER, query=None, envelope="user")
async def join(request: Request) -> Answer:
    """Become the user whom a provider vouches for, by a token of it: one with that address, or one who was invited by it."""
    _, provider = check_provider(request, "user")
    actor = request.actor
    assert actor is not None
    if actor.id:
        return await request.fetch(USER, actor.id)
    if actor.provider != provider:
        raise Unauthorized(f"This token is of no sign-in by {provider}")
    identity = await request.modules.auth.identity(actor.identity)
    vouched = next((one for one in identity["provider_identities"] if one["provider"] == provider), None)
    if vouched is None or not vouched["verified_email"]:
        raise InvalidData(f"{provider} does not vouch for an address of this identity")
    about = vouched["user_metadata"] or {}
    names = {ours: about[theirs] for ours, theirs in NAMES.items() if about.get(theirs)}
    id = await request.run(join_as_user, actor.identity, vouched["verified_email"], names, actor.claims["secret_version"])
    return await request.fetch(USER, id)
