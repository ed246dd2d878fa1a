"""Products: made with everything that belongs to them, changed as a whole, never half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.core.flow import keep
from velella.core.sql.schema.query import Query
from velella.modules.product.handles import handle_of
from velella.modules.product.service import ProductService

from .one_module import alone

SHOWN = ("*", "*variants", "*variants.options", "*options", "*options.values", "*images", "*tags", "*categories", "*collection", "*type")


@pytest.fixture
async def products(fresh_database: str) -> AsyncIterator[ProductService]:
    async with alone(ProductService, fresh_database, connections=6) as service:
        yield service


def shirt(**more: Any) -> dict[str, Any]:
    return {
        "title": "Shirt",
        "options": [{"title": "Size", "values": ["S", "L"]}, {"title": "Color", "values": ["Black", "White"]}],
        "variants": [
            {"title": f"{size} / {color}", "sku": None, "options": {"Size": size, "Color": color}}
            for size in ("S", "L")
            for color in ("Black", "White")
        ],
        "images": [{"url": "http://a/1.png"}, {"url": "http://a/2.png"}],
    } | more


async def shown(service: ProductService, id: str, *fields: str) -> dict[str, Any]:
    rows = (await service.query(Query("product", fields or SHOWN, {"id": id}))).rows
    assert len(rows) == 1
    return rows[0]


async def make(service: ProductService, **more: Any) -> dict[str, Any]:
    return (await service.create_products([shirt(**more)]))[0]


# -- creating


async def test_a_product_is_made_with_all_that_belongs_to_it(products: ProductService) -> None:
    (tag,) = await products.create("product_tag", [{"value": "summer"}])
    (kind,) = await products.create("product_type", [{"value": "shirts"}])
    (collection,) = await products.create("product_collection", [{"title": "New", "handle": "new"}])
    (category,) = await products.create_categories([{"name": "Men's wear"}])
    made = await make(
        products,
        tags=[{"id": tag["id"]}],
        categories=[{"id": category["id"]}],
        type_id=kind["id"],
        collection_id=collection["id"],
        weight=400,
    )
    found = await shown(products, made["id"])
    assert found["handle"] == "shirt"
    assert found["status"] == "draft"
    assert found["thumbnail"] == "http://a/1.png"
    assert found["weight"] == 400
    assert [option["title"] for option in found["options"]] == ["Size", "Color"]
    assert [value["value"] for value in found["options"][0]["values"]] == ["S", "L"]
    assert found["options"][0]["is_exclusive"] is True
    assert "link_id" not in found["options"][0]
    assert [variant["title"] for variant in found["variants"]] == ["S / Black", "S / White", "L / Black", "L / White"]
    assert [variant["variant_rank"] for variant in found["variants"]] == [0, 0, 0, 0]
    assert [value["value"] for value in found["variants"][1]["options"]] == ["S", "White"]
    assert [(image["url"], image["rank"]) for image in found["images"]] == [("http://a/1.png", 0), ("http://a/2.png", 1)]
    assert [found["tags"][0]["value"], found["categories"][0]["handle"]] == ["summer", "mens-wear"]
    assert [found["collection"]["title"], found["type"]["value"]] == ["New", "shirts"]


async def test_a_batch_takes_few_statements(products: ProductService) -> None:
    """20 products with 80 variants: their number doesn't show in the number of statements."""
    count = 0
    run = products.database._run

    async def counted(send: Any, *more: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return await run(send, *more, **named)

    products.database._run = counted  # type: ignore[method-assign]
    made = await products.create_products([shirt(title=f"Shirt {number}") for number in range(20)])
    assert [row["handle"] for row in made] == [f"shirt-{number}" for number in range(20)]
    assert all(len(row["variants"]) == 4 for row in made)
    assert count <= 12


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"variants": [{"title": "S", "options": {"Size": "S"}}]},
            "Product has 2 option values but there were 1 provided option values for the variant: S.",
        ),
        (
            {"variants": [{"title": "S", "options": {"Size": "S", "Color": "Black", "Cut": "Wide"}}]},
            "Product has 2 option values but there were 3 provided option values for the variant: S.",
        ),
        (
            {"variants": [{"title": "S", "options": {"Size": "S", "Color": "Red"}}]},
            "Option value Red does not exist for option Color",
        ),
        ({"handle": "No Such / Handle"}, "Invalid product handle 'No Such / Handle'. It must contain URL safe characters"),
        ({"colour": "red"}, "Product has no field 'colour'"),
        (
            {"options": [{"title": "Size", "values": ["S"]}, {"title": "Size", "values": ["L"]}], "variants": []},
            "Product option with title: Size",
        ),
    ],
)
async def test_what_breaks_the_rules_makes_nothing(products: ProductService, more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidData) as refused:
        await make(products, **more)
    assert refused.value.message.startswith(message)
    assert await products.count("product") == 0
    assert await products.count("product_option") == 0


