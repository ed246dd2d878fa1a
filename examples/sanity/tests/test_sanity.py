"""Products and their documents at Sanity say the same, whichever side changes, fails or is away."""

from __future__ import annotations

import asyncio
from typing import Any

from stand_in import SanityStandIn, signed

from velella.testing import Client, Clock, Row, Shop

BODY = [{"_type": "block", "_key": "a", "children": [{"_type": "span", "text": "Made in Kiel."}]}]
GERMAN = [{"_key": "de", "value": "In Kiel gemacht."}]


async def quiet(shop: Shop, sanity: SanityStandIn) -> None:
    """Return when neither side has anything left to say to the other."""
    said = -1
    while said != sanity.sent:
        said = sanity.sent
        await shop.settled()
        await sanity.delivered()


async def shown(store: Client, product: Row) -> Any:
    return (await store.get(f"/store/products/{product['id']}", fields="+sanity_product.*"))["product"].get("sanity_product")


async def test_a_product_has_a_document_that_follows_it(shop: Shop, admin: Client, sanity: SanityStandIn) -> None:
    product = await shop.product("Lamp", subtitle="Bright")
    await quiet(shop, sanity)
    document = sanity.documents[product["id"]]
    assert (document["_type"], document["title"], document["subtitle"]) == ("product", "Lamp", "Bright")
    seen = {"title": "Lamp", "subtitle": "Bright", "handle": product["handle"], "status": "published", "isDeleted": False}
    assert document["shop"] == seen
    sanity.edit(product["id"], body=BODY)
    await admin.post(f"/admin/products/{product['id']}", {"title": "Harbour lamp", "subtitle": None})
    await quiet(shop, sanity)
    document = sanity.documents[product["id"]]
    assert (document["title"], document["body"], document["shop"]["title"]) == ("Harbour lamp", BODY, "Harbour lamp")
    assert "subtitle" not in document
    assert "subtitle" not in document["shop"]
    await admin.delete(f"/admin/products/{product['id']}")
    await quiet(shop, sanity)
    document = sanity.documents[product["id"]]
    assert (document["shop"]["isDeleted"], document["body"]) == (True, BODY), "what editors wrote isn't lost"
    await shop.modules.product.restore("product", [product["id"]])
    await quiet(shop, sanity)
    assert not sanity.documents[product["id"]]["shop"]["isDeleted"]


async def test_what_editors_write_comes_to_the_shop_once(shop: Shop, admin: Client, sanity: SanityStandIn) -> None:
    product = await shop.product("Lantern")
    path = f"/admin/products/{product['id']}"
    await quiet(shop, sanity)
    sanity.asked.clear()
    sanity.edit(product["id"], title="Harbour lamp", description="Brass.")
    await quiet(shop, sanity)
    there = (await admin.get(path))["product"]
    assert (there["title"], there["description"]) == ("Harbour lamp", "Brass.")
    assert sanity.documents[product["id"]]["shop"]["title"] == "Harbour lamp"
    assert sanity.asked.count("mutate") == 1, "the shop says what it has now, and that is all"
    assert (await shop.store.get(f"/store/products/{product['id']}"))["product"]["title"] == "Harbour lamp"

    draft = dict(sanity.documents[product["id"]])  # an editor begins to write
    await admin.post(path, {"title": "Lamp of the harbour"})
    await quiet(shop, sanity)
    sanity.edit(product["id"], **{**draft, "title": "Harbour lamp!", "description": "Brass, of course."})  # and publishes
    await quiet(shop, sanity)
    there, document = (await admin.get(path))["product"], sanity.documents[product["id"]]
    assert there["title"] == document["title"] == "Lamp of the harbour", "both changed it: the shop wins"
    assert there["description"] == document["description"] == "Brass, of course."

    sanity.edit(product["id"], title=" ")
    await quiet(shop, sanity)
    assert sanity.documents[product["id"]]["title"] == "Lamp of the harbour", "a product has a title"
    del sanity.documents[product["id"]]
    await admin.post(path, {"metadata": {"shelf": 1}})
    await quiet(shop, sanity)
    assert sanity.documents[product["id"]]["title"] == "Lamp of the harbour", "what was deleted there comes back"


async def test_both_sides_agree_whatever_happens_at_once(shop: Shop, admin: Client, sanity: SanityStandIn) -> None:
    product = await shop.product("Compass")
    path = f"/admin/products/{product['id']}"
    await quiet(shop, sanity)
    sanity.meanwhile = lambda: sanity.edit(product["id"], body=BODY, description="Before the shop's")
    await admin.post(path, {"subtitle": "Merchant"})
    await quiet(shop, sanity)
    there, document = (await admin.get(path))["product"], sanity.documents[product["id"]]
    assert (there["subtitle"], there["description"]) == ("Merchant", "Before the shop's")
    assert (document["subtitle"], document["description"], document["body"]) == ("Merchant", "Before the shop's", BODY)
    sanity.fails = [500, 0, 429, 0, 503]  # some are carried out, and nobody hears of it

    async def merchant() -> None:
        for number in range(8):
            await admin.post(path, {"subtitle": f"Merchant {number}"})

    async def editor() -> None:
        for number in range(8):
            sanity.edit(product["id"], description=f"Editor {number}")
            await asyncio.sleep(0.05)

    await asyncio.gather(merchant(), editor())
    await quiet(shop, sanity)
    there, document = (await admin.get(path))["product"], sanity.documents[product["id"]]
    assert there["subtitle"] == document["subtitle"] == document["shop"]["subtitle"] == "Merchant 7"
    assert there["description"] == document["description"] == document["shop"]["description"] == "Editor 7"


