"""Whatever a buyer does with a cart and with codes: figures add up, nothing is negative, and codes that are taken back leave no trace."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal, localcontext
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from velella.commerce.money import decimals

from .conftest import Answer, Market, Row, Store

D = Decimal
T = TypeVar("T")
COUNTRIES = ("de", "us", "jp", "kw")
"""Taxes in the price and on top of it; currencies of two, none and three decimals."""


async def promotions_of(market: Market, product: str) -> list[Row]:
    shirt = [{"attribute": "items.product.id", "operator": "eq", "values": product}]
    counts = {"buy_rules_min_quantity": 1, "apply_to_quantity": 1, "buy_rules": shirt, "target_rules": shirt}
    budget = {"type": "spend", "currency_code": "eur", "limit": D("1.01")}
    campaign = (await market.modules.promotion.create_campaigns([{"name": "S", "campaign_identifier": product, "budget": budget}]))[0]
    return [
        await market.promote(value="15"),
        await market.promote(value="33.3", is_tax_inclusive=True),
        await market.promote(value="100", is_tax_inclusive=True, target_rules=shirt),
        await market.promote(value="12.5", target_type="order", allocation="across"),
        await market.promote(kind="fixed", value="10", currency_code="eur", allocation="across", is_tax_inclusive=True),
        await market.promote(kind="fixed", value="77", currency_code="jpy", target_type="order", allocation="across"),
        await market.promote(kind="fixed", value="0.333", currency_code="kwd", max_quantity=2),
        await market.promote(kind="fixed", value="4.99", currency_code="usd", allocation="once", max_quantity=2),
        await market.promote(value="100", type="buyget", max_quantity=2, **counts),
        await market.promote(value="50", target_type="shipping_methods", is_tax_inclusive=True),
        await market.promote(kind="fixed", value="3", currency_code="eur", target_type="shipping_methods", allocation="across"),
        await market.promote(value="20", campaign_id=campaign["id"]),
    ]


class Shopping(RuleBasedStateMachine):
    """A cart in which codes are entered, and its twin in which the same is done without any."""

    store: Store
    loop: asyncio.AbstractEventLoop
    variants: list[str]
    codes: list[str]

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def both(self, method: str, path: str, body: Any = None) -> None:
        async def each() -> list[Answer]:
            return await asyncio.gather(*(self.store(method, path.format(**cart), body) for cart in (self.cart, self.twin)))

        answers = self.do(each())
        assert answers[0].status == answers[1].status, answers
        self.look()

    def look(self) -> None:
        async def each() -> list[Row]:
            return await asyncio.gather(self.store.show(self.cart), self.store.show(self.twin))

        self.cart, self.twin = self.do(each())

    @initialize(country=st.sampled_from(COUNTRIES))
    def open(self, country: str) -> None:
        async def each() -> list[Row]:
            return await asyncio.gather(self.store.cart(country), self.store.cart(country))

        self.cart, self.twin = self.do(each())

    @rule(number=st.integers(0, 2), quantity=st.integers(1, 4))
    def add(self, number: int, quantity: int) -> None:
        self.both("POST", "/store/carts/{id}/line-items", {"variant_id": self.variants[number], "quantity": quantity})

    @precondition(lambda self: self.cart["items"])
    @rule(number=st.integers(0, 2), quantity=st.integers(0, 5))
    def change(self, number: int, quantity: int) -> None:
        number %= len(self.cart["items"])
        variant = self.cart["items"][number]["variant_id"]
        lines = [next(line["id"] for line in cart["items"] if line["variant_id"] == variant) for cart in (self.cart, self.twin)]

        async def each() -> None:
            for cart, line in zip((self.cart, self.twin), lines, strict=True):
                await self.store.post(f"/store/carts/{cart['id']}/line-items/{line}", {"quantity": quantity})

        self.do(each())
        self.look()

    @rule()
    def ship(self) -> None:
        self.both("POST", "/store/carts/{id}/shipping-methods", {"option_id": self.store.market.option})

    @rule(country=st.sampled_from(COUNTRIES))
    def move(self, country: str) -> None:
        self.both("POST", "/store/carts/{id}", {"region_id": self.store.market.regions[country]})

    @rule(numbers=st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True))
    def enter(self, numbers: list[int]) -> None:
        codes = [self.codes[number] for number in numbers]
        self.cart = self.do(self.store.post(f"/store/carts/{self.cart['id']}/promotions", {"promo_codes": codes}))["cart"]

    @rule(number=st.integers(0, 11))
    def take_back(self, number: int) -> None:
        path = f"/store/carts/{self.cart['id']}/promotions"
        self.cart = self.do(self.store("DELETE", path, {"promo_codes": [self.codes[number]]}))["cart"]

    @rule()
    def take_all_back(self) -> None:
        path = f"/store/carts/{self.cart['id']}/promotions"
        self.cart = self.do(self.store("DELETE", path, {"promo_codes": self.codes}))["cart"]
        assert self.cart["promotions"] == []
        assert figures(self.cart) == figures(self.twin)

    @invariant()
    def figures_add_up(self) -> None:
        check(self.cart)
        assert self.cart["original_total"] == self.twin["original_total"]
        assert [line["original_total"] for line in self.cart["items"]] == [line["original_total"] for line in self.twin["items"]]

    def teardown(self) -> None:
        self.take_all_back()


def figures(cart: Row) -> Row:
    return {name: value for name, value in cart.items() if name.endswith("total")}


def check(cart: Row) -> None:
    with localcontext(prec=100):  # figures have more digits than Python adds up by itself
        _check(cart)


def _check(cart: Row) -> None:
    items, methods = cart["items"], cart["shipping_methods"]
    unit = D(1).scaleb(-decimals(cart["currency_code"]))
    exact = cart["original_total"] - cart["discount_total"]
    assert abs(cart["total"] - exact) <= unit / 2
    assert cart["total"] % unit == 0
    assert exact == cart["item_total"] + cart["shipping_total"] == cart["subtotal"] - cart["discount_subtotal"] + cart["tax_total"]
    assert cart["discount_total"] == cart["discount_subtotal"] + cart["discount_tax_total"]
    assert cart["discount_total"] == cart["item_discount_total"] + cart["shipping_discount_total"]
    for lines, name in ((items, "item"), (methods, "shipping")):
        assert cart[f"{name}_total"] == sum(line["total"] for line in lines)
        assert cart[f"{name}_discount_total"] == sum(line["discount_total"] for line in lines)
        for line in lines:
            assert line["total"] == line["original_total"] - line["discount_total"] == line["subtotal"] - _off(line) + line["tax_total"]
            assert all(D(each["amount"]) > 0 for each in line["adjustments"])
    negative = {name: value for each in (cart, *items, *methods) for name, value in each.items() if name.endswith("total") and value < 0}
    assert negative == {}
    codes = {each["code"] for line in (*items, *methods) for each in line["adjustments"]}
    assert codes == {each["code"] for each in cart["promotions"]}


def _off(line: Row) -> Decimal:
    """What is taken off a line, without taxes."""
    return D(line["discount_total"]) - D(line["discount_tax_total"])


FIELDS = "+items.discount_total,+items.discount_tax_total,+items.total,+items.subtotal,+items.tax_total,+items.original_total"


class Looking(Store):
    """Sees the totals of lines, too."""

    async def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        more = FIELDS + "," + FIELDS.replace("items", "shipping_methods")
        return await super().__call__(method, path, body, **({"fields": more} | query if path.startswith("/store/carts") else query))


@pytest.fixture
async def machine(market: Market, store: Store) -> type[Shopping]:
    prices = (("11.90", "9.99", "1099", "3.335"), ("0.07", "0.05", "3", "0.007"), ("149.49", "120.00", "15999", "41.250"))
    named = [dict(zip(("eur", "usd", "jpy", "kwd"), each, strict=True)) for each in prices]
    variants = [await market.new_variant(each) for each in named]
    product = (await market.modules.product.retrieve("product_variant", variants[0]))["product_id"]
    codes = [promotion["code"] for promotion in await promotions_of(market, product)]
    looking = Looking(store.market, store.session, store.headers)
    given = {"store": looking, "loop": asyncio.get_running_loop(), "variants": variants, "codes": codes}
    return type("ShoppingHere", (Shopping,), given)


async def test_whatever_a_buyer_does_figures_add_up(machine: type[Shopping]) -> None:
    bounded = settings(
        max_examples=20,
        stateful_step_count=12,
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounded)
