"""What was found in the texts of a hit, marked."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...core.errors import InvalidData
from ...core.rows import Row
from .indexes import IndexDefinition

LONGEST_TAG: Final = 100
SNIPPET: Final = 200
"""Characters of a snippet that says nothing of its length."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Which fields are shown with marks, and how. What stands in a text is escaped for HTML; the tags are the client's own."""

    fields: Sequence[str]
    before: str = "<em>"
    after: str = "</em>"
    length: int | None = None
    """Characters around the first word that was found. None: all of the text."""

    @classmethod
    def of(cls, definition: IndexDefinition, given: Any, *, store: bool) -> Marks | None:
        """As `search_options.highlight` says. Raises InvalidData."""
        if not given:
            return None
        known = [field.name for field in definition.fields if field.weight is not None and (field.store or not store)]
        if given is True:
            return cls(known)
        unknown = [name for name in given["fields"] if name not in known]
        if unknown:
            raise InvalidData(f"{unknown[0]} is no field to highlight: there are {', '.join(known)}")
        before, after = given.get("pre_tag", "<em>"), given.get("post_tag", "</em>")
        if max(len(before), len(after)) > LONGEST_TAG:
            raise InvalidData(f"Tags of highlights have {LONGEST_TAG} characters at most")
        snippet = given.get("snippet")
        length = snippet["length"] if isinstance(snippet, Mapping) else SNIPPET if snippet else None
        return cls(list(dict.fromkeys(given["fields"])), before, after, length)

    def put(self, fields: Row, words: Sequence[str]) -> Row:
        """The fields in which one of the words begins a word, with marks."""
        if not words:
            return {}
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})\w*", re.IGNORECASE)
        marked = {name: self._marked(fields.get(name), pattern) for name in self.fields}
        return {name: value for name, value in marked.items() if value}

    def _marked(self, value: Any, pattern: re.Pattern[str]) -> Any:
        """None where nothing was found."""
        if isinstance(value, Mapping):
            parts = {name: self._marked(each, pattern) for name, each in value.items()}
            return {name: each for name, each in parts.items() if each} or None
        if isinstance(value, list):
            return [each for each in (self._marked(one, pattern) for one in value) if each] or None
        if not isinstance(value, str) or (first := pattern.search(value)) is None:
            return None
        text = value if self.length is None else self._around(value, first.start(), self.length)
        pieces, last = [], 0
        for found in pattern.finditer(text):
            pieces += [html.escape(text[last : found.start()]), self.before, html.escape(found.group()), self.after]
            last = found.end()
        return "".join((*pieces, html.escape(text[last:])))

    @staticmethod
    def _around(text: str, at: int, length: int) -> str:
        """A piece of a text, from the beginning of a word on."""
        start = max(0, at - length // 3)
        if start:
            start = next((n + 1 for n in range(start, at) if text[n].isspace()), at)
        return ("…" if start else "") + text[start : start + length] + ("…" if start + length < len(text) else "")
