"""What is wrong with a request, in Medusa's wording.

Invalid request: Field 'title' is required; Unrecognized fields: 'foo'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from ...core.errors import InvalidData
from .bodies import json_type

Issue = str
Path = tuple[str, ...]

SHOWN = 3
"""Issues that an answer names."""
MOST = 200
"""Issues that are processed: wording some thousands takes a second, and only the first are named."""


def where(path: Iterable[str | int]) -> str:
    return ", ".join(map(str, path))


def missing(path: Path) -> Issue:
    return f"Field '{where(path)}' is required"


def invalid_type(expected: str, path: Iterable[str | int], received: str) -> Issue:
    return f"Expected type: '{expected}' for field '{where(path)}', got: '{received}'"


def invalid_choice(options: Iterable[Any], path: Iterable[str | int], received: Any) -> Issue:
    return f"Expected: '{', '.join(map(str, options))}' for field '{where(path)}', but got: '{received}'"


def unrecognized(keys: Iterable[str]) -> Issue:
    return f"Unrecognized fields: '{', '.join(keys)}'"


def invalid_request(issues: Sequence[Issue]) -> InvalidData:
    """The error for a request with these issues."""
    return InvalidData(f"Invalid request: {'; '.join(issues[:SHOWN])}")


_TYPES = {
    "string_type": "string",
    "string_sub_type": "string",
    "int_type": "number",
    "int_from_float": "number",
    "float_type": "number",
    "decimal_type": "number",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "mapping_type": "object",
    "none_required": "null",
    "datetime_type": "date",
    "datetime_parsing": "date",
    "datetime_from_date_parsing": "date",
}


def issues_of(error: ValidationError, body: Any) -> list[Issue]:
    """The issues of a body that its model refused, in the order of the model's fields."""
    if error.error_count() > MOST:
        return [f"{error.error_count()} values are not what they have to be"]
    found: list[Issue] = []
    unions: dict[tuple[str | int, ...], tuple[int, list[str]]] = {}
    unknown: dict[tuple[str | int, ...], tuple[int, list[str]]] = {}
    unmatched: dict[tuple[str | int, ...], list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        kind = problem["type"]
        path, value, union_at = _locate(problem["loc"], body, kind)
        if kind == "extra_forbidden":
            if union_at is not None:
                unmatched.setdefault(union_at, []).append(str(path[-1]))
                continue
            at, keys = unknown.setdefault(path[:-1], (len(found), []))
            if not keys:
                found.append("")
            keys.append(str(path[-1]))
            found[at] = unrecognized(keys)
            continue
        if union_at is not None:
            expected = _expected(kind, problem)
            if union_at in unions:
                # another branch of a union failed before: its types join the first one's
                at, types = unions[union_at]
                if expected and types and expected not in types:
                    types.append(expected)
                    found[at] = invalid_type(", ".join(types), path, json_type(value))
                continue
            unions[union_at] = (len(found), [expected] if expected else [])
        found.append(_issue(kind, problem, path, value))
    # a key unknown to one branch of a union may be another's: it only counts where nothing else is wrong
    found += [unrecognized(dict.fromkeys(keys)) for union_at, keys in unmatched.items() if union_at not in unions]
    return found


def _locate(loc: tuple[int | str, ...], body: Any, kind: str) -> tuple[tuple[str | int, ...], Any, tuple[str | int, ...] | None]:
    """Path in the body, the value there, and the path of the union it belongs to, if any.

    Pydantic puts the names of a union's branches into the location; a segment that isn't in the body is such a name.
    """
    path: list[str | int] = []
    union_at: tuple[str | int, ...] | None = None
    value = body
    for step in loc:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int) and step < len(value)
        if inside:
            value = value[step]
        elif kind == "missing" and step == loc[-1]:
            value = None
        else:
            union_at = union_at if union_at is not None else tuple(path)
            continue
        path.append(step)
    return tuple(path), value, union_at


def _expected(kind: str, problem: Any) -> str | None:
    return problem["ctx"]["expected"] if kind == "invalid_type" else _TYPES.get(kind)


def _issue(kind: str, problem: Any, path: tuple[str | int, ...], value: Any) -> Issue:
    context: dict[str, Any] = problem.get("ctx") or {}
    if kind == "missing":
        return missing(tuple(map(str, path)))
    if kind == "invalid_type":
        return invalid_type(context["expected"], path, context["received"])
    if kind in _TYPES:
        return invalid_type(_TYPES[kind], path, json_type(value))
    if kind in ("literal_error", "enum"):
        return f"Expected: '{_options(str(context.get('expected', '')))}' for field '{where(path)}', but got: '{_shown(value)}'"
    least = context.get("ge", context.get("gt", context.get("min_length", context.get("minimum"))))
    if kind in ("greater_than", "greater_than_equal", "string_too_short", "too_short", "too_small"):
        return f"Value for field '{where(path)}' too small, expected at least: '{least}'"
    most = context.get("le", context.get("lt", context.get("max_length", context.get("maximum"))))
    if kind in ("less_than", "less_than_equal", "string_too_long", "too_long", "too_big"):
        return f"Value for field '{where(path)}' too big, expected at most: '{most}'"
    if kind == "multiple_of":
        return f"Value for field '{where(path)}' not multiple of: '{context.get('multiple_of')}'"
    if kind == "value_error":
        return str(context.get("error", problem["msg"]))
    return str(problem["msg"])


def _options(text: str) -> str:
    """The options of Pydantic's message "'a', 'b' or 'c'"."""
    return text.replace("' or '", "', '").replace("'", "")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json_type(value) if isinstance(value, list | dict) or value is None else str(value)
