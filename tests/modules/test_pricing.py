"""Prices: of all that fit a buyer, the one that is meant for them most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from velella.core.clock import iso, utc_now
from velella.core.errors import InvalidData, NotFound
from velella.core.flow import keep
from velella.modules.pricing.service import PricingService

from ..conftest import clone
from .one_module import alone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pricing(postgres: Any) -> AsyncIterator[PricingService]:
    async with alone(PricingService, await clone(postgres), connections=6) as service:
        yield service


EUR = {"currency_code": "eur"}
REGION = EUR | {"region_id": "reg_de"}


def price(amount: str, currency: str = "eur", **more: Any) -> dict[str, Any]:
    return {"currency_code": currency, "amount": Decimal(amount), **more}


async def price_set(service: PricingService, *prices: dict[str, Any]) -> str:
    (row,) = await service.create_price_sets([{"prices": list(prices)}])
    return str(row["id"])


async def paid(service: PricingService, set_id: str, context: dict[str, Any]) -> str | None:
    found = await service.calculate_prices([set_id], context)
    return str(found[set_id]["calculated_amount"]) if set_id in found else None


PLAIN = price("10")
GERMAN = price("9", rules={"region_id": "reg_de"})
MEMBERS = price("8", rules={"region_id": "reg_de", "customer.groups.id": "cusgroup_vip"})
TIER = price("7", min_quantity=10)
MIDDLE = price("7.5", min_quantity=5, max_quantity=9)
DOLLARS = price("12", "usd")
FREE_ABOVE = price("0", rules={"item_total": [{"operator": "gte", "value": 100}]})
BETWEEN = price("5", rules={"item_total": [{"operator": "gt", "value": 10}, {"operator": "lt", "value": 100}]})


@pytest.mark.parametrize(
    ("prices", "context", "expected"),
    [
        ([PLAIN, DOLLARS], EUR, "10"),
        ([PLAIN, DOLLARS], {"currency_code": "USD"}, "12"),
        ([PLAIN], {"currency_code": "usd"}, None),
        ([PLAIN, GERMAN], EUR, "10"),
        ([PLAIN, GERMAN], REGION, "9"),
        ([PLAIN, GERMAN], EUR | {"region_id": "reg_fr"}, "10"),
        ([price("1"), GERMAN], REGION, "9"),  # more rules go before less money
        ([PLAIN, GERMAN, MEMBERS], REGION, "9"),
        ([PLAIN, GERMAN, MEMBERS], REGION | {"customer": {"groups": [{"id": "cusgroup_a"}, {"id": "cusgroup_vip"}]}}, "8"),
        ([PLAIN, MEMBERS], EUR | {"customer": {"groups": [{"id": "cusgroup_vip"}]}}, "10"),  # all rules, not some
        ([PLAIN, TIER, MIDDLE], EUR, "10"),
        ([PLAIN, TIER, MIDDLE], EUR | {"quantity": 5}, "7.5"),
        ([PLAIN, TIER, MIDDLE], EUR | {"quantity": 9}, "7.5"),
        ([PLAIN, TIER, MIDDLE], EUR | {"quantity": Decimal("10.5")}, "7"),
        ([TIER], EUR, None),
        ([PLAIN, price("11", min_quantity=10)], EUR | {"quantity": 20}, "10"),  # equally specific: the lowest
        ([PLAIN, FREE_ABOVE, BETWEEN], EUR | {"item_total": Decimal("99.99")}, "5"),
        ([PLAIN, FREE_ABOVE, BETWEEN], EUR | {"item_total": 100}, "0"),
        ([PLAIN, FREE_ABOVE, BETWEEN], EUR | {"item_total": 10}, "10"),
        ([PLAIN, FREE_ABOVE], EUR | {"item_total": "much"}, "10"),
        ([PLAIN, FREE_ABOVE], EUR, "10"),
        ([PLAIN, price("20")], EUR, "20"),  # twice the same in one set: the later one counts
        ([price("19.990")], EUR, "19.99"),
        ([price("0.001", "kwd")], {"currency_code": "kwd"}, "0.001"),
    ],
)
async def test_the_price_that_is_meant_most(
    pricing: PricingService, prices: list[Any], context: dict[str, Any], expected: str | None
) -> None:
    assert await paid(pricing, await price_set(pricing, *prices), context) == expected


async def test_a_calculated_price_tells_where_it_comes_from(pricing: PricingService) -> None:
    (row,) = await pricing.create_price_sets([{"prices": [price("10.50", min_quantity=1, max_quantity=4)]}])
    found = await pricing.calculate_prices([row["id"]], EUR)
    source = {"id": row["prices"][0]["id"], "price_list_id": None, "price_list_type": None, "min_quantity": 1, "max_quantity": 4}
    assert found == {
        row["id"]: {
            "id": row["id"],
            "is_calculated_price_price_list": False,
            "is_calculated_price_tax_inclusive": False,
            "calculated_amount": Decimal("10.5"),
            "raw_calculated_amount": {"value": "10.5", "precision": 20},
            "is_original_price_price_list": False,
            "is_original_price_tax_inclusive": False,
            "original_amount": Decimal("10.5"),
            "raw_original_amount": {"value": "10.5", "precision": 20},
            "currency_code": "eur",
            "calculated_price": source,
            "original_price": source,
        }
    }
    with pytest.raises(InvalidData, match="currency_code"):
        await pricing.calculate_prices([row["id"]], {"region_id": "reg_de"})
    assert await pricing.calculate_prices([], EUR) == {}


# -- price lists


def days(number: float) -> str:
    return iso(utc_now() + timedelta(days=number))


def listing(set_id: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "title": "Sale",
        "description": "",
        "status": "active",
        "type": "sale",
        "prices": [price(amount) | {"price_set_id": set_id}],
        **more,
    }


@pytest.mark.parametrize(
    ("more", "context", "calculated", "original"),
    [
        ({}, EUR, "6", "10"),
        ({"type": "override"}, EUR, "6", "6"),
        ({"status": "draft"}, EUR, "10", "10"),
        ({"starts_at": days(1)}, EUR, "10", "10"),
        ({"ends_at": days(-1)}, EUR, "10", "10"),
        ({"starts_at": days(-1), "ends_at": days(1)}, EUR, "6", "10"),
        ({"rules": {"customer.groups.id": ["cusgroup_vip", "cusgroup_b"]}}, EUR, "10", "10"),
        (
            {"rules": {"customer.groups.id": ["cusgroup_vip", "cusgroup_b"]}},
            EUR | {"customer": {"groups": [{"id": "cusgroup_b"}]}},
            "6",
            "10",
        ),
        (
            {"rules": {"customer.groups.id": ["cusgroup_b"], "region_id": ["reg_x"]}},
            EUR | {"customer.groups.id": ["cusgroup_b"]},
            "10",
            "10",
        ),
    ],
)
async def test_price_lists_go_before_prices(
    pricing: PricingService, more: dict[str, Any], context: dict[str, Any], calculated: str, original: str
) -> None:
    set_id = await price_set(pricing, PLAIN)
    (made,) = await pricing.create_price_lists([listing(set_id, "6", **more)])
    found = (await pricing.calculate_prices([set_id], context))[set_id]
    assert (str(found["calculated_amount"]), str(found["original_amount"])) == (calculated, original)
    assert found["is_calculated_price_price_list"] is (calculated == "6")
    assert found["is_original_price_price_list"] is (original == "6")
    assert found["calculated_price"]["price_list_id"] == (made["id"] if calculated == "6" else None)
    assert found["calculated_price"]["price_list_type"] == (made["type"] if calculated == "6" else None)


async def test_a_sale_never_makes_things_dearer(pricing: PricingService) -> None:
    set_id = await price_set(pricing, PLAIN)
    await pricing.create_price_lists([listing(set_id, "11")])
    assert await paid(pricing, set_id, EUR) == "10"
    await pricing.create_price_lists([listing(set_id, "12", type="override", rules={"region_id": ["reg_de"]})])
    assert await paid(pricing, set_id, REGION) == "11"  # where the override makes it 12, that is a sale


async def test_a_thing_that_only_a_sale_prices_has_no_original(pricing: PricingService) -> None:
    set_id = await price_set(pricing)
    await pricing.create_price_lists([listing(set_id, "6")])
    found = (await pricing.calculate_prices([set_id], EUR))[set_id]
    assert (found["calculated_amount"], found["original_amount"], found["raw_original_amount"]) == (6, None, None)
    assert found["original_price"] == dict.fromkeys(("id", "price_list_id", "price_list_type", "min_quantity", "max_quantity"))


async def test_deleted_lists_and_prices_count_no_more(pricing: PricingService) -> None:
    set_id = await price_set(pricing, PLAIN, GERMAN)
    (made,) = await pricing.create_price_lists([listing(set_id, "6")])
    await pricing.delete("price_list", [made["id"]])
    assert await paid(pricing, set_id, EUR) == "10"
    german = (await pricing.list("price", {"price_set_id": set_id, "rules_count": 1}))[0]
    await pricing.delete("price", [german["id"]])
    assert await paid(pricing, set_id, REGION) == "10"


# -- tax


async def test_whether_a_price_holds_its_tax_follows_the_preference_that_fits(pricing: PricingService) -> None:
    both = await price_set(pricing, price("10", "sek"), price("9", "sek", rules={"region_id": "reg_se"}))
    plain = await price_set(pricing, price("10", "sek"))
    here, there = {"currency_code": "sek", "region_id": "reg_se"}, {"currency_code": "sek", "region_id": "reg_no"}

    async def inclusive(set_id: str, context: dict[str, Any]) -> bool:
        return bool((await pricing.calculate_prices([set_id], context))[set_id]["is_calculated_price_tax_inclusive"])

    assert not await inclusive(both, here)
    await pricing.set_price_preferences([{"attribute": "region_id", "value": "reg_se", "is_tax_inclusive": True}])
    assert await inclusive(both, here)
    assert not await inclusive(plain, here)  # the region's preference is about the region's prices
    assert not await inclusive(both, there)
    stored = await pricing.set_price_preferences(
        [
            {"attribute": "currency_code", "value": "sek", "is_tax_inclusive": True},
            {"attribute": "region_id", "value": "reg_se", "is_tax_inclusive": False},
        ]
    )
    assert [(row["value"], row["is_tax_inclusive"]) for row in stored] == [("sek", True), ("reg_se", False)]
    assert not await inclusive(both, here)
    assert await inclusive(plain, here)
    assert await inclusive(both, there)


async def test_a_preference_that_many_set_at_once_is_one(pricing: PricingService) -> None:
    rows = [{"attribute": "currency_code", "value": "nok", "is_tax_inclusive": True}]
    await asyncio.gather(*(pricing.set_price_preferences(rows) for _ in range(6)))
    assert await pricing.count("price_preference", {"value": "nok"}) == 1


# -- changing prices


async def test_an_update_replaces_the_prices_of_a_set(pricing: PricingService) -> None:
    (row,) = await pricing.create_price_sets([{"prices": [PLAIN, DOLLARS, GERMAN]}])
    old = {each["currency_code"] + str(each["rules_count"]): each["id"] for each in row["prices"]}
    (sale,) = await pricing.create_price_lists([listing(row["id"], "1", status="draft")])
    given = [{"id": old["eur0"], "amount": Decimal("11")}, price("13", "usd"), price("99", "sek")]
    done = await keep(pricing.update_price_sets, [{"id": row["id"], "prices": given}])
    after = {each["currency_code"]: (each["id"], each["amount"]) for each in done["answer"][0]["prices"]}
    assert after["eur"] == (old["eur0"], 11)
    assert after["usd"] == (old["usd0"], 13)  # the price for the same keeps its id
    assert set(after) == {"eur", "usd", "sek"}
    assert await pricing.count("price", {"price_list_id": sale["id"]}) == 1
    await pricing.undo(done["change"])
    again = await pricing.list("price", {"price_set_id": row["id"], "price_list_id": None}, fields=("id", "amount", "*price_rules"))
    assert {each["id"]: each["amount"] for each in again} == {old["eur0"]: 10, old["usd0"]: 12, old["eur1"]: 9}
    assert await paid(pricing, row["id"], REGION) == "9"


async def test_a_price_keeps_what_an_update_does_not_name(pricing: PricingService) -> None:
    (row,) = await pricing.create_price_sets([{"prices": [price("9", rules={"region_id": "reg_de"}, min_quantity=2)]}])
    await pricing.update_price_sets([{"id": row["id"], "prices": [{"id": row["prices"][0]["id"], "amount": 7}]}])
    assert await paid(pricing, row["id"], REGION | {"quantity": 2}) == "7"
    assert await paid(pricing, row["id"], REGION) is None
    await pricing.update_price_sets([{"id": row["id"], "prices": [{"id": row["prices"][0]["id"], "rules": {}, "min_quantity": None}]}])
    assert await paid(pricing, row["id"], EUR) == "7"
    await pricing.update_price_sets([{"id": row["id"]}])
    assert await paid(pricing, row["id"], EUR) == "7"
    await pricing.update_price_sets([{"id": row["id"], "prices": [{"id": row["prices"][0]["id"], "max_quantity": 5}]}])
    with pytest.raises(InvalidData, match=r"A price's min_quantity \(6\) can't be above its max_quantity \(5\)"):
        await pricing.update_price_sets([{"id": row["id"], "prices": [{"id": row["prices"][0]["id"], "min_quantity": 6}]}])
    assert await paid(pricing, row["id"], EUR) == "7"


async def test_prices_are_added_beside_those_that_are_there(pricing: PricingService) -> None:
    set_id = await price_set(pricing, PLAIN)
    await pricing.add_prices([{"price_set_id": set_id, "prices": [price("8"), DOLLARS]}])
    assert await paid(pricing, set_id, EUR) == "8"
    assert await paid(pricing, set_id, {"currency_code": "usd"}) == "12"
    assert await pricing.count("price", {"price_set_id": set_id}) == 2
    before = await pricing.list("price", {"price_set_id": set_id})
    await asyncio.gather(*(pricing.add_prices([{"price_set_id": set_id, "prices": [price("8"), price("5", code)]}]) for code in "abcd"))
    after = await pricing.list("price", {"price_set_id": set_id})
    assert {each["currency_code"] for each in after} == {"eur", "usd", *"abcd"}
    assert [each for each in after if each in before] == before, "what is the same isn't written again"


async def test_updates_of_one_set_come_one_after_the_other(pricing: PricingService) -> None:
    set_id = await price_set(pricing, PLAIN)
    await asyncio.gather(
        *(pricing.update_price_sets([{"id": set_id, "prices": [price(str(n)), price(str(n), "usd")]}]) for n in range(1, 7))
    )
    rows = await pricing.list("price", {"price_set_id": set_id})
    assert {row["currency_code"] for row in rows} == {"eur", "usd"}
    assert len(rows) == 2
    assert rows[0]["amount"] == rows[1]["amount"]


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ([{"amount": 1}], "A price needs a currency_code and an amount"),
        ([{"currency_code": "eur"}], "A price needs a currency_code and an amount"),
        ([price("1", min_quantity=5, max_quantity=4)], r"A price's min_quantity \(5\) can't be above its max_quantity \(4\)"),
        ([price("1", rules={"item_total": [{"operator": "gt", "value": "lots"}]})], "needs a number, not 'lots'"),
        ([price("1", rules={"item_total": [{"operator": "like", "value": "1"}]})], "operator has to be one of"),
        ([{"currency_code": "eur", "amount": "NaN"}], "A price's amount has to be a number"),
        ([price("1", colour="red")], "A price has no colour"),
    ],
)
async def test_what_is_no_price_is_refused(pricing: PricingService, prices: list[Any], message: str) -> None:
    before = await pricing.count("price_set")
    with pytest.raises(InvalidData, match=message):
        await pricing.create_price_sets([{"prices": prices}])
    assert await pricing.count("price_set") == before


async def test_what_is_not_there_is_not_found(pricing: PricingService) -> None:
    with pytest.raises(NotFound, match="PriceSet with id: pset_none was not found"):
        await pricing.update_price_sets([{"id": "pset_none", "prices": []}])
    set_id = await price_set(pricing, PLAIN)
    assert await paid(pricing, set_id, EUR) == "10"


async def test_a_price_with_an_id_that_nobody_has_is_new_and_anothers_is_refused(pricing: PricingService) -> None:
    set_id, other = await price_set(pricing, PLAIN), await price_set(pricing, PLAIN)
    await pricing.update_price_sets([{"id": set_id, "prices": [{"id": "price_none", "currency_code": "eur", "amount": 1}]}])
    assert await paid(pricing, set_id, EUR) == "1"
    [theirs] = await pricing.list("price", {"price_set_id": other})
    with pytest.raises(NotFound, match=f"Price with id: {theirs['id']} was not found"):
        await pricing.update_price_sets([{"id": set_id, "prices": [{"id": theirs["id"], "currency_code": "eur", "amount": 2}]}])
    assert [await paid(pricing, each, EUR) for each in (set_id, other)] == ["1", "10"]
