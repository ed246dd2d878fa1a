"""Links that plugins declare between things of any two modules: their tables grow with them, and they go with what they lead to."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from velella.actors.host import Host, local_host
from velella.actors.services import service_names
from velella.core.errors import Misconfigured, NotFound
from velella.core.graph.links import Column, End, Link, link
from velella.core.plugins import Options, Plugin
from velella.core.service import migrations
from velella.core.service.catalogue import catalogue_of
from velella.core.settings import Settings
from velella.core.sql.schema.query import Query
from velella.modules import NAMES
from velella.modules.link import MODULE, _with_links_of, module_with

PLUGIN = """
from velella.core.graph.links import End, link
from velella.core.plugins import Options, Plugin

plugin = Plugin(__name__, Options, links=[
    link("customer.customer_group", End("promotion.promotion_campaign", False, name="own_campaign", cascade=True), name="own_campaign"),
    link("product.product_category", "customer.customer_group", name="members_only"),
])
"""


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("tied")
    (folder / "tied.py").write_text(PLUGIN)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    del sys.modules["tied"]


@pytest.fixture
async def host(tied: None, migrated_database: str, tmp_path: Path) -> AsyncIterator[Host]:
    settings = Settings(_env_file=None, database_url=migrated_database, data_dir=tmp_path, plugins={"tied": {}})
    await migrations.migrate_all(settings)
    async with local_host(settings, [name for name in service_names(settings) if name != "http"]) as host:
        yield host


async def run(host: Host, name: str, **input: Any) -> Any:
    return await host.workflows.run(name, input)


async def test_what_is_deleted_takes_its_links_and_what_is_its_own_along(host: Host) -> None:
    groups = [row["id"] for row in await host.modules.customer.create("customer_group", [{"name": name} for name in "ab"])]
    rows = [{"name": name, "campaign_identifier": name} for name in "ab"]
    campaigns = [row["id"] for row in await host.modules.promotion.create("promotion_campaign", rows)]
    [category] = await host.modules.product.create_categories([{"name": "Sails"}])
    own = [{"customer_group_id": group, "promotion_campaign_id": campaign} for group, campaign in zip(groups, campaigns, strict=True)]
    members = [{"product_category_id": category["id"], "customer_group_id": group} for group in groups]
    with pytest.raises(NotFound, match="procamp_0"):
        await run(host, "batch-links", create={"own_campaign": [{"customer_group_id": groups[0], "promotion_campaign_id": "procamp_0"}]})
    assert await host.modules.link.count("own_campaign") == 0, "it was undone"
    await run(host, "batch-links", create={"own_campaign": own, "members_only": members})
    shown: list[Any] = await host.graph.rows(Query("customer_group", ("own_campaign.name", "product_categories.name"), {"id": groups[0]}))
    assert (shown[0]["own_campaign"]["name"], [each["name"] for each in shown[0]["product_categories"]]) == ("a", ["Sails"])

    await run(host, "delete-customer-groups", ids=[groups[0]])
    assert [row["id"] for row in await host.modules.promotion.list("promotion_campaign", {"id": campaigns})] == [campaigns[1]]
    assert await host.modules.link.count("members_only") == 1
    await run(host, "delete-product-categories", ids=[category["id"]])
    assert await host.modules.link.count("members_only") == 0, "also of what Velella itself links to nothing"


# -- their tables


def widened(*links: Link) -> Any:
    return module_with(links)


async def test_the_table_of_a_link_is_made_and_grows_with_it_and_loses_nothing(fresh_database: str) -> None:
    first = widened(link("product.product", "customer.customer", name="fan", columns=(Column("since", "text", "it's 100% : ever"),)))
    assert "table fan" in await migrations.pending(first, fresh_database)
    await migrations.migrate(first, fresh_database)
    assert (await migrations.pending(first, fresh_database), await migrations.differences(first, fresh_database)) == ([], "")
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(
        "INSERT INTO fan (product_id, customer_id, id, since) VALUES ('p', 'c', 'fan_1', 'May'), ('p', 'd', 'fan_2', 'May')"
    )

    other = widened(link("product.product", "customer.customer", name="fan", columns=(Column("rank", "number", "3"),)))
    assert await migrations.pending(other, fresh_database) == ["table fan"]
    await migrations.migrate(other, fresh_database)
    assert [tuple(row) for row in await connection.fetch("SELECT since, rank FROM fan")] == [("May", 3)] * 2, "the column that went stays"

    single = widened(link("product.product", "customer.customer", name="fan", many=False, columns=(Column("rank", "number", "4"),)))
    with pytest.raises(Misconfigured, match="The rows of fan don't fit"):
        await migrations.migrate(single, fresh_database)
    await connection.execute("UPDATE fan SET deleted_at = now() WHERE id = 'fan_2'")
    await migrations.migrate(single, fresh_database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO fan (product_id, customer_id, id) VALUES ('p', 'e', 'fan_3')")
    await connection.execute("INSERT INTO fan (product_id, customer_id, id) VALUES ('q', 'e', 'fan_4')")
    assert [tuple(row) for row in await connection.fetch("SELECT id, rank FROM fan WHERE deleted_at IS NULL ORDER BY id")] == [
        ("fan_1", 3),
        ("fan_4", 4),
    ], "rows that come from now on have the new default"

    back = widened(link("product.product", "customer.customer", name="fan", many=False, columns=(Column("since", "number", "0"),)))
    with pytest.raises(Misconfigured, match=r"fan\.since can't become as it is declared"):
        await migrations.migrate(back, fresh_database)
    await connection.close()
    await migrations.migrate(MODULE, fresh_database)  # without the plugin, for a while
    assert await migrations.pending(single, fresh_database) == []


# -- what is refused before a shop starts


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (link("product.product", "customer.custmer"), "leads to customer.custmer, which there isn't"),
        (link("product.product", "currency.currency"), "currency.currency, which has no ids of its own"),
        (link("product.product", "cart.cart_line_item"), "cart.cart_line_item, which has no ids of its own"),
        (link("product.product", End("customer.customer", name="tags")), "calls something product.tags, which there is"),
    ],
)
def test_a_link_that_leads_to_nothing_is_named(wrong: Link, said: str) -> None:
    others = [migrations.load_module(name, Settings(_env_file=None)) for name in NAMES if name != "link"]
    with pytest.raises(Misconfigured, match=said):
        catalogue_of([*others, widened(wrong)])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (link("product.product", "customer.customer", name="review_request"), "The review module has a table review_request already"),
        (link("product.product", "customer.customer", name="product_migrations"), "The product module has a table product_migrations"),
        (link("product.product", "customer.customer", name="workflow_job"), "The engine module has a table workflow_job already"),
        (link("product.product", "customer.custmer"), "leads to customer.custmer, which there isn't"),
    ],
)
async def test_a_link_that_is_refused_has_changed_no_table(
    wrong: Link, said: str, fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = ModuleType("tied_wrong")
    plugin.plugin = Plugin("tied_wrong", Options, links=[wrong])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tied_wrong", plugin)
    _with_links_of.cache_clear()
    named = {"modules": {"review": "reviews.module"}, "plugins": {"tied_wrong": {}}}
    settings = Settings(_env_file=None, database_url=fresh_database, data_dir=tmp_path, **named)
    for asked in (migrations.survey, migrations.migrate_all):
        with pytest.raises(Misconfigured, match=said):
            await asked(settings)  # type: ignore[operator]
    connection = await asyncpg.connect(fresh_database)
    assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    await connection.close()


def test_names_that_are_taken_are_refused() -> None:
    with pytest.raises(Misconfigured, match="Velella has a link order_promotion already"):
        widened(link("order.order", "promotion.promotion"))
    with pytest.raises(ValueError, match="needs an alias"):
        link("product.product", "product.product")
    with pytest.raises(ValueError, match="named by its module and entity"):
        link("product", "customer.customer")
    with pytest.raises(ValueError, match="small letters"):
        link("product.product", "customer.customer", columns=(Column('x" text; --', "text", ""),))
    with pytest.raises(ValueError, match=r"fan\.rank is a number: its default can't be 'first'"):
        link("product.product", "customer.customer", name="fan", columns=(Column("rank", "number", "first"),))
