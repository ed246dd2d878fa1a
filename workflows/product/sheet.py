"""Products as rows of a spreadsheet, a row a variant, with the columns of Medusa's own exports; and back.

Columns that Medusa's exports don't have and ours do: `Product Metadata` and `Variant Metadata` (JSON), `Shipping Profile Id`. What is
read: `COLUMNS`, the numbered ones of `NUMBERED` and `Variant Image 1`, …; their case doesn't matter. An empty cell says nothing: it
changes nothing and clears nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from ...core import json
from ...core.errors import InvalidData
from ...core.numbers import number_of
from ...core.rows import Row
from ...core.sheets import Position, Record

STATUSES: Final = ("draft", "proposed", "published", "rejected")
MOST_ROWS: Final = 1000
"""Of one product, and so of its variants."""
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""Of the rows of one product, without what they repeat: a long description stands in each of them."""

# -- cells


def _text(cell: str) -> str:
    return cell


def _number(cell: str) -> Any:
    return _number_of(cell, cell)


def _number_with_comma(cell: str) -> Any:
    """`12,50` as spreadsheets write it where columns are separated by semicolons; `12.50` all the same, and never `1.234,50`."""
    return _number_of(cell.replace(",", "."), cell)


def _number_of(text: str, cell: str) -> Any:
    try:
        return number_of(text)
    except ValueError as error:
        raise InvalidData(f"'{cell[:80]}' is not a number") from error


def _whole(cell: str) -> int:
    number = _number(cell)
    if number != number.to_integral_value():
        raise InvalidData(f"'{cell}' is not a whole number")
    return int(number)


def _boolean(cell: str) -> bool:
    match cell.lower():
        case "true" | "yes" | "1":
            return True
        case "false" | "no" | "0":
            return False
    raise InvalidData(f"'{cell[:80]}' is neither true nor false")


def _status(cell: str) -> str:
    if cell not in STATUSES:
        raise InvalidData(f"'{cell[:80]}' is not a status: {', '.join(STATUSES)}")
    return cell


def _metadata(cell: str) -> Row:
    try:
        value = json.received(cell.encode())
    except ValueError as error:
        raise InvalidData("it is not valid JSON") from error
    if not isinstance(value, dict):
        raise InvalidData("it is not a JSON object")
    return value


Read = Callable[[str], Any]
PHYSICAL: Final[Mapping[str, Read]] = {
    "weight": _number,
    "length": _number,
    "height": _number,
    "width": _number,
    "hs_code": _text,
    "origin_country": _text,
    "mid_code": _text,
    "material": _text,
}
PRODUCT: Final[Mapping[str, Read]] = {
    "id": _text,
    "handle": _text,
    "title": _text,
    "subtitle": _text,
    "description": _text,
    "status": _status,
    "thumbnail": _text,
    **PHYSICAL,
    "collection_id": _text,
    "type_id": _text,
    "discountable": _boolean,
    "is_giftcard": _boolean,
    "external_id": _text,
    "metadata": _metadata,
}
VARIANT: Final[Mapping[str, Read]] = {
    "id": _text,
    "title": _text,
    "sku": _text,
    "barcode": _text,
    "ean": _text,
    "upc": _text,
    "allow_backorder": _boolean,
    "manage_inventory": _boolean,
    **PHYSICAL,
    "variant_rank": _whole,
    "metadata": _metadata,
}
STAMPS: Final = ("created_at", "updated_at", "deleted_at")


def column(prefix: str, name: str) -> str:
    """`product`, `hs_code` → `Product Hs Code`."""
    return " ".join(word[:1].upper() + word[1:] for word in f"{prefix}_{name}".split("_"))


PROFILE: Final = "Shipping Profile Id"
COLUMNS: Final[Mapping[str, tuple[str, str, Read] | None]] = {
    **{column("product", name).lower(): ("product", name, read) for name, read in PRODUCT.items()},
    PROFILE.lower(): ("product", "shipping_profile_id", _text),
    **{column("variant", name).lower(): ("variant", name, read) for name, read in VARIANT.items()},
    **{column(prefix, name).lower(): None for prefix in ("product", "variant") for name in STAMPS},
    "variant product id": None,
}
"""Column → whose it is, its name there and how its cells are read; None: it may be there, and isn't read."""
NUMBERED: Final = {
    "product image": "images",
    "product tag": "tags",
    "product category": "categories",
    "product sales channel": "sales_channels",
}
"""`Product Image 1`, `Product Image 2`, …: the list of the product that they fill."""
_NUMBERED = re.compile(r"(product (?:image|tag|category|sales channel)) (\d{1,3})(?: (?:id|url|value))?")
_OPTION = re.compile(r"variant option (\d{1,3}) (name|value|id|is exclusive)")
_PRICE = re.compile(
    r"variant price (?:\[(?P<before>.+)\] (?P<code>[a-z]{3})|(?P<plain>[a-z]{3})|(?P<region>.+) \[(?P<currency>[a-z]{3})\])"
)
_IMAGE = re.compile(r"variant image \d{1,3}(?: url)?")


