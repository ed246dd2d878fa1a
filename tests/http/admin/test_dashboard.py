"""What the dashboard keeps for its users: layouts, and names of properties."""

from __future__ import annotations

import asyncio
from typing import Any

from velella.core.ids import ulid

from .conftest import Merchant

LABELS = "/admin/property-labels"


def widgets(**hidden: bool) -> dict[str, Any]:
    return {"widgets": {name: {"hidden": value} for name, value in hidden.items()}}


async def test_a_user_sees_their_own_layout_or_everybodys(merchant: Merchant) -> None:
    path = f"/admin/layouts/zone.{ulid()}/configuration"
    assert await merchant.get(path) == {"personal_configuration": None, "default_configuration": None, "active_scope": "default"}
    everybodys = await merchant.post(path, {"is_default": True, "configuration": widgets(a=True)})
    assert everybodys["default_configuration"]["configuration"] == widgets(a=True)
    assert (everybodys["personal_configuration"], everybodys["active_scope"]) == (None, "default")
    own = await merchant.post(path, {"configuration": widgets(a=False, b=True)})
    assert own == await merchant.get(path)
    assert own["personal_configuration"]["configuration"] == widgets(a=False, b=True)
    assert own["active_scope"] == "personal"
    again = await merchant.post(path, {"configuration": widgets(c=True)})
    assert again["personal_configuration"]["id"] == own["personal_configuration"]["id"]
    for _ in range(2):
        assert await merchant.delete(path) == {"success": True}
        assert await merchant.get(path) == everybodys


async def test_layouts_set_at_once_leave_one(merchant: Merchant) -> None:
    zone = f"zone.{ulid()}"
    path = f"/admin/layouts/{zone}/configuration"
    answers = await asyncio.gather(*(merchant.post(path, {"configuration": widgets(**{f"w{number}": True})}) for number in range(8)))
    assert len({answer["personal_configuration"]["id"] for answer in answers}) == 1
    assert (await merchant.get("/admin/layouts/configurations", zone=zone))["count"] == 1


async def test_names_of_properties_are_changed_all_or_none(merchant: Merchant) -> None:
    entity = f"entity_{ulid()}"
    new = [{"entity": entity, "property": name, "label": name.upper()} for name in ("weight", "height")]
    made = await merchant.post(f"{LABELS}/batch", {"create": new})
    weight, height = (row["id"] for row in made["created"])
    assert (await merchant.refused("POST", LABELS, new[0]))[:2] == (400, "invalid_data")
    bad = {"create": [{**new[0], "property": "depth"}], "update": [{"id": "plbl_none", "label": "x"}], "delete": [weight]}
    assert (await merchant.refused("POST", f"{LABELS}/batch", bad))[:2] == (404, "not_found")
    assert {row["id"] for row in (await merchant.get(LABELS, entity=entity))["property_labels"]} == {weight, height}
    # what is deleted makes room
    done = await merchant.post(f"{LABELS}/batch", {"create": [new[0]], "update": [{"id": height, "label": "Tall"}], "delete": [weight]})
    assert done["deleted"] == [{"id": weight, "object": "property_label", "deleted": True}]
    assert [row["label"] for row in done["updated"]] == ["Tall"]
