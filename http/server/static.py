"""Public files on the shop's own disk: /static/…"""

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
"""Types that a browser may display. Files of all other types are downloaded."""
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}
"""An uploaded file must not be able to act in the shop's name, whatever it contains."""
FOR_GOOD = "public, max-age=31536000, immutable"
"""A name is never reused."""


def static_file(files: Files, http: web.BaseRequest) -> Reply:
    """The file of a path, or the page for unknown paths."""
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
