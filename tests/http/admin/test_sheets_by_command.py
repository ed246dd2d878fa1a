"""CSV files by the command line: what it writes into them, and products that come out of them."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from velella.cli import everything
from velella.cli.at_hand import ShopHandle
from velella.cli.everything import export_everything
from velella.cli.sheets import copy_of, export_to, import_products, import_shopify
from velella.core.errors import GoesOn, InvalidData, Unavailable

from ..conftest import Client, Shop
from .conftest import Merchant
from .importer import HEAD, Importer, called, is_stored, sheet

SHOWN = "id,variants.id,variants.sku,variants.title,variants.weight,*variants.prices,*variants.options,variants.images.url"


@pytest.fixture
def sheets(admin: Client, merchant: Merchant, shop: Shop) -> Importer:
    return Importer(admin, merchant, shop)


@pytest.fixture
def handle(shop: Shop) -> ShopHandle:
    return ShopHandle(shop.host, None)


async def test_an_import_that_was_interrupted_goes_on_where_it_was(handle: ShopHandle, sheets: Importer, tmp_path: Path) -> None:
    prefix, file = called(), tmp_path / "products.csv"
    file.write_bytes(sheet(HEAD, *(f"{prefix}-{number},{prefix} {number},S,,5,Size,S" for number in range(250))))

    class Slow(ShopHandle):
        """Each part takes longer than a caller waits for it."""

        asked: ClassVar[list[str]] = []

        async def run(self, workflow: Any, /, *args: Any, **input: Any) -> Any:
            if input["offset"] > 10_000 and len(self.asked) == 2:
                raise Unavailable("The database is away")
            if input["part"] not in self.asked:
                self.asked.append(input["part"])
                raise GoesOn("The workflow is still running.")
            return await super().run(workflow, *args, **input)

    (tmp_path / ".products.csv.import").write_text("torn")  # by a disk that was full
    slow = Slow(handle.host, None)
    with pytest.raises(Unavailable):
        await import_products(slow, file)
    assert 0 < (await sheets.merchant.get("/admin/products", q=prefix, limit="1"))["count"] < 250
    copy = copy_of((tmp_path / ".products.csv.import").read_text().split()[1])
    assert await is_stored(handle, copy), "a part that goes on reads it"
    slow.asked.append("again")
    assert await import_products(slow, file) == 0
    assert (await sheets.merchant.get("/admin/products", q=prefix, limit="1"))["count"] == 250
    assert [path.name for path in tmp_path.iterdir()] == ["products.csv"]
    assert not await is_stored(handle, copy)
    assert await import_products(handle, file) == 250, "it isn't the same import: all are there already"


async def test_a_shop_of_shopifys_moves_in_as_often_as_it_is_told_to(
    handle: ShopHandle, sheets: Importer, merchant: Merchant, tmp_path: Path
) -> None:
    name, file = called(), tmp_path / "products_export.csv"
    head = (
        "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,"
        "Variant Grams,Variant Inventory Tracker,Variant Inventory Policy,"
        "Variant Price,Variant Barcode,Image Src,Image Position,Gift Card,Status,Variant Image"
    )
    rows = (
        f'{name},Oil Lamp,"<p>With a ""storm"" glass</p>",Harbour,-Lamps {name},"brass, light {name}",true,Size,Small,Colour,Brass,'
        f"{name}-s,450,shopify,deny,49.90,'4006381333931,https://x.example/b.jpg,2,false,active,https://x.example/b.jpg",
        f"{name},,,,,,,,Large,,Brass,{name}-l,900,shopify,continue,79.90,,https://x.example/a.jpg,1.0,,,https://x.example/d.jpg",
        f"{name},,,,,,,,,,,,,,,,,https://x.example/c.jpg,3,,,",
        f"{name}-gift,Gift Card,,Harbour,,,true,Title,Default Title,,,,,,deny,25.00,,,,true,archived,",
    )
    file.write_bytes(b"\xef\xbb\xbf" + sheet(head, *rows))
    assert await import_shopify(handle, file, "eur") == 0
    lamp = await sheets.product(name)
    assert (lamp["title"], lamp["status"], lamp["description"]) == ("Oil Lamp", "published", '<p>With a "storm" glass</p>')
    assert (lamp["type"]["value"], sorted(tag["value"] for tag in lamp["tags"])) == (f"-Lamps {name}", ["brass", f"light {name}"])
    assert [image["url"][-5:] for image in lamp["images"]] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    variants = {variant["sku"]: variant for variant in lamp["variants"]}
    assert (variants[f"{name}-s"]["barcode"], variants[f"{name}-s"]["weight"]) == ("4006381333931", 450)
    assert [variants[f"{name}-{size}"]["allow_backorder"] for size in "sl"] == [False, True]
    assert [(price["currency_code"], price["amount"]) for price in variants[f"{name}-l"]["prices"]] == [("eur", Decimal("79.9"))]
    assert {option["title"]: len(option["values"]) for option in lamp["options"]} == {"Size": 2, "Colour": 1}
    assert len(lamp["sales_channels"]) == 1
    gift = await sheets.product(f"{name}-gift")
    assert (gift["is_giftcard"], gift["discountable"], gift["status"]) == (True, False, "draft")

    before = await sheets.product(name, SHOWN)
    shown = {variant["sku"][-1]: sorted(image["url"][-5] for image in variant["images"]) for variant in before["variants"]}
    assert shown == {"s": ["a", "b", "c"], "l": ["a", "c", "d"]}
    channel = (await merchant.post("/admin/sales-channels", {"name": called()}))["sales_channel"]["id"]
    await merchant.post(f"/admin/sales-channels/{channel}/products", {"add": [before["id"]]})
    assert await import_shopify(handle, file, "eur") == 0
    assert (await sheets.product(name, SHOWN))["variants"] == before["variants"], "what was imported and is imported again is as it was"
    assert len((await sheets.product(name))["sales_channels"]) == 2, "where it is sold, the merchant says"
    file.write_bytes(file.read_bytes().replace(b"49.90", b"44.90").replace(f"{name}-l".encode(), b""))
    assert await import_shopify(handle, file, "eur") == 0
    after = {variant["id"]: variant["prices"][0]["amount"] for variant in (await sheets.product(name))["variants"]}
    assert after == {variants[f"{name}-s"]["id"]: Decimal("44.9"), variants[f"{name}-l"]["id"]: Decimal("79.9")}
    for lines, why in (
        (sheet(HEAD), "no product export of Shopify's"),
        (sheet(head) + b"lamp,\xd6l\n", "not text in UTF-8"),
        (sheet(head, f"{name},{'x' * 600_000}"), "line 2: field larger than field limit"),
    ):
        (tmp_path / "other.csv").write_bytes(lines)
        with pytest.raises(InvalidData, match=why):
            await import_shopify(handle, tmp_path / "other.csv", "eur")


@pytest.mark.parametrize("what", ["products", "orders", "inventory-items"])
async def test_everything_is_exported_into_a_file(handle: ShopHandle, sheets: Importer, tmp_path: Path, what: str) -> None:
    await sheets.run(sheet(HEAD, f"{called()},Buoy,S,,5,Size,S"))
    await export_to(handle, what, tmp_path / "out.csv")
    by_command = list(csv.DictReader((tmp_path / "out.csv").open(newline="", encoding="utf-8-sig")))
    by_route = await sheets.export(what)
    shared = by_command[0].keys() & by_route[0].keys() if by_command else set()
    assert [{name: row[name] for name in shared} for row in by_command] == [{name: row[name] for name in shared} for row in by_route]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


async def test_an_export_of_everything_that_breaks_off_is_taken_for_none(
    handle: ShopHandle, sheets: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, exported = 0, everything._exported

    async def breaks(*given: Any) -> int:
        nonlocal written
        if written > 3:
            raise Unavailable("The database is away")
        lines = await exported(*given)
        written += lines > 0
        return lines

    monkeypatch.setattr(everything, "_exported", breaks)
    with pytest.raises(Unavailable):
        await export_everything(handle, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


async def test_everything_that_a_shop_keeps_is_exported_without_its_secrets(handle: ShopHandle, sheets: Importer, tmp_path: Path) -> None:
    name = called()
    await sheets.run(sheet(HEAD, f"{name},Buoy,S,{name}-s,5,Size,S"))
    lines = await export_everything(handle, tmp_path / "kept")
    kept = {file.stem: [json.loads(line) for line in file.read_bytes().split(b"\n") if line] for file in (tmp_path / "kept").iterdir()}
    assert sum(map(len, kept.values())) == lines
    for entity in ("product", "product_variant", "product_option", "product_category"):
        assert len(kept.get(f"product.{entity}", ())) == await handle.modules.product.count(entity), entity
    [variant] = [row for row in kept["product.product_variant"] if row["sku"] == f"{name}-s"]
    [item] = [row for row in kept["link.product_variant_inventory_item"] if row["variant_id"] == variant["id"]]
    assert item["inventory_item_id"] in {row["id"] for row in kept["inventory.inventory_item"]}
    collections = await handle.modules.payment.create_collections([{"amount": Decimal("9.90"), "currency_code": "eur"}])
    with pytest.raises(InvalidData, match="something in it"):
        await export_everything(handle, tmp_path / "kept")
    await export_everything(handle, tmp_path / "again")
    again = {file.stem: file.read_text() for file in (tmp_path / "again").iterdir()}
    assert f'"{collections[0]["id"]}"' in again["payment.payment_collection"]
    assert '"payment_sessions":[]' in again["payment.payment_collection"], "what lies in a document comes with it"
    secrets = ('"salt":', '"digest":', '"provider_metadata":', '"code_hash":')
    assert not [(name, word) for name, text in again.items() for word in secrets if word in text]
