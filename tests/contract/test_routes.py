"""Every route that is served, beside what the API promises of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from velella.http.kit import BATCH_LIMIT, Route
from velella.http.kit.filters import PAGING
from velella.http.server.front import RELATIONS_LIMIT

from .facts import Fact, auth_shape, body_shape, differences, facts, query_shape, served


def test_every_route_of_ours_is_one_of_the_api() -> None:
    assert served().keys() == facts().keys()


ON_PURPOSE = (
    # Columns that no table has: asked for, they can't be shown.
    r".* (defaults|allowed): (shipping|billing)_address\.region_code is missing",
    r".* allowed: (items|shipping_methods)\.adjustments\.(cart|order)_id is missing",
    r".* allowed: region\.countries\.id is missing",
    r"GET /admin/fulfillment-sets/{}/service-zones/{} defaults: type is missing",
    r".*/admin/campaigns.* defaults: currency is missing",
    # The fields promised here are those of promotion rules; a shipping option's rule has others, and all are shown.
    r"POST /admin/shipping-options/{}/rules/batch defaults: .*",
    # Storefronts ask a cart whose it is.
    r".*/store/carts.* allowed: customer_id is not promised",
    # Named as a whole and by columns at once: it is shown by its columns.
    r".*/store/carts.* defaults: items\.product is missing",
    # What a provider is told of a signed-in buyer is nobody's who only knows the cart.
    r".*/store/.* defaults: \*(payment_collection\.)?payment_sessions is missing",
    r".*/store/.* defaults: (payment_collection\.)?payment_sessions\.\w+ is not promised",
    # A total is a number: text that isn't one is refused before it meets the database.
    r"(GET /admin/orders|POST /admin/orders/export) query\.total: .*",
    # Nothing is reserved that isn't taken from stock.
    r"POST /admin/products.* body\S*\.required_quantity: \"number\" promised, \"number > 0\" served",
    # The dashboard asks so for the value that was chosen before.
    r"GET /admin/promotions/rule-value-options/{}/{} query\.id.*",
    # A shop may ask for a code before recovery codes are replaced.
    r"POST /auth/mfa/recovery-codes body\.(method|code): not promised",
    # The email's token is looked at by the route itself, which knows what it is for.
    r"POST /auth/{}/{}/update auth: .*",
)
"""Where we depart from the API knowingly; docs/compatibility.md says the same to users."""


@pytest.mark.parametrize("name", sorted(served()))
def test_a_route_asks_for_and_shows_what_the_api_promises(name: str) -> None:
    found = [f"{name} {departure}" for departure in departures(facts()[name], served()[name])]
    assert [each for each in found if not any(re.fullmatch(known, each) for known in ON_PURPOSE)] == []


def test_no_departure_is_listed_that_is_none_any_more() -> None:
    found = [f"{name} {departure}" for name, route in served().items() for departure in departures(facts()[name], route)]
    assert [known for known in ON_PURPOSE if not any(re.fullmatch(known, each) for each in found)] == []


def departures(fact: Fact, route: Route) -> Iterator[str]:
    if (ours := auth_shape(route.auth)) != fact["auth"]:
        yield f"auth: {fact['auth']!r} promised, {ours!r} served"
    if ("body" in fact) != (route.body is not None):
        yield f"body: {fact.get('body')}"
    elif route.body is not None:
        yield from differences(fact["body"], body_shape(route.body), "body")
    if fact.get("raw_body", False) != route.raw_body:
        yield f"body: {'parsed' if 'raw_body' in fact else 'not parsed'}"
    if fact.get("body_limit") == "2mb" and route.body_limit != BATCH_LIMIT:
        yield f"body limit: {route.body_limit}"
    yield from _query(fact, route)
    yield from _view(fact, route)


def _query(fact: Fact, route: Route) -> Iterator[str]:
    if fact.get("unchecked_query", False) != (route.query is None):
        yield "query: not looked at" if "unchecked_query" in fact else "query: looked at"
    elif route.query is not None:
        yield from differences(fact.get("query", {}), query_shape(route.query), "query")
    paged = route.many or (route.query is not None and route.query.kinds.keys() >= PAGING.keys())
    if fact.get("paged", False) != paged:
        yield f"paged: {fact.get('paged', False)}"
    if "limit" in fact and fact["limit"] != route.limit:
        yield f"limit: {fact['limit']} promised, {route.limit} served"


def _view(fact: Fact, route: Route) -> Iterator[str]:
    view = route.returns
    if "defaults" not in fact and "allowed" not in fact:
        return
    if view is None:
        yield "fields: no view"
        return
    if "defaults" in fact:
        yield from _names("defaults", fact["defaults"], view.defaults)
    if ("allowed" in fact) != (view.allowed is not None):
        yield "allowed: any" if view.allowed is None else "allowed: not limited"
    elif view.allowed is not None:
        yield from _names("allowed", fact["allowed"], view.allowed)
    depth = (view.relations_limit or RELATIONS_LIMIT) if route.path.startswith("/store") else None
    if fact.get("depth", RELATIONS_LIMIT if depth else None) != depth:
        yield f"depth: {fact.get('depth')} promised, {depth} served"
    if route.many and fact.get("order") != view.order:
        yield f"order: {fact.get('order')} promised, {view.order} served"


def _names(what: str, promised: str, ours: Iterable[str]) -> Iterator[str]:
    theirs, mine = ({_starred(name) for name in names} for names in (promised.split(), ours))
    for name in sorted(theirs - mine):
        yield f"{what}: {name} is missing"
    for name in sorted(mine - theirs):
        yield f"{what}: {name} is not promised"


def _starred(name: str) -> str:
    """`values.*`, `item.*values` and `*item.values` are ways to write the same."""
    return f"*{name.replace('*', '').removesuffix('.')}" if "*" in name else name