async def test_of_many_who_want_one_handle_one_gets_it(products: ProductService) -> None:
    outcomes = await asyncio.gather(*(make(products) for _ in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refused) == 7
    assert {str(each) for each in refused} == {"Product with handle: shirt, already exists."}
    assert all(isinstance(each, InvalidData) for each in refused)
    assert await products.count("product_variant") == 4


async def test_a_deleted_products_handle_and_skus_are_free_again(products: ProductService) -> None:
    variants = [{"title": "one", "sku": "A-1", "options": {"Size": "S", "Color": "Black"}}]
    first = await make(products, variants=variants)
    assert await products.delete("product", [first["id"]]) == [first["id"]]
    assert await products.count("product_variant") == 0
    second = await make(products, variants=variants)
    with pytest.raises(InvalidData, match=r"Product variant with sku: A-1, already exists\.|Product with handle: shirt, already exists\."):
        await products.restore("product", [first["id"]])
    await products.delete("product", [second["id"]])
    assert await products.restore("product", [first["id"]]) == [first["id"]]
    assert [v["options"][0]["value"] for v in (await shown(products, first["id"]))["variants"]] == ["S"]


async def test_a_missing_tag_or_type_is_not_found(products: ProductService) -> None:
    with pytest.raises(NotFound):
        await make(products, type_id="ptyp_none")
    with pytest.raises(NotFound):
        await make(products, tags=[{"id": "ptag_none"}])
    assert await products.count("product") == 0


@pytest.mark.parametrize(
    ("title", "handle"),
    [
        ("Été à Paris!", "été-à-paris"),
        ("MedusaShirt 2", "medusashirt-2"),
        ("a -- b__c", "a-b-c"),
        ("Straße", "strasse"),
        ("S / Black", "s-black"),
        ("Men's", "mens"),
        ("日本 茶", "日本-茶"),
        ("!?", ""),
    ],
)
def test_handles_of_titles(title: str, handle: str) -> None:
    assert handle_of(title) == handle


async def test_a_title_without_letters_still_gets_a_handle(products: ProductService) -> None:
    one, two = await products.create_products([{"title": "!?"}, {"title": "!?"}])
    assert one["handle"].startswith("prod-")
    assert one["handle"] != two["handle"]


# -- changing


async def test_an_update_changes_what_it_names_and_replaces_lists(products: ProductService) -> None:
    tags = await products.create("product_tag", [{"value": value} for value in ("a", "b", "c")])
    made = await make(products, tags=[{"id": tag["id"]} for tag in tags[:2]])
    kept, dropped = made["variants"][0], [variant["id"] for variant in made["variants"][1:]]
    before = await shown(products, made["id"])
    done = await products.update_products(
        [
            {
                "id": made["id"],
                "subtitle": "soft",
                "tags": [{"id": tags[1]["id"]}, {"id": tags[2]["id"]}],
                "images": [{"url": "http://a/2.png"}, {"url": "http://a/3.png"}],
                "variants": [
                    {"id": kept["id"], "title": "small"},
                    {"title": "large", "options": {"Size": "L", "Color": "White"}},
                ],
            }
        ]
    )
    assert done["products"][0]["subtitle"] == "soft"
    assert sorted(done["variants_deleted"]) == sorted(dropped)
    assert [variant["title"] for variant in done["variants_created"]] == ["large"]
    after = await shown(products, made["id"])
    assert (after["title"], after["handle"]) == ("Shirt", "shirt")
    assert {tag["value"] for tag in after["tags"]} == {"b", "c"}
    assert [variant["title"] for variant in after["variants"]] == ["small", "large"]
    assert after["variants"][0]["options"] == before["variants"][0]["options"]
    assert [image["url"] for image in after["images"]] == ["http://a/2.png", "http://a/3.png"]
    assert after["images"][0]["id"] == before["images"][1]["id"]


async def test_options_are_added_beside_those_that_others_add(products: ProductService) -> None:
    made = await make(products)
    before = await shown(products, made["id"])
    size = next(option for option in before["options"] if option["title"] == "Size")
    more = [[{"title": "Size", "values": [f"X{at}", "S"]}, {"title": "Renamed", "id": size["id"], "values": [f"Y{at}"]}] for at in range(4)]
    await asyncio.gather(*(products.update_products([{"id": made["id"], "more_options": each}]) for each in more))
    after = {option["title"]: option for option in (await shown(products, made["id"]))["options"]}
    assert after.keys() == {option["title"] for option in before["options"]}
    values = {value["value"]: value["id"] for value in after["Size"]["values"]}
    assert values.keys() == {value["value"] for value in size["values"]} | {f"{letter}{at}" for letter in "XY" for at in range(4)}
    assert {value["id"] for value in size["values"]} <= set(values.values())
    await products.update_products([{"id": made["id"], "more_options": [{"title": "Fabric", "values": ["Wool"], "is_exclusive": True}]}])
    assert {option["title"] for option in (await shown(products, made["id"]))["options"]} == {*after, "Fabric"}


async def test_variants_that_many_name_at_once_are_one(products: ProductService) -> None:
    """They are matched while nobody else changes the product; those that nobody names stay, and all of it is taken back."""
    made = await make(products)
    (white,) = [variant for variant in made["variants"] if variant["title"] == "S / White"]
    options = {"Size": "XL", "Color": "Black"}
    rows = [
        {"title": "Huge", "sku": "huge", "options": options, "image_urls": ["http://a/2.png", "http://a/3.png"]},
        {"title": "White", "options": {"Color": "White", "Size": "S"}, "image_urls": ["http://a/1.png"]},
    ]
    update = {"id": made["id"], "more_options": [{"title": "Size", "values": ["XL"]}], "more_variants": rows}
    dones = await asyncio.gather(*(keep(products.update_products, [update]) for _ in range(4)))
    assert {tuple(done["answer"]["variants_named"]) for done in dones} == {(huge := dones[0]["answer"]["variants_named"][0], white["id"])}
    assert sorted(len(done["answer"]["variants_created"]) for done in dones) == [0, 0, 0, 1]
    after = {variant["title"]: variant for variant in (await shown(products, made["id"], *SHOWN, "*variants.images"))["variants"]}
    assert after.keys() == {"S / Black", "White", "L / Black", "L / White", "Huge"}
    assert (after["White"]["id"], after["Huge"]["id"]) == (white["id"], huge)
    urls = {title: "".join(image["url"][-5] for image in variant["images"]) for title, variant in after.items()}
    assert urls == {"S / Black": "12", "White": "1", "L / Black": "12", "L / White": "12", "Huge": "23"}
    before = await shown(products, made["id"], *SHOWN, "*variants.images")
    rows[0] |= {"title": "Larger", "options": {"Size": "XL", "Color": "White"}, "image_urls": ["http://a/1.png", "http://a/4.png"]}
    done = await keep(products.update_products, [{**update, "more_variants": [*rows, {**rows[0], "sku": "larger", "options": options}]}])
    assert await shown(products, made["id"], *SHOWN, "*variants.images") != before
    await products.undo(done["change"])
    assert await shown(products, made["id"], *SHOWN, "*variants.images") == before


async def test_an_update_is_taken_back_whole(products: ProductService) -> None:
    (tag,) = await products.create("product_tag", [{"value": "a"}])
    made = await make(products, tags=[{"id": tag["id"]}])
    before = await shown(products, made["id"])
    done = await keep(
        products.update_products,
        [
            {
                "id": made["id"],
                "title": "Coat",
                "handle": "coat",
                "tags": [],
                "images": [],
                "options": [{"title": "Size", "values": ["S", "XL"], "ranks": {"XL": 7}}, {"title": "Fabric", "values": ["Wool"]}],
                "variants": [{"title": "XL", "options": {"Size": "XL", "Fabric": "Wool"}}],
            }
        ],
    )
    changed = await shown(products, made["id"])
    assert [(option["title"], [value["value"] for value in option["values"]]) for option in changed["options"]] == [
        ("Size", ["XL", "S"]),
        ("Fabric", ["Wool"]),
    ]
    await products.undo(done["change"])
    await products.undo(done["change"])
    assert await shown(products, made["id"]) == before


async def test_what_others_changed_since_stays_when_an_update_is_taken_back(products: ProductService) -> None:
    made = await make(products)
    first, second = (variant["id"] for variant in made["variants"][:2])
    rows = [{"id": first, "title": "Ours"}, {"id": second, "title": "Ours"}]
    done = await keep(products.update_products, [{"id": made["id"], "title": "Ours", "subtitle": "ours", "variants": rows}])
    await products.update_products([{"id": made["id"], "title": "Theirs"}])
    await products.update_variants([{"id": first, "title": "Theirs"}])
    [theirs] = await products.create_variants([{"product_id": made["id"], "title": "New", "options": {"Size": "L", "Color": "White"}}])
    await products.undo(done["change"])
    now = await shown(products, made["id"])
    assert (now["title"], now["subtitle"]) == ("Theirs", None)
    titles = {variant["id"]: variant["title"] for variant in now["variants"]}
    assert (titles[first], titles[second], titles[theirs["id"]]) == ("Theirs", made["variants"][1]["title"], "New")


async def test_a_product_that_somebody_deleted_does_not_come_again(products: ProductService) -> None:
    made = await make(products)
    kept = made["variants"][0]["id"]
    done = await keep(products.update_products, [{"id": made["id"], "title": "Ours", "variants": [{"id": kept, "title": "Ours"}]}])
    assert done["answer"]["variants_deleted"]
    await products.delete_products([made["id"]])
    await products.undo(done["change"])
    assert await products.count("product") == 0
    assert await products.count("product_variant") == 0


async def test_a_value_that_variants_are_made_of_stays(products: ProductService) -> None:
    made = await make(products)
    with pytest.raises(InvalidData, match=r"can't be removed: White \(variant L / White\)"):
        await products.update_products(
            [{"id": made["id"], "options": [{"title": "Size", "values": ["S", "L"]}, {"title": "Color", "values": ["Black"]}]}]
        )
    assert [len(option["values"]) for option in (await shown(products, made["id"]))["options"]] == [2, 2]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (
            [{"title": t, "options": {"Size": "S", "Color": "Black"}} for t in "ab"],
            'Variant "b" has same combination of option values as "a".',
        ),
        (
            [{"title": "a", "options": {"Size": "S"}}],
            "Product has 2 option values but there were 1 provided option values for the variant: a.",
        ),
    ],
)
async def test_an_update_that_breaks_the_rules_changes_nothing(products: ProductService, variants: Any, message: str) -> None:
    made = await make(products)
    before = await shown(products, made["id"])
    with pytest.raises(InvalidData) as refused:
        await products.update_products([{"id": made["id"], "title": "other", "variants": variants}])
    assert refused.value.message == message
    assert await shown(products, made["id"]) == before
    with pytest.raises(NotFound, match="Product with id: prod_none was not found"):
        await products.update_products([{"id": made["id"], "title": "other"}, {"id": "prod_none"}])
    assert await shown(products, made["id"]) == before


