"""Tables of text for people's spreadsheets (CSV, RFC 4180): written and read piece by piece, so that a file may be larger than memory.

sheet = Sheet(order=columns_first)                 # nobody knows all columns before the last row
sheet.add(rows)
await files.store(…, sheet.pieces())

async for records in read_records(provider.read(key)):
    for record in records: …
"""

from __future__ import annotations

import asyncio
import csv
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from . import json
from .errors import InvalidData
from .numbers import digits

AT_ONCE: Final = 32
"""Rows that are read or written without giving way to others: a millisecond or two."""
PIECE: Final = 16 * 1024
"""Bytes that are taken apart without giving way to others."""
LONGEST: Final = 512 * 1024
"""Bytes of one row; a row with more is most likely a quote that isn't closed."""
csv.field_size_limit(LONGEST)  # of the whole process, 131,072 unless somebody says so: less than a product's description may have
MOST_COLUMNS: Final = 500
UNFINISHED: Final = "unexpected end of data"
"""What `csv` says of a row that ends within quotes."""
BROKEN: Final = "new-line character seen in unquoted field"
"""How it begins to say that there is a CR in a row."""
MARK: Final = b"\xef\xbb\xbf"
"""Begins what is written: without it Excel takes UTF-8 for the code page of its country."""
_STARTS: Final = r"'*[^\S\t\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
"""How a text goes on that a spreadsheet takes for a formula; full-width signs count as well."""
_FORMULA: Final = re.compile(_STARTS)
_WITHIN: Final = re.compile(rf"(?<=[;\t\r\n])(?={_STARTS})")
"""A formula in a text, where a spreadsheet begins a cell that separates them otherwise than this sheet does."""
_SHIELDED: Final = re.compile(rf"(?<=[;\t\r\n])'(?={_STARTS})")
_QUOTE: Final = '"'
_SEPARATES: Final = re.compile(r'[,;\t\r\n"]')


# -- writing


class Sheet:
    """Rows that are kept in a temporary file until all columns are known, and then written as CSV."""

    def __init__(self, columns: Iterable[str] = (), order: Callable[[str], Any] | None = None) -> None:
        """`columns` that it has in any case. `order`: a sort key for columns; without it they stand as they first came."""
        self._rows = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._columns = dict.fromkeys(columns)
        self._order = order
        self.count = 0

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows: column → value. A missing column is empty."""
        for row in rows:
            self._columns.update(dict.fromkeys(row))
            self._rows.write(json.dumps({name: cell(value) for name, value in row.items()}) + b"\n")
            self.count += 1

    async def pieces(self) -> AsyncIterator[bytes]:
        """The whole sheet as CSV, its first line the columns. May be called again."""
        names = sorted(self._columns, key=self._order) if self._order is not None else list(self._columns)
        self._rows.seek(0)
        yield MARK + _line(cell(name) for name in names)
        while page := list(islice(self._rows, AT_ONCE)):
            rows = (json.loads(line) for line in page)
            yield b"".join(_line(row.get(name, "") for name in names) for row in rows)
            await asyncio.sleep(0)

    def close(self) -> None:
        """Drop the rows."""
        self._rows.close()


def _line(cells: Iterable[str]) -> bytes:
    """A row. Cells with a separator of any spreadsheet are quoted, not of this sheet alone."""
    return (",".join(f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SEPARATES.search(text) else text for text in cells) + "\r\n").encode()


def cell(value: Any) -> str:
    """A value as text: nothing for None, true and false, numbers with all their digits, JSON for what is nested.

    An apostrophe stands before a formula, here and within a text, and before a text with an apostrophe or space around it: `plain` takes
    it off.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = _WITHIN.sub("'", value)
        return f"'{text}" if _is_shielded(text) else text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return str(value)
    return cell(json.dumps(value).decode())


def plain(text: str) -> str:
    """The text of a cell: without the apostrophes that `cell` writes, and without space around it where there is none before."""
    if "'" not in text:
        return text.strip()
    shielded = text[0] == "'" and _is_shielded(text[1:])
    return _SHIELDED.sub("", text[1:] if shielded else text.strip())


def _is_shielded(text: str) -> bool:
    return text[:1] == "'" or _FORMULA.match(text) is not None or text != text.strip()


# -- reading


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a file a row begins."""

    offset: int = 0
    """Bytes before it."""
    line: int = 1
    """Its line, the first is 1: in a spreadsheet the number of the row, as long as no cell has a line break."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it was read."""

    at: Position
    cells: list[str]


async def read_records(chunks: AsyncIterator[bytes], *, delimiter: str = ",", start: Position = Position()) -> AsyncGenerator[list[Record]]:
    """The rows of a file, some at a time; empty lines are left out. `chunks`: the file from `start` on.

    Raises InvalidData for what isn't text in UTF-8, a row longer than `LONGEST` and quotes that don't match, with the line.
    """
    at, rest, enough = start, b"", 0
    async for chunk in chunks:
        for first in range(0, len(chunk), PIECE):
            rest += chunk[first : first + PIECE]
            if len(rest) < enough:
                continue
            lines = rest.split(b"\n")
            rest = lines.pop()
            records, at, left = _parsed(lines, at, delimiter, last=False)
            rest = b"\n".join((*left, rest))
            if len(rest) > LONGEST:
                raise InvalidData(f"Line {at.line}: the row is too long, or a quote in it isn't closed")
            enough = min(2 * len(rest), LONGEST)  # so that a long row isn't begun again with each piece
            for some in range(0, len(records), AT_ONCE):
                yield records[some : some + AT_ONCE]
                await asyncio.sleep(0)
    if rest:
        records, _, _ = _parsed(rest.split(b"\n"), at, delimiter, last=True)
        yield records


def _parsed(lines: list[bytes], at: Position, delimiter: str, *, last: bool) -> tuple[list[Record], Position, list[bytes]]:
    """The rows of whole lines, where the next one begins, and the lines of the one that isn't over (none, where these are the `last`)."""
    reader = csv.reader(_texts(lines, at), delimiter=delimiter, strict=True)
    records: list[Record] = []
    read, offset = 0, at.offset
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return records, Position(offset, at.line + read), []
        except csv.Error as error:
            if reader.line_num == len(lines) and not last:  # it goes on in lines that aren't here yet
                return records, Position(offset, at.line + read), lines[read:]
            raise InvalidData(f"Line {at.line + read}: {_fault(str(error))}") from error
        begins, before, read = Position(offset, at.line + read), read, reader.line_num
        offset += sum(len(each) + 1 for each in lines[before:read])
        if cells:
            if len(cells) > MOST_COLUMNS:
                raise InvalidData(f"Line {begins.line}: a row may have {MOST_COLUMNS} cells, not {len(cells)}")
            records.append(Record(begins, [plain(each) for each in cells]))


def _fault(said: str) -> str:
    """What `csv` says of a row, as one says it to a merchant."""
    if said == UNFINISHED:
        return "a quote in it isn't closed"
    return "there is a line break in it without quotes around (CR alone ends no line)" if said.startswith(BROKEN) else said


def _texts(lines: list[bytes], at: Position) -> Iterable[str]:
    for number, line in enumerate(lines):
        try:
            yield line.decode("utf-8-sig" if not at.offset and not number else "utf-8") + "\n"
        except UnicodeDecodeError:
            raise InvalidData(f"Line {at.line + number} is not text in UTF-8", hint="Save the file as CSV UTF-8.") from None
