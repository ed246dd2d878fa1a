"""The description of the API in OpenAPI 3.1, made from the routes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ... import __version__
from ...core.settings import Settings
from .access import API_KEY, Auth
from .bodies import Part
from .route import Route
from .view import View

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "code": {"type": "string", "description": "A slug of the error, where it has one."},
        "type": {"type": "string", "description": "The kind of the error: invalid_data, not_allowed, not_found, …"},
        "message": {"type": "string"},
    },
}

TEXT_ERROR: dict[str, Any] = {
    "description": "The request was refused.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}, "text/plain": {"schema": {"type": "string"}}},
}

PAGING: dict[str, Mapping[str, Any]] = {
    "offset": {"type": "integer", "minimum": 0, "default": 0},
    "limit": {"type": "integer", "minimum": 0},
    "order": {"type": "string", "description": "Field to order by; `-` in front means descending."},
    "with_deleted": {"type": "boolean"},
}

FIELDS = {
    "type": "string",
    "description": "Comma separated: names replace the defaults, `+name` and `*relation` add to them, `-name` takes away.",
}

_PARAMETER = re.compile(r"{(\w+)}")


def describe(routes: Iterable[Route], settings: Settings) -> dict[str, Any]:
    """The whole OpenAPI document."""
    routes = list(routes)
    bodies, schemas = _bodies(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, bodies)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Velella", "version": __version__, "description": "The store, admin and authentication API."},
        "servers": [{"url": settings.url}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted({"Error": ERROR, **schemas}.items())),
            "responses": {
                "Error": {"description": "The request was refused.", "content": {"application/json": {"schema": _ref("Error")}}},
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "connect.sid"},
                "api_key": {"type": "http", "scheme": "basic", "description": "A secret API key as the user name."},
                "publishable_key": {"type": "apiKey", "in": "header", "name": "x-publishable-api-key"},
            },
        },
    }


def _operation(route: Route, bodies: Mapping[type[Part], dict[str, Any]]) -> dict[str, Any]:
    area = route.path.split("/")[1]
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', route.path)}".rstrip("_"),
        "summary": route.summary,
        "tags": ["/".join(route.path.split("/")[1:3])],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {
            str(route.status): {"description": "Done.", "content": {route.answers: {"schema": _answer(route)}}},
            "4XX": {"$ref": "#/components/responses/Error"} if route.answers != "text/plain" else TEXT_ERROR,
            "5XX": {"$ref": "#/components/responses/Error"},
        },
    }
    security = _security(route.auth, store=area == "store")
    if security:
        operation["security"] = security
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(info.is_required() for info in route.body.model_fields.values()),
            "content": {"application/json": {"schema": bodies[route.body]}},
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(route.path)]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schemas: dict[str, Mapping[str, Any]] = {}
    if route.returns is not None:
        schemas["fields"] = FIELDS
    if route.many:
        schemas |= {**PAGING, "limit": {**PAGING["limit"], "default": route.limit}}
    schemas |= route.query.schemas()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in route.query.needed(),
            "schema": schema,
            **({"style": "deepObject", "explode": True} if schema.get("type") == "object" else {}),
        }
        for name, schema in schemas.items()
    ]


def _answer(route: Route) -> dict[str, Any]:
    if route.answers != "application/json":
        return {"type": "string"}
    if route.envelope:
        return {"type": "object", "required": list(route.envelope), "properties": {name: {} for name in route.envelope}}
    if route.method == "DELETE" and (route.returns is None or not route.many):
        return {
            "type": "object",
            "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
        }
    view = route.returns
    if view is None:
        return {"type": "object"}
    if not route.many:
        return {"type": "object", "required": [view.key], "properties": {view.key: _shown(view)}}
    figures = {name: {"type": "integer"} for name in ("count", "offset", "limit")}
    return {
        "type": "object",
        "required": [view.plural, *figures],
        "properties": {view.plural: {"type": "array", "items": _shown(view)}, **figures},
    }


def _shown(view: View) -> dict[str, Any]:
    """What a view shows by default: the names; their schemas are up to the modules."""
    top = dict.fromkeys(field.removeprefix("*").partition(".")[0] for field in view.defaults)
    return {"type": "object", "properties": {name: {} for name in top if name}}


def _bodies(routes: Iterable[Route]) -> tuple[dict[type[Part], dict[str, Any]], dict[str, Any]]:
    """References to the schemas of all bodies, and these schemas by name. Two models of the same name get longer ones."""
    models = dict.fromkeys(route.body for route in routes if route.body is not None)
    wanted: list[tuple[type[Part], JsonSchemaMode]] = [(model, "validation") for model in models]
    references, schema = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    return {model: references[model, "validation"] for model in models}, _tidy(schema.get("$defs", {}))


def _tidy(schema: Any) -> Any:
    """The schema without defaults that only mean that a field may be left out."""
    if isinstance(schema, dict):
        return {key: _tidy(value) for key, value in schema.items() if not (key == "default" and value is None)}
    return [_tidy(item) for item in schema] if isinstance(schema, list) else schema


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _security(auth: Auth, *, store: bool) -> list[dict[str, list[str]]]:
    ways: list[dict[str, list[str]]] = [{"api_key" if kind == API_KEY else kind: []} for kind in sorted(auth.types)]
    if auth.optional:
        ways.insert(0, {})
    return [{**way, "publishable_key": []} for way in ways or [{}]] if store else ways
