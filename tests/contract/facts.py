"""What the API promises of each route that is served (routes.json), and what our routes say, in the same words.

A body or query is an object: names with their types; `name?` may be left out, `~` means that unknown names are dropped instead
of refused, `$` that `$and` and `$or` are taken. Types: `string`, `number >= 0`, `=this that` (one of these words),
`string operators` (a value, many, or {$gt: …}), `boolean word` (also as text), `[type]`, `{"*": type}` (a map),
`{"one or many": type}`, `{"any of": […]}`, `{"or null": {…}}`, `refused`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from velella.http.kit import (
    BOOLEAN,
    MANY,
    NUMBER,
    NUMBERS,
    OPERATORS,
    TEXT,
    Auth,
    Filters,
    Part,
    Route,
)
from velella.http.kit.bodies import BooleanString
from velella.http.kit.filters import PAGING
from velella.http.server import found_routes

BEYOND = {"POST /hooks/fulfillment/{}"}
"""Routes of ours that the API doesn't have."""
Shape = Any
Fact = dict[str, Any]


@cache
def facts() -> dict[str, Fact]:
    """By `METHOD /path`, with the names of parameters left out: those are ours."""
    data = json.loads((Path(__file__).parent / "routes.json").read_text())
    found = {}
    for fact in data["routes"]:
        for name in ("defaults", "allowed"):
            if fact.get(name, "").startswith("@"):
                fact[name] = data["fields"][fact[name][1:]]
        found[anonymous(fact["route"])] = fact
    return found


@cache
def served() -> dict[str, Route]:
    """Routes of the API that are served."""
    every = {anonymous(f"{route.method} {route.path}"): route for route in found_routes()}
    return {name: route for name, route in every.items() if name not in BEYOND}


def anonymous(route: str) -> str:
    return re.sub(r"\{\w+\}", "{}", route)


# -- our side


def auth_shape(auth: Auth) -> str:
    if not auth.actors:
        return "nobody"
    types = " ".join(name for name in ("session", "bearer", "api-key") if name in auth.types)
    flags = (" optional" if auth.optional else "") + (" unregistered" if auth.unregistered else "")
    return f"{' '.join(sorted(auth.actors))} by {types}{flags}"


def body_shape(model: type[Part]) -> Shape:
    schema = model.model_json_schema()
    shape = _type(schema, schema.get("$defs", {}))
    return {"one or many": shape} if model.several else shape


def query_shape(filters: Filters) -> Shape:
    shape: Fact = {} if filters.strict else {"~": True}
    for name, kind in filters.kinds.items():
        if name in PAGING:
            continue
        if isinstance(kind, Filters):
            shape[f"{name}?"] = {**query_shape(kind), "~": True}
        else:
            known = [shape_of for check, shape_of in KINDS if check is kind.check]
            shape[name if kind.required else f"{name}?"] = known[0] if known else _type(kind.schema, {})
    if filters.logical:
        shape["$"] = True
    return shape


KINDS = (
    (TEXT.check, "string"),
    (MANY.check, {"one or many": "string"}),
    (OPERATORS.check, "string operators"),
    (NUMBERS.check, "number operators"),
    (NUMBER.check, "number"),
    (BOOLEAN.check, "boolean word"),
)
WORD = TypeAdapter(BooleanString).json_schema()


def _type(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Shape:
    """A JSON schema as a shape."""
    if "$ref" in schema:
        return _type(parts[schema["$ref"].rpartition("/")[2]], parts)
    if {name: value for name, value in schema.items() if name not in ("title", "default")} == WORD:
        return "boolean word"
    if "anyOf" in schema:
        found = _one_of([_type(each, parts) for each in schema["anyOf"]])
        return found + _default(schema) if isinstance(found, str) else found
    if "const" in schema or "enum" in schema:
        return "=" + " ".join(schema.get("enum", [schema.get("const")])) + _default(schema)
    match schema.get("type"):
        case "array":
            return [_type(schema["items"], parts)]
        case "object" if "properties" in schema or schema.get("additionalProperties") is False:
            needed = schema.get("required", ())
            shape: Fact = {} if schema.get("additionalProperties") is False else {"~": True}
            return shape | {
                name if name in needed else f"{name}?": _type(each, parts) for name, each in schema.get("properties", {}).items()
            }
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return {"*": _type(schema["additionalProperties"], parts)}
        case None:
            return "refused" if schema.get("not") == {} else "any"
        case "integer":
            return "number" + _bounds(schema)
        case kind:
            return str(schema.get("format", kind)) + _bounds(schema) + _default(schema)


def _one_of(shapes: list[Shape]) -> Shape:
    if shapes == ["string", ["string"], "object"]:
        return "string operators"
    others = [shape for shape in shapes if shape != "null"]
    if len(others) < len(shapes):
        assert len(others) == 1, shapes
        return f"{others[0]} or null" if isinstance(others[0], str) else {"or null": others[0]}
    if len(others) == 2 and others[1] == [others[0]]:
        return {"one or many": others[0]}
    return {"any of": others}


def _bounds(schema: Mapping[str, Any]) -> str:
    signs = (("minimum", ">="), ("maximum", "<="), ("exclusiveMinimum", ">"), ("minLength", "length >="))
    return "".join(f" {sign} {schema[name]}" for name, sign in signs if name in schema)


def _default(schema: Mapping[str, Any]) -> str:
    return f" default {schema['default']}" if schema.get("default") is not None else ""


# -- comparing


def differences(promised: Shape, ours: Shape, path: str = "") -> Iterator[str]:
    """Where two shapes differ, one line each."""
    if isinstance(promised, dict) and isinstance(ours, dict):
        bare = {name.rstrip("?"): name for name in promised}, {name.rstrip("?"): name for name in ours}
        for name in bare[0].keys() | bare[1].keys():
            theirs, mine = bare[0].get(name), bare[1].get(name)
            at = f"{path}.{name}" if path else name
            if theirs is None:
                yield f"{at}: not promised"
            elif mine is None:
                yield f"{at}: missing"
            else:
                if theirs != mine:
                    yield f"{at}: may {'' if theirs.endswith('?') else 'not '}be left out"
                yield from differences(promised[theirs], ours[mine], at)
    elif isinstance(promised, list) and isinstance(ours, list) and len(promised) == len(ours):
        for number, (theirs, mine) in enumerate(zip(promised, ours, strict=True)):
            yield from differences(theirs, mine, f"{path}[{number if len(ours) > 1 else ''}]")
    elif promised != ours:
        yield f"{path}: {json.dumps(promised)} promised, {json.dumps(ours)} served"
