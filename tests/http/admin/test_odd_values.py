"""Bodies of the right shape with odd values in them, and odd filters: refused or taken, but nothing breaks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from velella.core.ids import ulid
from velella.http.kit import Filters, Route

from .conftest import FILES, Merchant
from .test_shipping import set_at, standard, zone_of

TEXTS = ("", " ", "x", "a" * 300, "ä€😀", "%_\\", "'\";--", "true", "0", "null", "dk", "manual_manual", "sloc_none", "x@example.com")
NUMBERS = (0, 1, -1, 2.5, 0.1, 10**9, 2**31, 2**63, 10**20, 1e-12, -(10**15))
OBJECTS: tuple[Any, ...] = ({}, {"a": 1}, {"": None}, {"deep": [{"er": [1, "2", None]}]}, {"from": 5, "to": "9"}, {"prefix": [1]})
QUERIES = ("", "x", "true", "0", "-1", "2.5", "1e400", "null", "%", "'", "2026-01-01", "99999999999999999999", "created_at", "-id")

ROUTES = [route for file in FILES for route in file.routes if route.path.startswith("/admin")]


Known = dict[str, str]
"""Ids of things that are there, by the name of a field or the segment of a path that they go with."""


class Odd:
    """Makes values for a JSON schema. The seed is in the test's name."""

    def __init__(self, seed: int, known: Known) -> None:
        self.random = random.Random(seed)
        self.known = known

    def value(self, schema: Mapping[str, Any], definitions: Mapping[str, Any], name: str = "") -> Any:
        if "$ref" in schema:
            return self.value(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        if "anyOf" in schema:
            return self.value(self.random.choice(schema["anyOf"]), definitions, name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        match schema.get("type"):
            case "string":
                return self.text(name)
            case "number" | "integer":
                return self.random.choice(NUMBERS)
            case "boolean":
                return self.random.random() < 0.5
            case "array":
                return [self.value(schema.get("items", {}), definitions, name) for _ in range(self.random.randrange(3))]
            case "object" if "properties" in schema:
                needed = schema.get("required", ())
                given = [name for name in schema["properties"] if name in needed or self.random.random() < 0.4]
                return {name: self.value(schema["properties"][name], definitions, name) for name in given}
            case "null":
                return None
        return self.random.choice(OBJECTS)

    def text(self, name: str) -> str:
        if self.random.random() < 0.8 and name in self.known:
            return self.known[name]
        return self.random.choice(TEXTS)

    def path(self, route: Route) -> str:
        parts = route.path.split("/")
        named = (quote(self.text(before), safe="") or "x" if part.startswith("{") else part for before, part in pairwise(parts))
        return "/".join(named)

    def query(self, filters: Filters) -> str:
        names = [*_names(filters), "fields", "order", "limit", "offset", "with_deleted", "$and[0][id]", "$or[0][q]"]
        return urlencode([(self.random.choice(names), self.random.choice((*QUERIES, *self.known.values()))) for _ in range(3)])


def _names(filters: Filters, prefix: str = "") -> Iterator[str]:
    for name, kind in filters.kinds.items():
        place = f"{prefix}[{name}]" if prefix else name
        if isinstance(kind, Filters):
            yield from _names(kind, place)
        else:
            yield from (place, f"{place}[]", f"{place}[$gt]", f"{place}[$ne]", f"{place}[$in][]", f"{place}[id]")


@pytest.fixture
async def known(merchant: Merchant) -> Known:
    place, other = await merchant.location(), await merchant.location()
    item = await merchant.item(stocked={place: 5})
    customer = (await merchant.post("/admin/customers", {"first_name": "Ada"}))["customer"]["id"]
    address = (await merchant.post(f"/admin/customers/{customer}/addresses", {"city": "London"}, fields="addresses.id"))["customer"]
    group = (await merchant.post("/admin/customer-groups", {"name": ulid()}))["customer_group"]["id"]
    delivery = await set_at(merchant, place)
    await merchant.post(f"/admin/stock-locations/{place}/fulfillment-providers", {"add": ["manual_manual"]})
    zone = await zone_of(merchant, delivery)
    option = (await merchant.post("/admin/shipping-options", await standard(merchant, zone)))["shipping_option"]
    held = await merchant.post("/admin/reservations", {"inventory_item_id": item, "location_id": place, "quantity": 1})
    regions = (await merchant.get("/admin/tax-regions", country_code="no"))["tax_regions"]
    new = {"country_code": "no", "provider_id": "tp_system"}
    region = regions[0] if regions else (await merchant.post("/admin/tax-regions", new))["tax_region"]
    rate = (await merchant.post("/admin/tax-rates", {"name": "x", "code": "x", "tax_region_id": region["id"]}))["tax_rate"]["id"]
    return {
        "stock-locations": place, "location-levels": place, "location_id": other, "inventory-items": item, "inventory_item_id": item,
        "reservations": held["reservation"]["id"], "customers": customer, "addresses": address["addresses"][0]["id"],
        "customer-groups": group, "add": group, "fulfillment-sets": delivery, "service-zones": zone, "service_zone_id": zone,
        "shipping-profiles": option["shipping_profile"]["id"], "shipping_profile_id": option["shipping_profile"]["id"],
        "shipping-options": option["id"], "shipping-option-types": option["type"]["id"], "type_id": option["type"]["id"],
        "tax-regions": region["id"], "tax_region_id": region["id"], "parent_id": region["id"], "tax-rates": rate,
        "provider_id": "manual_manual", "currency_code": "eur", "email": f"{ulid()}@example.com",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_no_odd_value_breaks_a_route(merchant: Merchant, known: Known, seed: int) -> None:
    odd = Odd(seed, known)
    for route in ROUTES:
        if route.body is not None:
            schema = route.body.model_json_schema()
            body = odd.value(schema, schema.get("$defs", {}))
            answer = await merchant.client(route.method, f"/{odd.path(route)}", body)
            assert answer.status < 500, f"{route.method} {route.path} {body}: {answer.text}"


@pytest.mark.parametrize("seed", range(4))
async def test_no_odd_filter_breaks_a_list(merchant: Merchant, known: Known, seed: int) -> None:
    odd = Odd(seed, known)
    for route in ROUTES:
        if route.many and route.query is not None:
            query = odd.query(route.query)
            answer = await merchant.client("GET", f"/{odd.path(route)}?{query}")
            assert answer.status < 500, f"{route.path}?{query}: {answer.text}"
