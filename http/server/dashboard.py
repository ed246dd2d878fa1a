"""The merchant's dashboard under /app: Medusa's own, as `velella admin build` has put it into the data directory."""

from __future__ import annotations

import shlex
from html import escape
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..kit.reply import Reply
from .answers import missing_page

if TYPE_CHECKING:
    from aiohttp import web

DASHBOARD = "/app"
FOR_GOOD = "public, max-age=31536000, immutable"
"""The names of assets contain a hash of their content."""
ANEW = "no-cache"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # its components write styles into the page
        "img-src * data: blob:",  # product images may be on any host
        "media-src * data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' https:",  # uploads may go to a bucket by a signed URL
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
SAFE = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "same-origin"}
"""Only the dashboard's own code runs in the merchant's page."""
ONLY_TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""For pages that came by TLS: a browser uses nothing else for this host for a year."""

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The dashboard is not built yet</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1rem;color:#222}}
code{{background:#f2f2f2;border-radius:6px;padding:.6rem .8rem;display:block}}</style></head>
<body><h1>The dashboard is not built yet</h1>
<p>The shop is up. Its dashboard is made once, with Node.js 20 or newer, by</p>
<code>{command}</code>
<p>and is here as soon as that has ended; nothing has to be restarted.</p></body></html>
"""


def is_dashboard(path: str) -> bool:
    return path == DASHBOARD or path.startswith(f"{DASHBOARD}/")


def _building(folder: Path, http: web.BaseRequest) -> str:
    """The command that builds the dashboard; the data directory is shown to clients on this machine only."""
    command = "velella admin build"
    is_here = http.remote is not None and ip_address(http.remote).is_loopback and "X-Forwarded-For" not in http.headers
    return f"{command} --data-dir {shlex.quote(str(folder.parent.absolute()))}" if is_here else command


def dashboard_page(folder: Path, http: web.BaseRequest, *, secure: bool) -> Reply:
    """A file of the dashboard in `folder/site`; for every other path its page, which handles paths itself. 503 while it isn't built.

    `secure`: the browser's connection uses TLS.
    """
    path = unquote(http.rel_url.raw_path)
    if http.method not in ("GET", "HEAD"):
        return missing_page(http.method, path)
    safe = {**SAFE, **ONLY_TLS} if secure else SAFE
    site = folder / "site"
    index = site / "index.html"
    if not index.is_file():
        return Reply(
            NOT_BUILT.format(command=escape(_building(folder, http))), 503, "text/html", headers={**safe, "Cache-Control": "no-store"}
        )
    name = path.removeprefix(DASHBOARD).strip("/")
    if not name.startswith("assets/"):
        return Reply(headers={**safe, "Cache-Control": ANEW}, file=index)
    asset = site / "assets" / name.removeprefix("assets/")
    if asset.parent != site / "assets" or asset.is_symlink() or not asset.is_file():
        return missing_page(http.method, path)
    return Reply(headers={**safe, "Cache-Control": FOR_GOOD}, file=asset)
