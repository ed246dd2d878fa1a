"""CSV files that say something of the variants of products that exist: which ones their rows mean, and the images that they show."""

from __future__ import annotations

import pytest

from ..conftest import Client, Shop
from .conftest import Books, Merchant
from .importer import HEAD, Importer, Row, called, sheet

OPTION = "Variant Option 1 Name,Variant Option 1 Value"


@pytest.fixture
def sheets(admin: Client, merchant: Merchant, shop: Shop) -> Importer:
    return Importer(admin, merchant, shop)


async def variants_of(sheets: Importer, id: str) -> dict[str, Row]:
    """By their options' values, joined."""
    fields = "*variants,*variants.options,*variants.prices,*variants.images,*variants.inventory_items"
    product = (await sheets.merchant.get(f"/admin/products/{id}", fields=fields))["product"]
    return {"".join(sorted(value["value"] for value in variant["options"])): variant for variant in product["variants"]}


async def imports_unchanged(sheets: Importer, books: Books, lines: bytes) -> None:
    before = await books.state()
    _, note = await sheets.run(lines)
    assert "0 created, 1 updated, 0 refused" in note["description"]
    after = await books.state()
    assert {table for table, rows in before.items() if rows != after[table]} <= {"file"}


async def test_the_sheet_of_a_supplier_changes_variants_and_leaves_their_stock(sheets: Importer, merchant: Merchant, books: Books) -> None:
    """A row without an id means the variant with its SKU, or else that of its options; what no row means stays."""
    handle, other = called(), called()
    await sheets.run(sheet(HEAD, *(f"{handle},Buoy,{size},{handle}-{size},5,Size,{size}" for size in ("S", "M", "L"))))
    await sheets.run(sheet(HEAD, f"{other},Bell,S,{other}-s,5,Size,S"))
    id = (await sheets.product(handle))["id"]
    before = await variants_of(sheets, id)
    quay = await merchant.location()
    for variant in before.values():
        item = variant["inventory_items"][0]["inventory_item_id"]
        await merchant.post(f"/admin/inventory-items/{item}/location-levels", {"location_id": quay, "stocked_quantity": 7})
        await merchant.post("/admin/reservations", {"inventory_item_id": item, "location_id": quay, "quantity": 2})
    stock = {table: rows for table, rows in (await books.state()).items() if table in ("inventory_level", "reservation_item")}

    head = f"Product Id,Variant SKU,Variant Title,Variant Price EUR,{OPTION}"
    rows = (f"{id},{handle}-new,Small,6,Size,S", f"{id},{handle}-M,Medium,7,Size,XM", f"{id},,Huge,8,Size,XL")
    _, note = await sheets.run(sheet(head, *rows))
    assert "0 created, 1 updated, 0 refused" in note["description"], note
    after = await variants_of(sheets, id)
    assert {size: variant["title"] for size, variant in after.items()} == {"S": "Small", "XM": "Medium", "XL": "Huge", "L": "L"}
    assert [after[size]["id"] for size in ("S", "XM", "L")] == [before[size]["id"] for size in "SML"]
    assert (after["S"]["sku"], after["XM"]["sku"], after["XL"]["sku"]) == (f"{handle}-new", f"{handle}-M", None)
    assert [after[size]["prices"][0]["amount"] for size in ("S", "XM", "XL", "L")] == [6, 7, 8, 5]
    assert {table: rows for table, rows in (await books.state()).items() if table in stock} == stock
    await imports_unchanged(sheets, books, sheet(head, *rows))

    after, small = await variants_of(sheets, id), f"{id},,Small,6,Size,S"
    for lines, line, reason in (
        (sheet(head, small, f"{id},{other}-s,Small,6,Size,XS"), 3, f"Product variant with sku: {other}-s, already exists."),
        (sheet(head, small, small), 2, 'Variant "Small" has same combination of option values as "Small".'),
        (sheet(f"{head},Variant Id", *(f"{small},{after['S']['id']}" for _ in range(2))), 2, f"{after['S']['id']} is named twice"),
    ):
        _, note = await sheets.run(lines)
        assert "0 updated, 1 refused" in note["description"]
        assert note["description"].split("\n")[1].startswith(f"Line {line}: ")
        assert reason in note["description"], note
    assert await variants_of(sheets, id) == after


