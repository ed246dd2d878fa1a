"""Two merchants at once, and batches with one bad row: all of what somebody asked for, or nothing of it."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import pytest

from velella.core.ids import ulid

from ..conftest import Client
from .conftest import Books, Merchant

Row = dict[str, Any]

ROUNDS = 12


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={seed}")
    return random.Random(seed)


async def product(merchant: Merchant, *, variants: int = 2) -> Row:
    names = [f"No {n}" for n in range(variants)]
    body = {
        "title": f"Shirt {ulid()}",
        "options": [{"title": "Size", "values": names}],
        "variants": [
            {"title": name, "sku": ulid(), "options": {"Size": name}, "prices": [{"currency_code": "eur", "amount": 10}]} for name in names
        ],
    }
    made: Row = (await merchant.post("/admin/products", body))["product"]
    return made


# -- one thing, two merchants


async def test_what_two_change_of_one_product_is_both_there(merchant: Merchant, dice: random.Random) -> None:
    made = await product(merchant)
    path = f"/admin/products/{made['id']}"
    for n in range(ROUNDS):
        bodies = [{"title": f"Title {n}"}, {"subtitle": f"Subtitle {n}"}, {"metadata": {"round": n}}]
        bodies.append({"variants": [{"id": made["variants"][0]["id"], "title": f"Variant {n}"}, {"id": made["variants"][1]["id"]}]})
        dice.shuffle(bodies)
        await asyncio.gather(*(merchant.post(path, body) for body in bodies))
        now = (await merchant.get(path))["product"]
        assert (now["title"], now["subtitle"], now["metadata"]) == (f"Title {n}", f"Subtitle {n}", {"round": n})
        assert sorted(variant["title"] for variant in now["variants"]) == sorted([f"Variant {n}", "No 1"])


@pytest.mark.parametrize("path", ["/admin/products/{product}", "/admin/products/{product}/variants/{variant}"])
async def test_metadata_is_changed_by_keys_whoever_else_changes_it(merchant: Merchant, path: str) -> None:
    made = await product(merchant, variants=1)
    path = path.format(product=made["id"], variant=made["variants"][0]["id"])

    async def metadata() -> Any:
        shown = await merchant.get(path)
        return (shown.get("product") or shown["variant"])["metadata"]

    await merchant.post(path, {"metadata": {"kept": 1, "gone": 2}})
    await asyncio.gather(*(merchant.post(path, {"metadata": {f"key {n}": n, "gone": ""}}) for n in range(ROUNDS)))
    assert await metadata() == {"kept": 1, **{f"key {n}": n for n in range(ROUNDS)}}
    await merchant.post(path, {"metadata": {}})
    assert len(await metadata()) == ROUNDS + 1
    await merchant.post(path, {"metadata": None})
    assert await metadata() is None


async def test_of_two_who_change_the_same_one_is_the_last(merchant: Merchant) -> None:
    made = await product(merchant, variants=1)
    path, variant = f"/admin/products/{made['id']}", made["variants"][0]["id"]
    for n in range(ROUNDS):
        await asyncio.gather(
            *(
                merchant.post(
                    path,
                    {
                        "title": f"{who} {n}",
                        "subtitle": f"{who} {n}",
                        "variants": [{"id": variant, "title": f"{who} {n}", "prices": [{"currency_code": "eur", "amount": 100 * who + n}]}],
                    },
                )
                for who in (1, 2)
            )
        )
        now = (await merchant.get(path))["product"]
        assert now["title"] == now["subtitle"]
        assert now["title"] in (f"1 {n}", f"2 {n}")
        [shown] = now["variants"]
        assert [price["amount"] for price in shown["prices"]] in ([100 + n], [200 + n]), "two prices of one currency"


async def test_one_deletes_what_the_other_edits(merchant: Merchant, books: Books, dice: random.Random) -> None:
    seen = set()
    for n in range(ROUNDS):
        made = await product(merchant)
        path = f"/admin/products/{made['id']}"
        edits = [
            ("POST", path, {"title": f"Edited {n}", "variants": [{"id": row["id"], "title": "Edited"} for row in made["variants"]]}),
            ("POST", f"{path}/variants", {"title": "New", "sku": ulid(), "options": {"Size": "No 0"}, "prices": []}),
            ("POST", f"{path}/variants/{made['variants'][0]['id']}", {"prices": [{"currency_code": "usd", "amount": n}]}),
            ("DELETE", path, None),
        ]
        dice.shuffle(edits)
        answers = await asyncio.gather(*(merchant.client(method, where, body) for method, where, body in edits))
        for (method, where, _), answer in zip(edits, answers, strict=True):
            seen.add((method, where == path, answer.status))
            assert answer.status in (200, 404) or (answer.status, where) == (400, f"{path}/variants"), answer.text
        assert (await merchant.refused("GET", path))[0] == 404
    print(sorted(seen))
    for table, column, of in (
        ("product_variant", "product_id", "product"),
        ("product_variant_price_set", "variant_id", "product_variant"),
        ("product_variant_inventory_item", "variant_id", "product_variant"),
        ("product_variant_price_set", "price_set_id", "price_set"),
        ("price", "price_set_id", "price_set"),
    ):
        assert await books.orphans(table, column, of) == [], f"{table} of a {of} that is gone"


async def test_of_many_who_make_the_same_variant_one_does(merchant: Merchant) -> None:
    made = await product(merchant)
    path = f"/admin/products/{made['id']}"
    await merchant.delete(f"{path}/variants/{made['variants'][1]['id']}")
    body = {"title": "Again", "options": {"Size": "No 1"}, "prices": []}
    answers = await asyncio.gather(*(merchant.client("POST", f"{path}/variants", {**body, "sku": ulid()}) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400], [answer.text for answer in answers]
    now = (await merchant.get(path))["product"]["variants"]
    assert sorted(variant["title"] for variant in now) == ["Again", "No 0"]


async def test_a_code_and_a_sku_belong_to_whoever_is_first(merchant: Merchant) -> None:
    sku, code, handle = ulid(), f"CODE{ulid()}", ulid().lower()
    method = {"type": "percentage", "value": 10, "target_type": "order"}
    for path, body in (
        ("/admin/inventory-items", {"sku": sku}),
        ("/admin/promotions", {"code": code, "type": "standard", "application_method": method}),
        ("/admin/collections", {"title": "Spring", "handle": handle}),
    ):
        answers = await asyncio.gather(*(merchant.client("POST", path, body) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400], [answer.text for answer in answers]


# -- batches with one bad row


async def batches(merchant: Merchant) -> list[tuple[str, Row]]:
    """Path and body, each with something good to do and one row that can't be."""
    made, spare = await product(merchant), await product(merchant)
    one, two = (variant["id"] for variant in made["variants"])
    item = await merchant.item(stocked={(place := await merchant.location()): 3})
    other_place = await merchant.location()
    price = {"variant_id": one, "currency_code": "eur", "amount": 9}
    sale = {"title": "Sale", "description": "", "prices": [price]}
    listed = (await merchant.post("/admin/price-lists?fields=id,prices.id", sale))["price_list"]
    method = {"type": "percentage", "value": 10, "target_type": "order"}
    promotion = (await merchant.post("/admin/promotions", {"code": ulid(), "type": "standard", "application_method": method}))["promotion"]
    label = (await merchant.client("POST", "/admin/property-labels", {"entity": "product", "property": ulid(), "label": "x"})).json
    title = f"Shirt {ulid()}"
    size = made["options"][0]["id"]
    new = {"title": title, "options": [{"title": "Size", "values": ["M"]}], "variants": []}
    taken = (await merchant.get(f"/admin/products/{spare['id']}"))["product"]["handle"]
    return [
        ("/admin/products/batch", {"create": [new, {**new, "handle": taken}], "update": [{"id": made["id"], "title": "No"}]}),
        ("/admin/products/batch", {"create": [new], "update": [{"id": "prod_none", "title": "No"}], "delete": [spare["id"]]}),
        (
            f"/admin/products/{made['id']}/variants/batch",
            {"create": [{"title": "x", "options": {"Size": "None such"}, "prices": []}], "update": [{"id": one, "title": "No"}]},
        ),
        (
            f"/admin/products/{made['id']}/variants/batch",
            {"update": [{"id": one, "title": "No"}, {"id": spare["variants"][0]["id"], "title": "No"}], "delete": [two]},
        ),
        (f"/admin/products/{made['id']}/options/batch", {"remove": [size], "add": ["opt_none"]}),
        (
            f"/admin/products/{made['id']}/variants/inventory-items/batch",
            {
                "create": [
                    {"variant_id": one, "inventory_item_id": item, "required_quantity": 2},
                    {"variant_id": two, "inventory_item_id": "iitem_none", "required_quantity": 1},
                ]
            },
        ),
        (
            f"/admin/inventory-items/{item}/location-levels/batch",
            {
                "create": [{"location_id": other_place}, {"location_id": "sloc_none"}],
                "update": [{"location_id": place, "stocked_quantity": 1}],
            },
        ),
        (
            "/admin/inventory-items/location-levels/batch",
            {
                "create": [{"inventory_item_id": item, "location_id": other_place}],
                "update": [{"inventory_item_id": item, "location_id": other_place + "x", "stocked_quantity": 1}],
            },
        ),
        (
            f"/admin/price-lists/{listed['id']}/prices/batch",
            {
                "create": [{**price, "currency_code": "usd"}],
                "update": [{"id": "price_none", "variant_id": two, "amount": 7}],
                "delete": [listed["prices"][0]["id"]],
            },
        ),
        (
            f"/admin/promotions/{promotion['id']}/rules/batch",
            {
                "create": [{"attribute": "region_id", "operator": "eq", "values": "reg_1"}],
                "update": [{"id": "prorul_none", "attribute": "region_id", "operator": "eq", "values": "reg_2"}],
            },
        ),
        (
            "/admin/property-labels/batch",
            {
                "create": [{"entity": "product", "property": ulid(), "label": "y"}],
                "update": [{"id": "plbl_none", "label": "z"}],
                "delete": [label["property_label"]["id"]],
            },
        ),
    ]


