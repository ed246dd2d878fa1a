"""What every route answers to those who don't ask as they should: the error that is promised, and nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .asking import NAMES, RESETTING, WITH_BODY, caller, is_error, refused
from .facts import facts, served
from .walk import Shop

# -- bodies


def shape_of(name: str) -> dict[str, Any]:
    body: dict[str, Any] = facts()[name]["body"]
    return body.get("one or many", body)


def least(shape: Any) -> Any:
    """The smallest value that has this shape."""
    if isinstance(shape, list):
        return []
    if isinstance(shape, dict):
        if "one or many" in shape:
            return least(shape["one or many"])
        if "any of" in shape:
            return least(shape["any of"][0])
        return {name: least(each) for name, each in shape.items() if not name.endswith("?") and name not in ("~", "*")}
    word = shape.split()[0]
    return {"string": "x", "email": "a@example.com", "number": 1, "boolean": True, "object": {}}.get(word, word.removeprefix("="))


def wrong(shape: Any) -> tuple[Any, str | None]:
    """A value of another type, and how the refusal begins (None: one of several ways)."""
    if isinstance(shape, list):
        return "text", "Expected type: 'array' for field '{}', got: 'string'"
    if isinstance(shape, dict):
        if "any of" in shape or "one or many" in shape:
            return 5, None
        return 5, "Expected type: 'object' for field '{}', got: 'number'"
    if shape.startswith("="):
        words = shape[1:].split(" default ")[0].removesuffix(" or null").replace(" ", ", ")
        return 5, f"Expected: '{words}' for field '{{}}', but got: '5'"
    if shape == "refused":
        return [], None
    if shape == "boolean word":
        return 5, None
    kind = shape.split()[0]
    if kind in ("number", "boolean"):
        return "text", f"Expected type: '{kind}' for field '{{}}', got: 'string'"
    return 5, f"Expected type: '{'string' if kind in ('email', 'date-time') else kind}' for field '{{}}', got: 'number'"


@pytest.mark.parametrize("name", [name for name in WITH_BODY if least(shape_of(name))])
async def test_a_body_without_what_is_needed_is_refused(shop: Shop, name: str) -> None:
    needed = list(least(shape_of(name)))
    told = is_error(await refused(caller(shop, name), name, {}), 400, "invalid_data")
    assert told == "Invalid request: " + "; ".join(f"Field '{each}' is required" for each in needed[:3])


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_key_that_nobody_knows_is_refused(shop: Shop, name: str) -> None:
    if "~" in shape_of(name):
        pytest.skip("unknown keys are dropped")
    told = is_error(await refused(caller(shop, name), name, {**least(shape_of(name)), "velella": 1}), 400, "invalid_data")
    assert told == "Invalid request: Unrecognized fields: 'velella'"


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_value_of_another_type_is_refused(shop: Shop, name: str) -> None:
    shape = shape_of(name)
    for field, kind in shape.items():
        if field == "~" or kind == "any":
            continue
        bare = field.rstrip("?")
        value, words = wrong(kind)
        told = is_error(await refused(caller(shop, name), name, {**least(shape), bare: value}), 400, "invalid_data")
        assert told.startswith("Invalid request: "), told
        assert words is None or told == f"Invalid request: {words.format(bare)}"


@pytest.mark.parametrize("name", WITH_BODY)
async def test_null_is_refused_where_it_means_nothing(shop: Shop, name: str) -> None:
    shape = shape_of(name)
    for field, kind in shape.items():
        if field == "~" or kind == "any" or (isinstance(kind, str) and "null" in kind) or (isinstance(kind, dict) and "or null" in kind):
            continue
        told = is_error(await refused(caller(shop, name), name, {**least(shape), field.rstrip("?"): None}), 400, "invalid_data")
        assert told.startswith("Invalid request: "), told


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("POST")])
async def test_what_is_no_json_or_too_much_of_it_is_refused(shop: Shop, name: str) -> None:
    api, kind = caller(shop, name), {"content-type": "application/json"}
    if not served()[name].raw_body:
        is_error(await refused(api, name, text="{", headers=kind), 400, "invalid_data")
    if served()[name].streams:
        return  # as large as its files may be: tests/http/test_uploads.py
    limit = served()[name].body_limit or 100 * 1024
    large = json.dumps({"metadata": "x" * limit})
    is_error(await refused(api, name, text=large, headers=kind), 413, "unknown_error")


# -- who asks


@pytest.mark.parametrize("name", [name for name in NAMES if facts()[name]["auth"] != "nobody"])
async def test_only_those_are_let_in_who_may(shop: Shop, name: str) -> None:
    if name == RESETTING:
        pytest.skip("asks for the token of an email")
    key = shop.store.headers if "/store/" in name else {}
    for headers in (key, {**key, "authorization": "Bearer nonsense"}):
        answer = await refused(shop.guest.as_(**headers), name, {} if name.startswith("POST") else None)
        if "optional" in facts()[name]["auth"]:
            assert answer.status != 401
        else:
            assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("name", [name for name in NAMES if "/store/" in name])
async def test_a_storefront_says_which_it_is(shop: Shop, name: str) -> None:
    is_error(await refused(shop.guest, name), 400, "not_allowed")
    is_error(await refused(shop.guest.as_(x_publishable_api_key="pk_0"), name), 400, "not_allowed")


# -- what isn't there

OTHERWISE = {
    "DELETE /store/customers/me/addresses/{}": 200,
    "GET /admin/users/{}/auth-providers": 200,
    "GET /admin/orders/{}/changes": 200,
    "GET /admin/orders/{}/line-items": 200,
    "GET /admin/layouts/{}/configuration": 200,
    "GET /admin/views/{}/columns": 400,
    "POST /admin/views/{}/configurations": 400,
    "GET /admin/views/{}/configurations/active": 200,
    "POST /admin/layouts/{}/configuration": 200,
    "DELETE /admin/layouts/{}/configuration": 200,
    "POST /admin/price-lists/{}/products": 400,
    "POST /admin/products/{}/variants/batch": 200,
    "POST /admin/products/{}/variants/inventory-items/batch": 200,
    "POST /hooks/payment/{}": 400,
    "GET /admin/promotions/{}/{}": 200,
    "GET /admin/promotions/rule-attribute-options/{}": 200,
    "GET /admin/promotions/rule-value-options/{}/{}": 200,
}
"""Where nothing is asked of what isn't there, or somebody else may ask only."""


