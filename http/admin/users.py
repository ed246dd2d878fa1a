"""Users, /admin/users/…"""

from __future__ import annotations

from ...core.errors import NotAllowed, NotFound
from ...workflows.auth.reset_password import generate_reset_password_token
from ...workflows.user.accounts import USERS, remove_user_account
from ..kit import (
    MANY,
    OPERATORS,
    TEXT,
    Answer,
    Body,
    Filters,
    Metadata,
    Request,
    Routes,
    View,
)

routes = Routes()

USER = View("user", "id first_name last_name email avatar_url metadata created_at updated_at deleted_at", limit=50)

LISTED = Filters(
    q=TEXT,
    id=MANY,
    created_at=OPERATORS,
    updated_at=OPERATORS,
    deleted_at=OPERATORS,
    email=TEXT,
    first_name=TEXT,
    last_name=TEXT,
)


class UpdateUser(Body):
    first_name: str | None = None
    last_name: str | None = None
    avatar_url: str | None = None
    metadata: Metadata = None


@routes.get("/admin/users/me", returns=USER)
async def me(request: Request) -> Answer:
    """Get the calling user."""
    return await request.fetch(USER, request.actor_id)


async def _remove(request: Request, id: str) -> None:
    if request.actor_id == id:
        raise NotAllowed("A user cannot delete itself: another user has to")
    await request.run(remove_user_account, user_id=id)


routes.resource("/admin/users", USER, USERS, list=LISTED, update=UpdateUser, delete=_remove)


@routes.get("/admin/users/{id}/auth-providers", query=None)
async def auth_providers(request: Request) -> Answer:
    """List the providers by which a user logs in."""
    identities = await request.modules.auth.identities_of("user", request.params["id"])
    return {"providers": list(dict.fromkeys(one["provider"] for identity in identities for one in identity["provider_identities"]))}


@routes.post("/admin/users/{id}/reset-password", query=None)
async def reset_password(request: Request) -> Answer:
    """Create a token by which a user can choose a new password."""
    user = await request.modules.user.retrieve("user", request.params["id"], fields=("email",))
    await request.modules.auth.count_email(user["email"])
    about = {"entity_id": user["email"], "actor_type": "user", "provider": "emailpass", "metadata": {}}
    token = await request.run(generate_reset_password_token, **about)
    if token is None:
        raise NotFound(f"User {request.params['id']} has no password to reset")
    return {"token": token}
