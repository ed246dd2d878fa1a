"""Rows of documents as the JSON text that clients see, made once for each text that the database keeps.

What is shown of a document is a function of its stored text and of the fields asked for. So the result may be remembered by both, and
nobody has to be told when a row changes: a changed row has another text. Reading it from the database is not saved, parsing it, working
out what it shows and writing that again is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from ...kept import OBJECT, BoundedCache

KEPT = 16 * 1024 * 1024
"""Bytes of texts that a process keeps for one module."""
_DIGEST = 16
"""Bytes of the key of a text: two different ones never get the same in practice."""


class Rendered:
    """The texts that were made of stored ones."""

    def __init__(self, capacity: int = KEPT) -> None:
        self._texts: BoundedCache[bytes] = BoundedCache(capacity)

    def of(self, shape: bytes, stored: Sequence[str], render: Callable[[str], bytes]) -> list[bytes]:
        """What `render` makes of each stored text. `shape`: all that it depends on besides the text, above all the fields asked for."""
        common = blake2b(shape, digest_size=_DIGEST)
        made: list[bytes] = []
        for text in stored:
            digest = common.copy()
            digest.update(text.encode())
            key = digest.digest()
            known = self._texts.get(key)
            if known is None:
                known = render(text)
                self._texts.keep(key, known, len(known) + 2 * OBJECT)
            made.append(known)
        return made
