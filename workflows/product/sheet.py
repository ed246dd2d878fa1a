"""Products as rows of a spreadsheet, a row a variant, with the columns of Medusa's own exports; and back.

Columns that Medusa's exports don't have and ours do: `Product Metadata` and `Variant Metadata` (JSON), `Shipping Profile Id`. What is
read: `COLUMNS`, and the numbered ones of `NUMBERED`; their case doesn't matter. An empty cell says nothing: it changes nothing and clears
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...core import json
from ...core.errors import InvalidData
from ...core.numbers import number_of
from ...core.rows import Row
from ...core.sheets import Position, Record

STATUSES: Final = ("draft", "proposed", "published", "rejected")
MOST_VARIANTS: Final = 1000
"""Of one product."""

# -- cells


def _text(cell: str) -> str:
    return cell


def _number(cell: str) -> Any:
    try:
        return number_of(cell)
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
    "product image": ("images", "url"),
    "product tag": ("tags", "tag"),
    "product category": ("categories", "id"),
    "product sales channel": ("sales_channels", "id"),
}
"""`Product Image 1`, `Product Image 2`, …: the list of the product that they fill, and what a cell is there."""
_NUMBERED = re.compile(r"(product (?:image|tag|category|sales channel)) (\d{1,3})(?: (?:id|url|value))?")
_OPTION = re.compile(r"variant option (\d{1,3}) (name|value|id|is exclusive)")
_PRICE = re.compile(
    r"variant price (?:\[(?P<before>.+)\] (?P<code>[a-z]{3})|(?P<plain>[a-z]{3})|(?P<region>.+) \[(?P<currency>[a-z]{3})\])"
)
_IMAGE = re.compile(r"variant image \d{1,3}")


# -- reading


@dataclass(slots=True)
class SheetProduct:
    """A product of a file, with all its rows."""

    at: Position
    """Where its first row begins."""
    given: Row
    """The input of `create-products`, or, with an `id`, of `update-products`. But each of `tags` is `{tag}`: an id or a value. What no cell
    says isn't in it: a product whose rows say nothing of variants, tags or prices keeps those that it has."""
    options: dict[str, Row] = field(default_factory=dict)
    """Title → `{title, values, id?, is_exclusive?}`."""

    @property
    def key(self) -> str:
        return str(self.given.get("id") or self.given.get("handle"))


class ProductColumns:
    """The columns of a file, and how its rows become products."""

    def __init__(self, names: Sequence[str], regions: Mapping[str, str]) -> None:
        """`regions`: as `named_regions` gives them. Raises InvalidData for columns that mean nothing, and for some that come twice."""
        self._plain: list[tuple[int, str, str, str, Read]] = []
        self._listed: list[tuple[int, str, str]] = []
        self._prices: list[tuple[int, str, Row]] = []
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
                self._plain.append((at, name, *known))
        elif match := _NUMBERED.fullmatch(plain):
            self._listed.append((at, *NUMBERED[match[1]]))
        elif match := _OPTION.fullmatch(plain):
            self._options.setdefault(match[1], {})[match[2]] = at
        elif match := _PRICE.fullmatch(plain):
            price = _price_of(match, name, regions)
            if any(price == known for _, _, known in self._prices):
                raise InvalidData(f'There are two columns for the price of "{name}"')
            self._prices.append((at, name, price))
        else:
            return _IMAGE.fullmatch(plain) is not None
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
                _merge(open, product)
                if len(open.given.get("variants", ())) > MOST_VARIANTS:
                    raise InvalidData(f"Line {record.at.line}: a product may have {MOST_VARIANTS} variants")
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
        for at, member, key in self._listed:
            if cells[at] and {key: cells[at]} not in product.setdefault(member, []):
                product[member].append({key: cells[at]})
        prices = [{**price, "amount": _read(record.at.line, name, _number, cells[at])} for at, name, price in self._prices if cells[at]]
        if prices:
            variant["prices"] = prices
        if not product.get("id") and not product.get("handle"):
            raise InvalidData(f"Line {record.at.line}: there is neither a product id nor a handle")
        made = SheetProduct(record.at, product)
        for columns in self._options.values():
            self._option(record.at.line, cells, columns, variant, made.options)
        if variant:
            product["variants"] = [variant]
        return made

    @staticmethod
    def _option(line: int, cells: Sequence[str], columns: Mapping[str, int], variant: Row, options: dict[str, Row]) -> None:
        title, value = cells[columns["name"]], cells[columns["value"]]
        if not title and not value:
            return
        if not title or not value:
            raise InvalidData(f"Line {line}: an option has a name and a value, here one of them is missing")
        variant.setdefault("options", {})[title] = value
        option: Row = {"title": title, "values": [value]}
        if "id" in columns and cells[columns["id"]]:
            option["id"] = cells[columns["id"]]
        if "is exclusive" in columns and cells[columns["is exclusive"]]:
            option["is_exclusive"] = _read(line, "Is Exclusive", _boolean, cells[columns["is exclusive"]])
        options[title] = option


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


def _folded(name: str) -> str:
    return " ".join(name.lower().split())


