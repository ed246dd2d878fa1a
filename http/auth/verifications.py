"""Addresses that their owners have proven to read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ...modules.auth.verifications import TOKEN, new_code
from ...workflows.auth.verifications import request_verification
from ..kit import Answer, Request, Routes
from ..kit.access import ANY_IDENTITY_OPTIONAL, HALFWAY
from ..kit.bodies import ABSENT, Body
from ..kit.client import network_of

routes = Routes()

Word = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class RequestVerification(Body):
    entity_id: Name
    entity_type: Name
    code_provider: Word = TOKEN
    metadata: dict[str, Any] = {}


@routes.post("/auth/verification/request", auth=HALFWAY, body=RequestVerification, query=None, status=201, envelope="verification")
async def request_code(request: Request) -> Answer:
    """Have a code sent to an address."""
    assert request.actor is not None
    await request.modules.auth.count_email(request.body["entity_id"], network_of(request.client_address))
    return {
        "verification": await request.run(request_verification, auth_identity_id=request.actor.identity, code=new_code(), **request.body)
    }


class ConfirmVerification(Body):
    code: Word
    code_provider: Word = ABSENT


@routes.post(
    "/auth/verification/confirm",
    auth=ANY_IDENTITY_OPTIONAL,
    body=ConfirmVerification,
    query=None,
    envelope="entity_id entity_type code_provider verified_at",
)
async def confirm(request: Request) -> Answer:
    """Prove that an address is read, by the code that was sent there: once, for a quarter of an hour."""
    done = await request.modules.auth.confirm_verification(request.body["code"], request.body.get("code_provider") or TOKEN)
    return {name: done[name] for name in ("entity_id", "entity_type", "code_provider", "verified_at")}
