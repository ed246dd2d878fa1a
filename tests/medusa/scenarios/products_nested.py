"""A merchant builds a product, then changes its lists: images, options, variants, in batches and one by one."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("dk", "eur")
    tag = (await api.admin("POST", "/product-tags", {"value": api.fresh("wool")}))["product_tag"]["id"]
    kind = (await api.admin("POST", "/product-types", {"value": api.fresh("Sweater")}))["product_type"]["id"]
    shelf = (await api.admin("POST", "/collections", {"title": api.fresh("Winter")}))["collection"]["id"]
    body = {
        "title": api.fresh("Jumper"),
        "subtitle": "warm",
        "status": "draft",
        "type_id": kind,
        "collection_id": shelf,
        "tags": [{"id": tag}],
        "weight": 400,
        "origin_country": "dk",
        "material": "wool",
        "sales_channels": [{"id": api.channel}],
        "shipping_profile_id": shop.profile,
        "thumbnail": "https://img.example/0.png",
        "images": [{"url": "https://img.example/0.png"}, {"url": "https://img.example/1.png"}],
        "options": [{"title": "Size", "values": ["S", "M"]}, {"title": "Colour", "values": ["red", "blue"]}],
        "variants": [
            {
                "title": "S red",
                "sku": api.fresh("S-red"),
                "options": {"Size": "S", "Colour": "red"},
                "prices": [{"currency_code": "eur", "amount": 40}, {"currency_code": "usd", "amount": 44.5}],
            },
            {
                "title": "M red",
                "sku": api.fresh("M-red"),
                "options": {"Size": "M", "Colour": "red"},
                "prices": [{"currency_code": "eur", "amount": 41}],
            },
        ],
    }
    product = (await api.admin("POST", "/products", body))["product"]
    at = f"/products/{product['id']}"
    await api.admin("POST", "/products", body)  # the handle is taken
    await api.store("GET", at)  # a draft
    await api.admin(
        "POST",
        at,
        {
            "status": "published",
            "images": [{"id": product["images"][1]["id"], "url": product["images"][1]["url"]}, {"url": "https://img.example/2.png"}],
        },
    )
    await api.admin(
        "POST",
        f"{at}/variants",
        {
            "title": "S blue",
            "options": {"Size": "S", "Colour": "blue"},
            "prices": [{"currency_code": "eur", "amount": 42}],
            "manage_inventory": False,
        },
    )
    await api.admin("POST", f"{at}/variants", {"title": "S blue again", "options": {"Size": "S", "Colour": "blue"}, "prices": []})
    await api.admin("POST", f"{at}/variants", {"title": "no such value", "options": {"Size": "XL", "Colour": "blue"}, "prices": []})
    now = {v["title"]: v for v in (await api.admin("GET", f"{at}?fields=id,*variants,*variants.prices"))["product"]["variants"]}
    price = next(p for p in now["S red"]["prices"] if p["currency_code"] == "eur")
    await api.admin(
        "POST",
        f"{at}/variants/{now['S red']['id']}",
        {"title": "Small red", "prices": [{"id": price["id"], "currency_code": "eur", "amount": 39}], "metadata": {"bin": 7}},
    )
    await api.admin(
        "POST",
        f"{at}/variants/batch",
        {
            "create": [{"title": "M blue", "options": {"Size": "M", "Colour": "blue"}, "prices": [{"currency_code": "eur", "amount": 43}]}],
            "update": [{"id": now["M red"]["id"], "barcode": api.fresh("bar"), "allow_backorder": True}],
            "delete": [now["S blue"]["id"]],
        },
    )
    await api.admin("POST", at, {"variants": [{"id": now["S red"]["id"], "title": "Only one"}]})  # the list is what is left
    await api.admin("GET", f"{at}?fields=title,handle,*options,*options.values,*variants,*variants.options,*images,*tags,*type,*collection")
    await api.admin(
        "POST",
        "/products/batch",
        {
            "create": [{"title": api.fresh("Scarf"), "options": [{"title": "Size", "values": ["one"]}], "tags": [{"id": tag}]}],
            "update": [{"id": product["id"], "description": "by batch", "tags": [], "collection_id": None}],
        },
    )
    await api.store("GET", f"/products?handle={product['handle']}&region_id={shop.region}&fields=*variants.calculated_price")
    await api.admin("GET", f"/products?q={api.word}&order=-title&fields=id,title,status,tags.value")
    await api.admin("GET", f"/product-variants?q={api.word}&order=sku&fields=id,title,sku,product.title")
    await api.admin("DELETE", f"{at}/variants/{now['S red']['id']}")
    await api.admin("DELETE", at)
    await api.admin("GET", at)
    await api.store("GET", at)
