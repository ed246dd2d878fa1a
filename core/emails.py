"""What counts as an email address, wherever one is stored or written to."""

from __future__ import annotations

import re
from typing import Any

from .errors import InvalidData

LONGEST = 254
"""Letters of an address that mail servers take."""
_SHAPE = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+\-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}")
"""The pattern of Medusa's API: plain ASCII, so an address can't break a line, hide characters, or imitate another one."""


def is_email(text: Any) -> bool:
    """Whether the whole text is an email address."""
    return isinstance(text, str) and len(text) <= LONGEST and _SHAPE.fullmatch(text) is not None


def folded(text: str) -> str:
    """An address as it is stored and looked for, so that two spellings in upper and lower case are one person's.

    Only ASCII letters are folded: folding others can turn one address into another.
    """
    return text.lower() if text.isascii() else text


def email_address(text: Any, name: str = "email") -> str:
    """Return the address, checked and folded. Raises InvalidData that names the field."""
    if not is_email(text):
        raise InvalidData(f"'{name}' has to be an email address")
    return folded(str(text))
