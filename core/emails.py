"""What an email address is, for everything that keeps one or writes to one."""

from __future__ import annotations

import re
from typing import Any

from .errors import InvalidData

LONGEST = 254
"""Letters of an address that mail servers take."""
_SHAPE = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+\-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}")
"""The API's own: plain ASCII, so nothing in it breaks a line, hides, or looks like something else."""


def is_email(text: Any) -> bool:
    """Whether it is an email address, from its first letter to its last."""
    return isinstance(text, str) and len(text) <= LONGEST and _SHAPE.fullmatch(text) is not None


def folded(text: str) -> str:
    """An address as it is kept and looked for: however its letters are written, it is one person's.

    Letters beyond ASCII stay as they are: some of them have lower ones within it, and one address would become another.
    """
    return text.lower() if text.isascii() else text


def email_address(text: Any, name: str = "email") -> str:
    """The address, checked and folded. Raises InvalidData that names the field."""
    if not is_email(text):
        raise InvalidData(f"'{name}' has to be an email address")
    return folded(str(text))
