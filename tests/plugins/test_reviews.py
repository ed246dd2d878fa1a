"""A plugin brings all that a shop consists of: tables, messages, relations, workflows, hooks, subscribers, providers, routes."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from velella.actors.topology import Topology
from velella.core.graph.links import Reference, edges_of
from velella.core.service import migrations
from velella.core.settings import ProviderSettings, Settings

from .conftest import HERE, INSTALLED, Shop

PROVIDERS = ["pp_invoice_a", "pp_invoice_b"]


async def reviewed(shop: Shop, handle: str, **body: Any) -> tuple[Any, Any]:
    product = await shop.product(handle)
    made = await shop.store.post(f"/store/products/{product['id']}/reviews", {"rating": 5, "title": "Lasts", **body})
    return product, made["review"]


async def test_a_review_that_was_written_is_listed_and_shown_with_its_product(shop: Shop) -> None:
    before = await shop.product("enamel-mug", fields="+reviews.*")
    assert before["reviews"] == []
    product, review = await reviewed(shop, "enamel-mug", rating=4, email="ada@example.com")
    assert (review["product_id"], review["rating"], review["title"]) == (product["id"], 4, "Lasts")
    assert review["id"].startswith("rev_")
    after = await shop.product("enamel-mug", fields="+reviews.*")  # the answer that was remembered is stale by now
    assert [shown["id"] for shown in after["reviews"]] == [review["id"]]
    assert "email" not in after["reviews"][0]
    listed = await shop.store.get("/store/reviews", product_id=product["id"])
    assert ([shown["id"] for shown in listed["reviews"]], listed["count"]) == ([review["id"]], 1)
    assert (await shop.store.get(f"/store/products/{product['id']}/rating"))["rating"] == {"count": 1, "average": 4}


async def test_the_admin_changes_and_deletes_reviews_by_one_row_of_the_route_table(shop: Shop) -> None:
    product, review = await reviewed(shop, "linen-tea-towel")
    path = f"/admin/reviews/{review['id']}"
    changed = (await shop.admin.post(path, {"title": "Lasts long"}))["review"]
    assert (changed["title"], changed["product"]["handle"]) == ("Lasts long", "linen-tea-towel")
    better = await shop.admin.get("/admin/reviews", **{"rating[$gte]": "4", "product_id": product["id"]})
    assert [shown["id"] for shown in better["reviews"]] == [review["id"]]
    assert (await shop.admin.get("/admin/reviews", **{"rating[$lt]": "4", "product_id": product["id"]}))["count"] == 0
    assert await shop.admin("DELETE", path) == (200, {"id": review["id"], "object": "review", "deleted": True})
    assert (await shop.product("linen-tea-towel", fields="+reviews.*"))["reviews"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [({"rating": 6, "title": "x"}, 400), ({"rating": 3}, 400), ({"rating": 3, "title": "x", "stars": 3}, 400)],
)
async def test_a_review_is_checked_like_any_body(shop: Shop, body: Any, status: int) -> None:
    product = await shop.product("enamel-mug")
    assert (await shop.store("POST", f"/store/products/{product['id']}/reviews", body))[0] == status


async def test_what_isnt_there_cant_be_reviewed(shop: Shop) -> None:
    status, body = await shop.store("POST", "/store/products/prod_0/reviews", {"rating": 3, "title": "x"})
    assert (status, body["type"]) == (404, "not_found")
    assert (await shop.admin("POST", "/admin/reviews/rev_0", {"title": "x"}))[0] == 404


async def test_the_plugins_routes_are_guarded_like_the_shops(shop: Shop) -> None:
    shop.admin.headers, kept = {}, shop.admin.headers
    try:
        assert (await shop.admin("GET", "/admin/reviews"))[0] == 401
        assert (await shop.admin("GET", "/store/reviews"))[0] == 400
    finally:
        shop.admin.headers = kept


async def test_the_hook_refuses_and_the_deletion_is_undone(shop: Shop) -> None:
    product, _ = await reviewed(shop, "brass-compass")
    status, body = await shop.admin("DELETE", f"/admin/products/{product['id']}")
    assert (status, body["type"], body["message"]) == (400, "not_allowed", f"Products with reviews can't be deleted: {product['id']}")
    again = await shop.product("brass-compass")
    assert [variant["id"] for variant in again["variants"]] == [variant["id"] for variant in product["variants"]]


async def test_two_providers_of_one_class_are_offered_and_differ_by_their_options(shop: Shop) -> None:
    region = shop.regions["Europe"]
    await shop.admin.post(f"/admin/regions/{region}", {"payment_providers": ["pp_system_default", *PROVIDERS]})
    offered = (await shop.store.get("/store/payment-providers", region_id=region))["payment_providers"]
    assert sorted(provider["id"] for provider in offered) == [*PROVIDERS, "pp_system_default"]
    variant = (await shop.product("tide-table-calendar"))["variants"][0]["id"]
    assert (await shop.order(variant, "pp_invoice_b"))[1]["type"] == "cart"  # 17 euros and the post are more than its limit
    status, answer = await shop.order(variant, "pp_invoice_a")
    assert (status, answer["type"]) == (200, "order")
    shown = (await shop.admin.get(f"/admin/orders/{answer['order']['id']}", fields="id,payment_collections.payments.provider_id"))["order"]
    assert [payment["provider_id"] for payment in shown["payment_collections"][0]["payments"]] == ["pp_invoice_a"]


async def test_the_subscriber_hears_of_an_order(shop: Shop) -> None:
    product = await shop.product("sail-t-shirt")
    _, answer = await shop.order(product["variants"][0]["id"], "pp_system_default")
    async with asyncio.timeout(20):
        while not (asked := (await shop.admin.get("/admin/review-requests", order_id=answer["order"]["id"]))["review_requests"]):
            await asyncio.sleep(0.1)
    assert [(each["product_id"], each["email"]) for each in asked] == [(product["id"], "ada@example.com")]


async def test_the_job_is_known_and_begun_by_hand(shop: Shop) -> None:
    begun = await shop.admin.post("/admin/workflows-executions/forget-review-requests/run", {})
    about = {"transaction_id": begun["acknowledgement"]["transactionId"]}
    async with asyncio.timeout(20):
        while True:
            rows = (await shop.admin.get("/admin/workflows-executions", **about))["workflow_executions"]
            if [row["state"] for row in rows] == ["done"]:
                break
            await asyncio.sleep(0.1)
    assert rows[0]["workflow_id"] == "forget-review-requests"


# -- what is written about it


def snippets() -> list[tuple[str, list[str]]]:
    """File → lines, of every snippet of the guide that says where it is from."""
    guide = (HERE.parent.parent / "docs" / "writing-a-module.md").read_text()
    return [(file, text.splitlines()) for file, text in re.findall(r"```\w+\n# (reviews/\S+)\n(.*?)```", guide, re.DOTALL)]


def test_the_guide_shows_the_plugin_as_it_is() -> None:
    assert len(snippets()) == 12
    for file, shown in snippets():
        lines = iter((HERE / file).read_text().splitlines())
        for line in shown:
            if line.strip() != "…":
                assert line in lines, f"{file} has no such line there: {line}"  # in this order: the iterator only goes on


# -- where it runs


@pytest.mark.parametrize("name", ["packed", "pooled"])
def test_every_topology_has_a_place_for_the_plugins_module(name: str) -> None:
    topology = Topology.of(Settings(topology=name, **INSTALLED))
    assert "review" in topology.services
    assert [pool.name for pool in topology.pools if pool.services == ("review",)] == ["review"] * (name == "pooled")


def test_a_pool_may_name_the_plugins_module() -> None:
    settings = Settings(**INSTALLED)
    others = [service for service in Topology.of(settings).services if service not in ("review", "product")]
    pools = [{"name": "catalogue", "services": ["product", "review"], "replicas": 2}, {"name": "others", "services": others}]
    topology = Topology.parse({"metadata": {"velella": {"pools": pools}}}, settings)
    assert topology.pools[0].services == ("product", "review")


async def test_the_history_of_the_plugins_module_leads_to_its_tables(postgres_url: str) -> None:
    assert await migrations.differences(migrations.load_module("review", Settings(**INSTALLED)), postgres_url) == ""


def test_naming_payment_providers_takes_no_other_provider_away() -> None:
    providers = Settings(**INSTALLED).providers
    assert [provider.id for provider in providers["payment"]] == ["default", "a", "b"]
    assert providers["tax"] == [ProviderSettings(use="system")]


def test_two_plugins_cant_give_a_thing_the_same_name() -> None:
    one, other = (Reference(name, "product", "product_id", "product", back="reviews") for name in ("review", "opinion"))
    with pytest.raises(ValueError, match=r"product\.reviews leads to review and to opinion"):
        edges_of((), (one, other))