async def test_storefronts_are_shown_what_sanity_has_and_dont_wait_for_it(shop: Shop, store: Client, sanity: SanityStandIn) -> None:
    product, other = await shop.product(), await shop.product()
    await quiet(shop, sanity)
    said = await shown(store, product)
    assert (said["id"], said["body"], said["translations"]) == (product["id"], None, None)
    sanity.edit(product["id"], body=BODY, translations=GERMAN)
    said = await shown(store, product)
    assert (said["body"], said["translations"]) == (BODY, GERMAN)
    await quiet(shop, sanity)
    sanity.asked.clear()
    ids = {"id[0]": product["id"], "id[1]": other["id"]}
    listed = (await store.get("/store/products", fields="id,sanity_product.body", **ids))["products"]
    assert {each["id"]: each["sanity_product"]["body"] for each in listed} == {product["id"]: BODY, other["id"]: None}
    assert sanity.asked == ["query"], "once for a page"

    sanity.slow = 5.0
    for _ in range(5):
        assert (await shown(store, product))["body"] == BODY, "what it said last"
    assert sanity.asked.count("query") == 2, "and nobody waits again"
    new = await shop.product()
    assert await shown(store, new) is None
    await shop.order(new)
    sanity.slow = 0.0


async def test_what_is_owed_to_sanity_is_kept_until_it_is_up_again(shop: Shop, admin: Client, clock: Clock, sanity: SanityStandIn) -> None:
    product = await shop.product("Sail")
    await quiet(shop, sanity)
    await sanity.stop()
    for title in ("Jib", "Red jib"):
        await admin.post(f"/admin/products/{product['id']}", {"title": title})
    new = await shop.product("Anchor")
    await shop.order(new, product)
    await clock.forward(hours=1)
    await sanity.start()
    assert sanity.documents[product["id"]]["title"] == "Sail"
    await clock.forward(hours=1)
    await quiet(shop, sanity)
    assert [sanity.documents[each["id"]]["title"] for each in (product, new)] == ["Red jib", "Anchor"]


async def test_the_job_brings_all_that_was_missed(shop: Shop, admin: Client, sanity: SanityStandIn) -> None:
    one, other = await shop.product("Rope"), await shop.product("Buoy")
    await quiet(shop, sanity)
    sanity.webhook = None
    del sanity.documents[one["id"]]
    sanity.edit(other["id"], title="Red buoy")
    await shop.run_job("sync-sanity")
    assert sanity.documents[one["id"]]["title"] == "Rope"
    assert (await admin.get(f"/admin/products/{other['id']}"))["product"]["title"] == "Red buoy"


async def test_only_sanity_is_believed(shop: Shop, store: Client, sanity: SanityStandIn) -> None:
    product = await shop.product("Oar")
    await quiet(shop, sanity)
    sanity.webhook = None
    sanity.edit(product["id"], title="Red oar")
    body = b'{"_id": "%s"}' % product["id"].encode()
    good = signed(body)
    unsigned = {name: text for name, text in good.items() if "signature" not in name}
    at, _, signature = good["sanity-webhook-signature"].partition(",")
    later = {**good, "sanity-webhook-signature": f"{at}0,{signature}"}
    for sent, headers, status in (
        (body, unsigned, 401),
        (body, signed(body, secret="guessed"), 401),
        (body, signed(body, ago=7200), 401),
        (body, signed(body, ago=-7200), 401),
        (body, later, 401),
        (body + b" ", good, 401),
        (b"[]", signed(b"[]"), 400),
        (b'{"_id": "drafts.%s"}' % product["id"].encode(), signed(b'{"_id": "drafts.%s"}' % product["id"].encode()), 200),
    ):
        async with store.session.post(f"{store.base}/hooks/sanity", data=sent, headers=headers) as answer:
            assert answer.status == status, (sent, headers, await answer.text())
    await shop.settled()
    assert (await store.get(f"/store/products/{product['id']}"))["product"]["title"] == "Oar"
    async with store.session.post(f"{store.base}/hooks/sanity", data=body, headers=good) as answer:
        assert (answer.status, await answer.json()) == (200, {"received": True})
    await shop.settled()
    assert (await store.get(f"/store/products/{product['id']}"))["product"]["title"] == "Red oar"
