"""Regions: a country belongs to one of them at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.core.flow import keep
from velella.core.sql.schema.query import Query
from velella.modules.currency.service import CurrencyService
from velella.modules.region.service import RegionService

from .one_module import alone


@pytest.fixture
async def regions(fresh_database: str) -> AsyncIterator[RegionService]:
    async with alone(RegionService, fresh_database, connections=6) as service:
        await service.keep_countries()
        yield service


async def codes(service: RegionService, region: str) -> list[str]:
    (row,) = (await service.query(Query("region", ("id", "*countries"), {"id": region}))).rows
    return [country["iso_2"] for country in row["countries"]]


async def test_all_countries_are_known_from_the_start(regions: RegionService) -> None:
    assert await regions.count("region_country") == 250
    assert await regions.keep_countries() == 0
    denmark = await regions.retrieve("region_country", "dk")
    assert {name: denmark[name] for name in ("iso_2", "iso_3", "num_code", "name", "display_name", "region_id")} == {
        "iso_2": "dk", "iso_3": "dnk", "num_code": "208", "name": "DENMARK", "display_name": "Denmark", "region_id": None,
    }  # fmt: skip


async def test_a_region_has_its_countries(regions: RegionService) -> None:
    (made,) = await regions.create_regions([{"name": " Europe ", "currency_code": "EUR", "countries": ["de", "DK"]}])
    assert (made["name"], made["currency_code"], made["automatic_taxes"]) == ("Europe", "eur", True)
    assert await codes(regions, made["id"]) == ["de", "dk"]
    done = await keep(regions.update_regions, [{"id": made["id"], "name": "North", "countries": ["dk", "se"]}])
    assert await codes(regions, made["id"]) == ["dk", "se"]
    await regions.undo(done["change"])
    assert await codes(regions, made["id"]) == ["de", "dk"]
    assert (await regions.retrieve("region", made["id"]))["name"] == "Europe"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["se", "dk"], 'Countries with codes: "dk" are already assigned to a region'),
        (["se", "SE"], 'Countries with codes: "se" are already assigned to a region'),
        (["se", "qq", "zz"], 'Countries with codes: "qq, zz" do not exist'),
    ],
)
async def test_a_country_that_can_not_be_had_is_refused(regions: RegionService, wanted: list[str], message: str) -> None:
    await regions.create_regions([{"name": "one", "currency_code": "eur", "countries": ["dk"]}])
    with pytest.raises(InvalidData) as refused:
        await regions.create_regions([{"name": "two", "currency_code": "eur", "countries": wanted}])
    assert refused.value.message == message
    assert await regions.count("region") == 1


async def test_of_many_regions_that_want_a_country_one_gets_it(regions: RegionService) -> None:
    wanted = ["fr", "dk", "se"]
    outcomes = await asyncio.gather(
        *(
            regions.create_regions([{"name": str(n), "currency_code": "eur", "countries": wanted[n % 3 :] + wanted[: n % 3]}])
            for n in range(6)
        ),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(InvalidData) == 5
    assert await regions.count("region") == 1


async def test_a_deleted_region_lets_go_of_its_countries(regions: RegionService) -> None:
    one, two = await regions.create_regions(
        [{"name": "one", "currency_code": "eur", "countries": ["dk", "se"]}, {"name": "two", "currency_code": "eur"}]
    )
    done = await keep(regions.delete, "region", [one["id"]])
    await regions.update_regions([{"id": two["id"], "countries": ["dk"]}])
    await regions.undo(done["change"])
    assert await codes(regions, one["id"]) == ["se"]  # the other was taken meanwhile
    assert await codes(regions, two["id"]) == ["dk"]
    with pytest.raises(NotFound, match="Region with id: reg_none was not found"):
        await regions.update_regions([{"id": "reg_none", "name": "x"}])


async def test_all_currencies_are_known_from_the_start(fresh_database: str) -> None:
    async with alone(CurrencyService, fresh_database) as currencies:
        changed = await asyncio.gather(*(currencies.keep_currencies() for _ in range(3)))
        assert sorted(changed) == [0, 0, await currencies.count("currency")]
        rows = (await currencies.query(Query("currency", ("*",), {"code": ["jpy", "eur"]}))).rows
        assert [(row["code"], row["decimal_digits"], row["symbol"], row["name"]) for row in rows] == [
            ("eur", 2, "€", "Euro"),
            ("jpy", 0, "¥", "Japanese Yen"),
        ]
        assert [row["code"] for row in (await currencies.query(Query("currency", ("code",), {"q": "swedish"}))).rows] == ["sek"]