# -- reading


@dataclass(slots=True)
class SheetOption:
    title: str
    values: dict[str, None]
    id: str | None = None
    is_exclusive: bool | None = None

    @property
    def given(self) -> Row:
        named = {"id": self.id, "is_exclusive": self.is_exclusive}
        return {"title": self.title, "values": list(self.values)} | {name: value for name, value in named.items() if value is not None}

    def merge(self, row: SheetOption) -> None:
        self.values |= row.values
        self.id = self.id if self.id is not None else row.id
        self.is_exclusive = self.is_exclusive if self.is_exclusive is not None else row.is_exclusive


@dataclass(slots=True)
class SheetProduct:
    """A product of a file, with all its rows. What no cell says isn't in it."""

    first: Record
    given: Row
    """Its own columns."""
    variants: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """Where the variants stand."""
    lists: dict[str, dict[tuple[str, int], None]] = field(default_factory=dict)
    """`images`, `tags` (a value or an id), `categories`, `sales_channels`: the cells, each with how often it stood before it in its row."""
    options: dict[str, SheetOption] = field(default_factory=dict)
    """By their titles."""
    rows: int = 1
    characters: int = 0
    """Of the rows after the first one, where they differ from it."""
    twice: str | None = None
    """An option that a row names twice: one of its values would be lost."""

    @property
    def at(self) -> Position:
        """Where its first row begins."""
        return self.first.at

    @property
    def id(self) -> str | None:
        id: str | None = self.given.get("id")
        return id

    @property
    def key(self) -> str:
        return str(self.given.get("id") or self.given.get("handle"))

    def line_of(self, reason: str) -> int:
        """The line that a refusal is about: that of the variant whose SKU it names, or else where the product begins."""
        named = (line for line, row in zip(self.lines, self.variants, strict=True) if row.get("sku") and f"sku: {row['sku']}," in reason)
        return next(named, self.at.line)

    def listed(self, member: str) -> list[str]:
        return [cell for cell, _ in self.lists.get(member, ())]

    def merge(self, row: SheetProduct) -> None:
        """Add a further row. What it says of the product itself counts where the rows before said nothing.

        Raises InvalidData, with the line, for a row too many.
        """
        self.rows += 1
        if self.rows > MOST_ROWS:
            raise InvalidData(f"Line {row.at.line}: a product may have {MOST_ROWS} rows")
        self.characters += sum(len(cell) for cell, known in zip_longest(row.first.cells, self.first.cells, fillvalue="") if cell != known)
        if self.characters > MOST_CHARACTERS:
            raise InvalidData(f"Line {row.at.line}: the rows of a product may have {MOST_CHARACTERS} characters, beside what they repeat")
        self.given = {**row.given, **self.given}
        self.twice = self.twice or row.twice
        self.variants += row.variants
        self.lines += row.lines
        for member, cells in row.lists.items():
            self.lists.setdefault(member, {}).update(cells)
        for title, option in row.options.items():
            if (known := self.options.setdefault(title, option)) is not option:
                known.merge(option)


