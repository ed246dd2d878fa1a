"""Who has an answer already isn't sent it again, until it changes."""

from __future__ import annotations

from velella.core.ids import ulid

from .conftest import Client, Shop
from .test_cached import person


async def test_an_answer_that_the_client_has_is_not_sent_again(store: Client, shop: Shop) -> None:
    one = await person(shop)
    path = f"/store/folk/{one['id']}"
    first = await store("GET", path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = first.headers["ETag"]
    for asked in (tag, f'"another", {tag}', tag.removeprefix("W/"), "*"):
        again = await store.with_(**{"If-None-Match": asked})("GET", path)
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    other = await store.with_(**{"If-None-Match": '"another"'})("GET", path)
    assert (other.status, other.text) == (200, first.text)

    await shop.host.modules.user.update("user", [{"id": one["id"], "first_name": "Grace"}])
    changed = await store.with_(**{"If-None-Match": tag})("GET", path)
    assert changed.status == 200
    assert changed.json["person"]["first_name"] == "Grace"
    assert changed.headers["ETag"] != tag


async def test_compressed_and_plain_answers_have_one_tag(store: Client, shop: Shop) -> None:
    await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com", "first_name": "A" * 40} for _ in range(20)])
    path = "/store/folk?limit=20"
    plain = await store.with_(**{"Accept-Encoding": "identity"})("GET", path)
    packed = await store.with_(**{"Accept-Encoding": "gzip"})("GET", path)
    assert packed.headers.get("Content-Encoding") == "gzip"
    assert plain.headers["ETag"] == packed.headers["ETag"]
    again = await store.with_(**{"Accept-Encoding": "gzip", "If-None-Match": plain.headers["ETag"]})("GET", path)
    assert (again.status, again.text) == (304, "")


async def test_what_is_no_store_read_has_no_tag(store: Client, admin: Client, shop: Shop) -> None:
    assert "ETag" not in (await store("GET", "/store/folk/nobody")).headers
    assert "ETag" not in (await admin("GET", "/admin/people")).headers
