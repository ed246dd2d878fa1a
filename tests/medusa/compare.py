"""How two servers' answers to the same requests differ: ids, times, tokens and names of a run are normalised."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

ID = re.compile(
    r"\b([a-z]+(?:_[a-z]+)*)_[0-9A-HJKMNP-TV-Z]{26}\b|\b[0-9A-HJKMNP-TV-Z]{26}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
SECRET = re.compile(
    r"\b(pk|sk)_[0-9a-f*.]+|eyJ[\w-]+\.[\w-]+\.[\w-]+|\b[A-Z2-7]{32}\b|\b[0-9a-f]{4}(?:-[0-9a-f]{4}){7}\b"  # keys, tokens, second factors
)
TRANSACTION = re.compile(r"auto-<id>|<import>|<wfex>")
COUNTERS = {"display_id", "custom_display_id", "ordering"}
"""Columns that count on from earlier runs."""
TELLING = [
    *("title", "name", "code", "value", "sku", "email", "iso_2", "currency_code", "attribute", "url", "variant_title", "action", "rate"),
    *("amount", "unit_price", "quantity", "price_set", "min_quantity", "country_code", "province_code", "reference", "address_1"),
    "description",
]
"""Columns that identify the rows of a nested list."""
NEWER = re.compile(
    r"\.(cart|parent)(\.billing_address_id|\.payment_collection|\.items\[\]\.variant)|\.promotion\.metadata|\.api_key\.sales_channels"
    r"|.*\.unit_of_measure"
)
"""Fields that the API of 2.21.2 shows by default, and a recorded server of 2.18.0 doesn't yet."""
ABSENT = object()


@dataclass(frozen=True)
class Step:
    """A request and its answer: normalised, texts of errors left out."""

    asked: str
    status: int
    answer: Any


@dataclass(frozen=True)
class Difference:
    """A difference at one path of a step's answer. `path` has no indexes: rows of lists differ in the same way."""

    step: str
    path: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.step}\n    {self.path}: Medusa {self.theirs}, ours {self.ours}"


def alike(value: Any, word: str) -> Any:
    """`value` with <prefix> for ids, <time> for times, <secret> for tokens, and <run> for the word of this run."""
    if isinstance(value, dict):
        return {alike(name, word): "<number>" if name in COUNTERS and each else alike(each, word) for name, each in value.items()}
    if isinstance(value, list):
        return [alike(each, word) for each in value]
    if not isinstance(value, str):
        return value
    text = SECRET.sub("<secret>", TIME.sub("<time>", value)).replace(word, "<run>")
    return TRANSACTION.sub("<transaction>", ID.sub(lambda found: f"<{found[1] or 'id'}>", text))


def step_names(steps: list[Step]) -> list[str]:
    """The requests, with a number from the second time on."""
    seen: dict[str, int] = {}
    names = []
    for step in steps:
        seen[step.asked] = seen.get(step.asked, 0) + 1
        names.append(step.asked if seen[step.asked] == 1 else f"{step.asked} #{seen[step.asked]}")
    return names


def differences(theirs: list[Step], ours: list[Step]) -> list[Difference]:
    """In the order of the steps. Numbers are equal within 1e-9; rows of nested lists are matched by their contents."""
    found = []
    longer = max(theirs, ours, key=len)
    for name, their, our in zip_longest(step_names(longer), theirs, ours):
        if their is None or our is None or their.asked != our.asked:
            found.append(Difference(name, "asked", their.asked if their else "nothing", our.asked if our else "nothing"))
            break
        if their.status != our.status:
            found.append(Difference(name, "status", str(their.status), str(our.status)))
        found += [Difference(name, path, shown(a), shown(b)) for path, a, b in departures(their.answer, our.answer)]
    return found


def departures(theirs: Any, ours: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    """Path, their value and ours of each difference; ABSENT for a missing value."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted(theirs.keys() | ours.keys()):
            path = f"{at}.{name}"
            if name in theirs and name in ours:
                yield from departures(theirs[name], ours[name], path, depth + 1)
            elif name in theirs or not NEWER.fullmatch(path):
                yield path, theirs.get(name, ABSENT), ours.get(name, ABSENT)
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"{at}.length", len(theirs), len(ours)
        if depth > 1:  # the order of nested lists isn't promised
            theirs, ours = sorted(theirs, key=telling), sorted(ours, key=telling)
        for their, our in zip(theirs, ours, strict=False):
            yield from departures(their, our, f"{at}[]", depth + 1)
    elif not same(theirs, ours):
        yield at or ".", theirs, ours


def same(theirs: Any, ours: Any) -> bool:
    if theirs == ours and isinstance(theirs, bool) == isinstance(ours, bool):
        return True
    if isinstance(theirs, str) != isinstance(ours, str):
        return False
    numbers = number(theirs), number(ours)
    return None not in numbers and math.isclose(*numbers, rel_tol=1e-9, abs_tol=1e-9)  # type: ignore[arg-type]


def number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def telling(row: Any) -> str:
    if not isinstance(row, dict):
        return json.dumps(row, sort_keys=True)
    known = [(name, row[name]) for name in TELLING if row.get(name) is not None]
    said = [(name, f"{value:.6f}" if isinstance(value, int | float) else json.dumps(value)) for name, value in known]
    return json.dumps(said) if said else json.dumps(row, sort_keys=True)


def shown(value: Any) -> str:
    return "has none" if value is ABSENT else json.dumps(value)[:120]
