"""CSV files, as a merchant exports and imports them."""

from __future__ import annotations

import csv
import io

from playwright.async_api import expect

from ..e2e.served import Api
from ..e2e.shop import Shop, sell
from .desk import Desk


async def test_products_go_out_into_a_file_and_come_back_changed(desk: Desk, admin: Api, shop: Shop) -> None:
    made = await sell(admin, shop, "windlass", {"eur": 80, "gbp": 70}, variants=2)
    await desk.open("/products")
    await desk.follow("Export")
    await desk.press("Export")
    await desk.sees("We are processing your export")
    rows = await downloaded(desk, "Product export")
    mine = [row for row in rows if row["Product Id"] == made["id"]]
    assert [row["Variant Price EUR"] for row in mine] == ["80", "80"]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows({**row, "Product Title": "Old windlass", "Variant Price EUR": "75"} for row in mine)

    await desk.open("/products")
    await desk.follow("Import")
    file = {"name": "windlass.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    await desk.front.locator("input[type=file]").set_input_files(file)
    await desk.sees("Products will be updated")
    await desk.picture("import")
    await desk.press("Import")
    await desk.sees("We are processing your import")
    await notes(desk)
    await desk.sees("Product import of file windlass.csv completed successfully! 0 created, 1 updated, 0 refused.")
    [product] = (await admin.get("/admin/products", id=made["id"], fields="title,variants.prices.amount"))["products"]
    assert product["title"] == "Old windlass"
    assert {75} <= {price["amount"] for variant in product["variants"] for price in variant["prices"]}


async def test_the_dashboards_own_template_is_imported(desk: Desk, admin: Api, shop: Shop) -> None:
    await desk.open("/products/import")
    async with desk.page.expect_download() as download:
        await desk.front.locator("a[download]").last.click()
    template = (await (await download.value).path()).read_bytes()
    await desk.front.locator("input[type=file]").set_input_files({"name": "mugs.csv", "mimeType": "text/csv", "buffer": template})
    await desk.sees("Products will be created")
    await desk.press("Import")
    await notes(desk)
    await desk.sees("Product import of file mugs.csv completed successfully!")
    assert (await admin.get("/admin/products", handle="coffee-mug-v3"))["count"] == 1


async def downloaded(desk: Desk, title: str) -> list[dict[str, str]]:
    """The rows of the file that the newest note of the feed leads to."""
    await notes(desk)
    await desk.sees(title)
    link = desk.page.locator("a[download]").first
    await expect(link).to_be_visible()
    async with desk.page.expect_download() as download:
        await link.click()
    return list(csv.DictReader(io.StringIO((await (await download.value).path()).read_text("utf-8-sig"))))


async def notes(desk: Desk) -> None:
    """Open the feed, whose button has no name."""
    await desk.page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', ctrlKey: true }))")
    await desk.settled()
