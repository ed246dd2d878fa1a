"""What a shop under test has besides its plugins: a subscriber to everything, so that events are kept, and a provider that keeps emails.

Both write files under the data directory, which the test reads: that works in every topology.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from ..core import json
from ..core.flow import Event
from ..modules.notification.provider import Content, NotificationMessage, NotificationProvider
from ..workflows.kit import Flow, subscriber

EVENTS, EMAILS = "test-events", "test-emails"
"""Folders in the data directory of a shop under test."""


@subscriber("*", when=lambda settings: __name__ in settings.plugins)
async def keep_event(flow: Flow, event: Event) -> None:
    keep(flow.settings.data_dir / EVENTS, event.id, asdict(event))


class KeptEmails(NotificationProvider):
    """Writes each email into a file of `folder`, and sends none."""

    identifier: ClassVar[str] = "kept"
    name: ClassVar[str] = "Emails of tests"

    def __init__(self, folder: str, channels: Sequence[str] = ("email",)) -> None:
        self.folder = Path(folder)
        self.channels = channels

    async def send(self, message: NotificationMessage) -> str | None:
        keep(self.folder, message.id, asdict(message))
        return message.id


def keep(folder: Path, id: str, row: dict[str, Any]) -> None:
    """Write a row down, whole or not at all."""
    file = folder / f"{time.time_ns()}-{id}.json"
    draft = file.with_suffix(".draft")
    draft.write_bytes(json.dumps(row))
    draft.rename(file)


def kept(folder: Path) -> list[dict[str, Any]]:
    """What was written down, oldest first; each id once, though it may have come again."""
    rows: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.json")):
        row = json.loads(file.read_bytes())
        rows.setdefault(row["id"], row)
    return list(rows.values())


def event_of(row: dict[str, Any]) -> Event:
    return Event(**{**row, "created_at": datetime.fromisoformat(row["created_at"])})


def email_of(row: dict[str, Any]) -> NotificationMessage:
    return NotificationMessage(**{**row, "content": None if row["content"] is None else Content(**row["content"])})
