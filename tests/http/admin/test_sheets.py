"""CSV files: products, orders and inventory items that are written into them, and products that come out of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.cli.at_hand import ShopHandle
from velella.cli.sheets import export_to
from velella.core.errors import InvalidData, Unavailable, VelellaError
from velella.core.ids import ulid
from velella.http.admin import sheets as http_sheets
from velella.modules.file.provider import FileKey
from velella.modules.file.providers.local import LocalFiles
from velella.modules.file.service import FileService
from velella.workflows import exporting
from velella.workflows.kit import Retry, Step
from velella.workflows.product import importing
from velella.workflows.product.importing import region_names

from ..conftest import Client, Shop
from .conftest import Books, Merchant
from .importer import HEAD, Importer, Row, called, is_stored, sheet
from .test_uploads import form


@pytest.fixture
def sheets(admin: Client, merchant: Merchant, shop: Shop) -> Importer:
    return Importer(admin, merchant, shop)


@pytest.fixture
async def lists(merchant: Merchant) -> Row:
    """Ids of what products belong to."""
    region = (await merchant.post("/admin/regions", {"name": f"Far {ulid()}", "currency_code": "usd"}))["region"]
    tag = (await merchant.post("/admin/product-tags", {"value": f"light {ulid()}"}))["product_tag"]
    return {
        "region": region,
        "tag": tag,
        "category": (await merchant.post("/admin/product-categories", {"name": f"Harbour {ulid()}"}))["product_category"],
        "collection": (await merchant.post("/admin/collections", {"title": f"Summer {ulid()}"}))["collection"],
        "channel": (await merchant.post("/admin/sales-channels", {"name": f"Fair {ulid()}"}))["sales_channel"],
        "profile": (await merchant.post("/admin/shipping-profiles", {"name": ulid(), "type": "bulky"}))["shipping_profile"],
    }


async def test_rows_become_products_with_all_that_their_columns_say(sheets: Importer, lists: Row) -> None:
    handle, name = called(), lists["region"]["name"]
    head = (
        f"{HEAD},Variant Price {name} [USD],Product Status,Product Weight,Product Tag 1,Product Image 1,Product Category 1,"
        "Product Collection Id,Product Sales Channel 1,Shipping Profile Id,Product Metadata,Variant Allow Backorder,Product Description"
    )
    shared = (
        f"published,1.5,{lists['tag']['value']},https://x.example/1.png,{lists['category']['id']},{lists['collection']['id']},"
        f'{lists["channel"]["id"]},{lists["profile"]["id"]},"{{""a"": 1}}"'
    )
    summary, note = await sheets.run(
        sheet(
            head,
            f'{handle},Buoy,S,{handle}-s,10,Size,S,12.5,{shared},true,"Red,\nand ""round"""',
            f"{handle},,M,{handle}-m,11,Size,M,,{shared},,",
        )
    )
    assert summary == {"toCreate": 1, "toUpdate": 0}
    assert note["description"] == "Product import of file products.csv completed successfully! 1 created, 0 updated, 0 refused."
    product = await sheets.product(handle, "+categories.id,+shipping_profile.id")
    assert (product["title"], product["status"], product["description"]) == ("Buoy", "published", 'Red,\nand "round"')
    assert (product["weight"], product["metadata"]) == (1.5, {"a": 1})
    assert [tag["id"] for tag in product["tags"]] == [lists["tag"]["id"]]
    assert [image["url"] for image in product["images"]] == ["https://x.example/1.png"]
    assert [row["id"] for row in product["categories"]] == [lists["category"]["id"]]
    assert [row["id"] for row in product["sales_channels"]] == [lists["channel"]["id"]]
    assert (product["collection"]["id"], product["shipping_profile"]["id"]) == (lists["collection"]["id"], lists["profile"]["id"])
    assert [(option["title"], sorted(value["value"] for value in option["values"])) for option in product["options"]] == [
        ("Size", ["M", "S"])
    ]
    small, medium = sorted(product["variants"], key=lambda variant: variant["title"], reverse=True)
    assert (small["sku"], small["allow_backorder"], medium["allow_backorder"]) == (f"{handle}-s", True, False)
    prices = sorted((price["currency_code"], price["amount"], price["rules"]) for price in small["prices"])
    assert prices == [("eur", 10, {}), ("usd", 12.5, {"region_id": lists["region"]["id"]})]


