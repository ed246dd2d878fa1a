"""Sign-ins elsewhere."""

from __future__ import annotations

from ...core.emails import folded
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
    """Become the user whom a provider vouches for: one with that address, or one who was invited by it."""
    check_provider(request, "user")
    actor = request.actor
    assert actor is not None
    if not actor.id:
        identity = await request.modules.auth.identity(actor.identity)
        vouched = next((one for one in identity["provider_identities"] if one["provider"] == request.params["auth_provider"]), None)
        about = (vouched or {}).get("user_metadata") or {}
        if not about.get("email"):
            raise InvalidData(f"{request.params['auth_provider']} does not vouch for an address of this identity")
        names = {ours: about[theirs] for ours, theirs in NAMES.items() if about.get(theirs)}
        version = actor.claims["secret_version"]
        id = await request.run(join_as_user, actor.identity, folded(about["email"]), names, version)
        return await request.fetch(USER, id)
    return await request.fetch(USER, actor.id)
