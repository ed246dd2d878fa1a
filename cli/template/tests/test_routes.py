"""Things over HTTP."""

from __future__ import annotations

import pytest

from velella.testing import Client, Events, Refused, Row


async def test_a_thing_is_created_changed_and_shown_to_buyers(store: Client, admin: Client, product: Row, events: Events) -> None:
    thing = (await admin.post("/admin/things", {"name": "First", "product_id": product["id"]}))["thing"]
    changed = (await admin.post(f"/admin/things/{thing['id']}", {"name": "Second"}))["thing"]
    assert (changed["name"], changed["product"]["title"]) == ("Second", product["title"])
    assert [event.data["id"] for event in await events.emitted("thing.created")] == [thing["id"]]
    [listed] = (await store.get("/store/things", product_id=product["id"]))["things"]
    assert listed["name"] == "Second"
    shown = (await store.get(f"/store/products/{product['id']}", fields="*things"))["product"]
    assert [each["id"] for each in shown["things"]] == [thing["id"]]


async def test_a_thing_needs_a_product(admin: Client) -> None:
    with pytest.raises(Refused) as refused:
        await admin.post("/admin/things", {"name": "First", "product_id": "prod_0"})
    assert refused.value.type == "not_found"