async def test_nested_rows_with_ids_that_nobody_has_are_new_and_anothers_are_refused(products: ProductService) -> None:
    made, other = await make(products, variants=[]), await make(products, handle="other")
    theirs = await shown(products, other["id"])
    variant = {"title": "new", "options": {"Size": "S", "Color": "Black"}}
    image = {"url": "http://a/3.png"}
    done = await products.update_products(
        [{"id": made["id"], "variants": [{**variant, "id": "variant_mine"}], "images": [{**image, "id": "img_mine"}]}]
    )
    assert [row["title"] for row in done["variants_created"]] == ["new"]
    assert [row["url"] for row in (await shown(products, made["id"]))["images"]] == ["http://a/3.png"]
    for nested in (
        {"variants": [{**variant, "id": theirs["variants"][0]["id"]}]},
        {"images": [{**image, "id": theirs["images"][0]["id"]}]},
    ):
        with pytest.raises(NotFound):
            await products.update_products([{"id": made["id"], **nested}])
    assert await shown(products, other["id"]) == theirs


# -- variants


async def test_variants_come_after_those_that_are_there(products: ProductService) -> None:
    made = await make(products, variants=[{"title": "one", "options": {"Size": "S", "Color": "Black"}}])
    (added,) = await products.create_variants(
        [{"product_id": made["id"], "title": "two", "sku": "2", "options": {"Size": "L", "Color": "Black"}}]
    )
    assert (added["variant_rank"], added["manage_inventory"], added["product_id"]) == (0, True, made["id"])
    with pytest.raises(InvalidData, match=r"^Variant \(three\) with provided options already exists\.$"):
        await products.create_variants([{"product_id": made["id"], "title": "three", "options": {"Size": "S", "Color": "Black"}}])
    done = await products.update_variants([{"id": added["id"], "sku": "22", "options": {"Size": "L", "Color": "White"}}])
    assert done[0]["sku"] == "22"
    assert [value["value"] for value in (await shown(products, made["id"]))["variants"][1]["options"]] == ["L", "White"]
    with pytest.raises(InvalidData, match="has same combination of option values"):
        await products.update_variants([{"id": added["id"], "options": {"Size": "S", "Color": "Black"}}])


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([{"title": "S"}], 'Product "Shirt" has variants with missing options: [S, S]'),
        (
            [{"title": title, "options": {"Size": "S", "Color": "Black"}} for title in ("one", "two")],
            'Variant "one" has same combination of option values as "two".',
        ),
    ],
)
async def test_a_strict_shop_refuses_new_products_whose_variants_cant_be_told_apart(
    products: ProductService, variants: list[dict[str, Any]], message: str
) -> None:
    made = await make(products, variants=variants)
    first = (await shown(products, made["id"]))["variants"][0]
    await products.update_variants([{"id": first["id"], "sku": "still changed"}])
    settings = products.context.settings.model_copy(update={"strict_variants": True})
    products.context = replace(products.context, settings=settings)
    with pytest.raises(InvalidData) as refused:
        await make(products, handle="another", variants=variants)
    assert refused.value.message == message


