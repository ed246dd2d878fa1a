"""Regions, stores, channels, options and groups across modules."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.workflows.defaults import seed_defaults

from .conftest import Shop


async def test_a_new_shop_has_its_defaults_once(shop: Shop) -> None:
    assert await asyncio.gather(*(seed_defaults(shop.modules) for _ in range(3))) == [False] * 3
    store = (await shop.modules.store.list("store"))[0]
    channel = await shop.one("sales_channel", store["default_sales_channel_id"], "*", "*publishable_api_keys")
    assert channel["name"] == "Default Sales Channel"
    assert [key["title"] for key in channel["publishable_api_keys"]] == ["Default Publishable API Key"]
    assert [(p["name"], p["type"]) for p in await shop.modules.fulfillment.list("shipping_profile")] == [
        ("Default Shipping Profile", "default")
    ]
    whole = await shop.one("store", store["id"], "*supported_currencies", "*supported_currencies.currency")
    assert [(each["currency_code"], each["is_default"], each["currency"]["name"]) for each in whole["supported_currencies"]] == [
        ("eur", True, "Euro")
    ]
    (preference,) = await shop.modules.pricing.list("price_preference")
    assert (preference["attribute"], preference["value"], preference["is_tax_inclusive"]) == ("currency_code", "eur", False)
    reasons = await shop.modules.payment.list("refund_reason", order=["id"])
    assert [each["code"] for each in reasons] == ["shipping_issue", "customer_care_adjustment", "pricing_error"]
    assert await shop.modules.currency.count("currency") == 126


async def test_a_region_comes_with_its_providers_and_tax_preference(shop: Shop) -> None:
    given = {
        "name": "Europe",
        "currency_code": "EUR",
        "countries": ["de", "dk"],
        "payment_providers": ["pp_system_default"],
        "is_tax_inclusive": True,
    }
    (row,) = await shop.run("create-regions", regions=[given])
    region = await shop.one("region", row["id"], "*", "*countries", "*payment_providers")
    assert [country["iso_2"] for country in region["countries"]] == ["de", "dk"]
    assert [provider["id"] for provider in region["payment_providers"]] == ["pp_system_default"]
    (preference,) = await shop.modules.pricing.list("price_preference", {"value": row["id"]})
    assert (preference["attribute"], preference["is_tax_inclusive"]) == ("region_id", True)
    await shop.run(
        "update-regions", selector={"id": row["id"]}, update={"countries": ["se"], "payment_providers": [], "is_tax_inclusive": False}
    )
    region = await shop.one("region", row["id"], "*", "*countries", "*payment_providers")
    assert ([country["iso_2"] for country in region["countries"]], region["payment_providers"]) == (["se"], [])
    assert not (await shop.modules.pricing.retrieve("price_preference", preference["id"]))["is_tax_inclusive"]
    assert await shop.run("delete-regions", ids=[row["id"]]) == [row["id"]]
    await shop.run("create-regions", regions=[given])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"currency_code": "xxx"}, "Currencies with codes: xxx were not found"),
        ({"payment_providers": ["pp_none"]}, "Payment providers with ids pp_none not found or not enabled"),
        ({"countries": ["zz"]}, 'Countries with codes: "zz" do not exist'),
    ],
)
async def test_a_region_that_can_not_be_leaves_nothing(shop: Shop, more: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidData, NotFound)) as refused:
        await shop.run("create-regions", regions=[{"name": "R", "currency_code": "eur", "countries": ["dk"]} | more])
    assert refused.value.message == message
    assert await shop.modules.region.count("region") == 0
    assert await shop.modules.pricing.count("price_preference", {"attribute": "region_id"}) == 0


async def test_a_store_says_which_currencies_hold_their_tax(shop: Shop) -> None:
    (store,) = await shop.modules.store.list("store")
    currencies = [{"currency_code": "usd", "is_default": True, "is_tax_inclusive": True}, {"currency_code": "eur"}]
    await shop.run("update-stores", selector={"id": store["id"]}, update={"name": "Shop", "supported_currencies": currencies})
    preferences = await shop.modules.pricing.list("price_preference", order=["value"])
    assert [(row["value"], row["is_tax_inclusive"]) for row in preferences] == [("eur", False), ("usd", True)]
    with pytest.raises(InvalidData, match="Currencies with codes: zzz were not found"):
        await shop.run(
            "update-stores", selector={"id": store["id"]}, update={"supported_currencies": [{"currency_code": "zzz", "is_default": True}]}
        )


async def test_the_channel_that_a_store_falls_back_to_stays(shop: Shop) -> None:
    (store,) = await shop.modules.store.list("store")
    default = store["default_sales_channel_id"]
    with pytest.raises(InvalidData, match=f"Cannot delete default sales channels: {default}"):
        await shop.run("delete-sales-channels", ids=[default])
    (other,) = await shop.run("create-sales-channels", rows=[{"name": "Other"}])
    (product,) = await shop.run("create-products", products=[{"title": "One", "options": [{"title": "Size", "values": ["S"]}]}])
    await shop.run("link-products-to-sales-channel", id=other["id"], add=[product["id"]])
    assert [each["name"] for each in (await shop.one("product", product["id"], "*sales_channels"))["sales_channels"]] == ["Other"]
    await shop.run("delete-sales-channels", ids=[other["id"]])
    assert (await shop.one("product", product["id"], "*sales_channels"))["sales_channels"] == []
    (key,) = await shop.modules.api_key.list("api_key")
    with pytest.raises(InvalidData, match="Sales channels with IDs sc_none do not exist"):
        await shop.run("link-sales-channels-to-api-key", id=key["id"], add=["sc_none"])


async def test_groups_of_products_come_and_go(shop: Shop) -> None:
    (collection,) = await shop.run("create-collections", rows=[{"title": "Summer Sale"}])
    assert collection["handle"] == "summer-sale"
    (tag,) = await shop.run("create-product-tags", rows=[{"value": "new"}])
    with pytest.raises(InvalidData, match="Product tag with value: new, already exists"):
        await shop.run("create-product-tags", rows=[{"value": "new"}])
    (category,) = await shop.run("create-product-categories", rows=[{"name": "Wear"}])
    (product,) = await shop.run(
        "create-products", products=[{"title": "One", "options": [{"title": "Size", "values": ["S"]}], "tags": [{"id": tag["id"]}]}]
    )
    await shop.run("batch-link-products-to-collection", id=collection["id"], add=[product["id"]])
    await shop.run("batch-link-products-to-category", id=category["id"], add=[product["id"]])
    whole = await shop.one("product", product["id"], "*collection", "*categories", "*tags")
    assert (whole["collection"]["title"], whole["categories"][0]["name"], whole["tags"][0]["value"]) == ("Summer Sale", "Wear", "new")
    await shop.run("update-product-tags", rows=[{"id": tag["id"], "value": "old"}])
    assert await shop.run("delete-product-tags", ids=[tag["id"]]) == [tag["id"]]
    assert (await shop.one("product", product["id"], "*tags"))["tags"] == []


async def test_options_are_changed_and_given_to_products(shop: Shop) -> None:
    (size,) = await shop.run("create-product-options", rows=[{"title": "Size", "values": ["S", "M"]}])
    (product,) = await shop.run(
        "create-products",
        products=[{"title": "One", "options": [{"id": size["id"]}], "variants": [{"title": "s", "options": {"Size": "S"}, "prices": []}]}],
    )
    await shop.run("create-and-link-product-options-to-product", product_id=product["id"], add=[{"title": "Cut", "values": ["wide"]}])
    whole = await shop.one("product", product["id"], "*options", "*options.values")
    assert [(option["title"], option["is_exclusive"]) for option in whole["options"]] == [("Size", False), ("Cut", True)]
    await shop.run("update-product-options", rows=[{"id": size["id"], "title": "Grösse", "values": ["S", "L"]}])
    option = await shop.one("product_option", size["id"], "*", "*values")
    assert (option["title"], [value["value"] for value in option["values"]]) == ("Grösse", ["S", "L"])
    with pytest.raises(InvalidData, match="can't be removed"):
        await shop.run("delete-product-options", ids=[size["id"]])
    small = next(value["id"] for value in option["values"] if value["value"] == "S")
    assert (await shop.run("update-product-option-values", id=small, update={"value": "XS"}))["value"] == "XS"
    with pytest.raises(InvalidData, match="can't be removed"):
        await shop.run("delete-product-option-values", ids=[small])


async def test_images_are_shown_at_variants(shop: Shop) -> None:
    (row,) = await shop.run(
        "create-products",
        products=[
            {
                "title": "One",
                "images": [{"url": "http://a/1.png"}, {"url": "http://a/2.png"}],
                "options": [{"title": "Size", "values": ["S"]}],
                "variants": [{"title": "s", "thumbnail": "http://a/1.png", "options": {"Size": "S"}, "prices": []}],
            }
        ],
    )
    product = await shop.one("product", row["id"], "*images", "*variants")
    image, variant = product["images"][0]["id"], product["variants"][0]["id"]
    assert await shop.run("batch-variant-images", variant_id=variant, add=[image]) == {"added": [image], "removed": []}
    assert await shop.run("batch-image-variants", image_id=image, remove=[variant]) == {"added": [], "removed": [variant]}
    assert (await shop.one("product_variant", variant))["thumbnail"] is None
