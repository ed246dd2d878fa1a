"""A request asks for no more than the budget allows, whichever list it asks, and clients can't fill memory with shapes of their own."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest

from velella.core import budget
from velella.core.ids import ulid
from velella.core.sql.read.statements import Statements
from velella.http.kit import Filters, Route
from velella.http.server import found_routes

from .conftest import Answer, Market, Store

LISTS = [route for route in found_routes() if route.method == "GET" and route.many and "{" not in route.path]
PRIVATE = ("/store/customers/me", "/store/orders")


async def ask(store: Store, merchant: Store, path: str, text: str) -> Answer:
    return await (merchant if path.startswith("/admin") else store)("GET", f"{path}?{text}")


def too_much(route: Route) -> dict[str, str]:
    """Query strings that ask this list for more than anybody needs."""
    made = {
        "fields": "fields=" + ",".join(f"f{n}" for n in range(budget.NAMES + 1)),
        "depth": "fields=" + ".".join(["id"] * (budget.DEPTH + 2)),
    }
    kinds = route.query.kinds if route.query is not None else {}
    if route.query is not None and route.query.logical:
        name = next(name for name, kind in kinds.items() if name != "q" and not isinstance(kind, Filters))
        made["branches"] = "&".join(f"$or[{n}][{name}]=x" for n in range(budget.CONDITIONS))
        made["nested"] = "$and[0]" + "[$or][0]" * 3 + "[$and]" + f"[0][{name}]=x&" + "&".join(
            f"$or[{n}][$and][0][{name}]=x" for n in range(budget.CONDITIONS // 3)
        )  # fmt: skip
        if "q" in kinds:
            made["words"] = "&".join(f"$or[{n}][q]={'+'.join(f'w{n}x{m}' for m in range(6))}" for n in range(3))
    return made


@pytest.mark.parametrize("route", [route for route in LISTS if not route.path.startswith(PRIVATE)], ids=lambda route: route.path)
async def test_a_list_refuses_more_than_anybody_needs_before_it_makes_a_statement(
    store: Store, merchant: Store, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(store, merchant, route.path, "limit=1")  # who asks is known from here on
    for what, text in too_much(route).items():
        with monkeypatch.context() as patched:
            patched.setattr("velella.core.sql.read.pages.compiled", None)
            refused = await ask(store, merchant, route.path, text)
        assert (refused.status, refused.body["type"]) == (400, "invalid_data"), f"{what}: {refused}"


@pytest.mark.parametrize(
    "text",
    [
        "&".join(f"$or[{n}][variants][sku]=x" for n in range(13)),
        "&".join(f"$or[{n}][sales_channel_id]=x" for n in range(13)),
        "&".join(f"$or[{n}][$and][0][tag_id]=x" for n in range(13)),
    ],
    ids=["inside the module", "into another", "by name"],
)
async def test_filters_look_at_few_relations(merchant: Store, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await merchant("GET", "/admin/products")
    monkeypatch.setattr("velella.core.sql.read.pages.compiled", None)
    refused = await merchant("GET", f"/admin/products?{text}")
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")


@pytest.mark.parametrize(
    "fields",
    [
        "variants.product.variants.product.variants.id",
        "sales_channels.products_link.product.sales_channels.products_link.product.sales_channels.id",
        ",".join(
            [
                *("categories" + ".category_children" * down + ".parent_category" * 8 + ".id" for down in range(4)),
                *("*variants", "*options", "*images", "*tags", "*variants.options"),
            ]
        ),
        "images.product.images.url",
    ],
    ids=["in circles", "in circles across", "wide", "back up and down again"],
)
async def test_fields_lead_through_few_relations(merchant: Store, fields: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await merchant("GET", "/admin/products")
    monkeypatch.setattr("velella.core.sql.read.pages.compiled", None)
    refused = await merchant("GET", f"/admin/products?fields={quote(fields)}")
    assert (refused.status, refused.body["type"]) == (400, "invalid_data"), refused.body


async def test_a_search_of_many_words_looks_for_the_first(merchant: Store) -> None:
    assert (await merchant("GET", "/admin/products?q=" + "+".join(["none"] * 900))).status == 200


async def test_a_page_has_a_bounded_number_of_rows_and_a_large_limit_is_fine_where_there_are_few(
    market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = await merchant("GET", "/admin/regions?limit=2147483647")
    assert len(few["regions"]) == few["count"] >= 4
    for _ in range(2):
        await market.new_variant({"eur": "1"})
    monkeypatch.setattr("velella.core.graph.graph.ROWS", 2)
    refused = await merchant("GET", "/admin/products?limit=1000000&fields=id,*variants")
    assert refused.status == 400
    assert "a page may have 1 rows" in refused.body["message"]
    assert len((await merchant("GET", "/admin/products?limit=1&fields=id,*variants"))["products"]) == 1


async def test_a_long_list_is_not_ordered_by_what_lies_in_another_module(
    market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await market.new_variant({"eur": "1"})
    assert (await merchant("GET", "/admin/products?order=sales_channels.name")).status == 200
    monkeypatch.setattr("velella.core.graph.across.SORTED", 1)
    refused = await merchant("GET", "/admin/products?order=-sales_channels.name")
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")


# -- operators


@pytest.mark.parametrize("operator", ["$re", "$like", "$ilike", "$contains", "$fulltext", "$nope"])
@pytest.mark.parametrize(
    "list",
    [
        "/admin/products?created_at",
        "/store/products?updated_at",
        "/admin/orders?total",
        "/admin/price-lists?starts_at",
        "/admin/tax-rates?created_at",
    ],
)
async def test_an_operator_that_does_not_fit_is_refused_in_our_own_words(store: Store, merchant: Store, list: str, operator: str) -> None:
    for value in ("x", "(", "2026-01-01", "%"):
        path, _, name = list.partition("?")
        refused = await ask(store, merchant, path, f"{name}[{operator}]={quote(value)}")
        assert (refused.status, refused.body["type"]) == (400, "invalid_data"), refused
        words = refused.body["message"].lower()
        assert not any(stranger in words for stranger in ("asyncpg", "sqlalchemy", "postgres", "argument", "timestamp", "regular")), words


@pytest.mark.parametrize("pattern", ["(", r"(a*)*\1", "(a{1,250}){1,250}", "x" * 257, "[z-a]"])
async def test_a_pattern_that_cannot_be_matched_in_reasonable_time_is_refused(merchant: Store, pattern: str) -> None:
    refused = await merchant("GET", f"/admin/tax-regions?country_code[$re]={quote(pattern)}")
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert "balanced" not in refused.body["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/admin/products", {"title": "x", "handle": random.Random(1).randbytes(9000).hex(), "options": [{"title": "a", "values": ["b"]}]}),
        ("/admin/sales-channels", {"name": "x", "metadata": {"a": "\x00"}}),
        ("/admin/tax-rates", {"tax_region_id": "x" * 9000, "name": "x", "code": "x"}),
    ],
)
async def test_what_the_database_does_not_take_is_refused_in_our_own_words(merchant: Store, path: str, body: Any) -> None:
    refused = await merchant.post(path, body)
    assert refused.status in (400, 404), refused
    assert not any(stranger in refused.body["message"] for stranger in ("asyncpg", "btree", "index", "\\u0000")), refused


# -- what stays


async def test_shapes_of_clients_take_a_bounded_number_of_bytes(market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: Statements = market.host.services["product"].statements  # type: ignore[attr-defined]
    monkeypatch.setattr(statements._pages, "capacity", 64 * 1024)
    for n in range(2, 30):
        await merchant("GET", "/admin/products?" + "&".join(f"$or[{m}][title]=x{m}" for m in range(n)))
        assert statements._pages.bytes <= 64 * 1024
    monkeypatch.setattr("velella.core.sql.read.statements.WIDE", 1000)
    before = len(statements._pages)
    await merchant("GET", "/admin/products?" + "&".join(f"$and[{m}][title]=x{m}" for m in range(30)))
    assert len(statements._pages) == before, "a wide one isn't kept"


async def test_a_connection_that_has_prepared_much_is_replaced(market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    database = market.host.database("product")
    assert database._pool is not None
    monkeypatch.setattr("velella.core.sql.db.pool.PREPARED", 20_000)

    for n in range(2, 20):
        await merchant("GET", "/admin/products?" + "&".join(f"$and[{m}][title]=x{m}" for m in range(n)))
    assert all(connection.prepared <= 20_000 for connection in database._pool._idle)


# -- bodies


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/store/carts", {"items": [{}] * (budget.THINGS + 1)}),
        ("/store/carts", {"promo_codes": ["x"] * (budget.TEXTS + 1)}),
        ("/admin/products/batch", {name: [{}] * (budget.THINGS // 2 + 1) for name in ("create", "update")}),
        ("/admin/products", {"title": "x", "options": [{"title": "x", "values": ["x"] * budget.TEXTS}, {"values": ["x"]}]}),
        ("/admin/price-lists/x/prices/batch", {"delete": ["x"] * (budget.TEXTS + 1)}),
        ("/admin/sales-channels/x/products", {"add": [1] * (budget.TEXTS + 1)}),
        ("/auth/user/emailpass", {"email": [[]] * (budget.THINGS + 1)}),
    ],
)
async def test_a_body_writes_no_more_than_anybody_writes_at_once(store: Store, merchant: Store, path: str, body: Any) -> None:
    refused = await (merchant if path.startswith("/admin") else store).post(path, body)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    assert "the lists of a body may hold" in refused.body["message"]


async def test_a_cart_has_a_bounded_number_of_lines(market: Market, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.workflows.cart.lines.LINES", 2)
    variant = await market.new_variant({"eur": "1"}, stock=50)
    lines = [{"variant_id": variant, "quantity": 1, "metadata": {"n": n}} for n in range(3)]
    cart = await store.cart("de", items=lines[:2])
    await store.add(cart, variant, metadata={"n": 1})
    for path, body in (
        (f"/store/carts/{cart['id']}/line-items", lines[2]),
        ("/store/carts", {"region_id": cart["region_id"], "items": lines}),
    ):
        refused = await store.post(path, body)
        assert (refused.status, refused.body["message"]) == (400, "A cart may have 2 lines.")
    assert len((await store.show(cart))["items"]) == 2
    item = f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}"
    monkeypatch.setattr("velella.workflows.cart.lines.LINES_METADATA", 1000)
    assert (await store.post(item, {"quantity": 1, "metadata": {"note": "x" * 900}})).status == 200
    assert (await store.post(item, {"quantity": 1, "metadata": {"note": "x" * 1000}})).status == 400


async def test_metadata_grows_to_a_bound_however_many_changes_it_comes_by(market: Market, store: Store, merchant: Store) -> None:
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    buyer = await store.signed_in(customer["id"])
    saved = await buyer.post("/store/customers/me/addresses", {"address_1": "Street 1", "country_code": "de"})
    address = saved["customer"]["addresses"][0]["id"]
    cart, product = (
        (await buyer.cart("de"))["id"],
        await merchant.post("/admin/products", {"title": "Growing", "options": [{"title": "Size", "values": ["One"]}]}),
    )
    for client, path, name in (
        (store, f"/store/carts/{cart}", "cart"),
        (buyer, "/store/customers/me", "customer"),
        (buyer, f"/store/customers/me/addresses/{address}", "address"),
        (merchant, f"/admin/products/{product['product']['id']}", "product"),
    ):
        sent = 0
        while (answer := await client.post(path, {"metadata": {f"note{sent}": "x" * 90_000}})).status == 200:
            sent += 1
            assert sent * 90_000 < budget.METADATA, f"{path} takes any number"
        assert (answer.status, answer.body["type"]) == (400, "invalid_data")
        shown = (await client.get(path))[name]["metadata"]
        assert list(shown) == [f"note{n}" for n in range(sent)], "what was refused changed nothing"
        assert (await client.post(path, {"metadata": {"note0": ""}})).status == 200, "there is always a way back"
        assert (await client.post(path, {"metadata": {"note": "x" * 90_000}})).status == 200


async def test_payments_that_are_begun_one_after_the_other_take_bounded_room(
    market: Market, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a provider outside may still report on are kept when another is begun, with what the storefront has sent for them."""
    monkeypatch.setattr("velella.modules.payment.sessions.SESSIONS", 2**20)
    cart = await store.add(await store.cart(), await market.new_variant({"eur": "10"}))
    collection = (await store.post("/store/payment-collections", {"cart_id": cart["id"]}))["payment_collection"]["id"]
    path, sent = f"/store/payment-collections/{collection}/payment-sessions", 0
    while True:
        data = {"mood": "happy", "attempt": sent, "note": "x" * 90_000}
        begun = await store.post(path, {"provider_id": "pp_moody_m", "data": data})
        if begun.status != 200:
            break
        sent += 1
        assert sent * 90_000 < 2**20, "any number is taken"
    assert (begun.status, begun.body["type"]) == (400, "invalid_data")
    assert sent > 5
    shown = (await store.show(cart))["payment_collection"]["payment_sessions"]
    assert [session["data"]["attempt"] for session in shown] == [sent - 1], "the last that was begun can be paid in"