async def test_a_row_that_names_some_of_the_options_leaves_the_others(sheets: Importer) -> None:
    """Of a variant that is known by its id or its SKU; by some of its values none is known, nor made."""
    handle = called()
    both = f"{HEAD},Variant Option 2 Name,Variant Option 2 Value"
    await sheets.run(sheet(both, *(f"{handle},Buoy,{size},{handle}-{size},5,Size,{size},Colour,Red" for size in "SM")))
    id = (await sheets.product(handle))["id"]
    before = await variants_of(sheets, id)
    head = f"Product Id,Variant SKU,Variant Id,Variant Price EUR,{OPTION}"
    _, note = await sheets.run(sheet(head, f"{id},{handle}-S,,6,Size,XS", f"{id},,{before['MRed']['id']},7,Colour,Blue"))
    assert "0 created, 1 updated, 0 refused" in note["description"], note
    after = await variants_of(sheets, id)
    assert {values: variant["id"] for values, variant in after.items()} == {
        "RedXS": before["RedS"]["id"], "BlueM": before["MRed"]["id"],
    }  # fmt: skip
    assert [after[values]["prices"][0]["amount"] for values in ("RedXS", "BlueM")] == [6, 7]
    _, note = await sheets.run(sheet(head, f"{id},,,8,Size,XS"))
    assert "Line 2: Product has 2 option values but there were 1 provided option values" in note["description"], note
    assert await variants_of(sheets, id) == after
    new = called()
    _, note = await sheets.run(sheet(both, f"{new},Bell,S,,5,Size,S,Size,M", f"{new}-2,Bell,S,,5,Size,S,Colour,Red"))
    assert "1 created, 0 updated, 1 refused" in note["description"], note
    assert 'Line 2: The option "Size" is named twice by a row' in note["description"], "neither of the values is lost without a word"


def pictures(names: str) -> str:
    """A cell for each letter."""
    return ",".join(f"https://x.example/{name}.png" if name != "-" else "" for name in names)


async def test_variants_show_the_images_of_their_rows(sheets: Importer, merchant: Merchant, books: Books) -> None:
    """Of new products and of others. What all variants show is everybody's; what a row doesn't list is taken from its variant alone."""
    handle = called()
    head = "Product Image 1,Product Image 2,Variant Image 1,Variant Image 2,Variant Image 3"
    listed = {"S": "ababs", "M": "abab-", "L": "ababm"}
    rows = [f"{handle},Buoy,{size},{handle}-{size},5,Size,{size},{pictures(each)}" for size, each in listed.items()]
    await sheets.run(sheet(f"{HEAD},{head}", *rows))
    product = await sheets.product(handle)
    id = product["id"]

    async def seen() -> dict[str, str]:
        shown = await variants_of(sheets, id)
        return {size: "".join(image["url"][-5] for image in variant["images"]) for size, variant in shown.items()}

    assert [image["url"][-5] for image in product["images"]] == ["a", "b", "s", "m"]
    assert await seen() == {"S": "abs", "M": "ab", "L": "abm"}
    await imports_unchanged(sheets, books, await sheets.exported("products", handle=handle))

    small = (await variants_of(sheets, id))["S"]["id"]
    await merchant.post(f"/admin/products/{id}/variants/{small}", {"thumbnail": pictures("s")})
    head = "Product Id,Variant SKU,Variant Image 1,Variant Image 2"
    lines = sheet(head, f"{id},{handle}-S,{pictures('-n')}", f"{id},{handle}-M,{pictures('bs')}")
    await sheets.run(lines)
    assert await seen() == {"S": "an", "M": "abs", "L": "abm"}
    assert [image["url"][-5] for image in (await sheets.product(handle))["images"]] == ["a", "b", "s", "m", "n"]
    assert (await variants_of(sheets, id))["S"]["thumbnail"] is None, "it was an image that the variant doesn't show any more"
    await imports_unchanged(sheets, books, lines)
    await imports_unchanged(sheets, books, sheet(head, f"{id},{handle}-S,{pictures('a-')}"))  # else all would show the image of S alone
    await imports_unchanged(sheets, books, await sheets.exported("products", handle=handle))
