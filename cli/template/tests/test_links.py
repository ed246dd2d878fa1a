"""What belongs together."""

from __future__ import annotations

from thing.module.service import ThingService

from velella.testing import Client, Shop
from velella.workflows.links import batch_links


async def test_fans_are_linked_shown_and_forgotten(shop: Shop, admin: Client) -> None:
    [thing] = await shop.modules.of(ThingService).create("thing", [{"name": "First", "product_id": "prod_1"}])
    customer = (await admin.post("/admin/customers", {"email": f"{thing['id']}@example.com"}))["customer"]
    row = {"thing_id": thing["id"], "customer_id": customer["id"], "note": "Collects them"}
    await shop.run(batch_links, create={"thing_fan": [row]})
    path = f"/admin/customers/{customer['id']}"
    shown = (await admin.get(path, fields="favourite_things.name,favourite_things_link.note"))["customer"]
    assert [each["name"] for each in shown["favourite_things"]] == ["First"]
    assert [each["note"] for each in shown["favourite_things_link"]] == ["Collects them"]
    await admin.delete(path)
    assert await shop.modules.link.count("thing_fan", {"thing_id": thing["id"]}) == 0
