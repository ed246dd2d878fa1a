"""The store: always one default currency."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.core.flow import keep
from velella.modules.sales_channel.service import SalesChannelService
from velella.modules.store.service import StoreService

from .one_module import alone


@pytest.fixture
async def stores(fresh_database: str) -> AsyncIterator[StoreService]:
    async with alone(StoreService, fresh_database, connections=6) as service:
        yield service


async def currencies(service: StoreService, store: str) -> dict[str, bool]:
    row = await service.retrieve("store", store, fields=("*", "*supported_currencies"))
    return {each["currency_code"]: each["is_default"] for each in row["supported_currencies"]}


async def test_there_is_one_store_however_many_ask(stores: StoreService) -> None:
    made = await asyncio.gather(*(stores.default_store("eur", "sc_1") for _ in range(5)))
    assert sorted(made) == [False] * 4 + [True]
    (store,) = await stores.list("store")
    assert (store["name"], store["default_sales_channel_id"]) == ("Medusa Store", "sc_1")
    assert await currencies(stores, store["id"]) == {"eur": True}


async def test_currencies_are_replaced_and_the_default_moves(stores: StoreService) -> None:
    await stores.default_store("eur", "sc_1")
    (store,) = await stores.list("store")
    done = await keep(
        stores.update_stores,
        [
            {
                "id": store["id"],
                "name": "Shop",
                "supported_currencies": [{"currency_code": "EUR"}, {"currency_code": "usd", "is_default": True}],
                "supported_locales": [{"locale_code": "en-US"}],
            }
        ],
    )
    assert await currencies(stores, store["id"]) == {"eur": False, "usd": True}
    for _ in range(2):
        await stores.undo(done["change"])
        assert await currencies(stores, store["id"]) == {"eur": True}
        assert (await stores.retrieve("store", store["id"]))["name"] == "Medusa Store"


async def test_what_another_update_did_since_stays(stores: StoreService) -> None:
    await stores.default_store("eur", "sc_1")
    (store,) = await stores.list("store")
    given = [{"currency_code": "eur"}, {"currency_code": "usd", "is_default": True}]
    done = await keep(stores.update_stores, [{"id": store["id"], "name": "Shop", "supported_currencies": given}])
    await stores.update_stores([{"id": store["id"], "supported_currencies": [{"currency_code": "sek", "is_default": True}]}])
    assert await currencies(stores, store["id"]) == {"sek": True}
    await stores.undo(done["change"])
    assert await currencies(stores, store["id"]) == {"sek": True}
    assert (await stores.retrieve("store", store["id"]))["name"] == "Medusa Store"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"currency_code": "usd"}], "There should be a default currency set for the store"),
        ([{"currency_code": c, "is_default": True} for c in ("usd", "eur")], "Only one default currency is allowed"),
        ([{"currency_code": "usd", "is_default": True}, {"currency_code": "USD"}], "Duplicate currency codes: usd"),
    ],
)
async def test_currencies_that_can_not_be_are_refused(stores: StoreService, given: list[Any], message: str) -> None:
    await stores.default_store("eur", "sc_1")
    (store,) = await stores.list("store")
    with pytest.raises(InvalidData) as refused:
        await stores.update_stores([{"id": store["id"], "name": "x", "supported_currencies": given}])
    assert refused.value.message == message
    assert await currencies(stores, store["id"]) == {"eur": True}
    with pytest.raises(NotFound, match="Store with id: store_none was not found"):
        await stores.update_stores([{"id": "store_none"}])


async def test_there_is_one_default_channel_however_many_ask(fresh_database: str) -> None:
    async with alone(SalesChannelService, fresh_database, connections=6) as channels:
        rows = await asyncio.gather(*(channels.default_channel("Default Sales Channel", "Made at the start") for _ in range(5)))
        assert len({row["id"] for row in rows}) == 1
        assert rows[0]["id"].startswith("sc_")
        assert rows[0]["is_disabled"] is False
