"""Which zones hold an address, and which rules hold in a context: tables of cases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InvalidData
from velella.modules.fulfillment.matching import Destination, check_rules, lies_in, postal_code_matches, rule_holds

BREMEN = {"country_code": "DE", "province": "HB", "city": "Bremen", "postal_code": "28195"}
NEW_YORK = {"country_code": "us", "province_code": "us-ny", "city": "New York", "postal_code": "10001"}


def zone(kind: str, country: str, province: str | None = None, city: str | None = None, postal: Any = None) -> dict[str, Any]:
    return {"type": kind, "country_code": country, "province_code": province, "city": city, "postal_expression": postal}


@pytest.mark.parametrize(
    ("place", "address", "holds"),
    [
        (zone("country", "de"), BREMEN, True),
        (zone("country", "DE"), BREMEN, True),
        (zone("country", "us"), BREMEN, False),
        (zone("province", "de", "hb"), BREMEN, True),
        (zone("province", "de", "de-hb"), BREMEN, True),
        (zone("province", "de", "by"), BREMEN, False),
        (zone("province", "us", "ny"), NEW_YORK, True),
        (zone("province", "us", "us-ny"), NEW_YORK, True),
        (zone("province", "us", "us-ny"), {"country_code": "us"}, False),
        (zone("province", "us"), NEW_YORK, False),
        (zone("city", "us", "us-ny", "new york"), NEW_YORK, True),
        (zone("city", "us", "us-ny", "Buffalo"), NEW_YORK, False),
        (zone("city", "us", None, "new york"), NEW_YORK, True),
        (zone("city", "us", "us-nj", "new york"), NEW_YORK, False),
        (zone("zip", "us", "us-ny", "new york", {"value": "10001"}), NEW_YORK, True),
        (zone("zip", "us", None, None, {"prefix": "100"}), NEW_YORK, True),
        (zone("zip", "us", "us-nj", None, {"prefix": "100"}), NEW_YORK, False),
        (zone("zip", "us", None, None, None), NEW_YORK, False),
        (zone("zip", "de", None, None, {"from": "28000", "to": "28999"}), BREMEN, True),
    ],
)
def test_a_zone_holds_an_address(place: dict[str, Any], address: dict[str, Any], holds: bool) -> None:
    destination = Destination.of(address)
    assert destination is not None
    assert lies_in(place, destination) is holds


@pytest.mark.parametrize("address", [None, {}, {"city": "Bremen"}, {"country_code": ""}])
def test_without_a_country_there_is_no_destination(address: Any) -> None:
    assert Destination.of(address) is None


@pytest.mark.parametrize(
    ("expression", "code", "matches"),
    [
        ({"value": "28195"}, "28195", True),
        ({"value": ["1", "SW1A 1AA"]}, "sw1a 1aa", True),
        ({"prefix": ["27", "28"]}, "28195", True),
        ({"prefix": ""}, "28195", False),
        ({"pattern": "SW1? *"}, "sw1a 1aa", True),
        ({"pattern": "sw[1]*"}, "sw1a", False),
        ({"from": "900", "to": "1000"}, "999", True),
        ({"from": "900", "to": "1000"}, "10000", False),
        ({"from": "900"}, "1000", True),
        ({"prefix": "28", "to": "28500"}, "28600", False),
        ({"unknown": "28195"}, "28195", False),
        ({}, "28195", False),
        ({"value": "28195"}, None, False),
    ],
)
def test_postal_codes(expression: dict[str, Any], code: str | None, matches: bool) -> None:
    assert postal_code_matches(expression, code) is matches


CONTEXT = {
    "enabled_in_store": True,
    "is_return": "false",
    "item_total": Decimal("99.50"),
    "customer": {"groups": [{"id": "vip"}, {"id": "trade"}]},
    "region.id": "reg_eu",
    "weight": 10,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "holds"),
    [
        ("enabled_in_store", "eq", "true", True),
        ("enabled_in_store", "eq", True, True),
        ("enabled_in_store", "ne", "true", False),
        ("is_return", "eq", "false", True),
        ("is_return", "eq", False, True),
        ("item_total", "gt", "99.5", False),
        ("item_total", "gte", "99.5", True),
        ("item_total", "lt", "100", True),
        ("item_total", "lte", "99.49", False),
        ("item_total", "eq", "99.5", True),
        ("weight", "lt", "9", False),  # as numbers; as text "10" comes before "9"
        ("customer.groups.id", "in", ["vip", "x"], True),
        ("customer.groups.id", "in", ["x"], False),
        ("customer.groups.id", "nin", ["x", "y"], True),
        ("customer.groups.id", "nin", ["trade"], False),
        ("customer.groups.id", "eq", "trade", True),
        ("customer.groups.id", "ne", "trade", False),
        ("region.id", "eq", "reg_eu", True),
        ("missing", "eq", "x", False),
        ("missing", "in", ["x"], False),
        ("missing", "ne", "x", True),
        ("missing", "nin", ["x"], True),
        ("missing", "gt", "0", False),
        ("nothing", "lt", "1", False),
        ("nothing", "ne", "x", True),
    ],
)
def test_rules(attribute: str, operator: str, value: Any, holds: bool) -> None:
    assert rule_holds({"attribute": attribute, "operator": operator, "value": value}, CONTEXT) is holds


@pytest.mark.parametrize(
    "rule",
    [
        {"attribute": "", "operator": "eq", "value": "x"},
        {"attribute": "a", "operator": "like", "value": "x"},
        {"attribute": "a", "operator": "in", "value": "x"},
        {"attribute": "a", "operator": "eq", "value": ["x"]},
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        check_rules([rule])
