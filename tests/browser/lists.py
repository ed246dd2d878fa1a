"""What the admin API lists."""

from __future__ import annotations

from typing import Any

from ..e2e.served import Api


async def named(admin: Api, path: str, name: str, **params: str) -> dict[str, Any]:
    """The one row in a list with that name."""
    rows = next(rows for rows in (await admin.get(f"/admin/{path}", limit=100, **params)).values() if isinstance(rows, list))
    [found] = [row for row in rows if name in (row.get("name"), row.get("title"), row.get("code"))]
    assert isinstance(found, dict)
    return found
