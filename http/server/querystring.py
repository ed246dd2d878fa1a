"""Query strings in the forms that the API's clients write: nesting by brackets or one dot, lists by repetition, brackets or commas.

?filters[created_at][$gt]=2026-01-01&id[]=a&id[]=b&variants.sku=x&fields=id,title

{"filters": {"created_at": {"$gt": "2026-01-01"}}, "id": ["a", "b"], "variants": {"sku": "x"}, "fields": "id,title"}
"""

from __future__ import annotations

import itertools
import re
from typing import Any
from urllib.parse import unquote_plus

from ...core.errors import InvalidData

DEPTH = 8
PARAMETERS = 1000
"""Limits: no real query is deeper or longer."""

_STEP = re.compile(r"\[([^\[\]]*)\]")


class _Slots(dict[str, Any]):
    """A list under construction: `a[2]=x&a[0]=y` are slots by number."""


def parse(text: str) -> dict[str, Any]:
    """A query string (without the `?`) as a tree of strings.

    Raises:
        InvalidData: it is too deep or too long, a dotted key has more than one dot, or it holds a character that no text column takes.
    """
    if not text:
        return {}
    parts = text.split("&")
    if len(parts) > PARAMETERS:
        raise InvalidData(f"A query string may have {PARAMETERS} parameters.")
    made: dict[str, Any] = {}
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition("=")
        key, given = unquote_plus(name), unquote_plus(value)
        if "\x00" in key or "\x00" in given:
            raise InvalidData("A query string can't hold the null character.")
        if key:
            _put(made, _path(key), given)
    return {name: _finished(value) for name, value in made.items()}


def _path(key: str) -> list[str]:
    head, bracket, _ = key.partition("[")
    if not bracket or not head:
        if "." in key and "[" not in key:
            steps = key.split(".")
            if len(steps) > 2:
                raise InvalidData(f"Query key {key} may have one dot at most.")
            return steps if all(steps) else [key]
        return [key]
    rest = key[len(head) :]
    steps = _STEP.findall(rest)
    if "".join(f"[{step}]" for step in steps) != rest:
        return [key]
    if len(steps) > DEPTH:
        raise InvalidData(f"Query key {head} is nested too deeply.")
    heads = head.split(".") if "." in head else [head]
    if len(heads) > 2:
        raise InvalidData(f"Query key {head} may have one dot at most.")
    return [*(heads if all(heads) else [head]), *steps]


def _put(made: dict[str, Any], path: list[str], value: str) -> None:
    at = made
    for step, following in itertools.pairwise(path):
        step = step if step or not isinstance(at, _Slots) else str(len(at))
        below = at.get(step)
        if not isinstance(below, dict):
            numbered = following == "" or _is_number(following)
            fresh: dict[str, Any] = _Slots() if numbered else {}
            if isinstance(below, list):
                for one in below:
                    fresh[str(len(fresh))] = one
            elif below is not None:
                fresh["0" if numbered else below] = below if numbered else "true"
            below = at[step] = fresh
        at = below
    last = path[-1]
    if last == "":
        last = str(len(at))
        while last in at:
            last += "0"
    if last in at and not isinstance(at[last], dict):
        there = at[last]
        at[last] = [*there, value] if isinstance(there, list) else [there, value]
    elif last in at:
        at[last][str(len(at[last]))] = value
    else:
        at[last] = value


def _is_number(step: str) -> bool:
    """Whether it is a place in a list. Python takes more for digits than it reads as numbers, and reads few that are very long."""
    return step.isascii() and step.isdigit() and len(step) < 6


def _finished(value: Any) -> Any:
    if isinstance(value, _Slots):
        if all(map(_is_number, value)):
            items = [_finished(value[name]) for name in sorted(value, key=int)]
            flat = [one for item in items for one in (item if isinstance(item, list) else [item])]
            return flat[0].split(",") if len(flat) == 1 and isinstance(flat[0], str) and "," in flat[0] else flat
        return {name: _finished(item) for name, item in value.items()}
    if isinstance(value, dict):
        return {name: _finished(item) for name, item in value.items()}
    return value
