"""The statement that finds the price, beside a few lines of Python that say which one it should be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from velella.modules.pricing.service import PricingService

from ..conftest import clone
from .one_module import alone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pricing(postgres: Any) -> AsyncIterator[PricingService]:
    async with alone(PricingService, await clone(postgres)) as service:
        yield service


@dataclass
class Listed:
    """A price list with one price, or none of either."""

    type: str = ""
    rules: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Candidate:
    currency: str
    amount: int
    low: int | None
    high: int | None
    rules: dict[str, Any]
    listed: Listed | None


ATTRIBUTES = {"region_id": ["reg_1", "reg_2"], "customer.groups.id": ["g_1", "g_2", "g_3"], "channel": ["web", "shop"]}
_equal_rules = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in ATTRIBUTES.items()})
_compared = st.fixed_dictionaries(
    {}, optional={"item_total": st.lists(st.tuples(st.sampled_from(["gt", "gte", "lt", "lte"]), st.integers(0, 3)), min_size=1, max_size=2)}
)
_lists = st.builds(
    Listed,
    st.sampled_from(["sale", "override"]),
    st.fixed_dictionaries(
        {}, optional={name: st.lists(st.sampled_from(values), min_size=1, unique=True) for name, values in ATTRIBUTES.items()}
    ),
)
_candidates = st.builds(
    Candidate,
    st.sampled_from(["eur", "usd"]),
    st.integers(0, 4),
    st.sampled_from([None, None, 1, 2, 5]),
    st.sampled_from([None, None, 5, 9]),
    st.builds(lambda equal, compared: {**equal, **compared}, _equal_rules, _compared),
    st.none() | _lists,
)
_contexts = st.fixed_dictionaries(
    {"currency_code": st.sampled_from(["eur", "usd"])},
    optional={
        "region_id": st.sampled_from(ATTRIBUTES["region_id"]),
        "customer": st.builds(
            lambda ids: {"groups": [{"id": id} for id in ids]}, st.lists(st.sampled_from(ATTRIBUTES["customer.groups.id"]), unique=True)
        ),
        "channel": st.sampled_from(ATTRIBUTES["channel"]),
        "item_total": st.integers(0, 3),
        "quantity": st.integers(1, 10),
    },
)

COMPARE = {"gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b}


def known(context: dict[str, Any], attribute: str) -> list[Any]:
    if attribute == "customer.groups.id":
        return [group["id"] for group in context.get("customer", {}).get("groups", [])]
    return [context[attribute]] if attribute in context else []


def fits(price: Candidate, context: dict[str, Any]) -> bool:
    quantity = context.get("quantity", 1)
    if price.currency != context["currency_code"] or (price.low or 0) > quantity or (price.high or 99) < quantity:
        return False
    for attribute, wanted in price.rules.items():
        given_ = known(context, attribute)
        if isinstance(wanted, str) and wanted not in given_:
            return False
        if isinstance(wanted, list) and not all(any(COMPARE[op](value, number) for value in given_) for op, number in wanted):
            return False
    if price.listed is not None:
        return all(set(values) & set(known(context, attribute)) for attribute, values in price.listed.rules.items())
    return True


def specificity(price: Candidate) -> int:
    own = sum(len(dict(rule)) if isinstance(rule, list) else 1 for rule in price.rules.values())
    return own + (len(price.listed.rules) if price.listed else 0)


def expected(prices: list[Candidate], context: dict[str, Any]) -> tuple[Decimal, Decimal | None] | None:
    """What is paid, and what it is compared with."""
    fitting = sorted((price for price in prices if fits(price, context)), key=lambda price: (-specificity(price), price.amount))
    if not fitting:
        return None
    own, override, sale = (
        next((Decimal(price.amount) for price in fitting if (price.listed.type if price.listed else "") == kind), None)
        for kind in ("", "override", "sale")
    )
    regular = override if override is not None else own
    paid = min(amount for amount in (regular, sale) if amount is not None)
    return paid, regular


def given_price(price: Candidate) -> dict[str, Any]:
    rules = {
        name: [{"operator": op, "value": number} for op, number in dict(rule).items()] if isinstance(rule, list) else rule
        for name, rule in price.rules.items()
    }
    return {
        "currency_code": price.currency,
        "amount": price.amount,
        "min_quantity": price.low,
        "max_quantity": price.high,
        "rules": rules,
    }


def once(prices: list[Candidate]) -> list[Candidate]:
    """Without what a set can't hold twice, and with one condition an operator."""
    kept: dict[str, Candidate] = {}
    for number, price in enumerate(prices):
        price.rules = {name: list(dict(rule).items()) if isinstance(rule, list) else rule for name, rule in price.rules.items()}
        same = repr((price.currency, price.low, price.high, sorted(price.rules.items(), key=str), number if price.listed else None))
        kept.pop(same, None)
        kept[same] = price
    return list(kept.values())


@settings(max_examples=60)
@given(sets=st.lists(st.lists(_candidates, max_size=6).map(once), min_size=1, max_size=4), context=_contexts)
async def test_the_database_finds_the_price_that_the_rules_mean(
    pricing: PricingService, sets: list[list[Candidate]], context: dict[str, Any]
) -> None:
    made = await pricing.create_price_sets([{"prices": [given_price(p) for p in prices if p.listed is None]} for prices in sets])
    await pricing.create_price_lists(
        [
            {
                "title": "List",
                "description": "",
                "status": "active",
                "type": price.listed.type,
                "rules": price.listed.rules,
                "prices": [given_price(price) | {"price_set_id": row["id"]}],
            }
            for row, prices in zip(made, sets, strict=True)
            for price in prices
            if price.listed is not None
        ]
    )
    found = await pricing.calculate_prices([row["id"] for row in made], context)
    for row, prices in zip(made, sets, strict=True):
        got = found.get(row["id"])
        assert (None if got is None else (got["calculated_amount"], got["original_amount"])) == expected(prices, context)
    assert set(found) <= {row["id"] for row in made}


def test_the_reference_knows_a_region() -> None:
    plain, region = Candidate("eur", 1, None, None, {}, None), Candidate("eur", 3, None, None, {"region_id": "reg_1"}, None)
    assert expected([plain, region], {"currency_code": "eur", "region_id": "reg_1"}) == (3, 3)
    assert expected([plain, region], {"currency_code": "eur"}) == (1, 1)
    with pytest.raises(KeyError):
        expected([plain], {})
