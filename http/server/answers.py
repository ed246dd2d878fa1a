"""What leaves the front end: errors in the API's wording, compression, the page for unknown paths."""

from __future__ import annotations

import html
import math

from isal import isal_zlib

from ...core.errors import Conflict, Misconfigured, TooManyRequests, Unavailable, VelellaError
from ...core.json import dumps
from ..kit.reply import Reply

ALWAYS = {"Server": "velella", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: our name without a version, and that a browser must not guess the type."""
UNKNOWN = {"code": "unknown_error", "type": "unknown_error", "message": "An unknown error occurred."}
RETRY = "The request conflicted with another request. You may retry the request with the provided Idempotency-Key."
"""Clients match on this text; the log says what conflicted."""

COMPRESSED_FROM = 1024
"""Bytes; a shorter answer would hardly become smaller."""


def error_reply(error: VelellaError) -> Reply:
    """The answer to a request that ended in an error of the tree."""
    if type(error) is VelellaError or isinstance(error, Misconfigured):
        return Reply(dumps(UNKNOWN), 500)
    body = error.body()
    if isinstance(error, Conflict):
        body["message"] = RETRY
    reply = Reply(dumps(body), error.status)
    if isinstance(error, Unavailable | TooManyRequests):
        reply.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return reply


def unknown_reply() -> Reply:
    return Reply(dumps(UNKNOWN), 500)


def missing_page(method: str, path: str) -> Reply:
    """404 for paths and methods that no route serves."""
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n'
        f"<pre>Cannot {html.escape(method)} {html.escape(path)}</pre>\n</body>\n</html>\n"
    )
    headers = {"Content-Security-Policy": "default-src 'none'"}
    return Reply(page.encode(), 404, "text/html", headers)


def accepted_coding(header: str | None) -> str | None:
    """gzip or deflate if the client accepts it, else None."""
    if not header:
        return None
    offers: dict[str, bool] = {}
    for offer in header.lower().split(","):
        name, _, parameters = offer.partition(";")
        weight = parameters.replace(" ", "")
        offers[name.strip()] = not (weight.startswith("q=0") and weight[3:].strip(".0") == "")
    for coding in ("gzip", "deflate"):
        if offers.get(coding, offers.get("*", False)):
            return coding
    return None


def compressed(body: bytes, coding: str) -> bytes:
    # level 1 of ISA-L: as small as zlib's, in a seventh of its time
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, 31 if coding == "gzip" else 15)
    return bytes(packer.compress(body) + packer.flush())
