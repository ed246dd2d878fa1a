"""Metadata is merged by keys wherever it is: an empty text removes a key, null clears all, an empty object changes nothing."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("it", "eur", rate=20)
    goods = await api.goods(shop, "Bowl", {"one": 5}, stock=9)
    item = (await api.quiet("GET", f"/admin/inventory-items?q={api.fresh('Bowl-one')}"))["inventory_items"][0]["id"]
    ground = await api.own_category()
    made = {}
    for word, path, key, body in (
        ("product", "/products", "product", {"title": api.fresh("Cup"), "options": [{"title": "Size", "values": ["one"]}]}),
        ("collection", "/collections", "collection", {"title": api.fresh("Shelf")}),
        ("category", "/product-categories", "product_category", {"name": api.fresh("Root"), "parent_category_id": ground}),
        ("tag", "/product-tags", "product_tag", {"value": api.fresh("tag")}),
        ("type", "/product-types", "product_type", {"value": api.fresh("type")}),
        ("option", "/product-options", "product_option", {"title": api.fresh("Colour"), "values": ["red"]}),
        ("channel", "/sales-channels", "sales_channel", {"name": api.fresh("shop")}),
        ("location", "/stock-locations", "stock_location", {"name": api.fresh("depot")}),
        ("item", "/inventory-items", "inventory_item", {"sku": api.fresh("sku")}),
        ("reservation", "/reservations", "reservation", {"location_id": shop.location, "inventory_item_id": item, "quantity": 1}),
        ("list", "/price-lists", "price_list", {"title": api.fresh("Sale"), "description": "less"}),
        ("customer", "/customers", "customer", {"email": api.fresh("ada") + "@example.com"}),
        ("group", "/customer-groups", "customer_group", {"name": api.fresh("vip")}),
        ("region", "/regions", "region", {"name": api.fresh("R"), "currency_code": "eur", "countries": []}),
        ("tax region", "/tax-regions", "tax_region", {"country_code": "pt", "provider_id": "tp_system"}),
        ("tax rate", "/tax-rates", "tax_rate", {"tax_region_id": shop.tax_region, "name": "low", "code": api.fresh("low"), "rate": 5}),
        ("profile", "/shipping-profiles", "shipping_profile", {"name": api.fresh("heavy"), "type": api.fresh("heavy")}),
    ):
        answer = await api.admin("POST", path, {**body, "metadata": {"a": 1, "b": "x", "c": "", "d": {"e": 1}, "n": None}})
        if key not in answer:
            continue
        made[word] = f"{path}/{answer[key]['id']}"
    made["variant"] = f"/products/{goods['product']}/variants/{goods['one']}"
    for path in made.values():
        for metadata in ({"b": "", "c": 2, "d": {"f": 2}, "zero": 0}, None, {"again": 1}):
            await api.admin(
                "POST", path + ("?fields=id,*variants" if "/variants/" in path else "?fields=id,metadata"), {"metadata": metadata}
            )
    address = (
        await api.admin("POST", made["customer"] + "/addresses?fields=*addresses", {"address_1": "Street 1", "metadata": {"a": 1, "b": 2}})
    )["customer"]["addresses"]
    if address:
        for metadata in ({"a": "", "c": 3}, None):
            await api.admin("POST", f"{made['customer']}/addresses/{address[0]['id']}", {"metadata": metadata})
    await api.admin("POST", f"/products/{goods['product']}", {"variants": [{"id": goods["one"], "metadata": {"again": "", "nested": 1}}]})
    await api.admin(
        "POST",
        "/products/batch",
        {"update": [{"id": goods["product"], "metadata": {"x": 1}}, {"id": made["product"].rsplit("/", 1)[1], "metadata": {"again": ""}}]},
    )

    ada = await api.person("ada2")
    await api.store("POST", "/customers/me", {"metadata": {"a": 1, "b": 2}}, ada)
    await api.store("POST", "/customers/me", {"metadata": {"a": "", "c": 3}}, ada)
    await api.store("POST", "/customers/me", {"metadata": {}}, ada)
