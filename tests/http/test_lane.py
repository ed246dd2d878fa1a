"""What is asked for again and again goes a short way, and sees every change at once all the same."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from .conftest import Client, Shop
from .test_cached import person


async def asked_often(store: Client, shop: Shop, path: str) -> str:
    """Until it goes the short way; the answer."""
    places = shop.front._fast_path._targets.metrics
    answers = [(await store("GET", path)).text for _ in range(2)]
    before = places.hits
    answers += [(await store("GET", path)).text for _ in range(3)]
    assert places.hits == before + 3, "it doesn't go the short way"
    assert len(set(answers)) == 1
    return answers[0]


async def test_a_change_is_seen_at_once(store: Client, shop: Shop) -> None:
    one = await person(shop)
    path = f"/store/folk/{one['id']}"
    await asked_often(store, shop, path)
    for name in ("Grace", "Barbara"):
        await shop.host.modules.user.update("user", [{"id": one["id"], "first_name": name}])
        assert (await store("GET", path)).json["person"]["first_name"] == name
        await asked_often(store, shop, path)
    await shop.host.modules.user.delete("user", [one["id"]])
    assert (await store("GET", path)).status == 404


async def test_a_revoked_key_opens_nothing_any_more(store: Client, shop: Shop) -> None:
    path = f"/store/folk/{(await person(shop))['id']}"
    await asked_often(store, shop, path)
    (key,) = await shop.host.modules.api_key.list("api_key", {"token": store.headers["x-publishable-api-key"]})
    await shop.host.modules.api_key.revoke(key["id"], "test")
    assert (await store("GET", path)).status == 400


async def test_it_is_for_this_key_and_for_nobody_who_is_signed_in(store: Client, client: Client, shop: Shop) -> None:
    path = "/store/counted"
    theirs = await asked_often(store, shop, path)
    assert (await client("GET", path)).status == 400
    assert (await client.with_(x_publishable_api_key="pk_nobody")("GET", path)).status == 400
    signed_in = store.with_(authorization=f"Bearer {await shop.token('customer', 'cus_7')}")
    assert (await signed_in("GET", path)).json["customer"] == "cus_7"
    assert (await store("GET", path)).text == theirs
    assert (await store("GET", path + "?cart_id=x")).text != theirs
    head = await store("POST", path)
    assert head.status == 404, "only what is asked for by GET"


async def test_a_merchant_goes_it_too_and_sees_every_change(admin: Client, shop: Shop) -> None:
    one = await person(shop)
    path = f"/admin/people/{one['id']}"
    await asked_often(admin, shop, path)
    await shop.host.modules.user.update("user", [{"id": one["id"], "email": "other@example.com"}])
    assert (await admin("GET", path)).json["person"]["email"] == "other@example.com"
    await shop.host.modules.user.delete("user", [one["id"]])
    assert (await admin("GET", path)).status == 404


async def test_it_is_for_this_token_for_as_long_as_it_lasts(
    admin: Client, client: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/admin/people/{(await person(shop))['id']}"
    await asked_often(admin, shop, path)
    assert (await client("GET", path)).status == 401
    assert (await client.with_(authorization="Bearer nonsense")("GET", path)).status == 401
    assert (await client.with_(authorization=f"Bearer {await shop.token('customer', 'cus_7')}")("GET", path)).status == 401
    later = SimpleNamespace(time=lambda: time.time() + 10 * 365 * 86_400, monotonic=time.monotonic)
    for module in ("fast_path", "tokens"):
        monkeypatch.setattr(f"velella.http.server.{module}.time", later)
    assert (await admin("GET", path)).status == 401