@pytest.mark.parametrize("name", [name for name in NAMES if "{}" in name and "/auth/" not in name])
async def test_what_is_not_there_is_not_found(shop: Shop, name: str) -> None:
    fact = facts()[name]
    answer = await refused(caller(shop, name), name, least(shape_of(name)) if name in WITH_BODY else None)
    if name in OTHERWISE:
        assert answer.status == OTHERWISE[name]
    elif answer.status == 200 and "count" in fact["keys"].split():
        assert answer.json["count"] == 0
    elif name.startswith("DELETE") and answer.status == 200:
        assert "not_found" not in fact.get("errors", "")
        assert answer.json == {"id": "nobody", "object": fact["const"]["object"], "deleted": True}
    else:
        is_error(answer, 404, "not_found")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("GET")])
async def test_a_parameter_that_nobody_knows_is_refused_where_the_query_is_looked_at(shop: Shop, name: str) -> None:
    fact = facts()[name]
    answer = await refused(caller(shop, name), name, params={"velella": "1"})
    if fact.get("unchecked_query") or fact.get("query", {}).get("~"):
        assert "velella" not in answer.text
    else:
        assert "Unrecognized fields: 'velella'" in is_error(answer, 400, "invalid_data")


async def test_no_account_of_a_cloud_becomes_a_user(shop: Shop) -> None:
    is_error(await shop.admin.raw("POST", "/cloud/auth/users"), 400, "invalid_data")
    new = {"email": "cloud@example.com", "password": "correct horse"}
    token = (await shop.guest.raw("POST", "/auth/user/emailpass/register", new)).json["token"]
    is_error(await shop.guest.as_(authorization=f"Bearer {token}").raw("POST", "/cloud/auth/users"), 401, "unauthorized")
    assert (await shop.guest.raw("GET", "/cloud/auth")).json == {"enabled": False}
