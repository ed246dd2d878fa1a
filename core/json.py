"""JSON without loss: amounts are Decimal on the way in and exact digits on the way out.

Reading uses the standard library's C scanner, because it alone keeps a number's digits (orjson reads `0.1`, and
integers beyond 64 bits, as floats). Writing uses orjson, which also takes text that the database already made (`Fragment`).

`loads` is for JSON that our own processes and databases wrote. What a client sends goes through `received`, whose bounds hold for
everything inside: metadata, data, context, additional data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn

import orjson

from .clock import iso
from .numbers import WIDTH, number_of

__all__ = ["Fragment", "dumps", "loads", "received"]

Fragment = orjson.Fragment
"""JSON text that `dumps` includes as it is."""

_LONGEST_PLAIN = 40
"""A number with more digits is written with an exponent: `1E+9999` must not become ten thousand zeros."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class OutOfBounds(ValueError):
    """Valid JSON that is beyond our bounds. The text completes `The body …`."""


def _whole(text: str) -> int:
    if len(text) > WIDTH:
        raise OutOfBounds(f"holds a number of more than {WIDTH} digits")
    return int(text)


def _exact(text: str) -> Decimal:
    if len(text) <= WIDTH and "e" not in text and "E" not in text:  # nearly all numbers
        return Decimal(text)
    try:
        return number_of(text)
    except ValueError:
        raise OutOfBounds(f"holds a number of more than {WIDTH} digits") from None


_ours = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
_theirs = json.JSONDecoder(parse_float=_exact, parse_int=_whole, parse_constant=_refuse_constant)

DEPTH = 64
"""How deep received JSON may nest. The encoders that write it again (orjson, msgpack) fail at some hundreds."""
VALUES = 10_000
"""Values that received JSON may hold, unless its reader sets another bound. Each costs a check and, where it is wrong, an error."""


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """JSON text as Python values: whole numbers int, others Decimal, never float.

    Raises ValueError for anything that isn't JSON in UTF-8, also for lone surrogates and for what nests too deeply.
    """
    return _read(data if isinstance(data, str) else str(data, "utf-8"), _ours)


def received(data: bytes, values: int = VALUES) -> Any:
    """JSON text from outside as Python values, as `loads` gives them.

    Raises OutOfBounds where it holds more than `values` values, nests deeper than `DEPTH`, or holds a number that is wider than
    `numbers.WIDTH` or the null character, which no text column takes; ValueError for anything that isn't JSON in UTF-8.
    """
    try:
        text = str(data, "utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    value = _read(text, _theirs)
    opened = text.count("[") + text.count("{")
    if opened > DEPTH or opened + text.count(",") > values or "\\u0000" in text:  # else it is within the bounds
        _check(value, values)
    return value


def _read(text: str, decoder: json.JSONDecoder) -> Any:
    scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]
    try:
        try:
            value, end = scan(text, 0)  # what `decode` calls, without its two searches for white space
        except StopIteration:
            end = -1
        if end != len(text):  # there is white space around it, or it isn't JSON
            value = decoder.decode(text)
    except RecursionError:
        raise OutOfBounds("is nested too deeply") from None
    if "\\ud" in text or "\\uD" in text:
        orjson.loads(text)  # refuses lone surrogates, which no later layer could encode
    return value


def _check(value: Any, values: int) -> None:
    """Check the bounds. Raises OutOfBounds. Works level by level, so that this function doesn't recurse."""
    level, seen = [value], 0
    for _ in range(DEPTH + 1):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                if "\x00" in each:
                    raise OutOfBounds("holds the null character")
            elif isinstance(each, dict | list):
                seen += len(each)
                if seen > values:
                    raise OutOfBounds(f"holds more than {values} values")
                below += each if isinstance(each, list) else (*each, *each.values())
        if not below:
            return
        level = below
    raise OutOfBounds("is nested too deeply")


def dumps(value: Any) -> bytes:
    """Python values as JSON text. Datetimes as the API shows them (UTC, milliseconds), dates as `2026-01-31`.

    Raises TypeError for values that have no JSON form, ValueError for a Decimal that is no number.
    """
    try:
        return orjson.dumps(value, default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError as error:
        if "64-bit" not in str(error):
            if error.__cause__ is not None:  # the error raised by `_encode` says more than orjson's own
                raise error.__cause__ from None
            raise
    return orjson.dumps(_wide_integers(value), default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME)


def number(value: Decimal) -> str:
    """The exact digits of a Decimal as a JSON number."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that JSON can hold")
    return format(value, "f") if abs(value.adjusted()) < _LONGEST_PLAIN else str(value)


def _encode(value: object) -> object:
    if isinstance(value, Decimal):
        text = str(value)  # most numbers; the ones written with an exponent go through `number`
        return Fragment(text if "E" not in text and value.is_finite() else number(value))
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"A time without a zone can't be shown: {value!r}")
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__qualname__} has no JSON form")


def _wide_integers(value: Any) -> Any:
    """The same value, with integers beyond 64 bits as `Fragment`s, because orjson can't write them."""
    if isinstance(value, dict):
        return {key: _wide_integers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_wide_integers(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return Fragment(str(value))
    return value