async def test_a_batch_with_one_bad_row_changes_nothing(merchant: Merchant, books: Books) -> None:
    for path, body in await batches(merchant):
        before = await books.state()
        answer = await merchant.client("POST", path, body)
        after = await books.state()
        if answer.status == 200:
            raise AssertionError(f"{path} took {body}: {answer.text}")
        assert answer.status in (400, 404, 409), f"{path}: {answer.status} {answer.text}"
        changed = {name: (set(before[name]) ^ set(after[name])) for name in after if before[name] != after[name]}
        assert not changed, f"{path} {body} was refused and changed {changed}"


async def test_nobody_sees_a_batch_half_done(merchant: Merchant, client: Client) -> None:
    """Whoever looks while products are replaced in one batch sees the titles of one of them, in all rows."""
    rows = [await product(merchant, variants=1) for _ in range(4)]
    ids = {f"id[{n}]": row["id"] for n, row in enumerate(rows)}
    stopped = False

    async def look() -> int:
        looks = 0
        while not stopped:
            found = (await merchant.get("/admin/products", **ids, fields="title"))["products"]
            assert len({row["title"] for row in found}) == 1 or looks == 0, found
            looks += 1
        return looks

    await merchant.post("/admin/products/batch", {"update": [{"id": row["id"], "title": "Same"} for row in rows]})
    looking = asyncio.create_task(look())
    for n in range(ROUNDS):
        await merchant.post("/admin/products/batch", {"update": [{"id": row["id"], "title": f"Round {n}"} for row in rows]})
    stopped = True
    assert await looking > 3


