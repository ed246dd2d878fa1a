"""What a shop says in other languages."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import Api, Served
from ..e2e.shop import Shop, sell
from .desk import Desk


async def test_a_product_is_translated(desk: Desk, admin: Api, colony: Served, shop: Shop) -> None:
    product = await sell(admin, shop, "sextant", {"eur": 30})
    await desk.open("/settings/translations/add-locales")
    await desk.tick_row("de-DE")
    await desk.save()
    await desk.open("/settings/translations")
    await desk.sees("German (Germany)", "Product")
    await desk.open(f"/settings/translations/edit?reference=product&reference_id={product['id']}")
    cell = desk.front.get_by_role("row").filter(has=desk.page.get_by_text("Title", exact=True)).get_by_role("gridcell").last
    await cell.click()
    await desk.page.keyboard.type("Sextant auf Deutsch")
    await desk.page.keyboard.press("Enter")
    await expect(cell).to_contain_text("Sextant auf Deutsch")
    await desk.picture("translating")
    await desk.save("Save and close")
    await desk.open("/settings/translations")
    await desk.sees("1 translation")
    await desk.picture("translations")

    [stored] = (await admin.get("/admin/translations", reference_id=product["id"]))["translations"]
    assert (stored["locale_code"], stored["translations"]["title"]) == ("de-DE", "Sextant auf Deutsch")
    store = await colony.store(shop.key)
    shown = (await store.get(f"/store/products/{product['id']}", locale="de-DE"))["product"]
    assert (shown["title"], shown["handle"]) == ("Sextant auf Deutsch", "sextant")
