"""Queries over several modules: real services, real PostgreSQL, small schemas."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.commerce.links import LINKS
from velella.core.errors import InvalidData, Misconfigured, NotFound, UnexpectedState
from velella.core.graph.graph import Graph, Source
from velella.core.graph.links import aliases_of, edges_of
from velella.core.graph.plan import Catalogue, plan
from velella.core.json import dumps
from velella.core.rows import Row
from velella.core.service.catalogue import catalogue_of
from velella.core.service.context import ModuleContext
from velella.core.service.migrations import load_module
from velella.core.service.module import ModuleService
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.database import Database
from velella.core.sql.schema.columns import Money, identity, module_metadata, timestamps
from velella.core.sql.schema.definition import definition
from velella.core.sql.schema.entity import Entity, many, one
from velella.core.sql.schema.fields import FieldTree
from velella.core.sql.schema.query import Page, Query
from velella.core.sql.schema.schema import Schema
from velella.modules import NAMES
from velella.modules.link.service import LinkService

from ..conftest import clone


def table(name: str, metadata: MetaData, *columns: Column[Any]) -> Table:
    return Table(name, metadata, identity(), *columns, *timestamps())


def text(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def product_schema() -> Schema:
    metadata = module_metadata()
    return Schema(
        "product",
        Entity(
            "product",
            table("product", metadata, *text("title", "status")),
            "prod",
            label="Product",
            relations={"variants": many("product_variant", "product_id", order=("rank",), cascade=True)},
        ),
        Entity(
            "product_variant",
            table("product_variant", metadata, *text("product_id", "title", "sku"), Column("rank", Integer)),
            "variant",
            relations={"product": one("product", "product_id")},
        ),
    )


def pricing_schema() -> Schema:
    metadata = module_metadata()
    return Schema(
        "pricing",
        Entity("price_set", table("price_set", metadata), "pset", relations={"prices": many("price", "price_set_id", cascade=True)}),
        Entity("price", table("price", metadata, *text("price_set_id", "currency_code"), Column("amount", Money)), "price"),
    )


def cart_schema() -> Schema:
    metadata = module_metadata()
    return Schema(
        "cart",
        Entity(
            "cart",
            table("cart", metadata, *text("email", "customer_id", "region_id", "sales_channel_id")),
            "cart",
            relations={"items": many("cart_line_item", "cart_id", cascade=True)},
        ),
        Entity("cart_line_item", table("cart_line_item", metadata, *text("cart_id", "title", "product_id", "variant_id")), "cali"),
    )


def flat(module: str, prefix: str, *columns: str, name: str | None = None) -> Schema:
    return Schema(module, Entity(name or module, table(name or module, module_metadata(), *text(*columns)), prefix))


def currency_schema() -> Schema:
    return Schema(
        "currency",
        Entity("currency", Table("currency", module_metadata(), identity("code"), *text("name"), *timestamps()), key="code"),
    )


SCHEMAS = {
    schema.module: schema
    for schema in (
        product_schema(),
        pricing_schema(),
        cart_schema(),
        flat("sales_channel", "sc", "name"),
        flat("inventory", "iitem", "sku", name="inventory_item"),
        flat("customer", "cus", "email", "first_name"),
        flat("store", "stocur", "currency_code", name="store_currency"),
        currency_schema(),
    )
} | {"link": LinkService.schema}
MODULES = [load_module(name, Settings(**{})) for name in NAMES]
REFERENCES = [reference for module in MODULES for reference in module.references]
CATALOGUE = Catalogue(SCHEMAS.values(), links=LINKS, references=REFERENCES)


class Counted(Source):
    """Remembers what each module was asked."""

    def __init__(self, modules: object) -> None:
        super().__init__(modules)
        self.asked: list[Query] = []

    async def page(self, module: str, query: Query) -> Page:
        self.asked.append(query)
        return await super().page(module, query)

    def entities(self) -> Counter[str]:
        asked, self.asked = Counter(query.entity for query in self.asked), []
        return asked


def _without_nothing(rows: Any, as_clients_see_them: Any) -> Any:
    if isinstance(rows, list):
        return [_without_nothing(*pair) for pair in zip(rows, as_clients_see_them, strict=True)]
    if not isinstance(rows, dict):
        return rows
    return {
        name: _without_nothing(value, as_clients_see_them.get(name))
        for name, value in rows.items()
        if value is not None or name in as_clients_see_them
    }


class Shop:
    """Small modules over one database, and the graph over them."""

    def __init__(self, database: Database) -> None:
        self.modules = SimpleNamespace(**{name: self._service(name, schema, database) for name, schema in SCHEMAS.items()})
        self.link: LinkService = self.modules.link
        self.source = Counted(self.modules)
        self.graph = Graph(self.modules, CATALOGUE, source=self.source)

    def _service(self, module: str, schema: Schema, database: Database) -> ModuleService:
        base = LinkService if module == "link" else ModuleService
        service = type(f"{module}_service", (base,), {"schema": schema, "name": module})
        context = ModuleContext(Settings(**{}), database, Providers(module), changed=self._nobody)
        made: ModuleService = service(context)
        return made

    async def _nobody(self, entities: frozenset[str]) -> None:
        pass

    async def rows(self, entity: str, *fields: str, order: Sequence[str] = (), **filters: Any) -> list[Row]:
        page = await self.graph.query(Query(entity, fields or ("*",), filters, tuple(order)))
        again = await self.graph.rows(Query(entity, fields or ("*",), filters, tuple(order)))
        assert page.rows == _without_nothing(again, page.rows)  # bytes and rows say the same, but for names of what isn't there
        return page.rows

    async def titles(self, **filters: Any) -> list[str]:
        return sorted(row["title"] for row in await self.rows("product", "title", **filters))


@pytest.fixture(scope="module")
async def shop(postgres: EmbeddedPostgres) -> AsyncIterator[Shop]:
    """Three shirts: `white` in both channels, `black` in the web, `grey` in none. White has two priced variants."""
    database = Database(await clone(postgres), connections=4)
    await database.open()
    made = Shop(database)
    try:
        for schema in SCHEMAS.values():
            await database.script(";".join(definition(schema.metadata)))
        await fill(made)
        made.source.asked.clear()
        yield made
    finally:
        await database.close()


async def fill(shop: Shop) -> None:
    modules = shop.modules
    await modules.product.create(
        "product", [{"id": f"prod_{name}", "title": name, "status": "published"} for name in ("white", "black", "grey")]
    )
    await modules.product.create(
        "product_variant",
        [
            {"id": "variant_s", "product_id": "prod_white", "title": "S", "sku": "W-S", "rank": 0},
            {"id": "variant_m", "product_id": "prod_white", "title": "M", "sku": "W-M", "rank": 1},
            {"id": "variant_b", "product_id": "prod_black", "title": "One", "sku": "B", "rank": 0},
        ],
    )
    await modules.sales_channel.create("sales_channel", [{"id": "sc_web", "name": "Web"}, {"id": "sc_app", "name": "App"}])
    await modules.pricing.create("price_set", [{"id": "pset_s"}, {"id": "pset_m"}])
    await modules.pricing.create(
        "price",
        [
            {"id": "price_1", "price_set_id": "pset_s", "currency_code": "eur", "amount": Decimal("19.90")},
            {"id": "price_2", "price_set_id": "pset_s", "currency_code": "usd", "amount": Decimal("21.333333333333333333")},
            {"id": "price_3", "price_set_id": "pset_m", "currency_code": "eur", "amount": Decimal("20")},
        ],
    )
    await modules.inventory.create("inventory_item", [{"id": "iitem_s", "sku": "W-S"}, {"id": "iitem_box", "sku": "BOX"}])
    await modules.customer.create("customer", [{"id": "cus_a", "email": "z@example.com"}, {"id": "cus_b", "email": "a@example.com"}])
    await modules.cart.create(
        "cart",
        [
            {"id": "cart_1", "customer_id": "cus_a", "sales_channel_id": "sc_web"},
            {"id": "cart_2", "customer_id": "cus_b", "sales_channel_id": "sc_app"},
            {"id": "cart_3", "email": "guest@example.com"},
            {"id": "cart_4", "customer_id": "cus_gone"},
        ],
    )
    await modules.cart.create(
        "cart_line_item",
        [
            {"id": "cali_1", "cart_id": "cart_1", "title": "S", "product_id": "prod_white", "variant_id": "variant_s"},
            {"id": "cali_2", "cart_id": "cart_1", "title": "M", "product_id": "prod_white", "variant_id": "variant_m"},
        ],
    )
    await modules.currency.create("currency", [{"code": "eur", "name": "Euro"}])
    await modules.store.create("store_currency", [{"id": "stocur_1", "currency_code": "eur"}])
    link = shop.link
    await link.attach(
        "product_sales_channel",
        [
            {"product_id": "prod_white", "sales_channel_id": "sc_web"},
            {"product_id": "prod_white", "sales_channel_id": "sc_app"},
            {"product_id": "prod_black", "sales_channel_id": "sc_web"},
        ],
    )
    await link.attach(
        "product_variant_price_set",
        [{"variant_id": "variant_s", "price_set_id": "pset_s"}, {"variant_id": "variant_m", "price_set_id": "pset_m"}],
    )
    await link.attach(
        "product_variant_inventory_item",
        [
            {"variant_id": "variant_s", "inventory_item_id": "iitem_s"},
            {"variant_id": "variant_s", "inventory_item_id": "iitem_box", "required_quantity": 2},
        ],
    )


# -- fields


async def test_a_query_inside_one_module_passes_through_as_bytes(shop: Shop) -> None:
    page = await shop.graph.query(Query("product", ("id", "variants.sku"), {"id": "prod_black"}, count=True))
    direct = await shop.modules.product.query(Query("product", ("id", "variants.sku"), {"id": "prod_black"}))
    assert page.json == direct.json
    assert page.count == 1
    assert page._rows is None


async def test_products_with_prices_and_channels_ask_each_module_once(shop: Shop) -> None:
    shop.source.entities()
    page = await shop.graph.query(
        Query(
            "product", ("id", "title", "variants.title", "variants.prices.amount", "sales_channels.name"), {}, ("-title",), 2, 0, count=True
        )
    )
    assert shop.source.entities() == {
        "product": 1, "product_sales_channel": 1, "sales_channel": 1, "product_variant_price_set": 1, "price_set": 1,
    }  # fmt: skip
    assert page.count == 3
    white, grey = page.rows
    assert [channel["name"] for channel in white["sales_channels"]] == ["Web", "App"]
    assert [[price["amount"] for price in variant["prices"]] for variant in white["variants"]] == [
        [Decimal("19.90"), Decimal("21.333333333333333333")],
        [Decimal("20")],
    ]
    assert grey == {"id": "prod_grey", "title": "grey", "variants": [], "sales_channels": []}


async def test_amounts_keep_their_digits_through_a_join(shop: Shop) -> None:
    page = await shop.graph.query(Query("product", ("variants.prices.amount",), {"id": "prod_white"}))
    assert b"21.333333333333333333" in page.json


async def test_one_to_one_links_show_one_thing_and_its_relations(shop: Shop) -> None:
    [row] = await shop.rows("product_variant", "sku", "price_set.id", "price_set.prices.currency_code", id="variant_s")
    assert row["price_set"]["id"] == "pset_s"
    assert [price["currency_code"] for price in row["price_set"]["prices"]] == ["eur", "usd"]
    [bare] = await shop.rows("product_variant", "sku", "price_set.id", "*prices", id="variant_b")
    assert ("price_set" in bare, bare["prices"]) == (False, [])


async def test_rows_of_a_link_show_their_own_columns_and_what_they_tie(shop: Shop) -> None:
    [row] = await shop.rows("product_variant", "id", "inventory_items.required_quantity", "inventory_items.inventory.sku", id="variant_s")
    link_rows = {link_row["inventory"]["sku"]: link_row["required_quantity"] for link_row in row["inventory_items"]}
    assert link_rows == {"W-S": 1, "BOX": 2}
    assert {link_row["variant_id"] for link_row in row["inventory_items"]} == {"variant_s"}  # a link always shows its keys


async def test_an_alias_over_ties_flattens_them(shop: Shop) -> None:
    [row] = await shop.rows("product_variant", "id", "inventory.sku", id="variant_s")
    assert sorted(item["sku"] for item in row["inventory"]) == ["BOX", "W-S"]
    [item] = await shop.rows("inventory_item", "sku", "variants.product.title", id="iitem_s")
    assert item["variants"][0]["product"]["title"] == "white"


async def test_a_walk_goes_through_as_many_modules_as_it_names(shop: Shop) -> None:
    [cart] = await shop.rows(
        "cart", "id", "customer.email", "items.title", "items.product.sales_channels.name", "items.variant.prices.amount", id="cart_1"
    )
    assert cart["customer"]["email"] == "z@example.com"
    assert [item["title"] for item in cart["items"]] == ["S", "M"]
    assert [channel["name"] for channel in cart["items"][1]["product"]["sales_channels"]] == ["Web", "App"]
    assert cart["items"][0]["variant"]["prices"][0]["amount"] == Decimal("19.90")


async def test_columns_fetched_only_for_joining_are_not_shown(shop: Shop) -> None:
    [cart] = await shop.rows("cart", "email", "customer.email", "items.product.title", id="cart_1")
    assert set(cart) == {"id", "email", "customer_id", "customer", "items"}  # what leads to one thing that is shown is, too
    assert all(set(item) == {"id", "product_id", "product"} for item in cart["items"])
    [named] = await shop.rows("cart", "email", "customer_id", "customer.email", id="cart_1")
    assert named["customer_id"] == "cus_a"
    [all_columns] = await shop.rows("cart", "*", "customer.email", id="cart_1")
    assert all_columns["customer_id"] == "cus_a"


async def test_of_what_is_not_there_clients_see_nothing_and_code_sees_null(shop: Shop) -> None:
    rows = await shop.rows("cart", "id", "customer.email", id=["cart_3", "cart_4"])
    assert ["customer" in row for row in rows] == [False, False]
    rows = await shop.graph.rows(Query("cart", ("id", "customer.email"), {"id": ["cart_3", "cart_4"]}))
    assert [row["customer"] for row in rows] == [None, None]


async def test_the_other_way_round(shop: Shop) -> None:
    [customer] = await shop.rows("customer", "id", "carts.id", "carts.items.title", id="cus_a")
    assert [cart["id"] for cart in customer["carts"]] == ["cart_1"]
    assert [item["title"] for item in customer["carts"][0]["items"]] == ["S", "M"]


async def test_a_key_that_is_not_called_id(shop: Shop) -> None:
    [row] = await shop.rows("store_currency", "*", "currency.name")
    assert row["currency"]["name"] == "Euro"


async def test_a_relation_named_alone_across_modules_shows_all_its_columns(shop: Shop) -> None:
    [product] = await shop.rows("product", "id", "sales_channels", id="prod_black")
    assert product["sales_channels"][0].keys() >= {"id", "name", "created_at", "updated_at", "deleted_at"}
    [starred] = await shop.rows("product", "id", "*sales_channels", id="prod_black")
    assert starred == product


async def test_links_can_be_asked_themselves(shop: Shop) -> None:
    rows = await shop.rows("product_sales_channel", "product.title", "sales_channel.name", sales_channel_id="sc_app")
    assert [(row["product"]["title"], row["sales_channel"]["name"]) for row in rows] == [("white", "App")]


async def test_unknown_names_are_passed_over(shop: Shop) -> None:
    plain = (await shop.graph.query(Query("product", ("id",)))).rows
    for fields in (("nonsense",), ("nonsense.id",), ("id", "nonsense.deeper.still")):
        assert (await shop.graph.query(Query("product", fields))).rows == plain
    for fields in (("variants.nonsense",), ("sales_channels.nonsense",)):
        first = (await shop.graph.query(Query("product", fields))).rows[0]
        name = fields[0].partition(".")[0]
        assert first.keys() == {"id", name}
        assert all(row.keys() == {"id"} for row in first[name])
    with pytest.raises(InvalidData, match="nonsense"):
        await shop.graph.query(Query("nonsense"))


# -- filters


async def test_filters_reach_over_links(shop: Shop) -> None:
    assert await shop.titles(sales_channels={"id": "sc_app"}) == ["white"]
    assert await shop.titles(sales_channels={"id": ["sc_app", "sc_web"]}) == ["black", "white"]
    assert await shop.titles(sales_channels="sc_app") == ["white"]
    assert await shop.titles(sales_channels=["sc_app"]) == ["white"]
    assert await shop.titles(sales_channels={"name": {"$ilike": "w%"}}) == ["black", "white"]
    assert await shop.titles(sales_channels={"id": "sc_none"}) == []
    assert await shop.titles(**{"sales_channels.name": "App"}) == ["white"]


async def test_the_column_of_a_link_is_a_filter_too(shop: Shop) -> None:
    assert await shop.titles(sales_channel_id="sc_app") == ["white"]
    assert await shop.titles(sales_channel_id=["sc_app", "sc_web"]) == ["black", "white"]
    assert [row["id"] for row in await shop.rows("cart", "id", sales_channel_id="sc_app")] == ["cart_2"]  # a column of its own


async def test_a_filter_on_the_far_key_asks_nobody_else(shop: Shop) -> None:
    shop.source.entities()
    assert [row["id"] for row in await shop.graph.rows(Query("cart", ("id",), {"customer": {"id": "cus_a"}}))] == ["cart_1"]
    assert shop.source.entities() == {"cart": 1}
    await shop.graph.rows(Query("product", ("id",), {"sales_channels": {"id": "sc_app"}}))
    assert shop.source.entities() == {"product": 1, "product_sales_channel": 1}


async def test_filters_reach_over_links_from_inside_relations(shop: Shop) -> None:
    assert await shop.titles(variants={"inventory_items": {"inventory": {"sku": "BOX"}}}) == ["white"]
    assert await shop.titles(variants={"prices": {"amount": {"$lt": 20}}}) == ["white"]
    assert await shop.titles(variants={"prices": {"amount": {"$gt": 100}}}) == []


async def test_logic_holds_over_links(shop: Shop) -> None:
    app, web = {"sales_channels": {"id": "sc_app"}}, {"sales_channels": {"id": "sc_web"}}
    assert await shop.titles(**{"$and": [app, web]}) == ["white"]
    assert await shop.titles(**{"$or": [app, {"title": "grey"}]}) == ["grey", "white"]
    assert await shop.titles(**{"$not": app}) == ["black", "grey"]
    assert await shop.titles(id=["prod_black", "prod_grey"], **web) == ["black"]
    assert await shop.titles(id=["prod_black"], **app) == []
    assert await shop.titles(**app, **{"$and": [{"sales_channel_id": "sc_web"}]}, title="white") == ["white"]


async def test_nothing_at_the_far_end_is_null(shop: Shop) -> None:
    assert await shop.titles(sales_channels=None) == ["grey"]
    assert await shop.titles(sales_channels={"$exists": False}) == ["grey"]
    assert await shop.titles(sales_channels={"$exists": True}) == ["black", "white"]
    assert [row["id"] for row in await shop.rows("cart", "id", customer=None)] == ["cart_3"]


async def test_a_malformed_filter_is_refused(shop: Shop) -> None:
    for filters in ({"$and": "x"}, {"$or": [1]}, {"$not": "x"}, {"sales_channels": {"nonsense": 1}}, {"nonsense": 1}):
        with pytest.raises(InvalidData):
            await shop.graph.query(Query("product", ("id",), filters))
    deep: dict[str, Any] = {"sales_channels": "sc_app"}
    for _ in range(200):
        deep = {"$not": deep}
    with pytest.raises(InvalidData, match="too deeply"):
        await shop.graph.query(Query("product", ("id",), deep))


# -- order


async def test_an_order_reaches_over_modules(shop: Shop) -> None:
    async def carts(*order: str, limit: int | None = None, offset: int = 0) -> list[str]:
        page = await shop.graph.query(Query("cart", ("email",), {}, order, limit, offset, count=True))
        assert page.count == 4
        assert all(set(row) <= {"id", "email"} for row in page.rows)
        return [row["id"] for row in page.rows]

    assert await carts("customer.email", "id") == ["cart_2", "cart_1", "cart_3", "cart_4"]
    assert await carts("-customer.email", "-id") == ["cart_4", "cart_3", "cart_1", "cart_2"]
    assert await carts("customer.email", "-id", limit=2, offset=1) == ["cart_1", "cart_4"]


async def test_an_order_over_a_link_takes_the_first_of_several(shop: Shop) -> None:
    rows = await shop.graph.rows(Query("product", ("title",), {}, ("sales_channels.name", "title")))
    assert [row["title"] for row in rows] == ["white", "black", "grey"]


# -- one and expand


async def test_one_thing_by_its_key(shop: Shop) -> None:
    product = await shop.graph.one("product", "prod_black", ("title", "sales_channels.name"))
    assert (product["title"], product["sales_channels"][0]["name"]) == ("black", "Web")
    with pytest.raises(NotFound, match="Product with id: prod_nope was not found"):
        await shop.graph.one("product", "prod_nope")


async def test_rows_one_already_has_are_expanded_in_place(shop: Shop) -> None:
    carts = await shop.modules.cart.list("cart", {"id": "cart_1"}, fields=("*", "*items"))
    carts[0]["total"] = Decimal("39.90")
    shop.source.entities()
    await shop.graph.expand("cart", carts, ("id", "total", "customer.email", "items.variant.sku"))
    assert shop.source.entities() == {"customer": 1, "product_variant": 1}
    assert carts[0]["total"] == Decimal("39.90")
    assert carts[0]["customer"]["email"] == "z@example.com"
    assert [item["variant"]["sku"] for item in carts[0]["items"]] == ["W-S", "W-M"]
    assert carts[0]["customer_id"] == "cus_a"
    with pytest.raises(UnexpectedState, match=r"customer can't be joined: a row has no customer_id"):
        await shop.graph.expand("cart", [{"id": "cart_1"}], ("customer.email",))


async def test_no_rows_ask_nobody(shop: Shop) -> None:
    shop.source.entities()
    assert await shop.graph.rows(Query("product", ("id", "sales_channels.name"), {"title": "none"})) == []
    assert shop.source.entities() == {"product": 1}


# -- the links themselves


def test_every_way_leads_somewhere() -> None:
    """Names are unique on each entity, and every alias begins with an edge of its entity."""
    catalogue = CATALOGUE
    seen: Counter[tuple[str, str]] = Counter()
    for link in LINKS:
        assert link.left.key != link.right.key
        for side in (link.left, link.right):
            seen.update((side.entity, name) for name in (side.rows, *side.names))
    for reference in REFERENCES:
        seen[reference.entity, reference.name] += 1
        if reference.back:
            seen[reference.target, reference.back] += 1
    assert not [name for name, times in seen.items() if times > 1]
    assert catalogue.alias("product", "sales_channels") is not None
    assert catalogue.edge("cart", "region") is not None
    assert len({link.prefix for link in LINKS}) == len({link.name for link in LINKS}) == len(LINKS)


def test_the_modules_have_what_the_links_lead_to() -> None:
    """Every edge between the built-in modules starts and ends at columns that are there, under a name that is free."""
    catalogue = catalogue_of(MODULES)
    later = {"return"}  # comes with returns; its link's table is there already
    for entity, edges in edges_of(LINKS, REFERENCES).items():
        if entity in later:
            continue
        for name, edge in edges.items():
            assert not catalogue.owns(entity, name), f"{entity}.{name}"
            assert edge.key in catalogue.entity(entity).table.c, f"{entity}.{name}"
            assert edge.target in later or edge.target_key in catalogue.entity(edge.target).table.c, f"{entity}.{name}"
        for name in aliases_of(LINKS).get(entity, {}):
            assert not catalogue.owns(entity, name), f"{entity}.{name}"
            plan(catalogue, entity, FieldTree.parse((name,)))


def test_two_modules_cannot_have_an_entity_of_one_name() -> None:
    with pytest.raises(Misconfigured, match="Two modules have an entity sales_channel"):
        Catalogue([flat("sales_channel", "sc", "name"), flat("other", "sc", "name", name="sales_channel")])


async def test_an_answer_is_made_once_for_its_texts_and_anew_for_others(shop: Shop) -> None:
    made: list[int] = []

    async def answer(title: str, shape: str = "") -> tuple[str | None, int]:
        def make(rows: list[Row]) -> bytes:
            made.append(len(rows))
            return shape.encode() + dumps(rows)

        query = Query("product", ("title", "sales_channels.name", "variants.prices.amount"), {"title": title})
        text, before = await shop.graph.composed(query, make, shape), len(made)
        assert await shop.graph.composed(query, make, shape) == text
        assert len(made) == before
        if text is not None:
            assert text == shape.encode() + (await shop.graph.query(query)).json
        return None if text is None else text.decode(), before

    assert await answer("nothing") == (None, 0)
    first, times = await answer("white")
    shop.source.asked.clear()
    assert await answer("white") == (first, times)
    assert shop.source.entities()["product"] == 3  # twice by `composed`, once by `query`: pages are read each time
    await shop.modules.sales_channel.update("sales_channel", [{"id": "sc_app", "name": "Apps"}])
    third, more = await answer("white")
    assert ("Apps" in (third or ""), "Apps" in (first or ""), more) == (True, False, times + 1)
    await shop.modules.sales_channel.update("sales_channel", [{"id": "sc_app", "name": "App"}])
    assert await answer("white") == (first, more)
    assert (await answer("white", "x"))[0] == f"x{first}"