# -- what one changes, the other sees at once

SEEN = (
    ("/admin/refund-reasons", "refund_reason", {"label": "Broken", "code": "CODE"}, {"label": "Worn"}),
    ("/admin/return-reasons", "return_reason", {"label": "Broken", "value": "CODE"}, {"label": "Worn", "value": "CODE"}),
    ("/admin/sales-channels", "sales_channel", {"name": "CODE"}, {"name": "Other CODE"}),
    ("/admin/customer-groups", "customer_group", {"name": "CODE"}, {"name": "Other CODE"}),
    ("/admin/stock-locations", "stock_location", {"name": "CODE"}, {"name": "Other CODE"}),
    ("/admin/inventory-items", "inventory_item", {"sku": "CODE"}, {"title": "Other"}),
    ("/admin/product-categories", "product_category", {"name": "CODE"}, {"name": "Other CODE"}),
    ("/admin/regions", "region", {"name": "CODE", "currency_code": "usd"}, {"name": "Other CODE"}),
    ("/admin/shipping-profiles", "shipping_profile", {"name": "CODE", "type": "x"}, {"name": "Other CODE"}),
    ("/admin/price-lists", "price_list", {"title": "CODE", "description": ""}, {"title": "Other CODE"}),
    ("/admin/campaigns", "campaign", {"name": "CODE", "campaign_identifier": "CODE"}, {"name": "Other CODE"}),
)


@pytest.mark.parametrize(("path", "key", "body", "change"), SEEN, ids=lambda value: value if isinstance(value, str) else "")
async def test_what_is_remembered_is_never_older_than_the_last_change(
    merchant: Merchant, path: str, key: str, body: Row, change: Row
) -> None:
    code = ulid()
    given, changed = ({name: value.replace("CODE", code) for name, value in row.items()} for row in (body, change))
    await _looked_at(merchant, path)
    made = (await merchant.post(path, given))[key]["id"]
    one = f"{path}/{made}"
    newest = {"order": "-id", "limit": "1"}
    for _ in range(3):
        [row] = next(value for value in (await merchant.get(path, **newest)).values() if isinstance(value, list))
        assert row["id"] == made
    await _looked_at(merchant, one)
    await merchant.post(one, changed)
    shown = (await merchant.get(one))[key]
    assert {name: shown[name] for name in changed} == changed
    await merchant.delete(one)
    assert (await merchant.refused("GET", one))[0] == 404
    [*rows] = next(value for value in (await merchant.get(path, **newest)).values() if isinstance(value, list))
    assert made not in [row["id"] for row in rows]


async def _looked_at(merchant: Merchant, path: str) -> None:
    for _ in range(3):
        await merchant.get(path)