async def test_metadata_that_was_too_large_before_may_become_less(market: Market, merchant: Store) -> None:
    [collection] = await market.modules.product.create(
        "product_collection", [{"title": "Large", "handle": ulid().lower(), "metadata": {f"n{n}": "x" * 50_000 for n in range(7)}}]
    )
    path = f"/admin/collections/{collection['id']}"
    assert (await merchant.post(path, {"title": "Still large"})).status == 200
    assert (await merchant.post(path, {"metadata": {"one": "more"}})).status == 400
    assert (await merchant.post(path, {"metadata": {"n0": ""}})).status == 200, "although six are still too much"
    assert (await merchant.post(path, {"metadata": None})).status == 200


async def test_what_is_stored_as_it_is_may_hold_lists(merchant: Store) -> None:
    made = await merchant.post("/admin/sales-channels", {"name": "x", "metadata": {"list": [{"a": n} for n in range(budget.THINGS + 1)]}})
    assert len(made["sales_channel"]["metadata"]["list"]) == budget.THINGS + 1


async def test_a_media_type_has_few_parameters(store: Store) -> None:
    headers = {**store.headers, "content-type": "application/json; " + "a=b; " * 1000}
    async with store.session.post(f"{store.market.base}/store/carts", data=b"{}", headers=headers) as refused:
        assert refused.status == 400
