"""Requests that aren't as they should be are refused in the words clients know; nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Client


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "Field 'name' is required"),
        ('{"name":1}', "Expected type: 'string' for field 'name', got: 'number'"),
        ('{"name":null}', "Expected type: 'string' for field 'name', got: 'null'"),
        ('{"name":["x"]}', "Expected type: 'string' for field 'name', got: 'array'"),
        ('{"name":"x","code":null}', "Expected type: 'string' for field 'code', got: 'null'"),
        ('{"name":"x","foo":1}', "Unrecognized fields: 'foo'"),
        ('{"foo":1,"bar":2}', "Field 'name' is required; Unrecognized fields: 'foo, bar'"),
        ('{"name":"x","kind":"odd"}', "Expected: 'standard, other' for field 'kind', but got: 'odd'"),
        ('{"name":"x","rate":"1"}', "Expected type: 'number' for field 'rate', got: 'string'"),
        ('{"name":"x","rate":true}', "Expected type: 'number' for field 'rate', got: 'boolean'"),
        ('{"name":"x","rate":-1}', "Value for field 'rate' too small, expected at least: '0'"),
        ('{"name":"x","rate":1e40}', "Value for field 'rate' too big, expected at most: '1000000000000000000000'"),
        ('{"name":"x","amount":[]}', "Expected type: 'number, string, object' for field 'amount', got: 'array'"),
        ('{"name":"x","amount":"ten"}', "Invalid number"),
        ('{"name":"x","email":"nobody"}', "Invalid email"),
        ('{"name":"x","rules":{}}', "Expected type: 'array' for field 'rules', got: 'object'"),
        ('{"name":"x","rules":[{"reference":"a"}]}', "Field 'rules, 0, reference_id' is required"),
        ('{"name":"x","address":1}', "Expected type: 'object, string' for field 'address', got: 'number'"),
        ('{"name":1,"code":2,"kind":"z","rate":"x"}', None),
        ("[]", "Expected type: 'object' for field '', got: 'array'"),
    ],
)
async def test_a_body_is_refused_with_the_reason(store: Client, body: str, message: str | None) -> None:
    refused = await store("POST", "/store/echo", data=body, headers={"Content-Type": "application/json"})
    assert refused.status == 400
    assert refused.json["type"] == "invalid_data"
    assert "code" not in refused.json
    if message is not None:
        assert refused.json["message"] == f"Invalid request: {message}"
    else:  # three reasons are enough
        assert refused.json["message"].count(";") == 2


async def test_a_body_arrives_as_it_was_sent_with_defaults_filled_in(store: Client) -> None:
    sent = '{"name":"x","rate":0.10,"amount":{"value":"12.30","precision":20},"rules":[{"reference":"a","reference_id":"b","more":1}]}'
    answer = await store("POST", "/store/echo", data=sent, headers={"Content-Type": "application/json"})
    assert answer.status == 200
    assert '"rate":0.10' in answer.text, "not a digit is lost"
    assert '"amount":12.30' in answer.text
    assert answer.json["body"] == {
        "name": "x",
        "rate": answer.json["body"]["rate"],
        "amount": answer.json["body"]["amount"],
        "rules": [{"reference": "a", "reference_id": "b"}],
        "kind": "standard",
    }


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"name":', "application/json"),
        (b'{"name":"x"}}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'"name"', "application/json"),
        (b"NaN", "application/json"),
        (b'{"rate":NaN,"name":"x"}', "application/json; charset=utf-8"),
        (b"[" * 100_000, "application/json"),
        (b'{"rate":' + b"9" * 5000 + b',"name":"x"}', "application/json"),
        (rb'{"name":"\ud800"}', "application/json"),
        (rb'{"name":"\u0000"}', "application/json"),
        (b"name=%00", "application/x-www-form-urlencoded"),
        (b"hello", "text/plain"),
        (b"{}", "application/octet-stream"),
    ],
)
async def test_what_is_not_json_is_the_clients_mistake(store: Client, data: bytes, kind: str) -> None:
    refused = await store("POST", "/store/echo", data=data, headers={"Content-Type": kind})
    assert refused.status == 400
    assert refused.json["type"] == "invalid_data"
    assert refused.json["message"]


async def test_forms_are_read_like_query_strings(client: Client) -> None:
    answer = await client(
        "POST", "/test/any", data="email=a%40b.co&tags[]=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.json["body"] == {"email": "a@b.co", "tags": ["x"]}


async def test_a_raw_body_stays_as_it_is(client: Client) -> None:
    answer = await client("POST", "/test/hook", data=b'{ "signed": 1 }', headers={"Content-Type": "application/json"})
    assert answer.json == {"raw": '{ "signed": 1 }'}


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("id=a&id=b", {"id": ["a", "b"]}),
        ("id[]=a,b", {"id": ["a", "b"]}),
        ("is_open=true", {"is_open": True}),
        ("weight[$gt]=1.5&weight[$lt]=3", {"weight": {"$gt": 1.5, "$lt": 3}}),
        ("created_at[$gte]=2026-01-01", {"created_at": {"$gte": "2026-01-01"}}),
        ("variants[sku]=x&variants[other]=y", {"variants": {"sku": "x"}}),
        ("variants.sku=x", {"variants": {"sku": "x"}}),
        ("$or[0][status]=open&$or[1][q]=x", {"$or": [{"status": "open"}, {"q": "x"}]}),
    ],
)
async def test_filters_come_through_as_they_are_meant(client: Client, query: str, filters: dict[str, Any]) -> None:
    answer = await client("GET", f"/test/list?{query}")
    assert answer.status == 200, answer.text
    assert {name: value for name, value in answer.json["filters"].items() if value is not None} == filters


async def test_paging_is_as_the_request_says_or_the_view(client: Client) -> None:
    plain = (await client("GET", "/test/list")).json
    assert (plain["limit"], plain["order"], plain["fields"]) == (15, ["-created_at"], ["id", "email"])
    asked = (await client("GET", "/test/list?limit=3xyz&offset=2&order=email&fields=%2Bfirst_name&with_deleted=true")).json
    assert (asked["limit"], asked["order"], asked["fields"]) == (3, ["email"], ["id", "email", "first_name"])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("foo=1&bar=2", "Invalid request: Unrecognized fields: 'foo, bar'"),
        ("limit=x", "Invalid request: Expected type: 'number' for field 'limit', got: 'nan'"),
        ("limit[a]=1", "Invalid request: Expected type: 'number' for field 'limit', got: 'object'"),
        ("limit=-1", "Invalid request: Value for field 'limit' too small, expected at least: '0'"),
        ("with_deleted=maybe", "Invalid request: Expected type: 'boolean' for field 'with_deleted', got: 'string'"),
        ("q[a]=1", "Invalid request: Expected type: 'string' for field 'q', got: 'object'"),
        ("id[$gt]=1", "Invalid request: Expected type: 'string, array' for field 'id', got: 'object'"),
        ("status=ajar", "Invalid request: Expected: 'open, closed' for field 'status', but got: 'ajar'"),
        ("weight[$gt]=heavy", "Invalid request: Expected type: 'number' for field 'weight, $gt', got: 'nan'"),
        ("created_at[$ge]=1", "Invalid request: Unrecognized fields: '$ge'"),
        ("variants=x", "Invalid request: Expected type: 'object' for field 'variants', got: 'string'"),
        ("$and=x", "Invalid request: Expected type: 'array' for field '$and', got: 'string'"),
        ("$and[]=x", "Invalid request: Expected type: 'object' for field '$and, 0', got: 'string'"),
    ],
)
async def test_a_query_is_refused_with_the_reason(client: Client, query: str, message: str) -> None:
    for _ in range(2):  # the second time from memory
        refused = await client("GET", f"/test/list?{query}")
        assert (refused.status, refused.json) == (400, {"type": "invalid_data", "message": message})


async def test_the_order_is_checked_against_what_may_be_seen(store: Client) -> None:
    assert (await store("GET", "/store/people?order=-last_name")).status == 200
    refused = await store("GET", "/store/people?order=created_at")
    assert (refused.status, refused.json["message"]) == (400, "Order field created_at is not valid")
    deep = await store("GET", "/store/people?fields=%2Ba.b.c")
    assert (deep.status, deep.json["type"]) == (400, "invalid_data")


@pytest.mark.parametrize("path", ["/store/people%00", "/admin/people/%00", "/admin/people/x%00y"])
async def test_null_characters_in_paths_are_refused(store: Client, admin: Client, path: str) -> None:
    refused = await store.with_(**admin.headers)("GET", path)
    assert refused.status in (400, 404)
