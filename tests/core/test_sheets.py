"""Tables of text: what is written comes back, however the file arrives, and from any row on."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velella.core import sheets
from velella.core.errors import InvalidData
from velella.core.sheets import Position, Record, Sheet, read_records

CELLS = st.text(st.one_of(st.sampled_from("'=-＋;\t\n\r \""), st.characters(codec="utf-8", exclude_characters="\0")), max_size=12)
BEGINNING = Position()
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=20)


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for first in range(0, len(data), size):
        yield data[first : first + size]


async def read(data: bytes, size: int = 7, start: Position = BEGINNING) -> list[Record]:
    return [record async for records in read_records(in_pieces(data[start.offset :], size), start=start) for record in records]


async def written(rows: list[list[str]]) -> bytes:
    sheet = Sheet(("a", "b", "c"))
    sheet.add(dict(zip("abc", row, strict=True)) for row in rows)
    data = b"".join([piece async for piece in sheet.pieces()])
    sheet.close()
    return data


@settings(deadline=None, max_examples=200)
@given(ROWS, st.integers(1, 40))
def test_what_is_written_is_read(rows: list[list[str]], size: int) -> None:
    async def there_and_back() -> None:
        data = await written(rows)
        records = await read(data, size)
        assert [record.cells for record in records] == [["a", "b", "c"], *rows]
        for at, record in enumerate(records):  # a part of a file begins where the one before ended
            assert [each.cells for each in await read(data, size, record.at)] == [each.cells for each in records[at:]]

    asyncio.run(there_and_back())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "'", "'=1", " =1+1", "\t=1", "\n=1+1", "＝1+1", "＠x", " a", "a "])
async def test_no_cell_is_a_formula(text: str) -> None:
    data = await written([[text, "", ""]])
    assert data.startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8"
    [_, row] = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row[0].startswith("'")
    assert (await read(data))[1].cells[0] == text


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r"])
async def test_no_cell_is_a_formula_where_a_spreadsheet_separates_cells_otherwise(separator: str) -> None:
    """It doesn't know a quote in the midst of what it takes for a cell."""
    text = f"Buoy{separator}=1+1{separator} @x{separator}{separator}-2{separator}plain"
    data = await written([["first", text, ""]])
    assert f',"Buoy{separator}'.encode() in data
    pieces = data.decode("utf-8-sig").split(separator)
    assert not [piece for piece in pieces if piece.strip()[:1] in tuple("=@-")]
    assert (await read(data))[1].cells[1] == text


async def test_a_long_row_is_read_once_however_many_pieces_it_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, parse = 0, sheets._parsed

    def counted(lines: list[bytes], *args: Any, **given: Any) -> Any:
        nonlocal begun
        begun += sum(map(len, lines))
        return parse(lines, *args, **given)

    monkeypatch.setattr(sheets, "_parsed", counted)
    data = b'a,b\n1,"' + b"x\n" * 200_000 + b'"\n2,3\n'
    records = await read(data, 64 * 1024)
    assert [(record.at.line, len(record.cells[1])) for record in records] == [(1, 1), (2, 399_999), (200_003, 1)]
    assert begun < 4 * len(data)


async def test_lines_are_counted_as_editors_count_them() -> None:
    records = await read(b'\xef\xbb\xbfa,b\r\n\r\n"1\r\n2",3\r\n4,5')
    assert [(record.at.line, record.cells) for record in records] == [(1, ["a", "b"]), (3, ["1\r\n2", "3"]), (5, ["4", "5"])]


@pytest.mark.parametrize("data", [b'a\n"b', b'"a"b\n', b'a\n"b\nc\n'])
async def test_quotes_that_do_not_match_are_refused(data: bytes) -> None:
    for size in (1, 3, 100):
        with pytest.raises(InvalidData):
            await read(data, size)
