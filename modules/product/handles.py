"""Handles: what stands for a thing in an address."""

from __future__ import annotations

import re
import unicodedata

from ...core.errors import InvalidData

_VALID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPACE = re.compile(r"[\s_-]+")
_OTHER = re.compile(r"[^a-z0-9-]")


def handle_of(title: str) -> str:
    """`Été à Paris` → `ete-a-paris`, `Men's wear` → `mens-wear`. Empty where the title has nothing that an address could show."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", title) if not unicodedata.combining(letter))
    plain = _OTHER.sub("", _SPACE.sub("-", _CAMEL.sub("-", bare).lower()))
    return _SPACE.sub("-", plain).strip("-")  # what was dropped may have stood between two hyphens


def checked_handle(handle: object, what: str) -> str:
    """The handle, if it can stand in an address. Raises InvalidData."""
    if not isinstance(handle, str) or not _VALID.fullmatch(handle):
        raise InvalidData(f"Invalid {what} handle '{handle}'. It must contain URL safe characters")
    return handle