class ProductColumns:
    """The columns of a file, and how its rows become products."""

    def __init__(self, names: Sequence[str], regions: Mapping[str, str], *, delimiter: str = ",") -> None:
        """`regions`: as `named_regions` gives them. Where a semicolon is the `delimiter`, a comma may be the point of numbers.

        Raises InvalidData for columns that mean nothing, and for some that come twice.
        """
        self._read_number = _number_with_comma if delimiter == ";" else _number
        self._plain: list[tuple[int, str, str, str, Read]] = []
        self._listed: list[tuple[int, str]] = []
        self._prices: list[tuple[int, str, Row]] = []
        self._images: list[int] = []
        self._options: dict[str, dict[str, int]] = {}
        self.width = len(names)
        unknown = [name for at, name in enumerate(names) if not self._takes(at, name, " ".join(name.lower().split()), regions)]
        if unknown:
            shown = '", "'.join(name[:80] for name in unknown[:10])
            raise InvalidData(f'Invalid column name(s) "{shown}"', hint="docs/operations.md lists the columns.")
        twice = {name for name in (name.lower() for name in names) if [each.lower() for each in names].count(name) > 1}
        if twice:
            raise InvalidData(f"There are two columns {', '.join(sorted(twice))}")
        if not {"product id", "product handle"} & {name.lower() for name in names}:
            raise InvalidData('There is neither a column "Product Id" nor "Product Handle": rows are put together by them')
        for number, parts in self._options.items():
            if not {"name", "value"} <= parts.keys():
                raise InvalidData(f'The columns "Variant Option {number} Name" and "Variant Option {number} Value" come together')

    def _takes(self, at: int, name: str, plain: str, regions: Mapping[str, str]) -> bool:
        if plain in COLUMNS:
            known = COLUMNS[plain]
            if known is not None:
                whose, member, read = known
                self._plain.append((at, name, whose, member, self._read_number if read is _number else read))
        elif match := _NUMBERED.fullmatch(plain):
            self._listed.append((at, NUMBERED[match[1]]))
        elif match := _OPTION.fullmatch(plain):
            self._options.setdefault(match[1], {})[match[2]] = at
        elif match := _PRICE.fullmatch(plain):
            price = _price_of(match, name, regions)
            if any(price == known for _, _, known in self._prices):
                raise InvalidData(f'There are two columns for the price of "{name}"')
            self._prices.append((at, name, price))
        elif _IMAGE.fullmatch(plain):
            self._images.append(at)
        else:
            return False
        return True

    def products(self, records: Iterable[Record], open: SheetProduct | None = None) -> Iterator[SheetProduct]:
        """The products of rows; the last one is given, too, and may go on: hand it in again as `open`.

        Raises InvalidData, with the line, for a row that can't be read.
        """
        for record in records:
            product = self._product(record)
            if open is None or open.key != product.key:
                if open is not None:
                    yield open
                open = product
            else:
                open.merge(product)
        if open is not None:
            yield open

    def _product(self, record: Record) -> SheetProduct:
        cells = record.cells
        if len(cells) > self.width and any(cells[self.width :]):
            raise InvalidData(f"Line {record.at.line}: it has {len(cells)} cells for {self.width} columns")
        cells = [*cells, *[""] * (self.width - len(cells))]
        parts: dict[str, Row] = {"product": {}, "variant": {}}
        for at, name, whose, member, read in self._plain:
            if cells[at]:
                parts[whose][member] = _read(record.at.line, name, read, cells[at])
        product, variant = parts["product"], parts["variant"]
        if not product.get("id") and not product.get("handle"):
            raise InvalidData(f"Line {record.at.line}: there is neither a product id nor a handle")
        made = SheetProduct(record, product)
        seen: Counter[tuple[str, str]] = Counter()
        for at, member in self._listed:
            if cell := cells[at]:
                made.lists.setdefault(member, {})[cell, seen[member, cell]] = None
                seen[member, cell] += 1
        read = self._read_number
        prices = [{**price, "amount": _read(record.at.line, name, read, cells[at])} for at, name, price in self._prices if cells[at]]
        if prices:
            variant["prices"] = prices
        if urls := [cells[at] for at in self._images if cells[at]]:
            variant["image_urls"] = urls
        for columns in self._options.values():
            self._option(record.at.line, cells, columns, variant, made)
        if variant:
            made.variants.append(variant)
            made.lines.append(record.at.line)
        return made

    @staticmethod
    def _option(line: int, cells: Sequence[str], columns: Mapping[str, int], variant: Row, made: SheetProduct) -> None:
        title, value = cells[columns["name"]], cells[columns["value"]]
        if not title and not value:
            return
        if not title or not value:
            raise InvalidData(f"Line {line}: an option has a name and a value, here one of them is missing")
        if title in made.options:
            made.twice = title
        variant.setdefault("options", {})[title] = value
        option = made.options[title] = SheetOption(title, {value: None})
        if "id" in columns and cells[columns["id"]]:
            option.id = cells[columns["id"]]
        if "is exclusive" in columns and cells[columns["is exclusive"]]:
            option.is_exclusive = _read(line, "Is Exclusive", _boolean, cells[columns["is exclusive"]])


def _price_of(match: re.Match[str], name: str, regions: Mapping[str, str]) -> Row:
    if match["plain"]:
        return {"currency_code": match["plain"]}
    region = (match["before"] or match["region"]).strip()
    if region not in regions:
        raise InvalidData(f'There is no region "{region}", of the column "{name}"')
    if regions[region] == SEVERAL:
        raise InvalidData(f'There are several regions "{region}", of the column "{name}"', hint="Write its id in the place of its name.")
    return {"currency_code": match["code"] or match["currency"], "rules": {"region_id": regions[region]}}


SEVERAL: Final = ""
"""Stands for the id of a region whose name others have, too."""


def folded(name: str) -> str:
    return " ".join(name.lower().split())


def named_regions(regions: Sequence[Row]) -> dict[str, str]:
    """What stands in the names of columns for regions (`{id, name}`): names and ids, in small letters → ids."""
    named: dict[str, str] = {}
    for region in regions:
        name = folded(region["name"])
        named[name] = region["id"] if name not in named else SEVERAL
    return named | {folded(region["id"]): region["id"] for region in regions}


def _read(line: int, name: str, read: Read, cell: str) -> Any:
    try:
        return read(cell)
    except InvalidData as error:
        raise InvalidData(f"Line {line}: {name}: {error.message}") from error