def named_regions(regions: Sequence[Row]) -> dict[str, str]:
    """What stands in the names of columns for regions (`{id, name}`): names and ids, in small letters → ids."""
    named: dict[str, str] = {}
    for region in regions:
        name = _folded(region["name"])
        named[name] = region["id"] if name not in named else SEVERAL
    return named | {_folded(region["id"]): region["id"] for region in regions}


def shown_regions(regions: Sequence[Row]) -> dict[str, str]:
    """What `named_regions` reads, the other way round: id → name, or the id itself where others have the name, too."""
    named = named_regions(regions)
    return {region["id"]: region["name"] if named[_folded(region["name"])] == region["id"] else region["id"] for region in regions}


def _read(line: int, name: str, read: Read, cell: str) -> Any:
    try:
        return read(cell)
    except InvalidData as error:
        raise InvalidData(f"Line {line}: {name}: {error.message}") from error


def _merge(product: SheetProduct, row: SheetProduct) -> None:
    """Add a further row of the same product. What it says of the product counts where the rows before said nothing."""
    for name, value in row.given.items():
        if name == "variants":
            product.given.setdefault("variants", []).extend(value)
        elif isinstance(value, list):
            product.given.setdefault(name, []).extend(item for item in value if item not in product.given[name])
        else:
            product.given.setdefault(name, value)
    for title, option in row.options.items():
        known = product.options.setdefault(title, option)
        if known is not option:
            known["values"] += [value for value in option["values"] if value not in known["values"]]
            for name in ("id", "is_exclusive"):
                if name in option:
                    known.setdefault(name, option[name])


# -- writing

LISTS: Final = {
    "images": ("image", "url"),
    "tags": ("tag", "value"),
    "sales_channels": ("sales_channel", "id"),
    "categories": ("category", "id"),
}
_GROUPS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"Product (?:Id|Handle|Title)$",
        r"Product (?!Image|Tag|Sales|Category)",
        r"Shipping",
        r"Product ",
        r"Variant (?:Id|Title|Sku)$",
        r"Variant (?!Price|Option|Image)",
        r"Variant Price",
        r"Variant Option",
        r"",
    )
)


def column_order(name: str) -> tuple[int, str, int, str]:
    """A sort key: what names a product and a variant first, numbered columns by their numbers."""
    group = next(rank for rank, pattern in enumerate(_GROUPS) if pattern.match(name))
    number = re.search(r" (\d+)( |$)", name)
    if number is None:
        known = PRODUCT if name.startswith("Product") else VARIANT
        place = list(known).index(key) if (key := name.lower().split(" ", 1)[1].replace(" ", "_")) in known else len(known)
        return group, "", place, name
    return group, name[: number.start()], int(number[1]), name


def rows_of(product: Row, regions: Mapping[str, str]) -> list[Row]:
    """The rows of a product as it was queried: one for each variant, or one. `regions`: as `shown_regions` gives them."""
    shared: Row = {column("product", name): product[name] for name in (*PRODUCT, *STAMPS) if name in product}
    for member, (name, key) in LISTS.items():
        for number, item in enumerate(product.get(member) or (), 1):
            shared[column("product", f"{name}_{number}")] = item[key]
    if (profile := product.get("shipping_profile")) is not None:
        shared[PROFILE] = profile["id"]
    titles = {option["id"]: option["title"] for option in product.get("options") or ()}
    return [{**shared, **_variant_cells(variant, titles, regions)} for variant in product.get("variants") or ()] or [shared]


def _variant_cells(variant: Row, titles: Mapping[str, str], regions: Mapping[str, str]) -> Row:
    row = {column("variant", name): variant[name] for name in (*VARIANT, *STAMPS) if name in variant}
    for price in variant.get("prices") or ():
        if (name := _price_column(price, regions)) is not None:
            row.setdefault(name, price["amount"])
    for number, value in enumerate(variant.get("options") or (), 1):
        row[f"Variant Option {number} Id"] = value["option_id"]
        row[f"Variant Option {number} Name"] = titles.get(value["option_id"])
        row[f"Variant Option {number} Value"] = value["value"]
    for number, image in enumerate(variant.get("images") or (), 1):
        row[f"Variant Image {number}"] = image["url"]
    return row


def everyday(price: Row) -> tuple[str, str | None] | None:
    """The currency and the region of a price that a column can say; None of another one: of a list, for quantities, or with other rules."""
    if price.get("price_list_id") or price.get("min_quantity") is not None or price.get("max_quantity") is not None:
        return None
    rules = {(rule["attribute"], rule["operator"]): rule["value"] for rule in price.get("price_rules") or ()}
    if rules.keys() - {("region_id", "eq")}:
        return None
    return price["currency_code"], rules.get(("region_id", "eq"))


def _price_column(price: Row, regions: Mapping[str, str]) -> str | None:
    if (known := everyday(price)) is None:
        return None
    currency, region = known
    if region is None:
        return f"Variant Price {currency.upper()}"
    return f"Variant Price {regions[region]} [{currency.upper()}]" if region in regions else None
