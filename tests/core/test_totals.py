"""Totals: figures computed by hand, and what must hold for any cart."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.commerce import money
from velella.commerce.totals import LINE_TOTALS, TOTALS, add_totals, in_measure, without_and_with_tax
from velella.core import numbers

D = Decimal


def item(
    price: str, quantity: int = 1, *, inclusive: bool = False, rates: tuple[str, ...] = (), off: tuple[tuple[str, bool], ...] = ()
) -> dict[str, Any]:
    return {
        "unit_price": D(price),
        "quantity": quantity,
        "is_tax_inclusive": inclusive,
        "tax_lines": [{"rate": D(rate)} for rate in rates],
        "adjustments": [{"amount": D(amount), "is_tax_inclusive": including} for amount, including in off],
    }


def shipping(amount: str, *, inclusive: bool = False, rates: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"amount": D(amount), "is_tax_inclusive": inclusive, "tax_lines": [{"rate": D(rate)} for rate in rates], "adjustments": []}


def cart(
    *items: dict[str, Any], methods: tuple[dict[str, Any], ...] = (), currency: str = "eur", credit: tuple[str, ...] = ()
) -> dict[str, Any]:
    row = {
        "currency_code": currency,
        "items": list(items),
        "shipping_methods": list(methods),
        "credit_lines": [{"amount": D(amount)} for amount in credit],
    }
    add_totals(row)
    return row


def shown(row: dict[str, Any], *names: str) -> list[str]:
    return [str(row[name]) for name in names]


def test_prices_without_tax_get_it_on_top() -> None:
    row = cart(item("10", 3, rates=("25",)), methods=(shipping("8", rates=("25",)),))
    assert shown(row, "item_subtotal", "item_tax_total", "item_total") == ["30", "7.5", "37.5"]
    assert shown(row, "shipping_subtotal", "shipping_tax_total", "shipping_total") == ["8", "2", "10"]
    assert shown(row, "subtotal", "tax_total", "total", "original_total") == ["38", "9.5", "47.5", "47.5"]
    assert row["items"][0]["tax_lines"][0]["total"] == D("7.5")


def test_prices_with_tax_contain_it() -> None:
    row = cart(item("11.90", 2, inclusive=True, rates=("19",)), methods=(shipping("5.95", inclusive=True, rates=("19",)),))
    assert shown(row, "item_total", "item_subtotal", "item_tax_total") == ["23.8", "20", "3.8"]
    assert shown(row, "shipping_total", "shipping_subtotal", "shipping_tax_total") == ["5.95", "5", "0.95"]
    assert shown(row, "total", "subtotal", "tax_total") == ["29.75", "25", "4.75"]


def test_a_price_with_tax_that_does_not_divide_evenly_still_adds_up() -> None:
    row = cart(item("10", inclusive=True, rates=("19",)))
    assert shown(row, "subtotal", "tax_total", "total") == ["8.403361344537815126050420168067", "1.596638655462184873949579831933", "10"]


def test_several_rates_share_the_tax() -> None:
    row = cart(item("10", inclusive=True, rates=("5", "9.975")))
    lines = row["items"][0]["tax_lines"]
    assert row["subtotal"] == D("8.697542944118286584040008697543")
    assert shown(lines[0], "total") == ["0.434877147205914329202000434877"]
    assert numbers.total(each["total"] for each in lines) == row["tax_total"]


@pytest.mark.parametrize(
    ("currency", "price", "rate", "total"),
    [
        ("jpy", "333", "10", "366"),  # 366.3
        ("jpy", "335", "10", "369"),  # 368.5: halves go up
        ("eur", "9.99", "25", "12.49"),  # 12.4875
        ("eur", "1.10", "5", "1.16"),  # 1.155
        ("kwd", "1.2345", "10", "1.358"),  # 1.35795
        ("kwd", "0.001", "5", "0.001"),  # 0.00105
    ],
)
def test_the_total_has_the_decimals_of_its_currency(currency: str, price: str, rate: str, total: str) -> None:
    row = cart(item(price, rates=(rate,)), currency=currency)
    assert str(row["total"]) == total
    assert row["item_total"] == D(price) * (100 + D(rate)) / 100


def test_only_the_sum_is_rounded_not_each_line() -> None:
    row = cart(*(item("0.333", rates=()) for _ in range(3)))
    assert str(row["total"]) == "1"  # 0.999; rounded line by line it would be 0.99


def test_discounts_without_tax() -> None:
    row = cart(item("100", rates=("20",), off=(("10", False),)))
    assert shown(row, "subtotal", "discount_subtotal", "discount_tax_total", "discount_total") == ["100", "10", "2", "12"]
    assert shown(row, "original_total", "original_tax_total", "tax_total", "total") == ["120", "20", "18", "108"]
    assert row["item_discount_total"] == D(12)
    assert shown(row["items"][0]["adjustments"][0], "subtotal", "total") == ["10", "12"]
    assert shown(row["items"][0]["tax_lines"][0], "subtotal", "total") == ["20", "18"]


def test_discounts_that_include_tax() -> None:
    row = cart(item("120", inclusive=True, rates=("20",), off=(("12", True),)))
    assert shown(row, "subtotal", "discount_subtotal", "discount_tax_total", "discount_total") == ["100", "10", "2", "12"]
    assert shown(row, "original_total", "tax_total", "total") == ["120", "18", "108"]


def test_credit_lines_are_paid_with_after_tax() -> None:
    row = cart(item("100", rates=("20",)), credit=("30", "0.5"))
    assert shown(row, "credit_line_total", "total", "original_total", "tax_total") == ["30.5", "89.5", "120", "20"]


def test_an_empty_cart_is_zero_everywhere() -> None:
    row: dict[str, Any] = {"currency_code": "eur"}
    add_totals(row)
    assert {name: row[name] for name in TOTALS} == dict.fromkeys(TOTALS, D(0))


def test_what_came_back_can_not_be_refunded_again() -> None:
    line = item("10", 4, rates=("25",), off=(("8", False),))
    line["detail"] = {"return_requested_quantity": 1, "return_received_quantity": 0, "return_dismissed_quantity": 0}
    cart(line)
    assert shown(line, "total", "refundable_total", "refundable_total_per_unit") == ["40", "30", "10"]


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="float is not an exact amount"):
        cart(item("1") | {"unit_price": 0.1})


amounts = st.decimals(min_value=0, max_value=1_000_000, places=4)
rates = st.lists(st.decimals(min_value=0, max_value=60, places=3).map(str), max_size=3).map(tuple)
currencies = st.sampled_from(["jpy", "eur", "kwd"])


@st.composite
def lines(draw: st.DrawFn, *, discounts: bool = False) -> dict[str, Any]:
    price, quantity = draw(amounts), draw(st.integers(1, 50))
    off = draw(st.lists(st.tuples(amounts.map(str), st.booleans()), max_size=3)) if discounts else []
    return item(str(price), quantity, inclusive=draw(st.booleans()), rates=draw(rates), off=tuple(off))


@st.composite
def methods(draw: st.DrawFn) -> dict[str, Any]:
    return shipping(str(draw(amounts)), inclusive=draw(st.booleans()), rates=draw(rates))


@given(st.lists(lines(discounts=True), max_size=4), st.lists(methods(), max_size=2), currencies)
def test_everything_adds_up(items: list[dict[str, Any]], ships: list[dict[str, Any]], currency: str) -> None:
    row = cart(*items, methods=tuple(ships), currency=currency)
    with localcontext(prec=100):
        _adds_up(row, items, ships, currency)


def _adds_up(row: dict[str, Any], items: list[dict[str, Any]], ships: list[dict[str, Any]], currency: str) -> None:
    for line in [*items, *ships]:
        assert line["total"] == line["subtotal"] - line["discount_subtotal"] + line["tax_total"]
        assert line["original_total"] == line["original_subtotal"] + line["original_tax_total"]
        assert line["discount_total"] == line["discount_subtotal"] + line["discount_tax_total"]
        assert sum(tax["total"] for tax in line["tax_lines"]) == (line["tax_total"] if line["tax_lines"] else 0)
    for part in ("total", "subtotal", "tax_total"):
        assert row[f"item_{part}"] == sum(line[part] for line in items)
        assert row[f"shipping_{part}"] == sum(method[part] for method in ships)
    assert row["subtotal"] == row["item_subtotal"] + row["shipping_subtotal"]
    assert row["tax_total"] == row["item_tax_total"] + row["shipping_tax_total"]
    assert row["total"] == money.rounded(row["subtotal"] + row["tax_total"] - row["discount_subtotal"], currency)
    assert row["total"] == money.rounded(row["item_total"] + row["shipping_total"], currency)
    assert row["original_total"] == row["original_item_total"] + row["original_shipping_total"]


@given(st.lists(lines(), max_size=4), st.lists(methods(), max_size=2), currencies)
def test_nothing_is_negative_without_discounts(items: list[dict[str, Any]], ships: list[dict[str, Any]], currency: str) -> None:
    row = cart(*items, methods=tuple(ships), currency=currency)
    assert all(row[name] >= 0 for name in TOTALS)
    assert all(line[name] >= 0 for line in [*items, *ships] for name in LINE_TOTALS)


@given(amounts, st.integers(1, 50), rates)
def test_a_price_with_tax_and_the_same_without_give_the_same_figures(price: Decimal, quantity: int, percents: tuple[str, ...]) -> None:
    without = item(str(price), quantity, rates=percents)
    cart(without)
    with_tax = item(str(without["total"]), inclusive=True, rates=percents)
    cart(with_tax)
    assert with_tax["total"] == without["total"]
    assert abs(with_tax["subtotal"] - without["subtotal"]) <= D("1e-30")
    assert abs(with_tax["tax_total"] - without["tax_total"]) <= D("1e-30")


@given(amounts, st.integers(1, 50), rates)
def test_figures_read_as_doubles_are_the_nearest_to_the_exact_value(price: Decimal, quantity: int, percents: tuple[str, ...]) -> None:
    rate = sum((Fraction(each) for each in percents), Fraction(0)) / 100
    [line] = cart(item(str(price), quantity, inclusive=True, rates=percents))["items"]
    exact = Fraction(price) * quantity / (1 + rate)
    assert float(line["subtotal"]) == float(exact)
    assert float(line["tax_total"]) == float(Fraction(price) * quantity - exact)


@given(amounts, st.booleans(), rates)
def test_what_is_said_in_the_other_measure_is_the_same_amount(amount: Decimal, inclusive: bool, percents: tuple[str, ...]) -> None:
    rate = sum((D(each) for each in percents), D(0)) / 100
    other = in_measure(amount, inclusive, not inclusive, rate)
    there, back = without_and_with_tax(other, not inclusive, rate)
    assert (back if inclusive else there) == amount


def in_fractions(row: dict[str, Any]) -> Fraction:
    """What is to be paid, exactly: each price, and each discount, with the taxes of its line."""
    paid = -sum((Fraction(line["amount"]) for line in row["credit_lines"]), Fraction(0))
    for line in [*row["items"], *row["shipping_methods"]]:
        factor = 1 + sum((Fraction(tax["rate"]) for tax in line["tax_lines"]), Fraction(0)) / 100
        price = Fraction(line["amount"]) if "amount" in line else Fraction(line["unit_price"]) * line["quantity"]
        paid += price if line["is_tax_inclusive"] else price * factor
        for off in line["adjustments"]:
            paid -= Fraction(off["amount"]) * (1 if off["is_tax_inclusive"] else factor)
    return paid


@given(st.lists(lines(discounts=True), max_size=5), st.lists(methods(), max_size=2), currencies, st.lists(amounts.map(str), max_size=2))
def test_what_is_charged_is_the_exact_sum_rounded_once(
    items: list[dict[str, Any]], ships: list[dict[str, Any]], currency: str, credit: list[str]
) -> None:
    row = cart(*items, methods=tuple(ships), currency=currency, credit=tuple(credit))
    exact, unit = in_fractions(row), Fraction(1, 10 ** money.decimals(currency))
    whole = floor(abs(exact) / unit + Fraction(1, 2)) * unit  # halves away from zero
    assert Fraction(row["total"]) == (whole if exact >= 0 else -whole)
