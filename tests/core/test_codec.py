"""What goes over the wire arrives as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.core.codec import pack, travelled, unpack, wire
from velella.core.sql.schema.query import Page, Query

text = st.text(st.characters(exclude_categories=["Cs"]))
times = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False)
    | text
    | st.binary()
    | times
    | st.dates()
)
hashable = st.integers() | text | st.decimals(allow_nan=False) | st.dates()


@wire
@dataclass(frozen=True)
class Parcel:
    label: str
    weight: Decimal
    sent: datetime | None = None
    tags: tuple[str, ...] = ()
    inner: Any = None


@wire
@dataclass(frozen=True)
class Nothing:
    pass


def parcels(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Parcel]:
    weights = st.decimals(allow_nan=False)
    return st.builds(Parcel, label=text, weight=weights, sent=st.none() | times, tags=st.lists(text).map(tuple), inner=inner)


values = st.recursive(
    scalars | st.just(Nothing()) | st.frozensets(hashable) | st.sets(hashable),
    lambda inner: st.lists(inner) | st.dictionaries(text | st.integers(-100, 100), inner) | parcels(inner),
    max_leaves=15,
)


@given(values)
def test_a_value_arrives_as_it_was(value: Any) -> None:
    arrived = travelled(value)
    assert arrived == value
    assert type(arrived) is type(value)


@given(st.binary(max_size=200))
def test_bytes_that_nobody_packed_do_no_harm(data: bytes) -> None:
    try:
        unpack(data)
    except ValueError:
        pass  # refused; anything else would be a crash


def test_a_tuple_arrives_as_a_list_and_in_a_field_of_tuples_as_a_tuple() -> None:
    nested: Any = (1, (2, 3))
    assert travelled(nested) == [1, [2, 3]]
    assert travelled(Parcel("a", Decimal(1), tags=("x", "y"))).tags == ("x", "y")


def test_a_time_arrives_as_the_same_instant() -> None:
    moment = datetime(2026, 5, 1, 12, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=-7)))
    arrived = travelled(moment)
    assert arrived == moment
    assert arrived.tzinfo is UTC or arrived.utcoffset() == timedelta(0)


def test_decimals_keep_their_zeros() -> None:
    assert [str(amount) for amount in travelled([Decimal("1.50"), Decimal("0E-10"), Decimal("-0.0")])] == ["1.50", "0E-10", "-0.0"]


def test_queries_and_pages_travel() -> None:
    query = Query("product", ("id", "*variants"), {"price": {"$gt": Decimal("1.10")}, "id": {"a", "b"}}, ("-title",), 20)
    assert travelled(query) == query
    page = travelled(Page(b'[{"amount":1.50}]', 7))
    assert (page.rows, page.count) == ([{"amount": Decimal("1.50")}], 7)


def test_a_copy_shares_nothing() -> None:
    row = {"items": [{"id": "a"}]}
    travelled(row)["items"].append({"id": "b"})
    assert row == {"items": [{"id": "a"}]}


@pytest.mark.parametrize("value", [Path("x"), object(), 1j, datetime(2026, 1, 1), ValueError("x")], ids=lambda v: type(v).__name__)
def test_what_cannot_travel_is_named(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        pack({"deep": [value]})


def test_a_dataclass_that_nobody_registered_cannot_travel() -> None:
    @dataclass
    class Stranger:
        a: int

    with pytest.raises(TypeError, match="Stranger"):
        pack(Stranger(1))


def test_a_class_unknown_to_the_receiver_is_refused() -> None:
    data = pack(Parcel("a", Decimal(1))).replace(b"Parcel", b"Barrel")
    with pytest.raises(ValueError, match="Barrel"):
        unpack(data)


def test_two_wire_classes_cannot_have_one_name() -> None:
    other = type("Parcel", (), {"__annotations__": {"a": int}, "__module__": "elsewhere"})
    with pytest.raises(TypeError, match="Two wire classes are called Parcel"):
        wire(dataclass(other))


def test_a_class_that_is_no_dataclass_cannot_be_registered() -> None:
    with pytest.raises(TypeError, match="put @wire above @dataclass"):
        wire(Path)


def test_dates_and_big_integers_travel() -> None:
    assert travelled([date(2026, 2, 28), 2**200, -(2**65)]) == [date(2026, 2, 28), 2**200, -(2**65)]
    assert date is not datetime
