"""Files of the shop's own disk, for everybody: /static/…"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from ...modules.file.names import type_of
from ..kit.reply import Reply
from .answers import missing_page

if TYPE_CHECKING:
    from aiohttp import web

    from ...modules.file.files import Files

STATIC = "/static/"
SHOWN = ("image/", "video/", "audio/", "text/plain", "application/pdf")
"""Types that a browser may show by itself. Everything else is saved."""
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}
"""What was uploaded must not be able to act for the shop, whatever it is."""
FOR_GOOD = "public, max-age=31536000, immutable"
"""A name is never used twice."""


def static_file(files: Files, http: web.BaseRequest) -> Reply:
    """The file of a path, or the page for what isn't there."""
    path = unquote(http.rel_url.raw_path)
    found = files.provider.served(path.removeprefix(STATIC), http.rel_url.query) if http.method in ("GET", "HEAD") else None
    if found is None:
        return missing_page(http.method, path)
    kind = type_of(found.name)
    shown = "inline" if kind.startswith(SHOWN) else "attachment"
    private = path.startswith(f"{STATIC}private/")
    headers = {
        **SAFE,
        "Content-Type": kind,
        "Content-Disposition": shown,
        "Cache-Control": "private, no-store" if private else FOR_GOOD,
    }
    return Reply(headers=headers, file=found)
