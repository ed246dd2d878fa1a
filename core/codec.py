"""The wire format: Python values as msgpack and back, the same on the other side.

JSON values travel natively. Beyond these: Decimal, datetime (with a zone), date, set, frozenset, bytes, integers
of any size and dataclasses marked `@wire`. Tuples arrive as lists, except in fields of a `@wire` class that say `tuple`.
Classes travel by name, never by pickle: received bytes can only become classes that this process has registered itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

import msgpack  # type: ignore[import-untyped]

from .errors import TooLarge

T = TypeVar("T")

LARGEST = 64 * 1024 * 1024
"""Bytes of a message between processes, or of its answer. A page of a shop is far smaller; anything larger is a mistake or an attack."""
HEAD = 1024
"""Bytes reserved for the frame around an answer."""

DECIMAL, DATE, SET, FROZENSET, INTEGER, OBJECT = range(1, 7)
"""Codes of the extension types. Times use msgpack's own (-1)."""


_BUFFER = 256 * 1024
_packers: list[Any] = []
"""Idle packers, reused for their buffers: making one for each nested value takes ten times as long as the packing. A packer that grew with
a large message, or failed, is dropped."""


class _WireClass:
    """How one dataclass is encoded: its name, then its fields in order."""

    __slots__ = ("casts", "cls", "name", "values")

    def __init__(self, cls: type) -> None:
        declared = [f for f in fields(cls) if f.init]
        names = [f.name for f in declared]
        self.cls = cls
        self.name = cls.__qualname__
        self.values: Callable[[Any], list[Any]] = _values_of(names)
        self.casts = [(i, cast) for i, f in enumerate(declared) if (cast := _cast(f.type)) is not None]

    def build(self, values: list[Any]) -> Any:
        for i, cast in self.casts:
            if isinstance(values[i], list):
                values[i] = cast(values[i])
        return self.cls(*values)


_by_class: dict[type, _WireClass] = {}
_by_name: dict[str, _WireClass] = {}


def wire(cls: type[T]) -> type[T]:
    """Register a dataclass for messages. Its name must be unique among all registered classes."""
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__qualname__} is not a dataclass: put @wire above @dataclass")
    if any(f.kw_only for f in fields(cls) if f.init):
        raise TypeError(f"{cls.__qualname__} has keyword-only fields, which can't travel by position")
    known = _by_name.get(cls.__qualname__)
    if known is not None and known.cls.__module__ != cls.__module__:
        raise TypeError(f"Two wire classes are called {cls.__qualname__}: in {known.cls.__module__} and {cls.__module__}")
    entry = _WireClass(cls)
    _by_class[cls] = _by_name[entry.name] = entry
    return cls


def pack(value: Any) -> bytes:
    """Encode a value. Raises TypeError that names the type that can't be encoded."""
    packer = _packers.pop() if _packers else msgpack.Packer(default=_encode, datetime=True, buf_size=_BUFFER)
    packed: bytes = packer.pack(value)
    if len(packed) < _BUFFER:
        _packers.append(packer)
    return packed


def bounded(packed: bytes, what: str, head: int = 0) -> bytes:
    """Return the bytes of a message unchanged. Raises TooLarge, which reaches only the sender of `what`, not the others on the
    connection."""
    if len(packed) > LARGEST - head:
        raise TooLarge(f"{what} is larger than {LARGEST // 1024**2} MiB: ask for less at once.")
    return packed


def unpack(data: bytes | bytearray | memoryview) -> Any:
    """Decode bytes. Raises ValueError for bytes that `pack` did not make."""
    try:
        return msgpack.unpackb(data, ext_hook=_decode, timestamp=3, strict_map_key=False)
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"These bytes are no message: {error}") from error


def travelled(value: T) -> T:
    """The value as its receiver would get it: a copy that shares nothing. Raises the TypeError that sending it would raise."""
    copy: T = unpack(pack(value))
    return copy


_extension: Callable[[tuple[int, bytes]], Any] = partial(tuple.__new__, msgpack.ExtType)
"""Makes an ExtType without msgpack's type checks, which take longer than the rest: an order has dozens of amounts."""


def _encode(value: Any) -> Any:
    cls = type(value)
    if cls is Decimal:
        return _extension((DECIMAL, str(value).encode()))
    entry = _by_class.get(cls)
    if entry is not None:
        return _extension((OBJECT, pack([entry.name, *entry.values(value)])))
    if cls is date:
        return _extension((DATE, value.isoformat().encode()))
    if cls is set:
        return _extension((SET, pack(list(value))))
    if cls is frozenset:
        return _extension((FROZENSET, pack(list(value))))
    if isinstance(value, int):  # more than 64 bits
        return _extension((INTEGER, str(int(value)).encode()))
    raise TypeError(f"{cls.__module__}.{cls.__qualname__} can't travel in a message")


def _decode(code: int, data: bytes) -> Any:
    if code == OBJECT:
        name, *values = unpack(data)
        entry = _by_name.get(name)
        if entry is None:
            raise ValueError(f"A message holds a {name}, which is not known here")
        return entry.build(values)
    if code == DECIMAL:
        return Decimal(data.decode())
    if code == DATE:
        return date.fromisoformat(data.decode())
    if code == SET:
        return set(unpack(data))
    if code == FROZENSET:
        return frozenset(unpack(data))
    if code == INTEGER:
        return int(data)
    raise ValueError(f"A message holds a value of unknown kind {code}")


def _values_of(names: list[str]) -> Callable[[Any], list[Any]]:
    if not names:
        return lambda value: []
    get = attrgetter(*names)
    return (lambda value: [get(value)]) if len(names) == 1 else (lambda value: list(get(value)))


def _cast(annotation: object) -> Callable[[list[Any]], Any] | None:
    """The conversion of a field that arrives as a list, by the field's annotation (a string, or a type); None where it stays a list."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    return tuple if text.startswith("tuple") else None
