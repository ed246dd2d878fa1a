"""The pricing module's messages: prices by buyer and quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.plugins import rules_of
from ...core.rows import Given, Row
from ...core.rules import Condition
from ...core.service.context import ModuleContext
from ...core.service.module import ModuleService
from ...core.service.remembering import remembered
from . import queries
from .calculation import Context, buyer, calculated_prices, numbers
from .prices import GivenPrice, check_quantities, new_prices, read_price, read_rules
from .schedule import PriceSchedule
from .tables import SCHEMA, price_preference
from .types import (
    AddedPrices,
    CalculatedPrice,
    Conditions,
    FittingPrice,
    ListPricesChanged,
    NewPriceSet,
    Price,
    PriceList,
    PriceSet,
    PriceSetChange,
    RuledPrice,
    RuledPriceSet,
)


class PricingService(ModuleService):
    """Price sets hold all prices of one thing (a variant, a shipping option); a calculation finds the one that applies."""

    name = "pricing"
    schema = SCHEMA

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._moments = PriceSchedule(context.changed)

    async def stop(self) -> None:
        self._moments.stop()

    # -- calculating prices

    @cached_property
    def _own_conditions(self) -> Sequence[Condition]:
        """What plugins say that rules of prices can be about."""
        return rules_of(self.context.settings).about("prices")

    @reads
    async def calculate_prices(self, price_set_ids: Sequence[str], context: Context) -> dict[str, CalculatedPrice]:
        """What a buyer pays, by price set. A set without a price for this buyer is left out.

        `context`: `currency_code` (required), `quantity` (default 1), `region_id`, `customer` {groups: [{id}]}, and any other
        attributes of rules. Amounts are decimals in major units. One statement, however many sets.

        Raises InvalidData without a currency.
        """
        asking = buyer(context)
        if not price_set_ids:
            return {}
        conditions = await self._conditions()
        values = asking.values(conditions["attributes"], self._own_conditions)
        found = await self._fitting(
            list(price_set_ids),
            asking.currency_code,
            asking.quantity,
            values,
            numbers(values),
            asking.region_id,
            self._moments.last(conditions["moments"]),
        )
        return calculated_prices(found, asking.currency_code)

    @reads
    @remembered("price", "price_list", "price_rule", "price_set")
    async def all_prices(self, price_set_ids: list[str]) -> dict[str, list[RuledPrice]]:
        """All prices of price sets, for any buyer, with their rules."""
        rows: list[RuledPriceSet] = await self.list("price_set", {"id": price_set_ids}, fields=("id", "*prices", "*prices.price_rules"))
        return {row["id"]: row["prices"] for row in rows}

    @remembered("price", "price_list", "price_list_rule", "price_preference", "price_rule", "price_set")
    async def _fitting(
        self,
        price_sets: list[str],
        currency: str,
        quantity: Decimal,
        context: Mapping[str, list[str]],
        numbers: Mapping[str, list[Decimal]],
        region: str | None,
        now: datetime,
    ) -> list[FittingPrice]:
        """The best own price of each set, and the best override and sale of its price lists."""
        given = {
            "price_sets": price_sets,
            "currency": currency,
            "quantity": quantity,
            "context": context,
            "numbers": numbers,
            "region": region,
            "now": now,
        }
        return await self.database.rows(queries.CALCULATE, given)

    @remembered("price_list", "price_list_rule", "price_rule")
    async def _conditions(self) -> Conditions:
        row = await self.database.fetch_one(queries.CONDITIONS)
        assert row is not None
        return {"attributes": row["attributes"], "moments": row["moments"]}

    # -- price sets

    @writes(one_statement=True)
    async def create_price_sets(self, rows: Sequence[NewPriceSet]) -> list[PriceSet]:
        """Create price sets with their prices. Returns them in the order given.

        Of two prices with one key the later one counts. Raises InvalidData for a price without currency or amount, or with invalid rules.
        """
        ids = [row.get("id") or new_id("pset") for row in rows]
        prices = {id: new_prices(row.get("prices") or []) for id, row in zip(ids, rows, strict=True)}
        new = [(price, id) for id, each in prices.items() for price in each]
        sets, made, _ = await self._create_together(
            (
                ("price_set", [{"id": id} for id in ids]),
                ("price", [price.row(id, None) for price, id in new]),
                ("price_rule", [rule for price, _ in new for rule in price.rule_rows()]),
            )
        )
        return [each | {"prices": [row for row in made if row["price_set_id"] == each["id"]]} for each in sets]

    @writes
    async def update_price_sets(self, rows: Sequence[PriceSetChange]) -> list[PriceSet]:
        """Replace the prices of sets.

        A price with an `id` is changed (what it doesn't name stays), one without replaces the price for the same currency,
        quantities and rules or is new, and the prices that aren't named are deleted. Prices of price lists are not touched.
        Returns the sets with their own prices after the change.

        Raises NotFound for a set, or a price that isn't the set's; InvalidData as `create_price_sets` does.
        """
        ids = [row["id"] for row in rows]
        await self._hold(ids)
        there = await self._prices(ids)
        new: list[tuple[GivenPrice, str, str | None]] = []
        kept: list[tuple[GivenPrice, str]] = []
        gone: list[str] = []
        await self._refuse_others("price", [price["id"] for row in rows for price in _new_to(row, there) if price.get("id")])
        for row in rows:
            given = row.get("prices")
            if given is None:
                continue
            current = {price.id: price for price in there.get(row["id"], [])}
            for price in _merged(given, current):
                if price.id in current:
                    if price != current[price.id]:
                        kept.append((price, row["id"]))
                    del current[price.id]
                else:
                    price.id = price.id or new_id("price")
                    new.append((price, row["id"], None))
            gone += [id for id in current if id is not None]
        async with self.keeping(queries.PRICE_ROWS, ids):
            await self.delete("price", gone)
            await self._change_prices(kept)
            await self._insert_prices(new)
        sets: list[PriceSet] = await self.list("price_set", {"id": ids}, fields=("*", "*prices"))
        return [_own(each) for each in sets]

    @writes
    async def add_prices(self, rows: Sequence[AddedPrices]) -> list[Price]:
        """Add prices to sets. A price with the same key gets the new amount; the others stay.

        Returns all own prices of the sets. Raises NotFound for a set.
        """
        ids = [row["price_set_id"] for row in rows]
        await self._hold(ids)
        there = {id: {price.key: price for price in prices} for id, prices in (await self._prices(ids)).items()}
        new: list[tuple[GivenPrice, str, str | None]] = []
        kept: list[tuple[GivenPrice, str]] = []
        for row in rows:
            for price in new_prices(row.get("prices") or []):
                same = there.get(row["price_set_id"], {}).get(price.key)
                if same is None:
                    new.append((price, row["price_set_id"], None))
                elif (changed := replace(price, id=same.id, title=price.title or same.title)) != same:
                    kept.append((changed, row["price_set_id"]))
        async with self.keeping(queries.PRICE_ROWS, ids):
            await self._change_prices(kept)
            await self._insert_prices(new)
        prices: list[Price] = await self.list("price", {"price_set_id": ids, "price_list_id": None})
        return prices

    # -- price lists

    @writes
    async def create_price_lists(self, rows: Sequence[Given]) -> list[PriceList]:
        """Create price lists: columns, `rules` {attribute: [values]} and `prices` (`price_set_id` besides a price's fields).

        Raises InvalidData for an end before the start, NotFound for an unknown price set.
        """
        lists: list[Row] = []
        rules: list[Row] = []
        prices: list[tuple[GivenPrice, str, str | None]] = []
        for given in rows:
            id = given.get("id") or new_id("plist")
            columns = {name: value for name, value in given.items() if name not in ("rules", "prices")}
            lists.append({**columns, "id": id, **_rules_count(given)})
            rules += _rules_of(id, given)
            for each in given.get("prices") or []:
                bare = {name: value for name, value in each.items() if name != "price_set_id"}
                prices += [(price, each["price_set_id"], id) for price in new_prices([bare])]
        made: list[PriceList] = await self.create("price_list", lists)
        _check_dates(made)
        await self.create("price_list_rule", rules)
        await self._insert_prices(prices)
        return made

    @writes
    async def update_price_lists(self, rows: Sequence[Given]) -> list[PriceList]:
        """Change price lists: columns, and `rules`, which replace the old ones. Returns the changed lists.

        Raises NotFound for a list, InvalidData for an end before the start.
        """
        ids = [row["id"] for row in rows]
        await self._hold_lists(ids)
        columns = [{name: value for name, value in row.items() if name != "rules"} | _rules_count(row) for row in rows]
        changed: list[PriceList] = await self.update("price_list", columns)
        _check_dates(changed)
        ruled = [row for row in rows if row.get("rules") is not None]
        if ruled:
            async with self.keeping(queries.RULES_OF_LISTS, [row["id"] for row in ruled]):
                await self.database.execute(queries.FORGET_LIST_RULES, {"ids": [row["id"] for row in ruled]})
                await self.create("price_list_rule", [rule for row in ruled for rule in _rules_of(row["id"], row)])
            self.touch("price_list_rule")
        return changed

    @writes
    async def change_list_prices(
        self, price_list_id: str, create: Sequence[Given], update: Sequence[Given], delete: Sequence[str]
    ) -> ListPricesChanged:
        """Change the prices of a list: all of it, or nothing.

        A created price names its `price_set_id`; where the list has a price with the same key already, that one is changed. An updated
        price names its `id`, and what it doesn't name stays.

        Raises NotFound for the list, InvalidData for an updated price that isn't the list's, and as `create_price_sets` does. Unknown
        prices to delete are ignored.
        """
        await self._hold_lists([price_list_id])
        named = [*(row["id"] for row in update), *delete]
        there = (
            {row["id"]: row["price_set_id"] for row in await self.list("price", {"id": named, "price_list_id": price_list_id})}
            if named
            else {}
        )
        for row in update:
            if row["id"] not in there:
                raise InvalidData(f"Price with id: {row['id']} was not found in price list {price_list_id}")
        await self._refuse_others("price", [id for id in delete if id not in there])
        sets = [*{*(row["price_set_id"] for row in create), *there.values()}]
        current = {(set_id, price.id): price for set_id, prices in (await self._prices(sets, price_list_id)).items() for price in prices}
        changed = [(_changed(current[there[row["id"]], row["id"]], row), there[row["id"]]) for row in update]
        by_key = {(set_id, price.key): price.id for (set_id, _), price in current.items() if price.id not in named}
        new: dict[tuple[Any, ...], tuple[GivenPrice, str, str | None]] = {}
        for row in create:
            [price] = new_prices([{name: value for name, value in row.items() if name != "price_set_id"}])
            key = (row["price_set_id"], price.key)
            if key in by_key:
                price.id = by_key[key]
                changed.append((price, row["price_set_id"]))
            else:
                new[key] = (price, row["price_set_id"], price_list_id)
        created = [str(price.id) for price, _, _ in new.values()]
        updated = list(dict.fromkeys(str(price.id) for price, _ in changed))
        async with self.keeping(queries.SINGLE_PRICES, [*created, *updated, *delete]):
            await self.delete("price", list(delete))
            await self._change_prices(changed)
            await self._insert_prices(list(new.values()))
        return {"created": created, "updated": updated, "deleted": list(delete)}

    # -- preferences

    @writes
    async def set_price_preferences(self, rows: Sequence[Given]) -> list[Row]:
        """Set whether prices of a region or currency include tax: `{attribute, value, is_tax_inclusive}`, existing or new. Null keeps the
        current value, or false for a new preference.

        Returns the preferences as they are stored, in the order given.
        """
        attributes = [row["attribute"] for row in rows]
        values = [row.get("value") for row in rows]
        if len(set(zip(attributes, values, strict=True))) < len(rows):
            raise InvalidData("The same price preference is named twice")
        stored = await self.database.fetch(
            queries.SET_PREFERENCES,
            {
                "ids": [new_id("prpref") for _ in rows],
                "attributes": attributes,
                "values": values,
                "inclusive": [row.get("is_tax_inclusive") for row in rows],
            },
        )
        self.keep(price_preference, [(None, row["stored"]) for row in stored if row["is_new"]])
        self.keep(price_preference, [(row["was"], row["stored"]) for row in stored if row["was"] is not None])
        self.touch("price_preference")
        found = await self.list("price_preference", {"id": [row["id"] for row in stored]})
        by_value = {(row["attribute"], row["value"]): row for row in found}
        return [by_value[key] for key in zip(attributes, values, strict=True)]

    # -- inside

    async def _hold(self, ids: Sequence[str]) -> None:
        """Lock price sets until the transaction ends. Raises NotFound for a missing one."""
        there = {row["id"] for row in await self.database.fetch(queries.LOCK_PRICE_SETS, {"ids": list(ids)})}
        for id in ids:
            if id not in there:
                raise NotFound(f"PriceSet with id: {id} was not found")

    async def _hold_lists(self, ids: Sequence[str]) -> None:
        """Lock price lists until the transaction ends. Raises NotFound for a missing one."""
        there = {row["id"] for row in await self.database.fetch(queries.LOCK_PRICE_LISTS, {"ids": list(ids)})}
        for id in ids:
            if id not in there:
                raise NotFound(f"PriceList with id: {id} was not found")

    async def _prices(self, ids: Sequence[str], price_list_id: str | None = None) -> dict[str, list[GivenPrice]]:
        """The prices of price sets in a list, or their own."""
        found: dict[str, list[GivenPrice]] = {}
        for row in await self.database.fetch(queries.PRICES, {"ids": list(ids), "price_list": price_list_id}):
            found.setdefault(row["price_set_id"], []).append(
                GivenPrice(
                    row["currency_code"],
                    row["amount"],
                    row["min_quantity"],
                    row["max_quantity"],
                    row["title"],
                    tuple((attribute, operator, value) for attribute, operator, value in row["rules"]),
                    row["id"],
                )
            )
        return found

    async def _insert_prices(self, prices: Sequence[tuple[GivenPrice, str, str | None]]) -> list[Price]:
        """Insert prices, given as (price, set, list)."""
        if not prices:
            return []
        made: list[Price] = await self.create("price", [price.row(set_id, list_id) for price, set_id, list_id in prices])
        rules = [rule for price, _, _ in prices for rule in price.rule_rows()]
        if rules:
            await self.create("price_rule", rules)
        return made

    async def _change_prices(self, prices: Sequence[tuple[GivenPrice, str]]) -> list[Price]:
        if not prices:
            return []
        await self.database.execute(queries.FORGET_RULES, {"ids": [price.id for price, _ in prices]})
        rows = [price.row(set_id) for price, set_id in prices]
        changed: list[Price] = await self.update(
            "price", [{name: value for name, value in row.items() if name != "price_list_id"} for row in rows]
        )
        await self.create("price_rule", [rule for price, _ in prices for rule in price.rule_rows()])
        return changed


def _new_to(row: PriceSetChange, there: Mapping[str, Sequence[GivenPrice]]) -> list[Given]:
    """The given prices that the set doesn't have yet."""
    known = {price.id for price in there.get(row["id"], ())}
    return [price for price in row.get("prices") or () if price.get("id") not in known]


def _merged(given: Sequence[Given], current: Mapping[str | None, GivenPrice]) -> list[GivenPrice]:
    """The prices after the change: unnamed fields of an old price stay, and of two with one key the later one counts."""
    by_key = {price.key: id for id, price in current.items()}
    named = {each.get("id") for each in given}
    merged: dict[tuple[Any, ...], GivenPrice] = {}
    for each in given:
        if each.get("id") in current:
            price = _changed(current[each["id"]], each)
        else:
            price = new_prices([{name: value for name, value in each.items() if name != "id"}])[0]
            same = by_key.get(price.key)
            price.id = same if same not in named else None
        earlier = merged.pop(price.key, None)
        price.id = price.id or (earlier.id if earlier is not None else None)
        merged[price.key] = price
    return list(merged.values())


def _changed(old: GivenPrice, given: Given) -> GivenPrice:
    read = read_price(given)
    changes = {name: getattr(read, name) for name in given if name not in ("id", "rules")}
    if given.get("rules") is not None:
        changes["rules"] = read_rules(given["rules"])
    for needed in ("currency_code", "amount"):
        if needed in changes and changes[needed] is None:
            raise InvalidData("A price needs a currency_code and an amount")
    changed = replace(old, **changes)
    check_quantities(changed.min_quantity, changed.max_quantity)
    return changed


def _own(price_set: PriceSet) -> PriceSet:
    return {**price_set, "prices": [price for price in price_set["prices"] if price["price_list_id"] is None]}


def _check_dates(lists: Sequence[PriceList]) -> None:
    for row in lists:
        if row["starts_at"] is not None and row["ends_at"] is not None and row["starts_at"] > row["ends_at"]:
            raise InvalidData("A price list can't end before it starts")


def _rules_count(given: Given) -> Row:
    return {"rules_count": len(given["rules"])} if given.get("rules") is not None else {}


def _rules_of(price_list_id: str, given: Given) -> list[Row]:
    """The rows of a list's rules, given as {attribute: [values]}."""
    rules: Mapping[str, Any] = given.get("rules") or {}
    return [{"price_list_id": price_list_id, "attribute": attribute, "value": _texts(values)} for attribute, values in rules.items()]


def _texts(values: Any) -> list[str]:
    listed = values if isinstance(values, (list, tuple)) else [values]
    if not all(isinstance(value, str) for value in listed):
        raise InvalidData("A price list's rules are lists of strings")
    return list(listed)
