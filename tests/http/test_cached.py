"""Answers come from memory until something they were made from changes; then from nowhere but the database."""

from __future__ import annotations

import asyncio

from velella.core.graph.reach import paths_of, reached
from velella.core.ids import ulid

from .conftest import Client, Shop


async def person(shop: Shop) -> dict[str, str]:
    made: dict[str, str] = (await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com", "first_name": "Ada"}]))[
        0
    ]
    return made


async def test_an_answer_is_remembered_until_its_module_changes(store: Client, shop: Shop) -> None:
    one = await person(shop)
    path = f"/store/folk/{one['id']}"
    metrics = shop.front._answers.metrics
    first = await store("GET", path)
    hits = metrics.hits
    for _ in range(3):
        assert (await store("GET", path)).text == first.text
    assert metrics.hits == hits + 3
    await shop.host.modules.user.update("user", [{"id": one["id"], "first_name": "Grace"}])
    assert (await store("GET", path)).json["person"]["first_name"] == "Grace"
    await shop.host.modules.user.delete("user", [one["id"]])
    assert (await store("GET", path)).status == 404
    await shop.host.modules.user.restore("user", [one["id"]])
    assert (await store("GET", path)).status == 200, "that it wasn't there is not remembered"


async def test_a_list_is_remembered_by_all_it_was_asked_for(store: Client, shop: Shop) -> None:
    one, other = await person(shop), await person(shop)
    for _ in range(2):
        for asked in (one, other):
            listed = (await store("GET", f"/store/folk?email={asked['email']}")).json
            assert [row["id"] for row in listed["people"]] == [asked["id"]]
            shown = (await store("GET", f"/store/folk?email={asked['email']}&fields=email")).json
            assert shown["people"] == [{"id": asked["id"], "email": asked["email"]}]


async def test_what_is_remembered_is_one_customers_own(store: Client, shop: Shop) -> None:
    first = (await store("GET", "/store/counted")).json
    assert (await store("GET", "/store/counted")).json == first
    signed_in = store.with_(authorization=f"Bearer {await shop.token('customer', 'cus_9')}")
    theirs = (await signed_in("GET", "/store/counted")).json
    assert theirs["customer"] == "cus_9"
    assert (await store("GET", "/store/counted")).json == first
    assert (await store("GET", "/store/counted?cart_id=x")).json != (await store("GET", "/store/counted?cart_id=x")).json
    await person(shop)
    assert (await store("GET", "/store/counted")).json["asked"] > theirs["asked"]


async def test_filters_that_were_changed_for_one_are_nobody_elses(client: Client) -> None:
    path = "/test/narrowed?$or[0][id]=a&variants[sku]=x"
    for who in ("one", "other", "one"):
        filters = (await client.with_(x_who=who)("GET", path)).json["filters"]
        assert filters == {"$or": [{"id": "a"}, {"id": who}], "variants": {"sku": "x", "owner": who}}


async def test_many_who_ask_at_once_ask_once(store: Client, shop: Shop) -> None:
    await person(shop)
    answers = await asyncio.gather(*(store("GET", "/store/counted") for _ in range(8)))
    assert len({answer.text for answer in answers}) == 1


async def test_compressed_answers_are_as_fresh_as_others(store: Client, shop: Shop) -> None:
    names = [f"{ulid()} {'x' * 60}" for _ in range(30)]
    rows = await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com", "first_name": name} for name in names])
    path = "/store/folk?" + "&".join(f"email[]={row['email']}" for row in rows[:12])
    packed = store.with_(accept_encoding="gzip")
    for name in ("Ada", "Grace", "Hedy"):
        await shop.host.modules.user.update("user", [{"id": rows[0]["id"], "first_name": name * 30}])
        for _ in range(2):
            answer = await packed("GET", path)
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.json["people"][0]["first_name"] == name * 30


def test_filters_and_fields_tell_what_an_answer_is_made_from(shop: Shop) -> None:
    catalogue = shop.front.context.graph.catalogue
    fields = ("id", "sales_channels.name")
    assert reached(catalogue, "api_key", fields) == {"publishable_api_key_sales_channel", "sales_channel"}
    by_channel = tuple(paths_of({"$or": [{"sales_channel_id": ["x"]}], "q": "y"}))
    assert reached(catalogue, "api_key", by_channel) == {"publishable_api_key_sales_channel"}