async def test_an_export_has_the_columns_that_an_import_reads(sheets: Importer, lists: Row) -> None:
    handle = called()
    head = f"{HEAD},Product Subtitle,Product Tag 1,Variant Price {lists['region']['name']} [USD],Product Sales Channel 1"
    more = f"'=1+1,{lists['tag']['value']},7,{lists['channel']['id']}"
    await sheets.run(sheet(head, f"{handle},Buoy,S,{handle}-s,10,Size,S,{more}", f"{handle},,M,{handle}-m,11,Size,M,{more}"))
    assert (await sheets.product(handle))["subtitle"] == "=1+1"
    rows = await sheets.export("products", handle=handle)
    assert [(row["Product Subtitle"], row["Product Tag 1"], row["Variant Sku"]) for row in rows] == [
        ("'=1+1", lists["tag"]["value"], f"{handle}-{size}") for size in "sm"
    ]
    assert {"Product Id", "Product Created At", "Variant Id", "Variant Option 1 Id", "Variant Price EUR"} <= rows[0].keys()


def without_times(row: Any) -> Any:
    if isinstance(row, list):
        return [without_times(each) for each in row]
    if not isinstance(row, dict):
        return row
    return {name: without_times(value) for name, value in row.items() if name != "updated_at"}


async def stored(sheets: Importer, id: str) -> Row:
    """A product with all that a file may change, its prices in the order of their ids."""
    fields = "*tags,*images,*categories,*sales_channels,*shipping_profile,*options.values,*variants.options,*variants.prices.price_rules"
    product = (await sheets.merchant.get(f"/admin/products/{id}", fields=f"{fields},*variants.inventory_items"))["product"]
    for variant in product["variants"]:
        variant["prices"].sort(key=lambda price: price["id"])
    return dict(without_times(product))


async def test_what_is_exported_changes_nothing_when_it_is_imported(sheets: Importer, lists: Row, books: Books, tmp_path: Path) -> None:
    """Not a row of the database: prices that no column can say, pictures of variants, texts with space around them or formulas in them."""
    id, handle, twins = await with_all_that_a_product_has(sheets, lists)
    before = await stored(sheets, id)
    assert [len(variant["prices"]) for variant in before["variants"]] == [6, 6]
    assert before["description"].endswith(" \n\n"), "it is kept as it was given"
    rows = await sheets.export("products", handle=handle)
    assert {f"Variant Price {twin} [USD]" for twin in twins} <= rows[0].keys(), "regions of one name are told apart by their ids"
    await export_to(ShopHandle(sheets.shop.host, None), "products", tmp_path / "all.csv")
    chosen = ("variants.title", "title,variants.prices.amount", "id,images.url,tags.value,variants.options.value")
    some = [await sheets.exported("products", handle=handle, fields=fields) for fields in chosen]
    for lines in (await sheets.exported("products", handle=handle), (tmp_path / "all.csv").read_bytes(), *some):
        state = await books.state()
        summary, note = await sheets.run(lines)
        assert (summary["toCreate"], "0 created" in note["description"], "0 refused" in note["description"]) == (0, True, True), note
        after = await books.state()
        differ = {table: set(rows) ^ set(after[table]) for table, rows in state.items() if rows != after[table]}
        assert differ.keys() <= {"file"}, differ
    assert await stored(sheets, id) == before


async def with_all_that_a_product_has(sheets: Importer, lists: Row) -> tuple[str, str, list[str]]:
    """Returns the ids of a product, its handle and two regions of one name."""
    handle, post = called(), sheets.merchant.post
    twins = [(await post("/admin/regions", {"name": f"Twin {handle}", "currency_code": "usd"}))["region"]["id"] for _ in range(2)]
    prices: list[Row] = [
        {"currency_code": "eur", "amount": 10},
        {"currency_code": "eur", "amount": 8, "min_quantity": 10},
        {"currency_code": "eur", "amount": 7, "rules": {"customer_group_id": "cusgroup_a"}},
        *({"currency_code": "usd", "amount": 5 + at, "rules": {"region_id": id}} for at, id in enumerate(twins)),
        {"currency_code": "eur", "amount": 6, "rules": {"region_id": twins[0]}},
    ]
    variants = [{"title": size, "sku": f"{handle}-{size}", "options": {"Size": size}, "prices": prices} for size in "SM"]
    given = {
        **{"title": "Buoy", "handle": handle, "subtitle": " =1+1", "description": "- red\n- 'round';@sea \n\n", "weight": 1.25},
        **{"metadata": {"a": 1, "b": "", "c": "x;'=1"}, "shipping_profile_id": lists["profile"]["id"]},
        "tags": [{"id": lists["tag"]["id"]}], "images": [{"url": f"https://x.example/{name}.png"} for name in "1213"],
        "categories": [{"id": lists["category"]["id"]}],
        "sales_channels": [{"id": lists["channel"]["id"]}], "options": [{"title": "Size", "values": ["S", "M"]}], "variants": variants,
    }  # fmt: skip
    made = (await post("/admin/products", given))["product"]
    shown = {"add": [made["images"][1]["id"]], "remove": []}
    await post(f"/admin/products/{made['id']}/variants/{made['variants'][0]['id']}/images/batch", shown)
    return made["id"], handle, twins


