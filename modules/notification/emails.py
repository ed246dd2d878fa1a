"""Emails made from templates.

A template `user-invited` is a text file `user-invited.txt`: `Subject: …`, an empty line, the text; and, for a formatted version,
`user-invited.html` beside it. `$name` stands for a value of the data. A shop's own files in `templates_dir` take precedence over ours.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from ...core.errors import InvalidData
from .provider import Content

OURS = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def from_template(template: str, data: Mapping[str, Any], own: Path | None = None) -> Content | None:
    """The email of a template; None if there is no such template. Raises InvalidData where the data lack a name that it uses."""
    folder = next((each for each in (own, OURS) if each is not None and _is_there(each, template)), None)
    if folder is None:
        return None
    text = (folder / f"{template}.txt").read_text(encoding="utf-8")
    html_file = folder / f"{template}.html"
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    if not head.startswith("Subject:") or "\n" in head:
        raise InvalidData(f"The template {template}.txt has to begin with a line `Subject: …` and an empty one")
    page = html_file.read_text(encoding="utf-8") if html_file.is_file() else None
    try:
        subject = Template(head.removeprefix("Subject:").strip()).substitute(data)
        return Content(
            " ".join(subject.split()),  # one line, whatever a value holds
            Template(body).substitute(data),
            None if page is None else Template(page).substitute({name: html.escape(str(value)) for name, value in data.items()}),
        )
    except (KeyError, ValueError) as error:
        raise InvalidData(f"The template {template} can't be filled in: {error}") from error


def _is_there(folder: Path, template: str) -> bool:
    return _NAME.fullmatch(template) is not None and ".." not in template and (folder / f"{template}.txt").is_file()
