"""Reads requests: bodies of all accepted types, and query strings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from aiohttp import web

from ...core.budget import check_body, check_filters
from ...core.errors import InvalidData
from ...core.json import VALUES, OutOfBounds, received
from ...modules.translation.locales import normal
from ..kit.bodies import json_type
from ..kit.filters import BOOLEAN, Filters, with_nulls
from ..kit.issues import Issue, invalid_request, invalid_type
from ..kit.receiving import whole_body
from ..kit.reply import Paging, http_error
from ..kit.request import Request
from ..kit.route import Route
from ..kit.view import Fields
from .querystring import parse

LARGEST = 2**31 - 1
BYTES_OF_A_VALUE = 20
"""A body with a raised limit may hold one value for this many of its bytes: a denser one holds no names."""
SMALL = 1500
"""Bytes of a body that can't hold more values than the budget allows."""
LONGEST_TYPE = 256
"""Characters of a media type with its parameters."""
PAGING = ("offset", "limit", "order", "with_deleted")

_SURROGATES = re.compile("[\ud800-\udfff]")
"""What aiohttp makes of bytes that aren't UTF-8."""

Understood = tuple[Fields, dict[str, Any], Paging, str | None, dict[str, Any]]
"""Fields, filters, paging, the locale that it names, and what plugins take besides."""

LOCALE_HEADER = "X-Medusa-Locale"
_LOCALE = re.compile("[A-Za-z0-9-]{1,35}")


async def read_body(http: web.BaseRequest, request: Request, limit: int, *, raw: bool) -> Any:
    """The body as Python values; {} where its type isn't one that we parse.

    Raises:
        Refused: see `receiving.whole_body`; 400 when it isn't what its type says.
        InvalidData: it holds more than the budget allows.
    """
    data = await whole_body(http, limit, request.settings)
    if raw:
        request.raw = data
        return {}
    kind = http.content_type
    if not data or not data.strip():
        return {}
    if kind == "application/json" or kind.endswith("+json"):
        value = _json(data, limit)
    elif kind == "application/x-www-form-urlencoded":
        value = parse(data.decode("utf-8", "replace"))
    elif kind.startswith("text/"):
        value = data.decode("utf-8", "replace")
    else:
        return {}
    body = request.route.body
    if not isinstance(value, dict) and body is not None and not (body.several and isinstance(value, list)):
        raise invalid_request([invalid_type("object", (), json_type(value))])
    if len(data) > SMALL and isinstance(value, dict | list):
        check_body(value)
    return value


def _json(data: bytes, limit: int) -> Any:
    try:
        value = received(data, max(VALUES, limit // BYTES_OF_A_VALUE))
    except OutOfBounds as error:
        raise InvalidData(f"Invalid request: the body {error}") from None
    except ValueError as error:
        raise http_error(400, "invalid_data", f"The body is not valid JSON: {error}") from None
    if not isinstance(value, dict | list):
        raise http_error(400, "invalid_data", f"The body is not a JSON object: {json_type(value)}")
    return value


def check_head(http: web.BaseRequest) -> None:
    """Raises InvalidData where a path, a query string or a header holds the null character, or bytes that aren't UTF-8."""
    if "%00" in http.rel_url.raw_path_qs:
        raise InvalidData("An address can't hold the null character.")
    if len(http.headers.get("Content-Type", "")) > LONGEST_TYPE:  # parsing one with thousands of parameters takes long
        raise InvalidData("The header Content-Type is too long.")
    values = "".join(http.headers.values())
    if not values.isascii() and _SURROGATES.search(values):
        raise InvalidData("A header holds what is not UTF-8.")


def check_query(route: Route, text: str, *, restricted: frozenset[str], depth: int | None, key: str, store: bool) -> Understood:
    """Parse fields, filters, paging and additional parameters of a query string. Always the same result for the same text.

    Raises:
        InvalidData: something in it isn't understood or isn't allowed, or it is beyond the budget.
    """
    query = parse(text)
    locale = locale_of(query.pop("locale", None)) if store else None
    issues: list[Issue] = []
    asked = query.pop("fields", None) if route.returns is not None or route.many else None
    if isinstance(asked, list) and all(isinstance(one, str) for one in asked):
        asked = ",".join(asked)
    if asked is not None and not isinstance(asked, str):
        issues.append(invalid_type("string", ("fields",), json_type(asked)))
        asked = None
    paging = _paging(route, query, issues) if route.many else Paging(route.limit, 0, (), False)
    aside: dict[str, Any] = {}
    filters = (route.query or Filters()).check(query, (), issues, aside)
    if issues:
        raise invalid_request(issues)
    filters = with_nulls(filters)
    check_filters({**filters, **aside})
    if store:  # a storefront never gets deleted rows
        paging = replace(paging, with_deleted=False)
        if _asks_deleted(filters):
            filters = {"$and": [filters, {"deleted_at": None}]}
    view = route.returns
    fields = view.fields(asked, restricted=restricted, depth=depth, key=key) if view is not None else ()
    return fields, filters, paging, locale, aside


def own(value: Any) -> Any:
    """A copy of what a query string says, for one who may change it: what was understood is remembered for all who send the same."""
    if isinstance(value, dict):
        return {name: own(each) for name, each in value.items()}
    return [own(each) for each in value] if isinstance(value, list) else value


def locale_of(given: Any) -> str | None:
    """The locale that a query string or a header names, as translations are kept under it; None where it names none."""
    return normal(given) if isinstance(given, str) and _LOCALE.fullmatch(given) else None


def _asks_deleted(filters: dict[str, Any]) -> bool:
    """Whether filters use `deleted_at`: then the kernel adds no condition of its own."""
    parts = [part for name in ("$and", "$or") for part in filters.get(name, ())]
    return "deleted_at" in filters or any(_asks_deleted(part) for part in parts)


def _paging(route: Route, query: dict[str, Any], issues: list[Issue]) -> Paging:
    view = route.returns
    given = {name: query.pop(name) for name in PAGING if name in query}
    limit = _count(given, "limit", route.limit, issues)
    offset = _count(given, "offset", 0, issues)
    with_deleted = False
    if "with_deleted" in given:
        with_deleted = BOOLEAN.check(given["with_deleted"], ("with_deleted",), issues) is True
    order = given.get("order", view.order if view is not None else None)
    if order is not None and not isinstance(order, str):
        issues.append(invalid_type("string", ("order",), json_type(order)))
        order = None
    if order and "order" in given:
        name = order.removeprefix("-")
        if view is not None and view.orderable is not None and name not in view.orderable:
            raise InvalidData(f"Order field {name} is not valid")
    return Paging(limit, offset, (order,) if order else (), with_deleted)


def _count(given: dict[str, Any], name: str, default: int, issues: list[Issue]) -> int:
    """A number as JavaScript's parseInt reads it: characters after the digits are ignored."""
    if name not in given:
        return default
    value = given[name]
    if not isinstance(value, str):
        issues.append(invalid_type("number", (name,), json_type(value)))
        return default
    text = value.strip()
    sign = text[:1] in ("-", "+")
    digits = ""
    for letter in text[1:] if sign else text:
        if not ("0" <= letter <= "9"):
            break
        digits += letter
    if not digits or len(digits) > 15:
        issues.append(invalid_type("number", (name,), "nan" if not digits else "string"))
        return default
    number = int(digits)
    if text.startswith("-") and number:
        raise InvalidData(f"Invalid request: Value for field '{name}' too small, expected at least: '0'")
    return min(number, LARGEST)
