"""JSON keeps every digit, both ways."""

from __future__ import annotations

import json as plain
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.core import json

scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner), max_leaves=20
)


@given(values)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert json.loads(json.dumps(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_keeps_its_digits(amount: Decimal) -> None:
    text = json.dumps(amount)
    assert Decimal(text.decode()) == amount
    plain.loads(text)


@pytest.mark.parametrize("text", ["0.1", "19.99", "1.10", "0.000000000000000000001", "123456789012345678901234567890.5"])
def test_a_number_with_a_point_is_a_decimal_with_all_its_digits(text: str) -> None:
    amount = json.loads(text)
    assert isinstance(amount, Decimal)
    assert str(amount) == str(Decimal(text))
    assert json.dumps(amount) == text.encode()


def test_a_whole_number_is_an_int_of_any_size() -> None:
    assert json.loads("[1, -5, 123456789012345678901234567890]") == [1, -5, 123456789012345678901234567890]
    assert json.dumps({"big": [2**70, -(2**64)], "edge": [2**63, 2**64 - 1, -(2**63)]}) == (
        b'{"big":[1180591620717411303424,-18446744073709551616],"edge":[9223372036854775808,18446744073709551615,-9223372036854775808]}'
    )


def test_a_huge_exponent_is_not_written_out_in_zeros() -> None:
    assert len(json.dumps(Decimal("1e999999"))) < 20


def test_times_are_shown_as_the_api_shows_them() -> None:
    noon = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))
    assert json.dumps([noon, date(2026, 1, 31)]) == b'["2026-01-31T10:00:00.123Z","2026-01-31"]'
    assert json.dumps(datetime(2026, 1, 31, tzinfo=UTC)) == b'"2026-01-31T00:00:00.000Z"'


def test_text_of_the_database_goes_in_as_it_is() -> None:
    assert json.dumps({"rows": json.Fragment(b'[{"amount": 1.50}]')}) == b'{"rows":[{"amount": 1.50}]}'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"\xff",
        b'"\\ud800"',
        b'{"a": "\\uDC00x"}',
        b"[1,]",
        b"01",
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json.loads(text)


def test_a_surrogate_with_its_other_half_is_a_character() -> None:
    assert json.loads(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1)])
def test_a_value_that_json_cannot_hold_is_named(value: object) -> None:
    with pytest.raises(ValueError, match=r"NaN|Infinity|zone"):
        json.dumps([value])


def test_a_type_that_json_cannot_hold_is_named() -> None:
    with pytest.raises(TypeError, match="complex has no JSON form"):
        json.dumps({"a": [1j]})
