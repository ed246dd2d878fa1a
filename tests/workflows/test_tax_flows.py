"""Tax regions and rates as merchants keep them."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound

from .conftest import Shop

RATE = {"code": "vat", "name": "VAT", "rate": 25}


async def taxed(shop: Shop, country: str = "dk") -> list[tuple[str, Any]]:
    shirt = {"id": "i1", "product_id": "prod_shirt", "product_type_id": None}
    return [
        (line["code"], line["rate"]) for line in await shop.modules.tax.get_tax_lines([shirt], (), {"address": {"country_code": country}})
    ]


async def test_a_region_s_life(shop: Shop) -> None:
    (made,) = await shop.run("create-tax-regions", rows=[{"country_code": "DK", "provider_id": "tp_system", "default_tax_rate": RATE}])
    assert await taxed(shop) == [("vat", 25)]
    with pytest.raises(InvalidData):
        await shop.run("create-tax-regions", rows=[{"country_code": "se"}, {"country_code": "dk"}])
    assert await shop.modules.tax.count("tax_region") == 1
    await shop.run("update-tax-regions", rows=[{"id": made["id"], "provider_id": None, "metadata": {"a": 1}}])
    assert (await shop.one("tax_region", made["id"]))["provider_id"] is None
    assert await shop.run("delete-tax-regions", ids=[made["id"]]) == [made["id"]]
    assert await taxed(shop) == []


async def test_a_rate_s_life(shop: Shop) -> None:
    (region,) = await shop.run("create-tax-regions", rows=[{"country_code": "dk", "default_tax_rate": RATE}])
    rule = {"reference": "product", "reference_id": "prod_shirt"}
    (made,) = await shop.run(
        "create-tax-rates", rows=[{"code": "low", "name": "Low", "rate": 5, "tax_region_id": region["id"], "rules": [rule]}]
    )
    assert await taxed(shop) == [("low", 5)]
    await shop.run("update-tax-rates", rows=[{"id": made["id"], "rate": 6, "rules": []}])
    assert await taxed(shop) == [("vat", 25)]
    (again,) = await shop.run("create-tax-rate-rules", rows=[{**rule, "tax_rate_id": made["id"]}])
    assert await taxed(shop) == [("low", 6)]
    assert await shop.run("delete-tax-rate-rules", ids=[again["id"]]) == [again["id"]]
    (with_rules,) = await shop.run("set-tax-rate-rules", tax_rate_ids=[made["id"]], rules=[rule])
    assert [one["reference_id"] for one in with_rules["rules"]] == ["prod_shirt"]
    assert await shop.run("delete-tax-rates", ids=[made["id"]]) == [made["id"]]
    assert await taxed(shop) == [("vat", 25)]
    with pytest.raises(NotFound):
        await shop.run("set-tax-rate-rules", tax_rate_ids=[made["id"]], rules=[rule])
