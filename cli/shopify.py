"""The CSV files of Shopify's product export, rewritten with our columns."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from ..core.errors import InvalidData
from ..core.sheets import cell, plain

PRODUCT = {
    "Product Title": "Title",
    "Product Description": "Body (HTML)",
    "Product Is Giftcard": "Gift Card",
}
VARIANT = {
    "Variant Sku": "Variant SKU",
    "Variant Barcode": "Variant Barcode",
    "Variant Weight": "Variant Grams",
    "Variant Image 1": "Variant Image",
}
"""Our column → theirs."""
STATUSES = {"active": "published", "draft": "draft", "archived": "draft"}
OPTIONS = 3
"""Options that a product has there at most."""
MOST_PICTURES = 250
MOST_TAGS = 250
Line = dict[str, str]


@dataclass
class Named:
    """What the file names and the shop has to have."""

    products: dict[str, None] = field(default_factory=dict)
    """Their handles."""
    types: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    @staticmethod
    def rewrite(path: Path, types: Mapping[str, str], products: Mapping[str, str], only_new: Collection[str]) -> None:
        """Put the ids of types where their values stand, and those of products that the shop has; these don't get the columns of
        `only_new`, which a merchant may have changed."""
        draft = path.with_name(f".{path.name}.part")
        with path.open(newline="", encoding="utf-8") as given, draft.open("w", newline="", encoding="utf-8") as made:
            reader = csv.DictReader(given)
            writer = csv.DictWriter(made, reader.fieldnames or ())
            writer.writeheader()
            for row in reader:
                id = products.get(plain(row["Product Handle"]))
                known = {"Product Id": id, **dict.fromkeys(only_new, "")} if id is not None else {}
                writer.writerow({**row, "Product Type Id": types.get(plain(row["Product Type Id"]), ""), **known})
        draft.replace(path)


def converted(path: Path, target: Path, currency: str, shared: Mapping[str, str]) -> Named:
    """Rewrite a file. Product types stand there by their values; `shared`: columns that all products have. Reads it twice, and has one
    product at a time in memory.

    Raises InvalidData for a file that isn't such an export.
    """
    named, pictures, tags = Named(), 0, 0
    for lines in _products(path):
        first = lines[0]
        named.products[first["Handle"]] = None
        named.types.update(value for value in (first.get("Type", "").strip(),) if value)
        ours = _tags(first)
        named.tags.update(ours)
        pictures, tags = max(pictures, len(_pictures(lines))), max(tags, len(ours))
    if pictures > MOST_PICTURES or tags > MOST_TAGS:
        raise InvalidData(f"A product has {pictures} pictures or {tags} tags: more than {MOST_PICTURES} and {MOST_TAGS} aren't taken")
    columns = [
        "Product Id", "Product Handle", *PRODUCT, *shared, "Product Status", "Product Type Id",
        *(f"Product Tag {number}" for number in range(1, tags + 1)), *(f"Product Image {number}" for number in range(1, pictures + 1)),
        "Variant Title", *VARIANT, "Variant Manage Inventory", "Variant Allow Backorder", f"Variant Price {currency.upper()}",
        *(f"Variant Option {number} {what}" for number in range(1, OPTIONS + 1) for what in ("Name", "Value")),
    ]  # fmt: skip
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for lines in _products(path):
            for row in _rows(lines, currency):
                writer.writerow({name: cell(value) for name, value in {**row, **shared}.items()})
    return named


def _products(path: Path) -> Iterator[list[Line]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restval="")
        try:
            if not {"Handle", "Title", "Variant Price"} <= set(reader.fieldnames or ()):
                raise InvalidData(
                    f"{path} is no product export of Shopify's: it has no columns Handle, Title and Variant Price.",
                    hint="In Shopify: Products, Export, CSV for Excel or other programs.",
                )
            for _, lines in groupby(reader, lambda line: line["Handle"]):
                yield list(lines)
        except UnicodeDecodeError:
            raise InvalidData(f"{path} is not text in UTF-8", hint="Take the file as Shopify gives it, or save it as CSV UTF-8.") from None
        except csv.Error as error:
            raise InvalidData(f"{path}, line {reader.line_num + 1}: {error}") from None


def _tags(first: Line) -> list[str]:
    return list(dict.fromkeys(tag for each in first.get("Tags", "").split(",") if (tag := each.strip())))


def _pictures(lines: list[Line]) -> list[str]:
    placed = [(_place(line.get("Image Position", "")), line["Image Src"]) for line in lines if line.get("Image Src")]
    return list(dict.fromkeys(url for _, url in sorted(placed, key=lambda each: each[0])))


def _place(cell: str) -> int:
    """Programs for spreadsheets write `1.0`; what is no number comes first."""
    number = cell.partition(".")[0].strip()
    return int(number) if number.isdecimal() and len(number) < 10 else 0


def _rows(lines: list[Line], currency: str) -> Iterator[Line]:
    """A row for each variant; lines without a price only show further pictures."""
    first = lines[0]
    product = {"Product Handle": first["Handle"], **{ours: first.get(theirs, "") for ours, theirs in PRODUCT.items()}}
    product["Product Is Giftcard"] = product["Product Is Giftcard"].lower()
    published = "published" if first.get("Published", "true").lower() != "false" else "draft"
    status = STATUSES.get(first.get("Status", "").lower(), published)
    product["Product Status"] = "draft" if published == "draft" else status
    product["Product Type Id"] = first.get("Type", "").strip()
    product |= {f"Product Tag {number}": tag for number, tag in enumerate(_tags(first), 1)}
    product |= {f"Product Image {number}": url for number, url in enumerate(_pictures(lines), 1)}
    names = [first.get(f"Option{number} Name", "") for number in range(1, OPTIONS + 1)]
    for line in lines:
        if not line.get("Variant Price"):
            continue
        values = [line.get(f"Option{number} Value", "") for number in range(1, OPTIONS + 1)]
        row = product | {ours: line.get(theirs, "").lstrip("'") for ours, theirs in VARIANT.items()}
        row["Variant Title"] = " / ".join(value for value in values if value) or "Default"
        row["Variant Manage Inventory"] = "true" if line.get("Variant Inventory Tracker") else "false"
        row["Variant Allow Backorder"] = "true" if line.get("Variant Inventory Policy", "").lower() == "continue" else "false"
        row[f"Variant Price {currency.upper()}"] = line["Variant Price"]
        for number, (name, value) in enumerate(zip(names, values, strict=True), 1):
            if name and value:
                row |= {f"Variant Option {number} Name": name, f"Variant Option {number} Value": value}
        yield row
