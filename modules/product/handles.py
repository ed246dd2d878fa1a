"""Handles: readable ids for URLs, in letters of any script."""

from __future__ import annotations

import re
import unicodedata

from ...core.errors import InvalidData

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPACE = re.compile(r"[\s_-]+")


def handle_of(title: str) -> str:
    """`Été à Paris` → `été-à-paris`, `Men's wear` → `mens-wear`. Empty where the title has nothing that a URL could show."""
    plain = unicodedata.normalize("NFC", title).lower().replace("ß", "ss")
    return _SPACE.sub("-", "".join(letter for letter in plain if letter in "_-" or letter.isspace() or _told(letter))).strip("-")


def handle_of_group(title: str) -> str:
    """The handle of a group of products: camel case is split into words, `WinterWear` → `winter-wear`."""
    return handle_of(_CAMEL.sub("-", title))


def checked_handle(handle: object, what: str) -> str:
    """Return the handle if it fits a URL: words of lower-case letters and digits of any script, joined by hyphens. Raises InvalidData."""
    words = handle.split("-") if isinstance(handle, str) else [""]
    if not all(word and all(_told(letter) and letter == letter.lower() for letter in word) for word in words):
        raise InvalidData(f"Invalid {what} handle '{handle}'. It must contain URL safe characters")
    return str(handle)


def _told(letter: str) -> bool:
    """Whether it is a letter or a digit of some script."""
    return unicodedata.category(letter)[0] in "LN"
