"""Every parameter that a list may be filtered by is understood, and finds nothing where nothing is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from .asking import NAMES, caller, path_of
from .facts import facts, served
from .walk import Shop

NEEDS_A_CART = "GET /store/shipping-options"
WHO_ASKS = ("region_id", "country_code", "province", "cart_id", "sales_channel_id")
"""Of the store's products: who asks, and from where, has to be known."""
ON_PURPOSE = (
    r"GET /admin/customer-groups customers\[default_(billing|shipping)_address_id\]",
    r"GET /admin/(claims|exchanges) status",
)
"""Columns that no table has."""
NEEDED = {"GET /admin/translations/entities": {"type": "product"}}
"""Parameters without which a list isn't one."""
SAYS_WHAT_FOR = "application_method_target_type"
"""Of values to choose from: it picks what they are values of, and finds all of them."""
UNSEARCHED = ("GET /admin/payments", "GET /admin/price-preferences", "GET /admin/shipping-profiles")
"""Nothing of them can be searched: `q` is passed over."""
NOBODY = "nobody-is-called-so"
LONG_AGO = "2001-01-01T00:00:00.000Z"


def samples(shape: dict[str, Any], prefix: str = "") -> Iterator[dict[str, str]]:
    """One query string for every parameter and every way to write it."""
    for field, kind in shape.items():
        if field in ("~", "$"):
            continue
        bare = field.rstrip("?")
        name = f"{prefix}[{bare}]" if prefix else bare
        if isinstance(kind, dict) and "any of" in kind:
            kind = next(each for each in kind["any of"] if isinstance(each, dict))
        if isinstance(kind, list):
            word = "7" if kind[0] == "number" else kind[0].removeprefix("=").split()[0] if kind[0].startswith("=") else NOBODY
            yield {f"{name}[]": word}
        elif isinstance(kind, dict) and "one or many" not in kind:
            yield from samples(kind, name)
        else:
            yield from ways(name, bare, kind)


def ways(name: str, bare: str, kind: Any) -> Iterator[dict[str, str]]:
    if kind == "number operators" or (bare == "total" and kind == "string operators"):
        yield from ({name: "5"}, {f"{name}[$gt]": "5"}, {f"{name}[$in][]": "5"})
    elif kind == "string operators":
        value = LONG_AGO if bare.endswith("_at") else NOBODY
        yield from ({name: value}, {f"{name}[$lt]": value}, {f"{name}[$in][]": value})
    elif kind == "boolean word":
        yield from ({name: "true"}, {name: "false"})
    elif isinstance(kind, dict):
        yield from ({name: NOBODY}, {f"{name}[0]": NOBODY, f"{name}[1]": NOBODY})
    elif kind == "number":
        yield {name: "1"}
    else:
        yield {name: kind.removeprefix("=").split()[0] if kind.startswith("=") else NOBODY}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("GET") and facts()[name].get("paged")])
async def test_a_list_understands_its_parameters(shop: Shop, name: str) -> None:
    route, shape = served()[name], facts()[name].get("query", {})
    if name == NEEDS_A_CART or ("{}" in name and "count" not in facts()[name]["keys"]):
        pytest.skip("asks for more than a list, or isn't one")
    needed = NEEDED.get(name, {}) | ({"region_id": shop.ids["region"]} if name == "GET /store/payment-providers" else {})
    plain = [{"limit": "1", "offset": "1"}, {"order": "-code" if "currencies" in name else "-id"}, {"with_deleted": "true"}]
    if "$" in shape:
        text = ({"one or many": "string"}, "string operators", "string")
        by, kind = next((field.rstrip("?"), kind) for field, kind in shape.items() if kind in text and field != "q?")
        plain += [{f"$or[0][{by}]": NOBODY}, {f"$and[0][{by}]" + ("" if kind == "string" else "[]"): NOBODY}]
    for query in [*samples(shape), *plain]:
        if "/store/product" in name and any(word in parameter for parameter in query for word in WHO_ASKS):
            continue
        answer = await caller(shop, name).raw("GET", path_of(route), params={**needed, **query})
        if any(re.search(known, f"{name} {parameter}") for parameter in query for known in ON_PURPOSE):
            assert answer.status == 400
            continue
        assert answer.status == 200, f"{name} {query}: {answer.text}"
        if (
            SAYS_WHAT_FOR not in query
            and any(value in (NOBODY, LONG_AGO) for value in query.values())
            and not any("$lt" in parameter for parameter in query)
            and not (name in UNSEARCHED and "q" in query)
        ):
            assert answer.json["count"] == 0, f"{name} {query} found something"
