"""The merchant's dashboard under /app: Medusa's own, as `velella admin build` has put it into the data directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .answers import missing_page
from .request import Reply

if TYPE_CHECKING:
    from aiohttp import web

DASHBOARD = "/app"
FOR_GOOD = "public, max-age=31536000, immutable"
"""The names of assets tell their content."""
ANEW = "no-cache"
SAFE = {"X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "same-origin"}

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The dashboard is not built yet</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1rem;color:#222}
code{background:#f2f2f2;border-radius:6px;padding:.6rem .8rem;display:block}</style></head>
<body><h1>The dashboard is not built yet</h1>
<p>The shop is up. Its dashboard is made once, with Node.js 20 or newer, by</p>
<code>velella admin build</code>
<p>and is here as soon as that has ended; nothing has to be restarted.</p></body></html>
"""


def is_dashboard(path: str) -> bool:
    return path == DASHBOARD or path.startswith(f"{DASHBOARD}/")


def dashboard_page(folder: Path, http: web.BaseRequest) -> Reply:
    """A file of the dashboard in `folder/site`; for every other path its page, which knows what to show there. 503 while it isn't built."""
    path = unquote(http.rel_url.raw_path)
    if http.method not in ("GET", "HEAD"):
        return missing_page(http.method, path)
    site = folder / "site"
    index = site / "index.html"
    if not index.is_file():
        return Reply(NOT_BUILT, 503, "text/html", headers={**SAFE, "Cache-Control": "no-store"})
    name = path.removeprefix(DASHBOARD).strip("/")
    if not name.startswith("assets/"):
        return Reply(headers={**SAFE, "Cache-Control": ANEW}, file=index)
    asset = site / "assets" / name.removeprefix("assets/")
    if asset.parent != site / "assets" or asset.is_symlink() or not asset.is_file():
        return missing_page(http.method, path)
    return Reply(headers={**SAFE, "Cache-Control": FOR_GOOD}, file=asset)
