"""The stock location module: places and their addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.core.sql.schema.query import Query
from velella.modules.stock_location.service import StockLocationService

from .one_module import alone


@pytest.fixture
async def locations(fresh_database: str) -> AsyncIterator[StockLocationService]:
    async with alone(StockLocationService, fresh_database) as service:
        yield service


async def test_a_location_is_created_with_its_address(locations: StockLocationService) -> None:
    address = {"address_1": "Street 1", "city": "Copenhagen", "country_code": "DK"}
    made = await locations.create_locations([{"name": "Warehouse", "address": address}, {"name": "Shop"}])
    page = await locations.query(Query("stock_location", ("name", "address.city", "address.country_code"), {"q": "copen"}))
    assert [row["name"] for row in page.rows] == ["Warehouse"]
    assert {"city": "Copenhagen", "country_code": "DK"}.items() <= page.rows[0]["address"].items()
    assert made[1]["address_id"] is None


async def test_an_address_is_changed_or_given(locations: StockLocationService) -> None:
    address = {"address_1": "Street 1", "city": "Copenhagen", "country_code": "DK"}
    first, second = await locations.create_locations([{"name": "Warehouse", "address": address}, {"name": "Shop"}])
    updated = await locations.update_locations(
        [
            {"id": first["id"], "address": {"address_1": "Street 2", "country_code": "dk"}},
            {"id": second["id"], "name": "Store", "address": address},
        ]
    )
    assert updated[0]["address_id"] == first["address_id"]
    found = await locations.list("stock_location", fields=("name", "address.address_1", "address.city"), order=("name",))
    assert [(row["name"], row["address"]["address_1"], row["address"]["city"]) for row in found] == [
        ("Store", "Street 1", "Copenhagen"),
        ("Warehouse", "Street 2", "Copenhagen"),
    ]


async def test_nothing_changes_where_a_location_is_missing(locations: StockLocationService) -> None:
    with pytest.raises(NotFound):
        await locations.update_locations([{"id": "sloc_none", "name": "x", "address": {"address_1": "a", "country_code": "de"}}])
    assert await locations.count("stock_location_address") == 0


async def test_an_address_needs_a_country(locations: StockLocationService) -> None:
    with pytest.raises(InvalidData, match="country_code"):
        await locations.create_locations([{"name": "Warehouse", "address": {"address_1": "Street 1"}}])
    assert await locations.count("stock_location") == 0