async def test_a_file_takes_nothing_away_that_it_does_not_speak_of(sheets: Importer, lists: Row) -> None:
    """Prices that no column can say, and whatever has no column or an empty cell."""
    id, handle, twins = await with_all_that_a_product_has(sheets, lists)
    before = await stored(sheets, id)
    listed = "Product Tag 1,Product Image 1,Product Category 1,Product Sales Channel 1,Variant Price EUR"
    for lines in (
        sheet("Product Id,Product Subtitle", f"{id},Square"),
        sheet(f"Product Id,Product Subtitle,Variant Id,{listed}", f"{id},Square,,,,,,"),
        sheet(
            f"Product Id,Product Subtitle,Variant Id,{listed},Variant Price {twins[1]} [USD]",
            *(f"{id},Square,{variant['id']},,,,,," for variant in before["variants"]),
        ),
    ):
        assert "0 created, 1 updated, 0 refused" in (await sheets.run(lines))[1]["description"]
        assert await stored(sheets, id) == {**before, "subtitle": "Square"}

    small, other = before["variants"]
    head = f"Product Id,Variant Id,Variant Price EUR,Variant Price DKK,Variant Price {twins[1]} [USD]"
    await sheets.run(sheet(head, f"{id},{small['id']},11,80,", f"{id},{other['id']},,,9"))
    changed = {variant["id"]: variant["prices"] for variant in (await stored(sheets, id))["variants"]}
    assert sorted((price["currency_code"], price["amount"]) for price in changed[small["id"]]) == [
        ("dkk", 80), ("eur", 6), ("eur", 7), ("eur", 8), ("eur", 11), ("usd", 5), ("usd", 6),
    ]  # fmt: skip
    assert sorted(price["amount"] for price in changed[other["id"]]) == [5, 6, 7, 8, 9, 10]
    twin = f"Variant Price Twin {handle} [USD]"
    for head, message in (
        (twin, f'There are several regions "twin {handle}", of the column "{twin}"'),
        (f"Variant Price USD,Variant Price [{twins[0]}] USD,Variant Price {twins[0]} [USD]", "There are two columns for the price of"),
    ):
        refused = await sheets.begin(sheet(f"Product Id,{head}", f"{id},1,1,1"))
        assert (refused.status, refused.json["message"].startswith(message)) == (400, True), refused.text


async def test_a_change_by_a_file_takes_away_no_option_and_no_variant_and_touches_no_empty_cell(sheets: Importer) -> None:
    handle = called()
    await sheets.run(sheet(f"{HEAD},Product Material", *(f"{handle},Buoy,{size},,5,Size,{size},Oak" for size in "SM")))
    product = await sheets.product(handle)
    ids = {variant["title"]: variant["id"] for variant in product["variants"]}
    head = '"Product Id";"Product Title";Product Material;Product Weight;Variant Id;Variant Title;Variant Price USD;'
    head += "Variant Option 1 Name;Variant Option 1 Value"
    rows = (f"{product['id']};Bell;;1,5;{ids['S']};S;12,50;Size;S", f"{product['id']};;;;;L;2.25;Size;L")  # as half of Europe writes it
    assert (await sheets.run(b"\xef\xbb\xbf" + sheet(head, *rows)))[0] == {"toCreate": 0, "toUpdate": 1}
    after = await sheets.product(handle)
    assert (after["title"], after["material"], after["weight"]) == ("Bell", "Oak", 1.5)
    assert sorted(value["value"] for value in after["options"][0]["values"]) == ["L", "M", "S"]
    amounts = {variant["title"]: sorted(price["amount"] for price in variant["prices"]) for variant in after["variants"]}
    assert amounts == {"S": [5, 12.5], "M": [5], "L": [2.25]}
    head = "Product Id,Variant Id,Variant Title," + ",".join(f"Variant Option {at} Name,Variant Option {at} Value" for at in (1, 2, 3))
    kept = [variant for variant in after["variants"] if variant["title"] == "S"]
    assert (
        "0 refused" in (await sheets.run(sheet(head, f"{product['id']},{kept[0]['id']},S,Size,S,Colour,Red,Rope,Jute")))[1]["description"]
    )
    assert sorted(option["title"] for option in (await sheets.product(handle))["options"]) == ["Colour", "Rope", "Size"]


