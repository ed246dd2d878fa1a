"""The store with its currencies and locales."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rows import Row
from ..kit import Flow, workflow
from ..plain import Plain
from ..pricing.preferences import set_price_preferences
from ..region.regions import check_currencies
from ..rows import Selector, selected, written


def bare(store: Row) -> Row:
    """The store module's part of a store's input: whether prices in a currency include tax is stored with the prices."""
    if store.get("supported_currencies") is None:
        return store
    currencies = [{name: each[name] for name in each if name != "is_tax_inclusive"} for each in store["supported_currencies"]]
    return {**store, "supported_currencies": currencies}


def tax_preferences(stores: Sequence[Row]) -> list[Row]:
    """Price preferences for the supported currencies that say whether their prices include tax."""
    said = {
        str(each["currency_code"]).lower(): each.get("is_tax_inclusive")
        for store in stores
        for each in store.get("supported_currencies") or []
    }
    return [{"attribute": "currency_code", "value": code, "is_tax_inclusive": inclusive} for code, inclusive in said.items()]


async def _check(flow: Flow, stores: Sequence[Row]) -> None:
    await check_currencies(flow, [each["currency_code"] for store in stores for each in store.get("supported_currencies") or []])


insert_stores = written("insert-stores", lambda modules: modules.store.create_stores)


@workflow("create-stores")
async def create_stores(flow: Flow, stores: list[Row]) -> list[Row]:
    """Create stores. Raises InvalidData for an unknown currency, or without exactly one default."""
    if preferences := tax_preferences(stores):
        flow.durably()
    await _check(flow, stores)
    made = (await flow.run(insert_stores, [bare(store) for store in stores]))["answer"]
    await flow.run(set_price_preferences, preferences)
    return made


change_stores = written("change-stores", lambda modules: modules.store.update_stores)


@workflow("update-stores")
async def update_stores(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change stores. Currencies and locales, where named, replace the old ones. Raises what `create_stores` raises."""
    if preferences := tax_preferences([update]):
        flow.durably()
    await _check(flow, [update])
    ids = await selected(flow, "store", selector)
    if not ids:
        return []
    changed = await flow.run(change_stores, [{**bare(update), "id": id} for id in ids])
    await flow.run(set_price_preferences, preferences)
    return changed["answer"]


STORES = Plain("store", delete="delete-stores")
