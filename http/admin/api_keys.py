"""API keys, /admin/api-keys/…"""

from __future__ import annotations

from typing import Any, Literal

from ...core.json import dumps, loads
from ...workflows.api_key.keys import API_KEYS, revoke_api_key
from ...workflows.sales_channel.channels import link_sales_channels_to_api_key
from ..kit import (
    ABSENT,
    MANY,
    OPERATORS,
    TEXT,
    Answer,
    Body,
    Filters,
    LinkBody,
    Number,
    Request,
    Routes,
    View,
    choice,
)
from ..kit.flows import signed

routes = Routes()

API_KEY = View(
    "api_key",
    "id title token redacted type last_used_at updated_at created_at created_by revoked_at revoked_by "
    "sales_channels.id sales_channels.name",
    limit=20,
    label="ApiKey",
)

LISTED = Filters(
    logical=True,
    q=TEXT,
    id=MANY,
    title=MANY,
    token=MANY,
    type=choice("publishable", "secret"),
    created_at=OPERATORS,
    updated_at=OPERATORS,
    deleted_at=OPERATORS,
    revoked_at=OPERATORS,
)


class CreateApiKey(Body):
    title: str
    type: Literal["publishable", "secret"]


class UpdateApiKey(Body):
    title: str


class RevokeApiKey(Body):
    revoke_in: Number = ABSENT


routes.resource("/admin/api-keys", API_KEY, API_KEYS, list=LISTED, update=UpdateApiKey)


routes.action(
    "/admin/api-keys/{id}/sales-channels",
    API_KEY,
    link_sales_channels_to_api_key,
    "Open sales channels with a publishable key, or no longer.",
    body=LinkBody,
)


@routes.post("/admin/api-keys", body=CreateApiKey, returns=API_KEY)
async def create(request: Request) -> Answer:
    """Create an API key. The whole token of a secret key is shown here and never again."""
    (key,) = await request.run(API_KEYS.create, rows=[signed(request, request.body)])  # under no key: its token can't be shown twice
    shown: dict[str, Any] = loads(await request.fetch(API_KEY, key["id"]))
    shown["api_key"] |= {"token": key["token"], "deleted_at": None}
    return dumps(shown)


routes.action(
    "/admin/api-keys/{id}/revoke",
    API_KEY,
    revoke_api_key,
    "Revoke an API key, now or in some seconds.",
    body=RevokeApiKey,
    who="revoked_by",
)
