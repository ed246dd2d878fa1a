"""Notes in the dashboard's feed: what became of work that goes on in the background."""

from __future__ import annotations

from ..core.rows import Row
from .kit import Flow, Retry, step


@step(retry=Retry(times=5))
async def tell(flow: Flow, title: str, description: str, file: Row | None = None) -> None:
    """Tell all users, once. `file`: `{id, filename}` of one that the note leads to; its URL works for as long as the file provider says."""
    data: Row = {"title": title, "description": description}
    if file is not None:
        there = await flow.modules.file.retrieve_file(file["id"])
        data["file"] = {"filename": file["filename"], "url": there["url"], "mimeType": there["mime_type"]}
    note = {"to": "", "channel": "feed", "template": "admin-ui", "data": data, "idempotency_key": flow.idempotency_key}
    await flow.modules.notification.create_notifications([note])
