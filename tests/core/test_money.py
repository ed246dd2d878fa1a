"""Money has as many decimals as its currency, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.commerce.money import CURRENCIES, decimals, rounded
from velella.core.numbers import plain, raw


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1.005", "eur", "1.01"),
        ("1.004999", "EUR", "1.00"),
        ("0.5", "jpy", "1"),
        ("-2.5", "jpy", "-3"),
        ("1.0005", "kwd", "1.001"),
        ("1.00049", "kwd", "1.000"),
        ("10", "usd", "10.00"),
        ("0.125", "xyz", "0.13"),
        ("123456789012345678901234567890.005", "eur", "123456789012345678901234567890.01"),
    ],
)
def test_amounts_are_rounded_to_their_currency(amount: str, currency: str, expected: str) -> None:
    made = rounded(Decimal(amount), currency)
    assert str(made) == expected


def test_currencies_know_their_decimals() -> None:
    assert [decimals(code) for code in ("eur", "USD", "jpy", "kwd", "clp", "tnd", "huf")] == [2, 2, 0, 3, 0, 3, 0]
    assert len(CURRENCIES) == 126
    assert all(code == each.code == code.lower() and len(code) == 3 and each.name and each.symbol for code, each in CURRENCIES.items())


@given(st.decimals(-(10**18), 10**18, places=4), st.sampled_from(["eur", "jpy", "kwd"]))
def test_rounding_moves_an_amount_by_half_a_step_at_most(amount: Decimal, currency: str) -> None:
    step = Decimal(1).scaleb(-decimals(currency))
    made = rounded(amount, currency)
    assert abs(made - amount) <= step / 2
    assert made % step == 0
    assert rounded(made, currency) == made


@pytest.mark.parametrize(("given_", "shown"), [("1E+2", "100"), ("10.50", "10.5"), ("0.00", "0"), ("-0.10", "-0.1"), ("0.0001", "0.0001")])
def test_the_twin_of_an_amount_has_its_digits(given_: str, shown: str) -> None:
    assert str(plain(Decimal(given_))) == shown
    assert raw(Decimal(given_)) == {"value": shown, "precision": 20}
    assert raw(None) is None
