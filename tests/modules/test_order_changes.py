"""The change engine of orders: pure, so it is asked directly."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.core.errors import InvalidData
from velella.modules.order.changes.actions import ACTIONS, Counting
from velella.modules.order.changes.applying import applied, taken_back
from velella.modules.order.placing import placed
from velella.modules.order.showing import numbered
from velella.modules.order.tables import order_item

from .test_order import order

AT, LATER = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
COUNTS = [column.name for column in order_item.c if column.name.endswith("quantity")]
SENDING = ("FULFILL_ITEM", "CANCEL_ITEM_FULFILLMENT", "SHIP_ITEM", "DELIVER_ITEM")


def one() -> dict[str, Any]:
    """An order of two of something."""
    return numbered(placed(order(), AT), 1)


def act(name: str, of: dict[str, Any], quantity: Any) -> dict[str, Any]:
    return {"action": name, "details": {"reference_id": of["items"][0]["id"], "quantity": quantity}}


def counts(of: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(of["items"][0]["detail"].get(name) or 0) for name in COUNTS}


@given(st.lists(st.tuples(st.sampled_from(SENDING), st.integers(1, 2)), max_size=12))
def test_whatever_is_tried_no_count_goes_below_zero_or_beyond_what_was_ordered(tried: list[tuple[str, int]]) -> None:
    now = one()
    for name, quantity in tried:
        was = copy.deepcopy(now)
        try:
            after = applied(now, [act(name, now, quantity)], LATER)
        except InvalidData:
            continue
        assert now == was, "the former version changed"
        assert after["version"] == was["version"] + 1
        assert all(0 <= count <= 2 for count in counts(after).values())
        back = taken_back(after, [act(name, now, quantity)], LATER, after["version"], was["summary"])
        assert (counts(back), back["version"], back["summary"]) == (counts(was), was["version"], was["summary"])
        later = {**after, "version": after["version"] + 1}  # by something else that was done since
        assert taken_back(later, [act(name, now, quantity)], LATER, after["version"], was["summary"])["version"] == later["version"]
        assert after["summary"]["current_order_total"] == was["summary"]["current_order_total"]
        now = after


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if isinstance(action, Counting)])
@pytest.mark.parametrize("quantity", [0, -1, 3, Decimal("2.5")])
def test_an_action_refuses_what_the_order_has_not(name: str, quantity: Any) -> None:
    with pytest.raises(InvalidData):
        applied(one(), [act(name, one(), quantity)], LATER)
    with pytest.raises(InvalidData, match="does not exist in order"):
        applied(one(), [{"action": name, "details": {"reference_id": "ordli_0", "quantity": 1}}], LATER)


def test_a_credit_makes_the_next_version_cheaper_and_the_one_after_forgets_that_it_did() -> None:
    first = one()
    cost = Decimal(first["summary"]["current_order_total"])
    second = applied(first, [{"action": "CREDIT_LINE_ADD", "amount": Decimal(3), "reference": "goodwill"}], LATER)
    third = applied(second, [act("FULFILL_ITEM", second, 1)], LATER)
    told = [
        (each["original_order_total"], each["current_order_total"], each["credit_line_total"])
        for each in (second["summary"], third["summary"])
    ]
    assert told == [(cost, cost - 3, 3), (cost - 3, cost - 3, 0)]
    assert [line["version"] for line in third["credit_lines"]] == [third["version"]]
