"""The wire: Python values as msgpack and back, the same on the other side.

What JSON knows travels natively. Beyond that: Decimal, datetime (with a zone), date, set, frozenset, bytes, integers
of any size and dataclasses marked `@wire`. Tuples arrive as lists, except in fields of a `@wire` class that say `tuple`.
Classes travel by name, never by pickle: what arrives can only become what this process has registered itself.
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
"""Bytes of a message between processes, or of its answer. A page of a shop is far below; what is above is a mistake or an attack."""
HEAD = 1024
"""Bytes that are left for what an answer travels in."""

DECIMAL, DATE, SET, FROZENSET, INTEGER, OBJECT = range(1, 7)
"""Codes of the extension types. Times use msgpack's own (-1)."""


_BUFFER = 256 * 1024
_packers: list[Any] = []
"""Packers that are free. Their buffers are worth keeping: made anew for each value inside a value, they take ten times
as long as the packing. One that grew with a large message, or failed, is let go."""


class _WireClass:
    """How one dataclass goes over the wire: its name, then its fields in order."""

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
    """Register a dataclass as something that messages may carry. Its name must be unique among all that are registered."""
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
    """A value as bytes. Raises TypeError that names the type of what can't travel."""
    packer = _packers.pop() if _packers else msgpack.Packer(default=_encode, datetime=True, buf_size=_BUFFER)
    packed: bytes = packer.pack(value)
    if len(packed) < _BUFFER:
        _packers.append(packer)
    return packed


def bounded(packed: bytes, what: str, head: int = 0) -> bytes:
    """The same bytes, which are to travel. Raises TooLarge: who sent `what` hears of it, and nobody else on the connection."""
    if len(packed) > LARGEST - head:
        raise TooLarge(f"{what} is larger than {LARGEST // 1024**2} MiB: ask for less at once.")
    return packed


def unpack(data: bytes | bytearray | memoryview) -> Any:
    """The value of some bytes. Raises ValueError for bytes that `pack` did not make here or elsewhere."""
    try:
        return msgpack.unpackb(data, ext_hook=_decode, timestamp=3, strict_map_key=False)
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"These bytes are no message: {error}") from error


def travelled(value: T) -> T:
    """The value as its receiver would have it: a copy that shares nothing, or the TypeError that sending it would give."""
    copy: T = unpack(pack(value))
    return copy


_extension: Callable[[tuple[int, bytes]], Any] = partial(tuple.__new__, msgpack.ExtType)
"""Without msgpack's look at the types, which takes longer than the rest: there are dozens of amounts in an order."""


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
    if isinstance(value, int):  # beyond 64 bits
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
    """What a field that arrives as a list has to become, by its annotation (a string, or a type)."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    return tuple if text.startswith("tuple") else None
