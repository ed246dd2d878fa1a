"""What a route may answer, and how it is wrapped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.json import dumps
from ...core.sql.schema.query import Page


@dataclass(slots=True)
class Reply:
    """An answer with another status, body or headers than 200 and JSON."""

    body: bytes | str | dict[str, Any] = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False
    """Close the connection afterwards."""
    tag: str | None = None
    """Its entity tag, if that is known already."""
    kept: bool = False
    """Whether the answer is cached, under its tag."""
    file: Path | None = None
    """A file to send instead of a body, with range and conditional requests."""
    stream: AsyncIterator[bytes] | None = None
    """Pieces to send instead of a body, for as long as the client listens. The request's time limit doesn't apply."""
    route: Any = None
    """The `Route` it is from, or None: set by the front end."""


Answer = bytes | dict[str, Any] | Reply


@dataclass(frozen=True, slots=True)
class Paging:
    """The part of a list that is asked for."""

    limit: int
    offset: int
    order: tuple[str, ...]
    with_deleted: bool


class Refused(Exception):
    """Ends a request with an answer that isn't an error of the tree: `{"message": "Unauthorized"}`, a page."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def unauthorized(message: str = "Unauthorized") -> Refused:
    return Refused(Reply(dumps({"message": message}), 401))


def http_error(status: int, type: str, message: str) -> Refused:
    """The answer for errors of HTTP itself, which have no `code`."""
    return Refused(Reply(dumps({"type": type, "message": message}), status))


def envelope(key: str, page: Page) -> bytes:
    """One row in its envelope; its bytes are passed through."""
    return b'{"%s":%s}' % (key.encode(), page.json[1:-1].strip())


def list_envelope(key: str, page: Page, paging: Paging) -> bytes:
    """Many rows in their envelope; their bytes are passed through."""
    return b'{"%s":%s,"count":%d,"offset":%d,"limit":%d}' % (key.encode(), page.json, page.count or 0, paging.offset, paging.limit)


def deleted(id: str, object: str, parent: bytes | None = None) -> bytes:
    """The answer of a route that deleted something; `parent` is the JSON of the row it belonged to."""
    head = dumps({"id": id, "object": object, "deleted": True})
    return head if parent is None else b'%s,"parent":%s}' % (head[:-1], parent)
