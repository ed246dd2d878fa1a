"""Products across modules: their prices, stock and links come and go with them, all or nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound, VelellaError

from .conftest import Shop

WHOLE = (
    "*", "*variants", "*variants.prices", "*variants.options", "*options", "*options.values", "*sales_channels", "*shipping_profile",
    "*variants.inventory_items", "*variants.inventory_items.inventory",
)  # fmt: skip
COUNTED = (
    ("product", "product"), ("product", "product_variant"), ("product", "product_option"), ("pricing", "price_set"), ("pricing", "price"),
    ("inventory", "inventory_item"), ("link", "product_variant_price_set"), ("link", "product_variant_inventory_item"),
    ("link", "product_sales_channel"), ("link", "product_shipping_profile"),
)  # fmt: skip


async def counts(shop: Shop) -> dict[str, int]:
    """How much there is of everything that a product touches."""
    return {entity: await getattr(shop.modules, module).count(entity) for module, entity in COUNTED}


async def shirt(shop: Shop, **more: Any) -> dict[str, Any]:
    (channel,) = await shop.modules.sales_channel.list("sales_channel")
    (profile,) = await shop.modules.fulfillment.list("shipping_profile")
    return {
        "title": "Shirt",
        "options": [{"title": "Size", "values": ["S", "L"]}],
        "sales_channels": [{"id": channel["id"]}],
        "shipping_profile_id": profile["id"],
        "variants": [
            {
                "title": size,
                "sku": f"SHIRT-{size}",
                "weight": 400,
                "options": {"Size": size},
                "prices": [{"currency_code": "eur", "amount": Decimal("19.95")}, {"currency_code": "usd", "amount": 21}],
            }
            for size in ("S", "L")
        ],
    } | more


async def make(shop: Shop, **more: Any) -> dict[str, Any]:
    (row,) = await shop.run("create-products", products=[await shirt(shop, **more)])
    return await shop.one("product", row["id"], *WHOLE)


# -- creating


async def test_a_product_comes_with_prices_stock_and_ties(shop: Shop) -> None:
    product = await make(shop)
    assert [channel["name"] for channel in product["sales_channels"]] == ["Default Sales Channel"]
    assert product["shipping_profile"]["name"] == "Default Shipping Profile"
    small = product["variants"][0]
    assert {price["currency_code"]: price["amount"] for price in small["prices"]} == {"eur": Decimal("19.95"), "usd": 21}
    (pair,) = small["inventory_items"]
    assert (pair["required_quantity"], pair["inventory"]["sku"], pair["inventory"]["title"], pair["inventory"]["weight"]) == (
        1,
        "SHIRT-S",
        "S",
        400,
    )


async def test_variants_may_share_items_or_have_none(shop: Shop) -> None:
    (item,) = await shop.modules.inventory.create_items([{"sku": "BOX"}])
    variants = [
        {"title": "kit", "options": {"Size": "S"}, "inventory_items": [{"inventory_item_id": item["id"], "required_quantity": 3}]},
        {"title": "service", "options": {"Size": "L"}, "manage_inventory": False},
    ]
    product = await make(shop, variants=variants)
    assert [(pair["inventory_item_id"], pair["required_quantity"]) for pair in product["variants"][0]["inventory_items"]] == [
        (item["id"], 3)
    ]
    assert product["variants"][1]["inventory_items"] == []
    assert await shop.modules.inventory.count("inventory_item") == 1
    with pytest.raises(NotFound, match="Inventory Items with ids: iitem_none was not found"):
        await make(
            shop,
            handle="other",
            variants=[variants[0] | {"inventory_items": [{"inventory_item_id": "iitem_none", "required_quantity": 1}]}],
        )


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"options": []}, r"^Product options are not provided for: \[Shirt\]\.$"),
        ({"variants": [{"title": "S", "options": {"Size": "M"}}]}, "Option value M does not exist for option Size"),
        (
            {"variants": [{"title": "S", "options": {"Size": "S"}, "prices": [{"currency_code": "eur"}]}]},
            "needs a currency_code and an amount",
        ),
        ({"variants": [{"title": "S", "sku": "TAKEN", "options": {"Size": "S"}}]}, "Inventory item with sku: TAKEN, already exists"),
        ({"type_id": "ptyp_none"}, "type_id"),
        ({"nonsense": 1}, "Product has no field 'nonsense'"),
    ],
)
async def test_a_product_that_can_not_be_leaves_nothing(shop: Shop, more: dict[str, Any], error: str) -> None:
    await shop.modules.inventory.create_items([{"sku": "TAKEN"}])
    before = await counts(shop)
    with pytest.raises(VelellaError, match=error):
        await make(shop, **more)
    assert await counts(shop) == before


async def test_a_creation_that_fails_late_is_undone_everywhere(shop: Shop, unlucky: dict[str, Any]) -> None:
    before = await counts(shop)
    with pytest.raises(Exception):  # noqa: B017, PT011 the hook's own error
        await shop.run("create-products", products=[await shirt(shop)], **unlucky)
    assert await counts(shop) == before
    assert (await make(shop))["handle"] == "shirt"  # and its handle and skus are free


# -- changing


async def test_an_update_replaces_what_it_names(shop: Shop) -> None:
    product = await make(shop)
    small, large = product["variants"]
    (channel,) = await shop.modules.sales_channel.create("sales_channel", [{"name": "Other"}])
    eur = next(price for price in small["prices"] if price["currency_code"] == "eur")
    await shop.run(
        "update-products",
        products=[
            {
                "id": product["id"],
                "title": "Coat",
                "sales_channels": [{"id": channel["id"]}],
                "shipping_profile_id": None,
                "variants": [
                    {"id": small["id"], "prices": [{"id": eur["id"], "amount": 25}, {"currency_code": "sek", "amount": 250}]},
                    {"title": "XL", "sku": "COAT-XL", "options": {"Size": "L"}, "prices": [{"currency_code": "eur", "amount": 30}]},
                ],
            }
        ],
    )
    after = await shop.one("product", product["id"], *WHOLE)
    assert (after["title"], after["handle"], after["shipping_profile"]) == ("Coat", "shirt", None)
    assert [each["name"] for each in after["sales_channels"]] == ["Other"]
    assert [variant["title"] for variant in after["variants"]] == ["S", "XL"]
    prices = {price["currency_code"]: (price["id"], price["amount"]) for price in after["variants"][0]["prices"]}
    assert prices["eur"] == (eur["id"], 25)
    assert set(prices) == {"eur", "sek"}
    assert after["variants"][1]["inventory_items"][0]["inventory"]["sku"] == "COAT-XL"
    assert [item["sku"] for item in await shop.modules.inventory.list("inventory_item")] == ["SHIRT-S", "COAT-XL"]
    assert await shop.modules.link.linked("product_variant_price_set", "variant_id", [large["id"]]) == []


async def test_an_update_that_fails_late_is_undone_everywhere(shop: Shop, unlucky: dict[str, Any]) -> None:
    product = await make(shop)
    before, whole = await counts(shop), await shop.one("product", product["id"], *WHOLE)
    change = {
        "id": product["id"],
        "title": "Coat",
        "handle": "coat",
        "sales_channels": [],
        "shipping_profile_id": None,
        "options": [{"title": "Size", "values": ["S", "XXL"]}],
        "variants": [
            {
                "id": product["variants"][0]["id"],
                "sku": "NEW",
                "manage_inventory": False,
                "prices": [{"currency_code": "eur", "amount": 1}],
            },
            {"title": "XXL", "sku": "COAT-XXL", "options": {"Size": "XXL"}, "prices": []},
        ],
    }
    with pytest.raises(Exception):  # noqa: B017, PT011 the hook's own error
        await shop.run("update-products", products=[change], **unlucky)
    assert await counts(shop) == before
    again = await shop.one("product", product["id"], *WHOLE)
    for row in (whole, again):  # a link that is made again is a new row
        for variant in row["variants"]:
            variant["inventory_items"] = [(pair["inventory_item_id"], pair["required_quantity"]) for pair in variant["inventory_items"]]
    assert again == whole


async def test_stock_follows_whether_it_is_managed(shop: Shop) -> None:
    product = await make(shop)
    small = product["variants"][0]["id"]
    kept = product["variants"][0]["inventory_items"][0]["inventory_item_id"]
    for managed, items in ((False, []), (True, [kept]), (False, [])):
        await shop.run("update-product-variants", product_variants=[{"id": small, "manage_inventory": managed}])
        pairs = await shop.modules.link.linked("product_variant_inventory_item", "variant_id", [small])
        assert [pair["inventory_item_id"] for pair in pairs] == items
    await shop.modules.inventory.delete("inventory_item", [product["variants"][0]["inventory_items"][0]["inventory_item_id"]])
    await shop.run("update-product-variants", selector={"id": small}, update={"manage_inventory": True})
    (pair,) = await shop.modules.link.linked("product_variant_inventory_item", "variant_id", [small])
    assert (await shop.modules.inventory.retrieve("inventory_item", pair["inventory_item_id"]))["sku"] == "SHIRT-S"


# -- variants and batches


async def test_variants_are_batched(shop: Shop) -> None:
    product = await make(shop)
    small, large = product["variants"]
    done = await shop.run(
        "batch-product-variants",
        delete=[large["id"]],
        update=[{"id": small["id"], "title": "small", "prices": [{"currency_code": "eur", "amount": 1}]}],
        create=[{"product_id": product["id"], "title": "L again", "sku": "SHIRT-L", "options": {"Size": "L"}, "prices": []}],
    )
    assert done["deleted"] == [large["id"]]
    assert [row["title"] for row in done["updated"]] == ["small"]
    assert [row["sku"] for row in done["created"]] == ["SHIRT-L"]
    after = await shop.one("product", product["id"], *WHOLE)
    assert [variant["title"] for variant in after["variants"]] == ["small", "L again"]
    assert [price["amount"] for price in after["variants"][0]["prices"]] == [1]


async def test_a_batch_is_all_or_nothing(shop: Shop) -> None:
    product = await make(shop)
    before = await counts(shop)
    with pytest.raises(InvalidData, match="Product with handle: shirt, already exists"):
        await shop.run(
            "batch-products",
            create=[await shirt(shop, handle="free", variants=[]), await shirt(shop)],
            update=[{"id": product["id"], "title": "Coat"}],
        )
    assert await counts(shop) == before
    assert (await shop.one("product", product["id"]))["title"] == "Shirt"
    done = await shop.run("batch-products", delete=[product["id"]], create=[await shirt(shop)])
    assert done["deleted"] == [product["id"]]
    assert done["created"][0]["handle"] == "shirt"


# -- deleting


async def test_a_deleted_product_takes_along_what_is_only_its_own(shop: Shop) -> None:
    (box,) = await shop.modules.inventory.create_items([{"sku": "BOX"}])
    shared = {"inventory_items": [{"inventory_item_id": box["id"], "required_quantity": 1}]}
    empty = await counts(shop)
    one = await make(
        shop, variants=[{"title": "S", "options": {"Size": "S"}} | shared, {"title": "L", "sku": "L", "options": {"Size": "L"}}]
    )
    two = await make(shop, handle="two", variants=[{"title": "S", "options": {"Size": "S"}} | shared])
    assert await shop.run("delete-products", ids=[one["id"]]) == [one["id"]]
    assert [item["sku"] for item in await shop.modules.inventory.list("inventory_item")] == ["BOX"]
    assert await shop.modules.product.count("product_option") == 1
    assert await shop.run("delete-products", ids=[two["id"], "prod_none"]) == [two["id"]]
    assert await counts(shop) == empty | {"inventory_item": 0}


async def test_a_product_of_which_something_is_reserved_stays(shop: Shop) -> None:
    product = await make(shop)
    item = product["variants"][0]["inventory_items"][0]["inventory_item_id"]
    (location,) = await shop.modules.stock_location.create("stock_location", [{"name": "Here"}])
    await shop.modules.inventory.create_levels([{"inventory_item_id": item, "location_id": location["id"], "stocked_quantity": 5}])
    await shop.modules.inventory.reserve([{"inventory_item_id": item, "location_id": location["id"], "quantity": 1}])
    before = await counts(shop)
    refused = rf"^Cannot remove following inventory item\(s\) since they have reservations: \[{item}\]\.$"
    for flow, id in (("delete-products", product["id"]), ("delete-product-variants", product["variants"][0]["id"])):
        with pytest.raises(InvalidData, match=refused):
            await shop.run(flow, ids=[id])
    assert await counts(shop) == before
