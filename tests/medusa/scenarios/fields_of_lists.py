"""What lists and single things show: by default, with more, with less, whole relations, one column of a relation."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("bg", "bgn")
    shelf = (await api.quiet("POST", "/admin/collections", {"title": api.fresh("Shelf")}))["collection"]["id"]
    tag = (await api.quiet("POST", "/admin/product-tags", {"value": api.fresh("tag")}))["product_tag"]["id"]
    cat = {"name": api.fresh("Cat"), "is_active": True, "parent_category_id": await api.own_category()}
    category = (await api.quiet("POST", "/admin/product-categories", cat))["product_category"]["id"]
    mug = await api.goods(
        shop,
        "Mug",
        {"S": 5, "L": 6},
        stock=4,
        collection_id=shelf,
        tags=[{"id": tag}],
        categories=[{"id": category}],
        images=[{"url": "https://img.example/1.png"}],
    )
    p = f"/products/{mug['product']}"
    for fields in (
        "",
        "id",
        "title,handle",
        "handle,title",
        "-variants",
        "-variants.options",
        "-variants.prices,-options",
        "+variants.sku",
        "*variants,-variants.id",
        "*",
        "**",
        "title,*",
        "variants",
        "variants.*",
        "*variants.prices",
        "variants.prices.*",
        "variants.prices.price_rules.*",
        "*variants.price_set",
        "variants.inventory_items.*",
        "*variants.inventory_items.inventory.location_levels",
        "variants.inventory_items.inventory.location_levels.stocked_quantity",
        "+variants.inventory_quantity",
        "*variants.product",
        "*variants.options.option",
        "*options.values.option",
        "options.values.value",
        "*collection.products",
        "*tags.products",
        "categories.*",
        "*categories.parent_category",
        "*sales_channels",
        "sales_channels.name",
        "*shipping_profile",
        "shipping_profile.name",
        "*images.variants",
        "type.value",
        "*type",
        "collection.title,collection_id",
        "id,id",
        "title,,handle",
        " title",
        "title ,handle",
        "tags.id",
        "+title",
        "-title",
        "+metadata",
        "variants.calculated_price.*",
        "created_at,variants.created_at",
    ):
        await api.admin("GET", f"{p}?fields={fields.replace('+', '%2B')}")
    for fields in (
        "title",
        "-variants",
        "*variants",
        "*variants.calculated_price",
        "+variants.inventory_quantity",
        "*variants.prices",
        "*variants.inventory_items",
        "*collection",
        "*collection.products",
        "*tags",
        "*categories",
        "*categories.products",
        "+metadata",
        "external_id",
        "status",
        "*sales_channels",
        "*shipping_profile",
        "*images",
        "variants.options.option.title",
        "variants.product.title",
        "nothing",
        "variants.nothing",
        "a.b.c.d.e",
        "*options.values",
    ):
        await api.store("GET", f"{p}?region_id={shop.region}&fields={fields.replace('+', '%2B')}")
    await api.admin("GET", p)
    await api.store("GET", p)
    await api.admin("GET", f"/products?id={mug['product']}")
    await api.store("GET", f"/products?id={mug['product']}&region_id={shop.region}")
    for path in (
        f"/collections?id={shelf}",
        f"/product-tags?id={tag}",
        f"/product-categories?id={category}",
        f"/sales-channels?id={api.channel}",
        f"/stock-locations?id={shop.location}",
        f"/inventory-items?sku={api.fresh('Mug-S')}",
        f"/product-variants?id={mug['S']}",
    ):
        await api.admin("GET", path)
        await api.admin("GET", path + "&fields=*")
        await api.admin("GET", path + "&fields=id")
    for path in (f"/collections/{shelf}", f"/product-categories/{category}", f"/product-tags/{tag}", f"/product-variants/{mug['S']}"):
        await api.store("GET", path)
    await api.admin("GET", f"/inventory-items?sku={api.fresh('Mug-S')}&fields=sku,*variants")
    await api.admin("GET", f"/inventory-items?sku={api.fresh('Mug-S')}&fields=sku,variants.title,*variants.product")
    await api.admin("GET", f"/inventory-items?sku={api.fresh('Mug-S')}&fields=sku,location_levels.*")
    await api.admin("GET", f"/inventory-items?sku={api.fresh('Mug-S')}&fields=sku,*location_levels.stock_locations")
    await api.admin("GET", f"/product-variants?id={mug['S']}&fields=*product,*inventory_items")
    await api.admin("GET", f"/sales-channels?id={api.channel}&fields=name,*products")
    await api.admin("GET", f"/sales-channels?id={api.channel}&fields=name,*stock_locations,*publishable_api_keys")
    await api.admin("GET", f"/stock-locations?id={shop.location}&fields=name,*sales_channels,*fulfillment_sets,*fulfillment_providers")
