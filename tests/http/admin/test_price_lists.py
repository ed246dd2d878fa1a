"""Price lists as a merchant keeps them, and what they do to the prices that buyers see."""

from __future__ import annotations

import asyncio
from typing import Any

from velella.core.ids import ulid

from ..conftest import Shop
from .conftest import Merchant

LISTS = "/admin/price-lists"


async def priced(merchant: Merchant, *amounts: int) -> list[str]:
    """Variants of one product, each with a price in euro and dollar."""
    names = [str(number) for number in range(len(amounts))]
    variants = [
        {
            "title": name,
            "sku": ulid(),
            "options": {"Size": name},
            "prices": [{"currency_code": "eur", "amount": amount}, {"currency_code": "usd", "amount": amount + 1}],
        }
        for name, amount in zip(names, amounts, strict=True)
    ]
    body = {"title": f"Shirt {ulid()}", "options": [{"title": "Size", "values": names}], "variants": variants}
    return [row["id"] for row in (await merchant.post("/admin/products", body))["product"]["variants"]]


async def price_list(merchant: Merchant, prices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    made = await merchant.post(LISTS, {"title": "Sale", "description": "Now", "status": "active", "prices": prices, **more})
    row: dict[str, Any] = made["price_list"]
    return row


def price(variant_id: str, amount: float, **more: Any) -> dict[str, Any]:
    return {"variant_id": variant_id, "currency_code": "eur", "amount": amount, **more}


async def prices_of(merchant: Merchant, id: str) -> dict[str, tuple[Any, ...]]:
    rows = (await merchant.get(f"{LISTS}/{id}/prices"))["prices"]
    return {row["id"]: (variant_of(row), row["currency_code"], row["amount"], rules_of(row)) for row in rows}


def variant_of(price: dict[str, Any]) -> Any:
    return price["price_set"]["variant"]["id"]


def rules_of(price: dict[str, Any]) -> dict[str, Any]:
    return {rule["attribute"]: rule["value"] for rule in price["price_rules"]}


async def test_a_list_shows_whom_it_is_for_and_what_it_costs(merchant: Merchant) -> None:
    [variant] = await priced(merchant, 20)
    rules = {"customer.groups.id": ["cusgroup_1", "cusgroup_2"]}
    made = await price_list(merchant, [price(variant, 15, rules={"region_id": "reg_1"})], rules=rules, starts_at="2026-01-01")
    assert made["rules"] == rules
    assert "prices" not in made  # they are shown where they are asked for
    assert made["starts_at"] == "2026-01-01T00:00:00.000Z"
    assert [(*each,) for each in (await prices_of(merchant, made["id"])).values()] == [(variant, "eur", 15, {"region_id": "reg_1"})]
    shown = await merchant.get(f"{LISTS}/{made['id']}", fields="title,prices.amount,prices.price_set.variant.id")
    assert [(row["variant_id"], row["amount"]) for row in shown["price_list"]["prices"]] == [(variant, 15)]

    changed = await merchant.post(f"{LISTS}/{made['id']}", {"rules": {"region_id": ["reg_1"]}, "ends_at": "2026-02-01T12:00:00Z"})
    assert changed["price_list"]["rules"] == {"region_id": ["reg_1"]}
    assert changed["price_list"]["ends_at"] == "2026-02-01T12:00:00.000Z"
    path = f"{LISTS}/{made['id']}"
    assert (await merchant.refused("POST", path, {"starts_at": "2027-01-01"}))[:2] == (400, "invalid_data")
    assert (await merchant.get(path))["price_list"]["starts_at"] == "2026-01-01T00:00:00.000Z"

    assert await merchant.delete(path) == {"id": made["id"], "object": "price_list", "deleted": True}
    assert (await merchant.refused("GET", path))[0] == 404
    assert (await merchant.refused("POST", path, {"title": "x"}))[:2] == (404, "not_found")


async def test_prices_are_changed_all_or_none(merchant: Merchant) -> None:
    first, second = await priced(merchant, 20, 30)
    made = (await price_list(merchant, [price(first, 15), price(second, 25)]))["id"]
    there = {variant: id for id, (variant, *_) in (await prices_of(merchant, made)).items()}
    before = await prices_of(merchant, made)
    path = f"{LISTS}/{made}/prices/batch"
    good = {
        "create": [price(first, 17, currency_code="usd")],
        "update": [{"id": there[first], "variant_id": first, "amount": 14}],
        "delete": [there[second]],
    }
    other = (await price_list(merchant, [price(second, 1)]))["id"]
    [foreign] = await prices_of(merchant, other)
    for bad in (
        {**good, "delete": [foreign]},
        {**good, "update": [{"id": foreign, "variant_id": second, "amount": 1}]},
        {**good, "create": [price("variant_none", 1)]},
        {**good, "create": [price(first, 1), price(second, 1, currency_code="")]},
    ):
        status, kind, _ = await merchant.refused("POST", path, bad)
        assert (status, kind) in ((404, "not_found"), (400, "invalid_data")), bad
        assert await prices_of(merchant, made) == before, bad
    done = await merchant.post(path, good)
    assert [(variant_of(row), row["amount"], row["currency_code"]) for row in done["created"]] == [(first, 17, "usd")]
    assert [(row["id"], row["amount"]) for row in done["updated"]] == [(there[first], 14)]
    assert done["deleted"] == {"ids": [there[second]], "object": "price", "deleted": True}
    assert sorted(each[:3] for each in (await prices_of(merchant, made)).values()) == [(first, "eur", 14), (first, "usd", 17)]

    # a price for the same takes the place of the old one
    again = await merchant.post(path, {"create": [price(first, 13)]})
    assert (again["created"], [row["id"] for row in again["updated"]]) == ([], [there[first]])


async def test_two_who_price_the_same_leave_one_price(merchant: Merchant) -> None:
    [variant] = await priced(merchant, 20)
    made = (await price_list(merchant, []))["id"]
    path = f"{LISTS}/{made}/prices/batch"
    await asyncio.gather(*(merchant.post(path, {"create": [price(variant, amount)]}) for amount in range(1, 9)))
    [(_, _, amount, _)] = (await prices_of(merchant, made)).values()
    assert amount in range(1, 9)


async def test_products_are_taken_off_a_list(merchant: Merchant) -> None:
    kept, gone = await priced(merchant, 20), await priced(merchant, 30, 40)
    made = (await price_list(merchant, [price(variant, 5) for variant in (*kept, *gone)]))["id"]
    product = (await merchant.get("/admin/product-variants", id=gone[0]))["variants"][0]["product_id"]
    await merchant.post(f"{LISTS}/{made}/products", {"remove": [product]})
    assert [each[0] for each in (await prices_of(merchant, made)).values()] == kept
    assert (await merchant.refused("POST", f"{LISTS}/{made}/products", {"remove": []}))[:2] == (400, "invalid_data")


async def test_buyers_see_a_sale_while_it_is_on(shop: Shop, merchant: Merchant) -> None:
    [variant] = await priced(merchant, 20)
    made = (await price_list(merchant, [price(variant, 15)], status="draft"))["id"]
    [pair] = await shop.host.modules.link.linked("product_variant_price_set", "variant_id", [variant])

    async def costs() -> tuple[Any, Any]:
        found = await shop.host.modules.pricing.calculate_prices([pair["price_set_id"]], {"currency_code": "eur"})
        [row] = found.values()
        return row["calculated_amount"], row["original_amount"]

    assert await costs() == (20, 20)
    await merchant.post(f"{LISTS}/{made}", {"status": "active"})
    assert await costs() == (15, 20)
    await merchant.post(f"{LISTS}/{made}", {"ends_at": "2020-01-01", "starts_at": "2019-01-01"})
    assert await costs() == (20, 20)
    await merchant.post(f"{LISTS}/{made}", {"ends_at": None, "type": "override"})
    assert await costs() == (15, 15)
    await merchant.delete(f"{LISTS}/{made}")
    assert await costs() == (20, 20)
