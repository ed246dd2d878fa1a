"""What Sanity calls when editors have changed something."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time

from velella.core.errors import InvalidData, Unauthorized
from velella.http.kit import Answer, Request, Routes

from .. import plugin
from ..workflows import agree

routes = Routes()

LIMIT = 64 * 1024
"""Bytes of a webhook."""
AGE = 3600.0
"""Seconds: Sanity tries again for half an hour. Sent twice it does no harm, for it is only the occasion to look."""


@routes.post("/hooks/sanity", query=None, raw_body=True, body_limit=LIMIT)
async def document_changed(request: Request) -> Answer:
    """Look at a document again: `{"_id": "prod_…"}`. Webhooks come late and in any order, so nothing else of it counts.

    Raises Unauthorized for one that isn't from Sanity, InvalidData for one that names no document.
    """
    check(request.raw, request.header("sanity-webhook-signature") or "", plugin.options(request.settings).webhook_secret)
    try:
        id = json.loads(request.raw)["_id"]
    except (ValueError, KeyError, TypeError):
        raise InvalidData("The projection of the webhook has to be {_id}.") from None
    if isinstance(id, str) and id.startswith("prod_"):  # what isn't a product's, such as a draft, is no business of ours
        await request.start(agree, ids=[id])
    return {"received": True}


def check(body: bytes, header: str, secret: str) -> None:
    """Raises Unauthorized unless Sanity has signed this body, within the last hour (`t` is in milliseconds)."""
    signed = re.fullmatch(r"t=([0-9]{1,16})[, ]+v1=([A-Za-z0-9_=-]{1,100})", header)
    if not secret or signed is None:
        raise Unauthorized("A webhook without a signature")
    digest = hmac.digest(secret.encode(), signed[1].encode() + b"." + body, hashlib.sha256)
    if not hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), signed[2].rstrip("=").encode()):
        raise Unauthorized("A webhook with a wrong signature")
    if abs(time.time() - int(signed[1]) / 1000) > AGE:
        raise Unauthorized("A webhook that is too old, or of the future")
