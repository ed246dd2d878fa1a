"""Whoever links two things while another merchant deletes one of them is told so, and nothing is left linked to what is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from velella.commerce.links import LINKS
from velella.core.ids import ulid
from velella.workflows import links

from .conftest import Books, Merchant

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`{name}` in path, body and `gone` is the id of something that was just made."""

    path: str
    body: Row
    gone: str
    """What the other merchant deletes."""


PRODUCT = {"title": "New CODE", "options": [{"title": "Size", "values": ["S"]}]}
VARIANT = {"title": "CODE", "sku": "CODE", "options": {"Size": "M"}, "prices": []}
NEED = {"inventory_item_id": "{item}", "required_quantity": 2}
VARIANTS = "/admin/products/{product}/variants"
CASES = (
    Case("/admin/stock-locations/{location}/sales-channels", {"add": ["{channel}"]}, "/admin/stock-locations/{location}"),
    Case("/admin/stock-locations/{location}/sales-channels", {"add": ["{channel}"]}, "/admin/sales-channels/{channel}"),
    Case("/admin/stock-locations/{location}/fulfillment-providers", {"add": ["{provider}"]}, "/admin/stock-locations/{location}"),
    Case("/admin/stock-locations/{location}/fulfillment-sets", {"name": "CODE", "type": "x"}, "/admin/stock-locations/{location}"),
    Case("/admin/sales-channels/{channel}/products", {"add": ["{product}"]}, "/admin/products/{product}"),
    Case("/admin/sales-channels/{channel}/products", {"add": ["{product}"]}, "/admin/sales-channels/{channel}"),
    Case("/admin/products/{product}", {"sales_channels": [{"id": "{channel}"}]}, "/admin/sales-channels/{channel}"),
    Case("/admin/products/{product}", {"sales_channels": [{"id": "{channel}"}]}, "/admin/products/{product}"),
    Case("/admin/products/{product}", {"shipping_profile_id": "{profile}"}, "/admin/shipping-profiles/{profile}"),
    Case("/admin/products", {**PRODUCT, "sales_channels": [{"id": "{channel}"}]}, "/admin/sales-channels/{channel}"),
    Case("/admin/products", {**PRODUCT, "shipping_profile_id": "{profile}"}, "/admin/shipping-profiles/{profile}"),
    Case(VARIANTS, VARIANT, "/admin/products/{product}"),
    Case(VARIANTS, {**VARIANT, "inventory_items": [NEED]}, "/admin/inventory-items/{item}"),
    Case(f"{VARIANTS}/{{variant}}/inventory-items", NEED, "/admin/inventory-items/{item}"),
    Case(f"{VARIANTS}/{{variant}}/inventory-items", NEED, f"{VARIANTS}/{{variant}}"),
    Case(f"{VARIANTS}/inventory-items/batch", {"create": [{"variant_id": "{variant}", **NEED}]}, "/admin/inventory-items/{item}"),
    Case(f"{VARIANTS}/inventory-items/batch", {"create": [{"variant_id": "{variant}", **NEED}]}, "/admin/products/{product}"),
    Case("/admin/regions/{region}", {"payment_providers": ["pp_system_default"]}, "/admin/regions/{region}"),
)


async def made(merchant: Merchant) -> dict[str, str]:
    option = {"title": "Size", "values": ["S", "M"]}
    variant = {**VARIANT, "title": "S", "sku": ulid(), "options": {"Size": "S"}}
    product = (await merchant.post("/admin/products", {"title": ulid(), "options": [option], "variants": [variant]}))["product"]
    return {
        "product": product["id"],
        "variant": product["variants"][0]["id"],
        "location": await merchant.location(),
        "channel": (await merchant.post("/admin/sales-channels", {"name": ulid()}))["sales_channel"]["id"],
        "profile": (await merchant.post("/admin/shipping-profiles", {"name": ulid(), "type": "x"}))["shipping_profile"]["id"],
        "provider": (await merchant.get("/admin/fulfillment-providers"))["fulfillment_providers"][0]["id"],
        "item": await merchant.item(),
        "region": (await merchant.post("/admin/regions", {"name": ulid(), "currency_code": "eur"}))["region"]["id"],
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return value.format_map(ids).replace("CODE", ulid()) if isinstance(value, str) else value


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("case", CASES, ids=[f"{case.path} while {case.gone} goes" for case in CASES])
async def test_nothing_is_linked_to_what_another_merchant_deletes_meanwhile(
    merchant: Merchant, books: Books, monkeypatch: pytest.MonkeyPatch, case: Case, moment: str
) -> None:
    ids = await made(merchant)
    path = filled(case.gone, ids)
    deleted: list[int] = []
    for step in (links.make_links, links.replace_links):
        function = step.function

        async def meanwhile(*args: Any, function: Any = function) -> Any:
            if deleted:  # what the deleting itself does
                return await function(*args)
            deleted.append(0)
            if moment == "before":
                deleted.append((await merchant.client("DELETE", path)).status)
                return await function(*args)
            done = await function(*args)
            deleted.append((await merchant.client("DELETE", path)).status)
            return done

        monkeypatch.setattr(type(step), "__setattr__", object.__setattr__)
        monkeypatch.setattr(step, "function", meanwhile)
    answer = await merchant.client("POST", filled(case.path, ids), filled(case.body, ids))
    if deleted[1:] == [200]:
        assert answer.status == 404, answer.text
    else:  # a profile that has products stays
        assert (deleted[1:], moment, answer.status) == ([400], "after", 200)
    for each in LINKS:
        for side in (each.left, each.right):
            assert await books.orphans(each.name, side.key, side.entity) == []
