"""The store module's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA


class StoreService(ModuleService):
    """Stores: the currencies and locales they support, of which one is the default, and their default channel, region and location."""

    name = "store"
    schema = SCHEMA

    @writes
    async def create_stores(self, rows: Sequence[Given]) -> list[Row]:
        """Create stores with `supported_currencies` (`{currency_code, is_default?}`, one of them the default) and `supported_locales`.

        Raises InvalidData without a default currency, with two, or with one named twice.
        """
        stores = [_columns(row) | {"id": row.get("id") or new_id("store")} for row in rows]
        made = await self.create("store", stores)
        for store, row in zip(made, rows, strict=True):
            await self._set_currencies(store["id"], row.get("supported_currencies"))
            await self._set_locales(store["id"], row.get("supported_locales"))
        return made

    @writes
    async def update_stores(self, rows: Sequence[Given]) -> list[Row]:
        """Change stores; each row names its `id`. Currencies and locales, where named, replace the old ones.

        Raises NotFound, or InvalidData as `create_stores` does.
        """
        ids = [row["id"] for row in rows]
        there = {row["id"] for row in await self.database.fetch(queries.LOCK_STORES, {"ids": ids})}
        for id in ids:
            if id not in there:
                raise NotFound(f"Store with id: {id} was not found")
        changed = await self.update("store", [_columns(row) | {"id": row["id"]} for row in rows])
        for row in rows:
            await self._set_currencies(row["id"], row.get("supported_currencies"))
            await self._set_locales(row["id"], row.get("supported_locales"))
        return changed

    @writes
    async def default_store(self, currency_code: str, sales_channel_id: str, metadata: Mapping[str, Any] | None = None) -> bool:
        """Make sure that the shop has a store. Returns whether this message created it: of concurrent ones, one does."""
        await self.database.fetch(queries.ONE_AT_A_TIME)
        if await self.count("store"):
            return False
        currencies = [{"currency_code": currency_code, "is_default": True}]
        store = {"supported_currencies": currencies, "default_sales_channel_id": sales_channel_id, "metadata": metadata}
        await self.create_stores([store])
        return True

    # -- inside

    async def _set_currencies(self, store_id: str, given: Sequence[Given] | None) -> None:
        if given is None:
            return
        wanted = {str(each["currency_code"]).lower(): bool(each.get("is_default")) for each in given}
        _refuse_twice("currency", [str(each["currency_code"]).lower() for each in given])
        defaults = [code for code, is_default in wanted.items() if is_default]
        if given and not defaults:
            raise InvalidData("There should be a default currency set for the store")
        if len(defaults) > 1:
            raise InvalidData("Only one default currency is allowed")
        there = await self.list("store_currency", {"store_id": store_id}, fields=("id", "currency_code", "is_default"))
        if [(row["currency_code"], row["is_default"]) for row in there] == list(wanted.items()):
            return
        await self.delete("store_currency", [row["id"] for row in there])  # all of them, so that they come in the order given
        rows = [{"store_id": store_id, "currency_code": code, "is_default": is_default} for code, is_default in wanted.items()]
        await self.create("store_currency", rows)

    async def _set_locales(self, store_id: str, given: Sequence[Given] | None) -> None:
        if given is None:
            return
        wanted = [str(each["locale_code"]) for each in given]
        _refuse_twice("locale", wanted)
        there = {row["locale_code"]: row["id"] for row in await self.list("store_locale", {"store_id": store_id})}
        await self.delete("store_locale", [id for code, id in there.items() if code not in wanted])
        await self.create("store_locale", [{"store_id": store_id, "locale_code": code} for code in wanted if code not in there])


def _columns(row: Given) -> Row:
    return {name: value for name, value in row.items() if name not in ("supported_currencies", "supported_locales")}


def _refuse_twice(what: str, codes: Sequence[str]) -> None:
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise InvalidData(f"Duplicate {what} codes: {', '.join(twice)}")
