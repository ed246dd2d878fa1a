"""A plugin brings all that a shop consists of: tables, messages, relations, workflows, hooks, subscribers, providers, routes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from velella.actors.host import local_host
from velella.actors.topology import Topology
from velella.core.errors import Misconfigured, NotAllowed, TooLarge
from velella.core.graph.links import Reference, edges_of
from velella.core.plugins import Process
from velella.core.rules import NO_RULES
from velella.core.service import migrations
from velella.core.service.third_party import ThirdPartyService
from velella.core.settings import ProviderSettings, Settings
from velella.core.sql.schema.query import Query
from velella.http.admin.products import routes as products_routes
from velella.http.kit import (
    CUSTOMER,
    CUSTOMER_OPTIONAL,
    CUSTOMER_REGISTERING,
    TEXT,
    Body,
    ParameterKind,
    Request,
    Routes,
    meaning,
)
from velella.http.kit.assembling import assembled
from velella.modules.promotion import changes
from velella.testing import Client, Clock, Emails, Events, Refused, Row, Shop
from velella.workflows.cart import discounts

from .conftest import HERE, INSTALLED

PROVIDERS = ["pp_invoice_a", "pp_invoice_b"]


async def reviewed(shop: Shop, **body: Any) -> tuple[Row, Row]:
    product = await shop.product()
    made = await shop.store.post(f"/store/products/{product['id']}/reviews", {"rating": 5, "title": "Lasts", **body})
    return product, made["review"]


async def reviews_of(store: Client, product: Row) -> Any:
    return (await store.get(f"/store/products/{product['id']}", fields="+reviews.*"))["product"]["reviews"]


async def test_a_review_that_was_written_is_listed_and_shown_with_its_product(store: Client, admin: Client, product: Row) -> None:
    assert await reviews_of(store, product) == []
    body = {"rating": 4, "title": "Lasts", "email": "ada@example.com"}
    review = (await store.post(f"/store/products/{product['id']}/reviews", body))["review"]
    assert (review["product_id"], review["rating"], review["title"]) == (product["id"], 4, "Lasts")
    assert review["id"].startswith("rev_")
    [shown] = await reviews_of(store, product)  # the answer that was remembered is stale by now
    assert shown["id"] == review["id"]
    assert "email" not in shown
    listed = await store.get("/store/reviews", product_id=product["id"])
    assert ([shown["id"] for shown in listed["reviews"]], listed["count"]) == ([review["id"]], 1)
    assert (await store.get(f"/store/products/{product['id']}/rating"))["rating"] == {"count": 1, "average": 4}
    # what it says may be translated like all else
    said = {"reference": "review", "reference_id": review["id"], "locale_code": "de-DE", "translations": {"title": "Hält", "rating": "5"}}
    await admin.post("/admin/translations/batch", {"create": [said]})
    beside = (await store.get(f"/store/products/{product['id']}", fields="+reviews.*", locale="de-DE"))["product"]["reviews"]
    alone = (await store.get("/store/reviews", product_id=product["id"], locale="de-DE"))["reviews"]
    assert [(row["title"], row["rating"]) for row in (*beside, *alone)] == [("Hält", 4)] * 2
    assert (await admin.get("/admin/translations/settings"))["translation_settings"]["review"]["fields"] == ["title", "content"]


async def test_the_admin_changes_and_deletes_reviews_by_one_row_of_the_route_table(shop: Shop, admin: Client) -> None:
    product, review = await reviewed(shop)
    path = f"/admin/reviews/{review['id']}"
    changed = (await admin.post(path, {"title": "Lasts long"}))["review"]
    assert (changed["title"], changed["product"]["handle"]) == ("Lasts long", product["handle"])
    better = await admin.get("/admin/reviews", **{"rating[$gte]": "4", "product_id": product["id"]})
    assert [shown["id"] for shown in better["reviews"]] == [review["id"]]
    assert (await admin.get("/admin/reviews", **{"rating[$lt]": "4", "product_id": product["id"]}))["count"] == 0
    assert await admin.delete(path) == {"id": review["id"], "object": "review", "deleted": True}
    assert await reviews_of(shop.store, product) == []


@pytest.mark.parametrize("body", [{"rating": 6, "title": "x"}, {"rating": 3}, {"rating": 3, "title": "x", "stars": 3}])
async def test_a_review_is_checked_like_any_body(store: Client, product: Row, body: Any) -> None:
    assert (await store.send("POST", f"/store/products/{product['id']}/reviews", body)).status == 400


async def test_what_isnt_there_cant_be_reviewed(store: Client, admin: Client) -> None:
    with pytest.raises(Refused) as refused:
        await store.post("/store/products/prod_0/reviews", {"rating": 3, "title": "x"})
    assert (refused.value.status, refused.value.type) == (404, "not_found")
    assert (await admin.send("POST", "/admin/reviews/rev_0", {"title": "x"})).status == 404


async def test_the_plugins_routes_are_guarded_like_the_shops(admin: Client) -> None:
    anybody = replace(admin, headers={})
    assert (await anybody.send("GET", "/admin/reviews")).status == 401
    assert (await anybody.send("GET", "/store/reviews")).status == 400


async def test_the_hook_refuses_and_the_deletion_is_undone(shop: Shop, admin: Client) -> None:
    product, _ = await reviewed(shop)
    with pytest.raises(Refused) as refused:
        await admin.delete(f"/admin/products/{product['id']}")
    assert (refused.value.status, refused.value.type) == (400, "not_allowed")
    assert refused.value.message == f"Products with reviews can't be deleted: {product['id']}"
    again = (await shop.store.get(f"/store/products/{product['id']}"))["product"]
    assert [variant["id"] for variant in again["variants"]] == [variant["id"] for variant in product["variants"]]


async def test_two_providers_of_one_class_are_offered_and_differ_by_their_options(shop: Shop, admin: Client) -> None:
    region = shop.regions["Europe"]
    await admin.post(f"/admin/regions/{region}", {"payment_providers": ["pp_system_default", *PROVIDERS]})
    offered = (await shop.store.get("/store/payment-providers", region_id=region))["payment_providers"]
    assert sorted(provider["id"] for provider in offered) == [*PROVIDERS, "pp_system_default"]
    product = await shop.product(price=17)  # with the post it is more than the limit of one of them
    assert (await shop.complete(await shop.cart(product), "pp_invoice_b")).body["type"] == "cart"
    order = await shop.order(product, provider="pp_invoice_a")
    shown = (await admin.get(f"/admin/orders/{order['id']}", fields="id,payment_collections.payments.provider_id"))["order"]
    assert [payment["provider_id"] for payment in shown["payment_collections"][0]["payments"]] == ["pp_invoice_a"]


async def test_a_middleware_stands_before_routes_of_the_shop(shop: Shop, product: Row) -> None:
    robot = replace(shop, store=shop.store.with_headers(user_agent="crawlbot"))
    with pytest.raises(Refused) as refused:
        await robot.cart(product)
    assert (refused.value.type, refused.value.message) == ("not_allowed", "Robots don't buy here.")
    assert (await robot.store.get(f"/store/products/{product['id']}"))["product"]["id"] == product["id"]


async def test_a_query_string_says_what_a_plugin_lets_it_say(shop: Shop, store: Client, admin: Client) -> None:
    good, bad = await shop.product(), await shop.product()
    for product, rating in ((good, 5), (bad, 2)):
        await store.post(f"/store/products/{product['id']}/reviews", {"rating": rating, "title": "Seen"})
    ids = {"id[0]": good["id"], "id[1]": bad["id"]}
    for _ in range(2):  # the second answer is the remembered one
        found = await store.get("/store/products", **ids, **{"rating[$gte]": "4"})
        assert ([each["id"] for each in found["products"]], found["count"]) == ([good["id"]], 1)
    await store.post(f"/store/products/{bad['id']}/reviews", {"rating": 4, "title": "On second thoughts"})
    assert (await store.get("/store/products", **ids, **{"rating[$gte]": "4"}))["count"] == 2
    robot = store.with_headers(user_agent="crawlbot")
    body = {"region_id": shop.regions["Europe"]}
    assert (await robot.post("/store/carts", body, robots="welcome"))["cart"]["id"]
    for query in ({}, {"robots": "hello"}, {"robot": "welcome"}):
        with pytest.raises(Refused):
            await robot.post("/store/carts", body, **query)
    described = (await admin.get("/openapi.json"))["paths"]
    for path, method, name in (("/store/products", "get", "rating"), ("/store/carts", "post", "robots")):
        assert name in [each["name"] for each in described[path][method]["parameters"]]


async def test_additional_data_is_checked_and_described_and_comes_to_the_hook(shop: Shop, admin: Client) -> None:
    product = await shop.product(additional_data={"our_verdict": "Lasts"})
    [review] = (await admin.get("/admin/reviews", product_id=product["id"]))["reviews"]
    assert review["title"] == "Lasts"
    for wrong in ({"our_verdict": 5}, {"our_verdict": "x" * 101}, {"her_verdict": "Lasts"}):
        with pytest.raises(Refused) as refused:
            await shop.product(additional_data=wrong)
        assert refused.value.type == "invalid_data"
    described = json.dumps(await admin.get("/openapi.json"))
    assert '"our_verdict":' in described


def test_files_that_want_the_same_are_both_named() -> None:
    from reviews.http.admin import ProductData  # as the shop has it

    async def answer(request: Request) -> dict[str, int]:
        return {"rows": 1}

    def declaring(**options: Any) -> Routes:
        routes = Routes()
        routes.get("/store/tides/{id}", **options)(answer)
        return routes

    def widening(path: str, *models: type[Body]) -> Routes:
        routes = Routes()
        for model in models:
            routes.additional_data("POST", path, model)
        return routes

    def asking(path: str, **kinds: ParameterKind) -> Routes:
        routes = Routes()
        routes.additional_query("GET", path, **kinds)
        return routes

    ours, one, other = ("velella.http.store.tides", declaring()), ("one.http.tides", declaring()), ("other.http.tides", declaring())
    with pytest.raises(Misconfigured, match=r"one\.http\.tides and other\.http\.tides both declare GET /store/tides/\{id\}"):
        assembled([one, other])
    overriding = [(f"{name}.http", declaring(overrides=True)) for name in ("one", "other")]
    [route] = assembled([overriding[0], ours])
    assert route.overrides
    for guard, own, guarded in (  # what stands in the place of a route is open to whom that was, unless it says otherwise
        ({"auth": CUSTOMER}, {}, CUSTOMER),
        ({"auth": CUSTOMER_REGISTERING}, {}, CUSTOMER_REGISTERING),
        ({"auth": CUSTOMER}, {"auth": CUSTOMER_OPTIONAL}, CUSTOMER_OPTIONAL),
        ({}, {"auth": CUSTOMER}, CUSTOMER),
        ({}, {}, CUSTOMER_OPTIONAL),
    ):
        [route] = assembled([("velella.http.store.tides", declaring(**guard)), ("one.http", declaring(overrides=True, **own))])
        assert route.overrides
        assert route.auth == guarded
    with pytest.raises(Misconfigured, match=r"one\.http and other\.http both override GET /store/tides"):
        assembled([ours, *overriding])
    with pytest.raises(Misconfigured, match="which there isn't"):
        assembled(overriding[:1])
    products = [("velella.http.admin.products", products_routes)]
    both = [(name, widening("/admin/products", ProductData)) for name in ("one", "other")]
    with pytest.raises(Misconfigured, match="one and other both say what `our_verdict` in the additional_data of POST /admin/products is"):
        assembled([*products, *both])
    with pytest.raises(Misconfigured, match="which takes none"):
        assembled([*products, ("one", widening("/admin/productz", ProductData))])
    asked = [(name, asking("/admin/products", tide=TEXT)) for name in ("one", "other")]
    with pytest.raises(Misconfigured, match="one and other both say what `tide` in the query of GET /admin/products is"):
        assembled([*products, *asked])
    for path, kinds, said in (
        ("/admin/products", {"q": TEXT}, "Velella and one both say what `q`"),
        ("/admin/products", {"order": TEXT}, "Velella and one both say what `order`"),
        ("/admin/productz", {"tide": TEXT}, "which takes none"),
        ("/admin/products/{id}", {"tide": meaning(TEXT, "tides.id")}, "which answers with no list"),
    ):
        with pytest.raises(Misconfigured, match=said):
            assembled([*products, ("one", asking(path, **kinds))])


async def test_a_link_is_shown_and_looked_for_from_both_sides(shop: Shop, admin: Client) -> None:
    one, other = await shop.product(), await shop.product()
    customer = (await admin.post("/admin/customers", {"email": f"{one['id']}@example.com"}))["customer"]
    path = f"/admin/customers/{customer['id']}/wishes"
    await admin.post(path, {"product_id": one["id"], "note": "in blue"})
    shown = (await admin.post(path, {"product_id": other["id"]}))["customer"]
    assert [product["id"] for product in shown["wished_products"]] == [one["id"], other["id"]]
    assert [row["note"] for row in shown["wished_products_link"]] == ["in blue", ""]
    by = (await admin.get(f"/admin/products/{one['id']}", fields="wished_by.email"))["product"]["wished_by"]
    assert [each["email"] for each in by] == [customer["email"]]
    for filters in ({"wished_products": {"id": one["id"]}}, {"wished_products_link": {"note": "in blue", "product_id": one["id"]}}):
        found: list[Row] = await shop.graph.rows(Query("customer", ("id",), filters))
        assert [row["id"] for row in found] == [customer["id"]]
    again = (await admin.post(path, {"product_id": one["id"], "note": "in red"}))["customer"]
    assert sorted(row["note"] for row in again["wished_products_link"]) == ["", "in red"], "its row was changed"
    for wrong in ({"product_id": "prod_0"}, {"product_id": one["id"], "note": "x" * 501}):
        with pytest.raises(Refused) as refused:
            await admin.post(path, wrong)
        assert refused.value.type == ("not_found" if "note" not in wrong else "invalid_data")
    left = (await admin.delete(f"{path}/{one['id']}"))["customer"]
    assert [product["id"] for product in left["wished_products"]] == [other["id"]]
    assert (await admin.get(f"/admin/products/{one['id']}", fields="wished_by.email"))["product"]["wished_by"] == [], "nothing stale"
    await admin.delete(f"/admin/products/{other['id']}")
    left = (await admin.get(f"/admin/customers/{customer['id']}", fields="*wished_products"))["customer"]
    assert left["wished_products"] == [], "links go with what they lead to"
    assert await shop.host.modules.link.count("wish", {"product_id": other["id"]}) == 0


async def test_the_subscriber_hears_of_an_order(shop: Shop, admin: Client, product: Row, events: Events) -> None:
    order = await shop.order(product)
    assert [event.data["id"] for event in await events.emitted("order.placed")] == [order["id"]]
    asked = (await admin.get("/admin/review-requests", order_id=order["id"]))["review_requests"]
    assert [(each["product_id"], each["email"]) for each in asked] == [(product["id"], "ada@example.com")]


@pytest.mark.parametrize(("keep", "ends"), [(True, "kept"), (False, "removed")])
async def test_a_review_waits_for_its_moderator_who_answers_by_a_route(shop: Shop, admin: Client, keep: bool, ends: str) -> None:
    """The subscriber has started the workflow; a merchant who starts it again joins it, and what is said first counts."""
    product, review = await reviewed(shop)
    await shop.settled()
    path = f"/admin/reviews/{review['id']}/moderation"
    assert (await admin.post(path))["transaction"] == review["id"]
    waiting = (await admin.get(path))["moderation"]
    assert (waiting["state"], waiting["waits"]) == ("invoking", ["ask-moderator"])
    await admin.post(f"{path}/verdict", {"keep": keep})
    await shop.settled()
    moderation = (await admin.get(path))["moderation"]
    assert (moderation["state"], moderation["result"]) == ("done", ends)
    assert [shown["id"] for shown in await reviews_of(shop.store, product)] == ([review["id"]] if keep else [])
    with pytest.raises(Refused) as late:
        await admin.post(f"{path}/verdict", {"keep": not keep})
    assert late.value.status == 400


async def test_the_subscriber_hears_of_a_deletion_by_the_module_itself(shop: Shop, admin: Client, events: Events) -> None:
    product = await shop.product()
    order = await shop.order(product)
    await shop.settled()
    await shop.modules.product.delete("product", [product["id"]])  # as a script does: by no workflow
    assert [event.data for event in await events.emitted("product.product.deleted")] == [{"id": product["id"]}]
    assert (await admin.get("/admin/review-requests", order_id=order["id"]))["count"] == 0


async def test_the_buyer_gets_an_email(order: Row, emails: Emails, shop: Shop) -> None:
    [email] = await emails.sent(template="order-placed")
    assert email.to == "ada@example.com"
    assert email.content is not None
    assert str(order["display_id"]) in email.content.subject


async def test_the_job_forgets_whom_we_asked_long_ago(shop: Shop, admin: Client, order: Row, clock: Clock) -> None:
    await shop.settled()
    await shop.run_job("forget-review-requests")
    assert (await admin.get("/admin/review-requests", order_id=order["id"]))["count"] == 1
    await clock.forward(days=61)
    assert (await admin.get("/admin/review-requests", order_id=order["id"]))["count"] == 0


async def test_what_is_done_once_was_done_when_the_shop_began(shop: Shop) -> None:
    await shop.settled()
    [run] = await shop.host.workflows.list(workflow="ask-for-what-was-bought")
    assert (run["state"], run["key"]) == ("done", "once")


async def test_promotions_can_be_about_what_a_plugin_knows_and_give_what_it_says(
    shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "/admin/promotions/rule-attribute-options"
    shown = {each["value"]: each for each in (await admin.get(f"{options}/rules"))["attributes"]}
    assert (shown["reviews.email_domain"]["field_type"], shown["reviews.email_domain"]["id"]) == ("text", "reviews_email_domain")
    assert "reviews.by_the_dozen" not in shown
    assert "reviews.by_the_dozen" in {each["value"] for each in (await admin.get(f"{options}/target-rules"))["attributes"]}
    values = await admin.get("/admin/promotions/rule-value-options/target-rules/reviews_by_the_dozen", q="y", limit=1)
    assert (values["values"], values["count"]) == ([{"value": "true", "label": "Yes"}], 1)

    async def promotion(code: str, type: str, rules: Any = (), target_rules: Any = (), target: str = "items", **method: Any) -> Row:
        how = {"type": type, "target_type": target, "value": 10, "target_rules": [*target_rules], **method}
        body = {"code": code, "type": "standard", "status": "active", "application_method": how, "rules": [*rules]}
        return (await admin.post("/admin/promotions", body))["promotion"]  # type: ignore[no-any-return]

    async def discount(product: Row, quantity: int, email: str, *codes: str) -> float:
        cart = await shop.cart(product, quantity=quantity, email=email)
        answer = await shop.store.post(f"/store/carts/{cart['id']}", {"promo_codes": list(codes)})
        return float(answer["cart"]["discount_total"])

    product = await shop.product(price=9.99)
    domain = {"attribute": "reviews.email_domain", "operator": "in", "values": ["acme.example"]}
    company = await promotion("COMPANY", "percentage", [domain], allocation="each", max_quantity=100)
    assert await discount(product, 1, "eve@acme.example", "COMPANY") == 1.0
    assert await discount(product, 1, "eve@other.example", "COMPANY") == 0
    [rule] = (await admin.get(f"/admin/promotions/{company['id']}/rules"))["rules"]
    assert (rule["attribute_label"], [each["label"] for each in rule["values"]]) == ("Domain of the email address", ["acme.example"])
    dozen = {"attribute": "reviews.by_the_dozen", "operator": "eq", "values": ["true"]}
    await promotion("DOZEN", "percentage", target_rules=[dozen], allocation="each", max_quantity=100)
    assert [await discount(product, count, "a@b.example", "DOZEN") for count in (11, 12)] == [0, 11.99]

    third = await promotion("THIRD", "reviews.third_free")
    assert [await discount(product, count, "a@b.example", "THIRD") for count in (2, 3, 7)] == [0, 9.99, 19.98]
    assert await discount(product, 3, "eve@acme.example", "COMPANY", "THIRD") == 11.99, "one of what the other left: 2.997 + 26.973 / 3"
    for wrong, said in (
        (("A", "reviews.fourth_free"), "is none of percentage, fixed, reviews.third_free"),
        (("B", "reviews.third_free"), "of items"),
    ):
        with pytest.raises(Refused, match=said):
            await promotion(*wrong, target="items" if wrong[0] == "A" else "order")

    others = await promotion("OTHERS", "percentage", [{**domain, "operator": "ne"}], allocation="each", max_quantity=100)
    assert await discount(product, 1, "eve@other.example", "OTHERS") == 1.0
    for module in (changes, discounts):
        monkeypatch.setattr(module, "rules_of", lambda settings: NO_RULES)  # as without the plugin
    assert await discount(product, 3, "eve@other.example", "OTHERS", "THIRD") == 0, "what nobody can tell any more is granted to nobody"
    with pytest.raises(Refused, match="is none of percentage, fixed"):
        await admin.post(f"/admin/promotions/{third['id']}", {"application_method": {"value": 5}})
    region = {"attribute": "region.id", "operator": "eq", "values": ["reg_1"]}
    await admin.post(f"/admin/promotions/{third['id']}/rules/batch", {"create": [region]})
    for each in (third, others):
        off = await admin.post(f"/admin/promotions/{each['id']}", {"status": "inactive"})
        assert off["promotion"]["status"] == "inactive", "it can be switched off"


async def test_prices_and_taxes_can_be_about_what_a_plugin_knows(shop: Shop) -> None:
    pricing, tax = shop.modules.pricing, shop.modules.tax
    ruled = {"amount": 7, "currency_code": "eur", "rules": {"reviews.email_domain": "acme.example"}}
    [prices] = await pricing.create_price_sets([{"prices": [{"amount": 9, "currency_code": "eur"}, ruled]}])
    for email, amount in (("eve@acme.example", 7), ("eve@other.example", 9), (None, 9)):
        buyer = {"customer": {"email": email}} if email is not None else {}
        found = await pricing.calculate_prices([prices["id"]], {"currency_code": "eur", **buyer})
        assert found[prices["id"]]["calculated_amount"] == amount

    product = await shop.product(price=9)
    variant = product["variants"][0]["id"]
    company = f"{product['handle']}.example"
    own = {**ruled, "rules": {"reviews.email_domain": company}}
    await shop.admin.post(f"/admin/products/{product['id']}/variants/{variant}", {"prices": [{"amount": 9, "currency_code": "eur"}, own]})
    for email, amount in ((f"eve@{company}", 7), (None, 9)):
        buyer_api = await shop.customer(email)
        for _ in range(2):  # what is remembered of prices is each customer's own
            path = f"/store/products/{product['id']}"
            shown = await buyer_api.get(path, fields="*variants.calculated_price", region_id=shop.regions["Europe"])
            assert shown["product"]["variants"][0]["calculated_price"]["calculated_amount"] == amount
        cart = await shop.cart(product, by=buyer_api)
        assert cart["items"][0]["unit_price"] == amount

    [region] = await tax.create_regions([{"country_code": "is", "default_tax_rate": {"name": "All", "code": "all", "rate": 24}}])
    rules = [{"reference": "reviews.email_domain", "reference_id": "acme.example"}]
    await tax.create_rates([{"tax_region_id": region["id"], "name": "None", "code": "none", "rate": 0, "rules": rules}])
    items: Any = [
        {"id": "cali_1", "quantity": 1, "unit_price": 5, "product_id": "prod_1", "product_type_id": None, "variant_id": "variant_1"}
    ]
    for email, code in (("eve@acme.example", "none"), ("eve@other.example", "all")):
        [line] = await tax.get_tax_lines(items, (), {"address": {"country_code": "is"}, "customer": {"email": email}})
        assert line["code"] == code


def test_a_message_with_the_name_of_a_kernels_that_means_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match=r"CmsService\.documents isn't what the kernel calls documents\(self, query"):

        class CmsService(ThirdPartyService):
            async def documents(self, ids: list[str]) -> list[str]:  # type: ignore[override]
                return ids


async def test_what_a_third_party_keeps_is_shown_and_looked_for_like_what_is_ours(
    shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reviews import press

    one, other = await shop.product(), await shop.product()
    asked: list[Any] = []
    find = press.PressService.find

    async def counted(self: Any, entity: str, keys: Any) -> Any:
        asked.append(keys)
        return await find(self, entity, keys)

    monkeypatch.setattr(press.PressService, "find", counted)
    archive = [{"id": f"report_{stars}", "product_id": one["id"], "stars": stars, "internal": "x"} for stars in (3, 5, 4)]
    monkeypatch.setattr(press, "ARCHIVE", archive)
    path = f"/admin/products/{one['id']}"
    shown = (await admin.get(path, fields="press_reports.stars"))["product"]["press_reports"]
    assert shown == [{"stars": stars, "id": f"report_{stars}"} for stars in (3, 4, 5)]
    archive.pop()
    assert len((await admin.get(path, fields="*press_reports"))["product"]["press_reports"]) == 2, "nothing of it is remembered"
    both = await shop.graph.rows(Query("product", ("id", "press_reports.stars"), {"id": [one["id"], other["id"]]}, order=("-id",)))
    assert [len(product["press_reports"]) for product in both] == [0, 2]
    assert asked[-1] == {"product_id": sorted([one["id"], other["id"]])}, "of all of a page at once"

    best = Query(
        "press_report", ("stars", "product.handle"), {"product_id": one["id"], "stars": {"$gt": 3}}, ("-stars",), limit=1, count=True
    )
    page = await shop.graph.query(best)
    assert ([(row["stars"], row["product"]["handle"]) for row in page.rows], page.count) == ([(5, one["handle"])], 1)
    found = await shop.graph.rows(Query("product", ("id",), {"press_reports": {"id": ["report_3"]}}))
    assert [row["id"] for row in found] == [one["id"]]
    service = shop.modules.of(press.PressService)
    assert (await service.retrieve("press_report", "report_3"))["stars"] == 3
    assert await service.count("press_report", {"id": []}) == 0
    with pytest.raises(NotAllowed, match="Say of which products"):
        await service.count("press_report")
    with pytest.raises(TypeError, match="has no tables to write to"):
        await press.PressService(service_context(shop)).create("press_report", [{"id": "report_9"}])
    archive += [{"id": f"many_{number}", "product_id": other["id"], "stars": 1} for number in range(1001)]
    with pytest.raises(TooLarge):
        await service.count("press_report", {"product_id": other["id"]})


def service_context(shop: Shop) -> Any:
    return shop.host.services["press"].context


# -- what is written about it


def snippets() -> list[tuple[str, list[str]]]:
    """File → lines, of every snippet of the guide that says where it is from."""
    guide = (HERE.parent.parent / "docs" / "writing-a-module.md").read_text()
    return [(file, text.splitlines()) for file, text in re.findall(r"```\w+\n# (\S+/\S+|test_\S+)\n(.*?)```", guide, re.DOTALL)]


def test_the_guide_shows_the_plugin_as_it_is() -> None:
    assert len(snippets()) >= 25
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


async def test_a_plugin_starts_once_in_each_process_of_the_shop(
    migrated_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import reviews

    seen: list[Any] = []

    @asynccontextmanager
    async def start(process: Process) -> AsyncIterator[None]:
        seen.append(reviews.plugin.options(process.settings).forget_after_days)
        yield
        seen.append("stopped")

    monkeypatch.setattr(reviews.plugin, "start", start)
    settings = Settings(database_url=migrated_database, data_dir=tmp_path, **INSTALLED)
    async with local_host(settings, ["currency", "region"]):
        assert seen == [60]
    async with local_host(settings, ["currency"], visits=True):
        assert seen == [60, "stopped"], "a command that visits the shop isn't one of its processes"