async def test_of_two_who_add_the_same_combination_one_does(products: ProductService) -> None:
    made = await make(products, variants=[])
    new = {"product_id": made["id"], "title": "one", "options": {"Size": "S", "Color": "Black"}}
    outcomes = await asyncio.gather(*(products.create_variants([new]) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert await products.count("product_variant", {"product_id": made["id"]}) == 1


async def test_a_variant_shows_its_own_images_and_those_of_nobody(products: ProductService) -> None:
    made = await make(products)
    one, two = (image["id"] for image in (await shown(products, made["id"]))["images"])
    first, second = (variant["id"] for variant in made["variants"][:2])
    other = await make(products, title="Other", handle="other")
    assert await products.assign_images([(first, one), (other["variants"][0]["id"], one)]) == [[first, one]]

    async def images(variant: str) -> list[str]:
        rows = (await products.query(Query("product_variant", ("id", "images.id"), {"id": variant}))).rows
        return [image["id"] for image in rows[0]["images"]]

    assert await images(first) == [one, two]
    assert await images(second) == [two]
    assert await products.unassign_images([(first, one), (first, two)]) == [[first, one]]
    assert await images(second) == [one, two]


# -- options that products share


async def test_a_product_shows_only_the_values_it_uses_of_a_shared_option(products: ProductService) -> None:
    (size,) = await products.create_options([{"title": "Size", "values": ["S", "M", "L"], "ranks": {"S": 1, "M": 2, "L": 3}}])
    ids = {value["value"]: value["id"] for value in size["values"]}
    assert size["is_exclusive"] is False
    one, two = await products.create_products(
        [
            {
                "title": "One",
                "options": [{"id": size["id"], "value_ids": [ids["S"], ids["L"]]}],
                "variants": [{"title": "s", "options": {"Size": "S"}}],
            },
            {"title": "Two", "options": [{"id": size["id"]}]},
        ]
    )
    assert [value["value"] for value in (await shown(products, one["id"]))["options"][0]["values"]] == ["S", "L"]
    assert [value["value"] for value in (await shown(products, two["id"]))["options"][0]["values"]] == ["S", "M", "L"]
    with pytest.raises(InvalidData, match="Option value M does not exist for option Size"):
        await products.create_variants([{"product_id": one["id"], "title": "m", "options": {"Size": "M"}}])
    with pytest.raises(InvalidData, match="Product option with title: Size, already exists"):
        await products.create_options([{"title": "Size", "values": ["40"]}])
    await products.set_product_options(one["id"], update=[{"product_option_id": size["id"], "add": [ids["M"]], "remove": [ids["L"]]}])
    assert [value["value"] for value in (await shown(products, one["id"]))["options"][0]["values"]] == ["S", "M"]
    with pytest.raises(InvalidData):
        await products.set_product_options(one["id"], remove=[size["id"]])
    with pytest.raises(InvalidData):
        await products.delete_options([size["id"]])
    await products.set_product_options(two["id"], add=[{"title": "Cut", "values": ["wide"]}], remove=[size["id"]])
    assert [option["title"] for option in (await shown(products, two["id"]))["options"]] == ["Cut"]
    assert len((await products.retrieve("product_option", size["id"], fields=("*", "*values")))["values"]) == 3


async def test_products_are_found_by_what_belongs_to_them(products: ProductService) -> None:
    one = await make(products, variants=[{"title": "a", "sku": "FIND-ME", "options": {"Size": "S", "Color": "Black"}}])
    await make(products, title="Other")

    async def found(**filters: Any) -> list[str]:
        return [row["id"] for row in (await products.query(Query("product", ("id",), filters))).rows]

    assert await found(variants={"sku": "FIND-ME"}) == [one["id"]]
    assert await found(q="find-m") == [one["id"]]
    value = (await shown(products, one["id"]))["options"][0]["values"][0]["id"]
    assert await found(variants={"options": {"id": [value]}}) == [one["id"]]
    assert await found(options={"values": {"id": value}}) == [one["id"]]


async def test_products_are_listed_by_the_filters_and_fields_of_the_api(products: ProductService) -> None:
    await products.create_products([shirt(handle="a", status="published"), shirt(handle="b"), shirt(handle="c", status="published")])
    rows = await products.list_products({"status": "published"}, fields=("handle", "variants.title"))
    assert sorted(row["handle"] for row in rows) == ["a", "c"]
    assert {len(row["variants"]) for row in rows} == {4}
    assert len(await products.list_products(limit=1, offset=2)) == 1
