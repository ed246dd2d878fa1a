"""Conditional requests: a client that already has an answer gets 304 instead of the same bytes again (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib

REVALIDATED = "private, no-cache"
"""Cache it, but revalidate each time: an answer is for one storefront and one buyer, and always as fresh as the last commit."""


def entity_tag(body: bytes) -> str:
    """The same for the same bytes, in every process. Weak: one tag stands for all compressed forms of the answer."""
    return f'W/"{len(body):x}-{hashlib.sha256(body).hexdigest()[:24]}"'


def matches(asked: str, tag: str) -> bool:
    """Whether an `If-None-Match` header names the tag, by weak comparison; `*` names any."""
    bare = tag.removeprefix("W/")
    return any(one == "*" or one.removeprefix("W/") == bare for one in (part.strip() for part in asked.split(",")))