async def test_what_is_refused_is_listed_by_its_line_and_leaves_the_others(sheets: Importer) -> None:
    good, taken = called(), called()
    await sheets.run(sheet(HEAD, f"{taken},Buoy,S,,5,Size,S"))
    rows = (f"{taken},Buoy,S,,5,Size,S", f"{good},Bell,S,,5,Size,S", f"{called()},,S,,5,Size,S", f"{called()},Bell,S,,5,Size,S,gone")
    _, note = await sheets.run(sheet(f"{HEAD},Product Tag 1", *rows))
    said, *lines = note["description"].split("\n")
    assert said == "Product import of file products.csv completed, but for what was refused. 1 created, 0 updated, 3 refused."
    assert lines == [
        f"Line 2: Product with handle: {taken}, already exists.",
        "Line 4: A product needs a title",
        "Line 5: Tag with value gone not found",
    ]
    assert (await sheets.product(good))["title"] == "Bell"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b"", "There are no products in the file"),
        (sheet(HEAD), "There are no products in the file"),
        (sheet("Product Handle,Colour", "a,red"), 'Invalid column name(s) "Colour"'),
        (sheet("Product Title", "Buoy"), 'There is neither a column "Product Id" nor "Product Handle": rows are put together by them'),
        (sheet("Product Handle,product handle", "a,b"), "There are two columns product handle"),
        (
            sheet("Product Handle,Variant Option 1 Name", "a,b"),
            'The columns "Variant Option 1 Name" and "Variant Option 1 Value" come together',
        ),
        (
            sheet("Product Handle,Variant Price Nowhere [EUR]", "a,5"),
            'There is no region "nowhere", of the column "Variant Price Nowhere [EUR]"',
        ),
        (sheet(HEAD, ",Buoy,S,,5,Size,S"), "Line 2: there is neither a product id nor a handle"),
        (sheet(HEAD, "a,B,S,,5,Size,S", "b,B,S,,five,Size,S"), "Line 3: Variant Price EUR: 'five' is not a number"),
        (sheet(HEAD, "a,B,S,,5,Size,"), "Line 2: an option has a name and a value, here one of them is missing"),
        (sheet(HEAD, "a,B,S,,5,Size,S,more"), "Line 2: it has 8 cells for 7 columns"),
        (sheet(HEAD, "a,B,S,,,Size,S", "b,B,S,,,Size,S", "a,B,M,,,Size,M"), "Line 4: the rows of a don't stand together"),
        (
            sheet("Product Handle,Product Status", "a,sold"),
            "Line 2: Product Status: 'sold' is not a status: draft, proposed, published, rejected",
        ),
        (sheet("Product Handle;Variant Price EUR", "a;1.234,50"), "Line 2: Variant Price EUR: '1.234,50' is not a number"),
        (sheet("Product Handle,Variant Title", *("a,b" for _ in range(1001))), "Line 1002: a product may have 1000 rows"),
        (
            sheet("Product Handle,Product Title", *(f"a,{'b' * 500_000}{at}" for at in range(35))),
            "Line 36: the rows of a product may have 16777216 characters",
        ),
        (
            sheet(HEAD, "a,B,S,,5,Size,S").replace(b"\n", b"\r"),
            "Line 1: there is a line break in it without quotes around",
        ),
        (sheet("Product Handle,Product Metadata", "a,{"), "Line 2: Product Metadata: it is not valid JSON"),
        (sheet("Product Handle,Product Discountable", "a,maybe"), "Line 2: Product Discountable: 'maybe' is neither true nor false"),
        (sheet("Product Handle,Product Title", 'a,"B', "c,d"), "Line 2: a quote in it isn't closed"),
        (sheet("Product Handle", "a") + b"\xff\n", "Line 3 is not text in UTF-8"),
        (b"Product Handle\n" + b"a" * 600_000, "Line 2: the row is too long, or a quote in it isn't closed"),
        (("Product Handle" + ",x" * 600 + "\n").encode(), "Line 1: a row may have 500 cells, not 601"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
async def test_a_file_that_cannot_be_read_is_refused_before_anything_is_done(sheets: Importer, lines: bytes, message: str) -> None:
    refused = await sheets.begin(lines)
    assert (refused.status, refused.json["type"]) == (400, "invalid_data")
    assert refused.json["message"].startswith(message)


async def test_an_import_waits_for_its_confirmation_which_counts_once(sheets: Importer) -> None:
    handle = called()
    begun = (await sheets.begin(sheet(HEAD, f"{handle},Buoy,S,,5,Size,S"))).json
    assert (await sheets.merchant.get("/admin/products", handle=handle))["count"] == 0
    confirmed = sorted([(await sheets.confirm(begun["transaction_id"])).status for _ in range(2)])
    assert confirmed == [202, 400]
    await sheets.ended("import-products-as-chunks", begun["transaction_id"])
    assert (await sheets.merchant.get("/admin/products", handle=handle))["count"] == 1
    assert (await sheets.confirm("nothing")).status == 404
    unknown = {"file_key": "nothing", "originalname": "a.csv", "extension": "csv", "size": 1, "mime_type": "text/csv"}
    assert (await sheets.admin("POST", "/admin/products/imports", unknown)).status == 404


async def test_a_file_may_come_with_the_request_and_is_gone_afterwards(sheets: Importer) -> None:
    handle = called()
    lines = sheet(HEAD, f"{handle},Buoy,S,,5,Size,S")
    begun = await sheets.admin("POST", "/admin/products/import", data=form(("mine.csv", lines, "text/csv"), name="file"))
    assert begun.status == 202, begun.text
    id = begun.json["transaction_id"]
    assert begun.json["summary"] == {"toCreate": 1, "toUpdate": 0}
    assert (await sheets.admin("POST", f"/admin/products/import/{id}/confirm")).status == 202
    await sheets.ended("import-products", id)
    assert (await sheets.product(handle))["title"] == "Buoy"
    for data in (form(("a.csv", b"", "text/csv"), name="file"), form(("a.csv", lines, "text/csv")), aiohttp.FormData({"a": "b"})):
        assert (await sheets.admin("POST", "/admin/products/import", data=data)).status == 400
    files = (await sheets.merchant.get("/admin/workflows-executions", workflow_id="import-products"))["workflow_executions"]
    assert [file["state"] for file in files] == ["done"]


async def test_an_import_goes_on_when_what_was_out_of_reach_is_back(sheets: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part fails twice; the file that came with the request is deleted at the end all the same."""
    handle, tries = called(), 0

    async def away(shop: Any) -> dict[str, str]:
        nonlocal tries
        tries += 1
        if tries < 0 or tries % 3:
            raise Unavailable("The database is away")
        return await region_names(shop)

    lines = sheet(HEAD, *(f"{handle}-{number},{handle} {number},S,,5,Size,S" for number in range(150)))
    begun = await sheets.admin("POST", "/admin/products/import", data=form(("away.csv", lines, "text/csv"), name="file"))
    assert begun.status == 202, begun.text
    monkeypatch.setattr(importing, "region_names", away)
    monkeypatch.setattr(importing, "AGAIN", Retry(interval=0.05, during=60.0))
    await sheets.admin("POST", f"/admin/products/import/{begun.json['transaction_id']}/confirm")
    await sheets.ended("import-products", begun.json["transaction_id"])
    assert tries == 6
    note = await sheets.told(lambda note: "away.csv" in note["description"])
    assert "150 created, 0 updated, 0 refused" in note["description"]
    assert not await sheets.files("away.csv")

    begun = await sheets.admin("POST", "/admin/products/import", data=form(("gone.csv", lines, "text/csv"), name="file"))
    tries = -10_000  # for good
    monkeypatch.setattr(importing, "AGAIN", Retry(interval=0.05, times=2))
    await sheets.admin("POST", f"/admin/products/import/{begun.json['transaction_id']}/confirm")
    while (execution := await sheets.execution("import-products", begun.json["transaction_id"]))["state"] == "invoking":
        await asyncio.sleep(0.05)
    note = await sheets.told(lambda note: "gone.csv" in note["description"])
    assert (execution["state"], "ended before line 2 (The database is away)" in note["description"]) == ("reverted", True), note
    assert not await sheets.files("gone.csv")


async def test_a_part_ends_where_its_rows_have_many_bytes(sheets: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = called()
    monkeypatch.setattr(importing, "PART_BYTES", 2000)
    monkeypatch.setattr(importing, "PART_ROWS", 12)
    rows = [f"{handle}-{number},{handle} {number} {'x' * (number * 100)},{size},,5,Size,{size}" for number in range(10) for size in "SML"]
    id = (await sheets.begin(sheet(HEAD, *rows))).json["transaction_id"]
    await sheets.confirm(id)
    await sheets.ended("import-products-as-chunks", id)
    parts = await sheets.shop.host.workflows.list(workflow="import-products-part", limit=1000)
    assert sum(part["key"].startswith(f"{id}:") for part in parts) == 6, "of four products, of two, and of one where they are long"
    assert (await sheets.merchant.get("/admin/products", q=handle, limit="1"))["count"] == 10


@pytest.mark.parametrize("error", [InvalidData("No more files"), Unavailable("The database is away")])
async def test_an_export_that_fails_leaves_no_file(sheets: Importer, monkeypatch: pytest.MonkeyPatch, error: VelellaError) -> None:
    """Nor does a file that came to be imported and isn't."""
    stored: list[FileKey] = []
    store = LocalFiles.store

    async def noted(files: LocalFiles, key: FileKey, *given: Any) -> None:
        stored.append(key)
        await store(files, key, *given)

    async def fails(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(LocalFiles, "store", noted)
    with monkeypatch.context() as patch:
        patch.setattr(FileService, "create", fails)
        patch.setattr(Step, "__setattr__", object.__setattr__)
        patch.setattr(exporting.write_export, "retry", None)
        begun = (await sheets.admin("POST", "/admin/orders/export")).json["transaction_id"]
        while (await sheets.execution("export-orders", begun))["state"] in ("invoking", "compensating"):
            await asyncio.sleep(0.05)
    assert (await sheets.told(lambda note: note["title"] == "Order export"))["description"].startswith("Failed to export orders")
    with monkeypatch.context() as patch:
        patch.setattr(http_sheets, "looked_through", fails)
        lines = form(("mine.csv", sheet(HEAD, "a,B,S,,5,Size,S"), "text/csv"), name="file")
        assert (await sheets.admin("POST", "/admin/products/import", data=lines)).status == error.status
    assert len(stored) == 2
    assert not [key for key in stored if await is_stored(ShopHandle(sheets.shop.host, None), key)]


async def test_many_products_are_imported_part_by_part(sheets: Importer) -> None:
    """Parts end where a product ends, wherever in the file that is."""
    handle = called()
    rows = [f"{handle}-{number},{handle} {number},{size},,5,Size,{size}" for number in range(250) for size in "SML"[: 1 + number % 3]]
    summary, note = await sheets.run(sheet(HEAD, *rows))
    assert summary == {"toCreate": 250, "toUpdate": 0}
    assert "250 created, 0 updated, 0 refused" in note["description"]
    page = await sheets.merchant.get("/admin/products", q=handle, limit="1000", fields="handle,variants.title")
    made = {product["handle"]: sorted(variant["title"] for variant in product["variants"]) for product in page["products"]}
    assert made == {f"{handle}-{number}": sorted("SML"[: 1 + number % 3]) for number in range(250)}
    assert len(await sheets.export("products", q=handle)) == len(rows)


async def test_inventory_is_exported_by_location_and_filters_hold(sheets: Importer, merchant: Merchant) -> None:
    quay, barn = await merchant.location(), await merchant.location()
    item = await merchant.item(stocked={quay: 5, barn: 7})
    alone = await merchant.item()
    rows = await sheets.export("inventory-items", **{"id[0]": item, "id[1]": alone})
    assert [(row["Item Id"], row["Location Id"], row["Stocked Quantity"]) for row in rows[:2]] == [(item, quay, "5"), (item, barn, "7")]
    assert (rows[2]["Item Id"], rows[2]["Location Id"], rows[2]["Stocked Quantity"]) == (alone, "", "")
    assert len(rows) == 3
    assert await sheets.export("inventory-items", id="nothing") == []
