"""Whatever merchants do with stock and reservations, alone or at once: the books agree, and nothing is held twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from .conftest import Merchant

D = Decimal
T = TypeVar("T")

PLACES = 3
QUANTITIES = st.sampled_from([D(1), D(2), D("0.5"), D(3), D(7)])


class Stock(RuleBasedStateMachine):
    """One item at three locations, beside a model of it."""

    merchant: Merchant
    loop: asyncio.AbstractEventLoop
    places: list[str]

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(self, method: str, path: str, body: Any = None) -> int:
        """The status of an answer: it is done, refused, or not there."""
        answer = self.do(self.merchant.client(method, path, body))
        assert answer.status in (200, 400, 404), answer.text
        self.answer = answer.json
        return answer.status

    def held(self, place: str) -> Decimal:
        return sum((quantity for where, quantity in self.reservations.values() if where == place), D(0))

    def free(self, place: str) -> Decimal:
        return self.stocked.get(place, D(0)) - self.held(place)

    @initialize(quantity=QUANTITIES)
    def begin(self, quantity: Decimal) -> None:
        self.stocked: dict[str, Decimal] = {self.places[0]: quantity}
        self.reservations: dict[str, tuple[str, Decimal]] = {}
        self.item = self.do(self.merchant.item(stocked=dict(self.stocked)))
        self.levels = f"/admin/inventory-items/{self.item}/location-levels"

    @rule(number=st.integers(0, PLACES - 1), quantity=QUANTITIES | st.just(D(0)))
    def stock(self, number: int, quantity: Decimal) -> None:
        place = self.places[number]
        if place not in self.stocked:
            assert self.ask("POST", self.levels, {"location_id": place, "stocked_quantity": quantity}) == 200
        else:
            assert self.ask("POST", f"{self.levels}/{place}", {"stocked_quantity": quantity}) == 200
        self.stocked[place] = quantity

    @rule(number=st.integers(0, PLACES - 1))
    def give_up(self, number: int) -> None:
        place = self.places[number]
        status = self.ask("DELETE", f"{self.levels}/{place}")
        if place not in self.stocked:
            assert status == 404
        elif self.stocked[place] or self.held(place):
            assert status == 400
        else:
            assert status == 200
            del self.stocked[place]

    @rule(number=st.integers(0, PLACES - 1), quantity=QUANTITIES)
    def reserve(self, number: int, quantity: Decimal) -> None:
        place = self.places[number]
        status = self.ask("POST", "/admin/reservations", self._wanted(place, quantity))
        if place not in self.stocked:
            assert status == 404
        elif quantity > self.free(place):
            assert status == 400
        else:
            assert status == 200
            self.reservations[self.answer["reservation"]["id"]] = place, quantity

    @precondition(lambda self: self.reservations)
    @rule(which=st.integers(0, 99), number=st.integers(0, PLACES - 1), quantity=QUANTITIES)
    def change(self, which: int, number: int, quantity: Decimal) -> None:
        id, place = sorted(self.reservations)[which % len(self.reservations)], self.places[number]
        status = self.ask("POST", f"/admin/reservations/{id}", {"location_id": place, "quantity": quantity})
        before = self.reservations.pop(id)
        more = quantity - before[1] if place == before[0] else quantity
        fits = quantity <= self.free(place) or more <= 0  # who holds less than before is never refused
        assert status == (404 if place not in self.stocked else 200 if fits else 400)
        self.reservations[id] = (place, quantity) if status == 200 else before

    @precondition(lambda self: self.reservations)
    @rule(which=st.integers(0, 99))
    def release(self, which: int) -> None:
        id = sorted(self.reservations)[which % len(self.reservations)]
        assert self.ask("DELETE", f"/admin/reservations/{id}") == 200
        del self.reservations[id]

    @rule(number=st.integers(0, PLACES - 1), buyers=st.integers(2, 8), quantity=QUANTITIES)
    def rush(self, number: int, buyers: int, quantity: Decimal) -> None:
        """Many want the same at once: as many get it as there is."""
        place = self.places[number]
        free = self.free(place)

        async def all_at_once() -> list[Any]:
            body = self._wanted(place, quantity)
            return await asyncio.gather(*(self.merchant.client("POST", "/admin/reservations", body) for _ in range(buyers)))

        answers = self.do(all_at_once())
        lucky = [answer.json["reservation"]["id"] for answer in answers if answer.status == 200]
        assert len(lucky) == min(buyers, max(0, int(free // quantity)))
        assert {answer.status for answer in answers} <= {200, 400 if place in self.stocked else 404}
        self.reservations |= dict.fromkeys(lucky, (place, quantity))

    def _wanted(self, place: str, quantity: Decimal) -> dict[str, Any]:
        return {"inventory_item_id": self.item, "location_id": place, "quantity": quantity}

    @invariant()
    def the_books_agree(self) -> None:
        async def look() -> tuple[Any, Any]:
            return await asyncio.gather(
                self.merchant.get(f"/admin/inventory-items/{self.item}"),
                self.merchant.get("/admin/reservations", inventory_item_id=self.item, limit="1000"),
            )

        item, reservations = self.do(look())
        item = item["inventory_item"]
        shown = {level["location_id"]: level for level in item["location_levels"]}
        assert {place: D(level["stocked_quantity"]) for place, level in shown.items()} == self.stocked
        assert {place: D(level["reserved_quantity"]) for place, level in shown.items()} == {place: self.held(place) for place in shown}
        assert {place: D(level["available_quantity"]) for place, level in shown.items()} == {place: self.free(place) for place in shown}
        assert D(item["stocked_quantity"]) == sum(self.stocked.values(), D(0))
        assert D(item["reserved_quantity"]) == sum((quantity for _, quantity in self.reservations.values()), D(0))
        there = {row["id"]: (row["location_id"], D(row["quantity"])) for row in reservations["reservations"]}
        assert there == self.reservations

    def teardown(self) -> None:
        for id in self.reservations:
            assert self.ask("DELETE", f"/admin/reservations/{id}") == 200
        self.reservations = {}
        self.the_books_agree()


@pytest.fixture
async def machine(merchant: Merchant) -> type[Stock]:
    places = [await merchant.location() for _ in range(PLACES)]
    return type("StockHere", (Stock,), {"merchant": merchant, "loop": asyncio.get_running_loop(), "places": places})


async def test_whatever_is_done_with_stock_the_books_agree(machine: type[Stock]) -> None:
    bounded = settings(max_examples=25, stateful_step_count=15)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounded)
