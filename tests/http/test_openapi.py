"""The description of the API says what the routes do."""

from __future__ import annotations

from typing import Any

from velella.core import json
from velella.core.settings import Settings
from velella.http.kit.openapi import describe
from velella.http.kit.routes import RouteTree
from velella.http.server import found_routes

from .conftest import Client


def test_every_route_there_is_is_described() -> None:
    routes = list(found_routes())
    RouteTree(iter(routes))  # no two for one path and method
    document = json.loads(json.dumps(describe(routes, Settings())))
    assert document["openapi"].startswith("3.1")
    for route in routes:
        assert route.method.lower() in document["paths"][route.path], route.path
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    for reference in _references(document):
        at: Any = document
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


def test_each_body_has_a_schema_and_a_name_of_its_own() -> None:
    routes = [route for route in found_routes() if route.body is not None]
    document = json.loads(json.dumps(describe(routes, Settings())))
    for route in routes:
        body = document["paths"][route.path][route.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        assert route.body is not None
        named = {info.validation_alias or info.alias or name for name, info in route.body.model_fields.items()}
        assert schema.get("properties", {}).keys() == named, route.path
    assert [name for name in document["components"]["schemas"] if "__" in name] == [], "two bodies have one name"


async def test_bodies_filters_and_callers_are_described(client: Client) -> None:
    paths = (await client("GET", "/openapi.json")).json["paths"]
    create = paths["/admin/api-keys"]["post"]
    assert create["requestBody"]["required"] is True
    assert {"api_key": []} in create["security"]
    listed = paths["/admin/api-keys"]["get"]
    assert {"fields", "limit", "offset", "order", "q", "token"} <= {one["name"] for one in listed["parameters"]}
    store = paths["/store/people"]["get"]
    assert {"publishable_key": []} in store["security"]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []
