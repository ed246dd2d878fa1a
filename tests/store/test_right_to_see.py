"""What storefronts may see, by whatever way they come to it: what is published, active and sold in their channels, and nobody's person."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from velella.core.graph.reach import reached
from velella.core.ids import ulid
from velella.http.kit.view import View
from velella.http.server import found_routes

from .conftest import Market, Row, Store


@dataclass
class Shelf:
    """One product that is sold and three that aren't, all in the same collection, type, tag and categories."""

    collection: str
    type: str
    tag: str
    shown: str
    """A category that browsers are led through; its parent is internal, one of its two children isn't active."""
    internal: str
    child: str
    inactive: str
    sold: str
    draft: str
    elsewhere: str
    deleted: str


@pytest.fixture
async def shelf(market: Market, merchant: Store) -> Shelf:
    async def made(path: str, key: str, **body: object) -> str:
        return str((await merchant.post(path, body))[key]["id"])

    name = ulid().lower()
    categories = "/admin/product-categories"
    internal = await made(categories, "product_category", name=f"Secret {name}", is_active=True, is_internal=True)
    shown = await made(categories, "product_category", name=f"Shirts {name}", is_active=True, parent_category_id=internal)
    child = await made(categories, "product_category", name=f"Long {name}", is_active=True, parent_category_id=shown)
    inactive = await made(categories, "product_category", name=f"Soon {name}", is_active=False, parent_category_id=shown)
    collection = await made("/admin/collections", "collection", title=f"Summer {name}")
    tag = await made("/admin/product-tags", "product_tag", value=f"linen {name}")
    type = await made("/admin/product-types", "product_type", value=f"shirt {name}")
    other = await made("/admin/sales-channels", "sales_channel", name=f"Wholesale {name}")

    async def product(title: str, status: str, channel: str) -> str:
        body = {
            "title": f"{title} {name}", "status": status, "sales_channels": [{"id": channel}], "collection_id": collection, "type_id": type,
            "tags": [{"id": tag}], "categories": [{"id": shown}, {"id": internal}],
            "options": [{"title": "Size", "values": ["M"]}],
            "variants": [{"title": "M", "options": {"Size": "M"}, "prices": [{"currency_code": "eur", "amount": 20}]}],
        }  # fmt: skip
        return await made("/admin/products", "product", **body)

    products = [await product(*given) for given in (("Sold", "published", market.channel), ("Draft", "draft", market.channel))]
    products += [await product("Elsewhere", "published", other), await product("Gone", "published", market.channel)]
    assert (await merchant("DELETE", f"/admin/products/{products[-1]}")).status == 200
    return Shelf(collection, type, tag, shown, internal, child, inactive, *products)


async def test_what_groups_products_shows_those_that_are_sold(store: Store, shelf: Shelf) -> None:
    for path, key in (
        (f"/store/collections/{shelf.collection}", "collection"),
        (f"/store/product-tags/{shelf.tag}", "product_tag"),
        (f"/store/product-types/{shelf.type}", "product_type"),
        (f"/store/product-categories/{shelf.shown}", "product_category"),
    ):
        for fields in ("*products", "products.title", "+products"):
            one = (await store.get(path, fields=fields))[key]
            assert [product["id"] for product in one["products"]] == [shelf.sold], (path, fields)
            rows = (await store.get(path.rsplit("/", 1)[0], id=one["id"], fields=fields))[_plural(key)]
            assert [product["id"] for row in rows for product in row["products"]] == [shelf.sold], (path, fields)


def _plural(key: str) -> str:
    return key[:-1] + "ies" if key.endswith("y") else key + "s"


async def test_products_show_the_categories_that_browsers_are_led_through(store: Store, merchant: Store, shelf: Shelf) -> None:
    async def categories() -> set[str]:
        one = (await store.get(f"/store/products/{shelf.sold}", fields="*categories"))["product"]
        rows = (await store.get("/store/products", id=shelf.sold, fields="id,categories"))["products"]
        assert {each["id"] for each in rows[0]["categories"]} == {each["id"] for each in one["categories"]}
        return {each["id"] for each in one["categories"]}

    assert await categories() == {shelf.shown}
    assert (await merchant.post(f"/admin/product-categories/{shelf.internal}", {"is_internal": False})).status == 200
    assert await categories() == {shelf.shown, shelf.internal}  # also where the answer was remembered
    assert (await merchant.post(f"/admin/product-categories/{shelf.shown}", {"is_active": False})).status == 200
    assert await categories() == {shelf.internal}


async def test_parents_and_children_that_are_hidden_stay_so_however_far_one_looks(store: Store, merchant: Store, shelf: Shelf) -> None:
    async def category(id: str, **query: str) -> Row:
        shown: Row = (await store.get(f"/store/product-categories/{id}", **query))["product_category"]
        return shown

    async def made(parent: str, **body: bool) -> str:
        given = {"name": f"Deep {ulid().lower()}", "is_active": True, "parent_category_id": parent, **body}
        return str((await merchant.post("/admin/product-categories", given))["product_category"]["id"])

    def tree(rows: list[Row]) -> Row:
        return {row["id"]: tree(row["category_children"]) for row in rows}

    leaf, hidden = await made(shelf.child), await made(shelf.child, is_internal=True)
    below = await made(hidden)  # shown by itself, and out of sight from above
    plain = await category(shelf.shown)
    assert plain["parent_category"] is None
    assert [each["id"] for each in plain["category_children"]] == [shelf.child]
    assert (await category(shelf.shown, include_ancestors_tree="true"))["parent_category"] is None
    grown = await category(shelf.shown, include_descendants_tree="true", fields="id,name,*category_children")
    assert tree(grown["category_children"]) == {shelf.child: {leaf: {}}}
    around = await category(
        shelf.child, fields="id,parent_category.id,parent_category.category_children,parent_category.parent_category.name"
    )
    assert [each["id"] for each in around["parent_category"]["category_children"]] == [shelf.child]
    assert around["parent_category"]["parent_category"] is None
    up = await category(leaf, include_ancestors_tree="true", fields="id,*parent_category")
    above = up["parent_category"]
    assert (above["id"], above["parent_category"]["id"], above["parent_category"]["parent_category"]) == (shelf.child, shelf.shown, None)
    assert (await category(below, include_ancestors_tree="true", fields="id,*parent_category"))["parent_category"] is None
    sold = await category(shelf.shown, include_descendants_tree="true", fields="id,*products,*category_children")
    assert tree(sold["category_children"]) == {shelf.child: {leaf: {}}}
    assert [product["id"] for product in sold["products"]] == [shelf.sold]
    assert (await store.get(f"/store/product-categories/{shelf.internal}")).status == 404


async def test_filters_see_no_more_than_fields(store: Store, shelf: Shelf) -> None:
    async def ids(path: str, **query: str) -> set[str]:
        answer = await store.get(path, fields="id", **query)
        assert answer.status == 200, answer.body
        [rows] = [value for value in answer.body.values() if isinstance(value, list)]
        assert answer["count"] == len(rows)
        return {row["id"] for row in rows}

    assert await ids("/store/products", category_id=shelf.shown) == {shelf.sold}
    assert await ids("/store/products", category_id=shelf.internal) == set()
    for name, value in (("collection_id", shelf.collection), ("type_id", shelf.type), ("tag_id", shelf.tag)):
        assert await ids("/store/products", **{name: value}) == {shelf.sold}
    for product in (shelf.draft, shelf.elsewhere, shelf.deleted):
        assert await ids("/store/products", id=product) == set()
        assert await ids("/store/product-variants", product_id=product) == set()
        assert (await store.get(f"/store/products/{product}")).status == 404
    assert len(await ids("/store/product-variants", product_id=shelf.sold)) == 1


async def test_what_is_deleted_is_gone_for_storefronts(store: Store, merchant: Store, shelf: Shelf) -> None:
    gone: tuple[dict[str, str], ...] = (
        {"with_deleted": "true"},
        {"deleted_at[$gt]": "2020-01-01"},
        {"$or[0][deleted_at][$gt]": "2020-01-01"},
        {"$and[0][$or][0][deleted_at][$gt]": "2020-01-01"},
    )
    for query in gone:
        products = await store.get("/store/products", id=shelf.deleted, fields="id", **query)
        assert products["products"] == [], query
    assert (await merchant("DELETE", f"/admin/product-tags/{shelf.tag}")).status == 200
    for query in gone:
        tags = await store.get("/store/product-tags", id=shelf.tag, fields="id", **query)
        assert tags["product_tags"] == [], query
    known = await merchant.get("/admin/products", id=shelf.deleted, with_deleted="true")
    assert [product["id"] for product in known["products"]] == [shelf.deleted]


async def test_raw_prices_and_levels_are_those_of_everybody_and_of_the_channel(market: Market, store: Store, merchant: Store) -> None:
    far = (await merchant.post("/admin/stock-locations", {"name": "Far"}))["stock_location"]["id"]
    variant = await market.new_variant({"eur": "20"}, stock={market.location: 3, far: 9})
    secret = {"currency_code": "eur", "amount": 1, "variant_id": variant}
    body = {"title": "Secret sale", "description": "Not yet", "status": "draft", "prices": [secret]}
    assert (await merchant.post("/admin/price-lists", body)).status == 200
    product = (await market.modules.product.retrieve("product_variant", variant))["product_id"]
    fields = "*variants.prices,*variants.inventory_items.inventory.location_levels"
    answer = await store.get(f"/store/products/{product}", fields=fields)
    [shown] = answer["product"]["variants"]
    assert [price["amount"] for price in shown["prices"]] == [20]
    levels = [level for item in shown["inventory_items"] for level in item["inventory"]["location_levels"]]
    assert [(level["location_id"], level["stocked_quantity"]) for level in levels] == [(market.location, 3)]
    collection = (await merchant.post("/admin/collections", {"title": f"Far {ulid()}", "handle": ulid().lower()}))["collection"]["id"]
    assert (await merchant.post(f"/admin/collections/{collection}/products", {"add": [product]})).status == 200
    item = "variants.inventory_items.inventory"
    for path, fields in (
        (f"/store/products/{product}", f"*{item}"),
        (f"/store/products/{product}", f"{item}.*,*{item}.location_levels"),
        (f"/store/products/{product}", item),
        (f"/store/products/{product}", f"{item}.stocked_quantity,{item}.reserved_quantity,{item}"),
        (f"/store/collections/{collection}", f"products.{item}"),
    ):
        text = json.dumps((await store.get(path, fields=fields)).body, default=str)
        assert '"hs_code"' in text, f"the item is shown: {fields}"
        assert "12" not in re.findall(r'"(?:raw_)?(?:stocked|reserved)_quantity": "?([0-9]+)', text), (
            f"the stock of all locations: {fields}"
        )


async def test_who_enters_an_address_is_not_told_whose_it_is(store: Store) -> None:
    email = f"{ulid().lower()}@example.com"
    theirs = await store.cart("de", email=email, shipping_address={"first_name": "Ada", "country_code": "de"})
    customers = store.market.modules.customer
    person = {"first_name": "Ada", "last_name": "Lovelace", "phone": "123", "company_name": "Engines", "metadata": {"vip": True}}
    await customers.update("customer", [{"id": theirs["customer"]["id"], **person}])
    for fields in ("*customer", "customer.*", "customer", "+customer", "*customer.groups,*customer"):
        cart = (await store.post("/store/carts", {"region_id": store.market.regions["de"], "email": email}, fields=fields))["cart"]
        assert cart["customer"].keys() <= {"id", "email", "groups"}, fields
        assert cart["customer"]["email"] == email
        again = (await store.get(f"/store/carts/{cart['id']}", fields=fields))["cart"]
        assert again["customer"].keys() <= {"id", "email", "groups"}, fields


async def test_what_a_provider_is_told_of_a_buyer_is_shown_to_nobody_else(market: Market, store: Store) -> None:
    """Carts and orders are open to those who know their ids: whoever was sent a link."""
    person = {"email": f"{ulid().lower()}@example.com", "has_account": True, "phone": "0123-phone", "metadata": {"note": "slow-payer"}}
    homes = [{"address_1": "Other Street 9", "country_code": "de"}]
    [customer] = await market.modules.customer.create_customers([{**person, "addresses": homes}])
    buyer = await store.signed_in(customer["id"])
    cart = await buyer.ship(await buyer.add(await buyer.cart(), await market.new_variant({"eur": "10"})))
    paid = await buyer.pay(cart)
    [kept] = await market.modules.payment.list("payment_session", {"payment_collection_id": paid["id"]})
    assert kept["context"]["customer"]["addresses"][0]["address_1"] == "Other Street 9", "the provider is told"
    path, session = f"/store/carts/{cart['id']}", "payment_collection.payment_sessions"
    shown = [{"payment_collection": paid}]
    for fields in (None, f"*{session}", f"+{session}", f"id,{session}.*", f"id,{session}.data,{session}.context"):
        shown.append((await store.get(path, **({} if fields is None else {"fields": fields})))["cart"])
    order = (await buyer.complete(cart))["order"]["id"]
    for fields in ("*payment_collections.payment_sessions", "+payment_collections.payment_sessions", "*payment_collections.payments"):
        found = (await store.get(f"/store/orders/{order}", fields=fields))["order"]
        shown += [{"payment_collection": each} for each in found["payment_collections"]]
    for each in shown:
        for one in each["payment_collection"].get("payment_sessions", ()):
            assert "context" not in one
            assert one["data"] == {} or one.keys() == {"id"}
        text = json.dumps(each["payment_collection"], default=str)
        assert not [said for said in ("Other Street", "0123-phone", "slow-payer", "account_holder") if said in text]
    assert {"id", "amount", "raw_amount", "data", "provider_id", "status", "created_at"} <= paid["payment_sessions"][0].keys()


async def test_customers_see_their_orders_and_nothing_that_merchants_are_at(market: Market, store: Store, merchant: Store) -> None:
    customers = [{"email": f"{ulid().lower()}@example.com", "has_account": True} for _ in range(2)]
    one, other = await market.modules.customer.create_customers(customers)
    buyer = await store.signed_in(one["id"])
    variant = await market.new_variant({"eur": "10"})
    cart = await buyer.ship(await buyer.add(await buyer.cart(), variant))
    await buyer.pay(cart)
    order = (await buyer.complete(cart))["order"]["id"]
    asked = {"customer_id": other["id"], "internal_note": "she is a relative"}
    assert (await merchant.post(f"/admin/orders/{order}/transfer", asked)).status == 200
    draft = {"region_id": market.regions["de"], "customer_id": one["id"], "email": one["email"], "sales_channel_id": market.channel}
    draft |= {"items": [{"variant_id": variant, "quantity": 1}], "shipping_methods": [], "metadata": {"margin": "thin"}}
    assert (await merchant.post("/admin/draft-orders", draft)).status == 200
    for fields in ("*orders", "orders", "+orders", "orders.*"):
        answer = await buyer.get("/store/customers/me", fields=fields)
        [shown] = answer["customer"]["orders"]
        assert (shown["id"], shown["status"], shown["total"]) == (order, "pending", shown["summary"]["current_order_total"])
        assert not [said for said in ("relative", "margin", "order_change") if said in json.dumps(answer.body, default=str)], fields


HIDDEN = {"product", "product_category", "price", "inventory_level"}
"""Entities with rows that a storefront may not see."""
PERSONS = {"customer", "stock_location", "user", "invite", "api_key", "auth_identity"}
"""Entities with columns that a storefront may not see."""
SEES_ALL = {"cart", "order", "customer", "shipping_option"}
"""What somebody has put into a cart, ordered or said of themselves stays, whatever becomes of it; ways to send have prices on no list."""


def test_every_view_of_the_store_says_what_may_be_seen_below_it(market: Market) -> None:
    catalogue = market.host.context.graph.catalogue
    views: set[View] = {route.returns for route in found_routes() if route.path.startswith("/store") and route.returns is not None}
    assert len(views) > 10
    for view in views:
        assert view.allowed is not None, view.entity
        paths = {*view.allowed, *(name.removeprefix("*") for name in view.defaults)}
        met = reached(
            catalogue, view.entity, [path for path in paths if "calculated_price" not in path and "inventory_quantity" not in path]
        )
        if view.entity not in SEES_ALL and met & HIDDEN:
            assert view.visible is not None, (view.entity, met & HIDDEN)
        for path in view.allowed:
            leads_to = reached(catalogue, view.entity, [path]) - reached(
                catalogue, view.entity, [path.rpartition(".")[0]] if "." in path else []
            )
            if leads_to & PERSONS and view.entity != "customer":
                assert path in view.stars, (view.entity, path)
