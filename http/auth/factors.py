"""Second factors: set up, asked for when signing in, taken away."""

from __future__ import annotations

import time
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from ...modules.auth.factors import Seal, new_recovery_code, new_secret, provisioning_url, recovery_hash
from ...workflows.auth.factors import disable_factor, replace_recovery_codes, verify_factor
from ..kit import ANY_IDENTITY, Answer, Request, Routes
from ..kit.access import HALFWAY
from ..kit.bodies import ABSENT, Body, Metadata, Whole
from .claims import token_of, unverified

routes = Routes()

Word = Annotated[str, Field(min_length=1)]
Label = Annotated[str, Field(max_length=255)]
RECOVERY_CODES = 10
"""How many are made where the client doesn't say."""


@routes.get("/auth/mfa/factors", auth=ANY_IDENTITY, query=None)
async def list_factors(request: Request) -> Answer:
    """List the second factors of the logged-in actor."""
    return {"mfa_factors": await request.modules.auth.factors(_identity(request))}


class CreateFactor(Body):
    provider: Word
    label: Label | None = None
    issuer: Label = ABSENT
    metadata: Metadata = None


@routes.post("/auth/mfa/factors", auth=ANY_IDENTITY, body=CreateFactor, query=None, envelope="mfa_factor secret otpauth_url")
async def start(request: Request) -> Answer:
    """Begin to set up an authenticator app: the answer is the only one that holds its secret."""
    identity, body, secret = _identity(request), request.body, new_secret()
    label = body.get("label")
    metadata = {**(body.get("metadata") or {}), **({"label": label} if label else {})}
    sealed = Seal(request.settings.secret("mfa_key")).close(secret, identity)
    factor = await request.modules.auth.start_factor(identity, body["provider"], sealed, metadata)
    url = provisioning_url(secret, label or identity, body.get("issuer") or request.settings.mfa_issuer)
    return {"mfa_factor": factor, "secret": secret, "otpauth_url": url}


class Code(Body):
    code: Word


@routes.post("/auth/mfa/factors/{id}/verify", auth=ANY_IDENTITY, body=Code, query=None, envelope="mfa_factor")
async def verify(request: Request) -> Answer:
    """Enable a second factor by a code of it: from the next time on, signing in asks for one."""
    factor = await request.run(verify_factor, identity_id=_identity(request), id=request.params["id"], code=request.body["code"])
    return {"mfa_factor": factor}


class DisableFactor(Body):
    method: Word = ABSENT
    code: Word = ABSENT


@routes.delete("/auth/mfa/factors/{id}", auth=ANY_IDENTITY, body=DisableFactor, query=None, envelope="mfa_factor")
async def disable(request: Request) -> Answer:
    """Disable a second factor."""
    about: dict[str, Any] = {"identity_id": _identity(request), "id": request.params["id"]}
    factor = await request.run(disable_factor, **about, method=request.body.get("method"), code=request.body.get("code"))
    return {"mfa_factor": factor}


class GenerateCodes(Body):
    count: Annotated[Whole, Field(ge=1, le=50), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 50})] = ABSENT
    method: Word = ABSENT
    code: Word = ABSENT


@routes.post("/auth/mfa/recovery-codes", auth=ANY_IDENTITY, body=GenerateCodes, query=None, envelope="recovery_codes")
async def recovery_codes(request: Request) -> Answer:
    """Make new recovery codes, each of which stands for a code of the app once. The answer is the only one that holds them.

    `method` and `code` prove the factor once more, where the setting `mfa_disable_needs_code` asks for that."""
    codes = [new_recovery_code() for _ in range(request.body.get("count") or RECOVERY_CODES)]
    about: dict[str, Any] = {"identity_id": _identity(request), "hashes": [recovery_hash(code) for code in codes]}
    await request.run(replace_recovery_codes, **about, method=request.body.get("method"), code=request.body.get("code"))
    return {"recovery_codes": codes}


class ChallengeAnswer(Body):
    method: Word
    code: Word


@routes.post("/auth/mfa/challenges/{id}/verify", auth=HALFWAY, body=ChallengeAnswer, query=None, envelope="token")
async def answer(request: Request) -> Answer:
    """Complete a sign-in by a code: returns the token that it was for, which is good for proving an address where that is left."""
    actor = request.actor
    assert actor is not None
    about = (actor.identity, actor.type, actor.provider, request.params["id"])
    await request.modules.auth.verify_challenge(*about, request.body["method"], request.body["code"])
    identity = {**await request.modules.auth.identity(actor.identity), "secret_version": actor.claims["secret_version"]}
    halfway = await unverified(request, identity, actor.type, actor.provider) is not None
    since = actor.claims["auth_time"]
    return {"token": token_of(request, identity, actor.type, actor.provider, since, mfa_at=int(time.time()), halfway=halfway)}


def _identity(request: Request) -> str:
    assert request.actor is not None
    return request.actor.identity
