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
import io
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from . import json
from .errors import InvalidData
from .numbers import digits

AT_ONCE: Final = 100
"""Rows that are read or written without giving way to others: a few milliseconds."""
LONGEST: Final = 512 * 1024
"""Bytes of one row; a row with more is most likely a quote that isn't closed."""
MOST_COLUMNS: Final = 500
UNFINISHED: Final = "unexpected end of data"
"""What `csv` says of a row that ends within quotes."""
FORMULA: Final = frozenset("=+-@\t\r")
"""A text that begins with one of these is a formula to a spreadsheet: it is written behind an apostrophe, which reading takes off."""


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
        page = io.StringIO()
        writer = csv.writer(page)
        writer.writerow(names)
        waiting = 0
        for line in self._rows:
            row = json.loads(line)
            writer.writerow([row.get(name, "") for name in names])
            waiting += 1
            if waiting == AT_ONCE:
                yield _drained(page)
                waiting = 0
                await asyncio.sleep(0)
        yield _drained(page)

    def close(self) -> None:
        """Drop the rows."""
        self._rows.close()


def _drained(page: io.StringIO) -> bytes:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text.encode()


def cell(value: Any) -> str:
    """A value as text: nothing for None, true and false, numbers with all their digits, JSON for what is nested."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in FORMULA or value[:1] == "'" else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(value).decode()


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
    at, rest = start, b""
    async for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        records, at, left = _parsed(lines, at, delimiter, last=False)
        if left:
            rest = b"\n".join((*left, rest))
        if len(rest) > LONGEST:
            raise InvalidData(f"Line {at.line}: the row is too long, or a quote in it isn't closed")
        for first in range(0, len(records), AT_ONCE):
            yield records[first : first + AT_ONCE]
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
            fault = "a quote in it isn't closed" if str(error) == UNFINISHED else str(error)
            raise InvalidData(f"Line {at.line + read}: {fault}") from error
        begins, before, read = Position(offset, at.line + read), read, reader.line_num
        offset += sum(len(each) + 1 for each in lines[before:read])
        if cells:
            if len(cells) > MOST_COLUMNS:
                raise InvalidData(f"Line {begins.line}: a row may have {MOST_COLUMNS} cells, not {len(cells)}")
            records.append(Record(begins, [_plain(each) for each in cells]))


def _texts(lines: list[bytes], at: Position) -> Iterable[str]:
    for number, line in enumerate(lines):
        try:
            yield line.decode("utf-8-sig" if not at.offset and not number else "utf-8") + "\n"
        except UnicodeDecodeError:
            raise InvalidData(f"Line {at.line + number} is not text in UTF-8", hint="Save the file as CSV UTF-8.") from None


def _plain(text: str) -> str:
    """A cell without space around it, and without the apostrophe before a formula."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and (text[1:2] in FORMULA or text[1:2] == "'") else text
