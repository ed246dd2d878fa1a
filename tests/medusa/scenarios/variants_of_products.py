"""Variants: combinations, what may be left out or taken twice, stock kits, barcodes, lists and batches."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("pl", "pln")

    def new(title, variants, options=({"title": "Size", "values": ["S", "M"]}, {"title": "Colour", "values": ["red", "blue"]}), **more):
        return api.admin(
            "POST",
            "/products",
            {
                "title": api.fresh(title),
                "status": "published",
                "sales_channels": [{"id": api.channel}],
                "options": list(options),
                "variants": variants,
                **more,
            },
        )

    await new("Without", [{"title": "none", "prices": []}])
    await new("Half", [{"title": "hal", "options": {"Size": "S"}, "prices": []}])
    await new("Same", [{"title": n, "options": {"Size": "S", "Colour": "red"}, "prices": []} for n in ("one", "two")])
    await new("Unknown", [{"title": "x", "options": {"Size": "XL", "Colour": "red"}, "prices": []}])
    await new("Other", [{"title": "x", "options": {"Fit": "slim"}, "prices": []}])
    await new("Bare", [], options=())
    await new("No price", [{"title": "x"}])
    sku = api.fresh("sku")
    await new(
        "Twice",
        [
            {"title": "a", "sku": sku, "options": {"Size": "S", "Colour": "red"}, "prices": []},
            {"title": "b", "sku": sku, "options": {"Size": "M", "Colour": "red"}, "prices": []},
        ],
    )
    product = (
        await new(
            "Shirt",
            [
                {
                    "title": "S red",
                    "sku": api.fresh("S"),
                    "barcode": api.fresh("bar"),
                    "ean": api.fresh("ean"),
                    "upc": api.fresh("upc"),
                    "options": {"Size": "S", "Colour": "red"},
                    "variant_rank": 2,
                    "weight": 3,
                    "metadata": {"a": 1},
                    "prices": [{"currency_code": "pln", "amount": 4}],
                }
            ],
        )
    )["product"]
    at = f"/products/{product['id']}/variants"
    variant = product["variants"][0]["id"]

    def one(title, options, **more):
        return api.admin("POST", at + "?fields=id,*variants", {"title": title, "options": options, "prices": [], **more})

    await one("copy", {"Size": "S", "Colour": "red"})
    await one("half", {"Size": "M"})
    await one("taken", {"Size": "M", "Colour": "red"}, sku=api.fresh("S"))
    await one("taken", {"Size": "M", "Colour": "red"}, barcode=api.fresh("bar"))
    await one("wrong", {"Size": "M", "Colour": "red"}, manage_inventory="perhaps")
    await one("text", {"Size": "M", "Colour": "red"}, manage_inventory="false", allow_backorder="true")
    await one("wrong", {"Size": "M", "Colour": 5})
    for body in (
        {"title": "S scarlet"},
        {"options": {"Colour": "blue"}},
        {"options": {"Size": "M", "Colour": "red"}},
        {"sku": None, "barcode": None},
        {"variant_rank": 0},
        {"nothing": 1},
        {"manage_inventory": False},
        {"weight": "x"},
        {"allow_backorder": True, "origin_country": "pl", "hs_code": "1", "material": "wool"},
    ):
        await api.admin("POST", f"{at}/{variant}?fields=id,*variants", body)
    await api.admin("GET", f"{at}/{variant}")
    await api.admin("GET", f"{at}?order=title")
    await api.admin("GET", f"{at}?q=scarlet&fields=title")
    await api.admin("GET", f"{at}?allow_backorder=true&fields=title")
    await api.admin("GET", f"{at}/variant_nothing")
    await api.admin("POST", f"{at}/variant_nothing", {"title": "x"})
    await api.admin("DELETE", f"{at}/variant_nothing")
    item = (
        await api.quiet(
            "POST",
            "/admin/inventory-items",
            {"sku": api.fresh("part"), "location_levels": [{"location_id": shop.location, "stocked_quantity": 9}]},
        )
    )["inventory_item"]["id"]
    kit = (
        await one(
            "kit",
            {"Size": "M", "Colour": "blue"},
            sku=api.fresh("kit"),
            inventory_items=[{"inventory_item_id": item, "required_quantity": 2}],
        )
    ).get("product", {"variants": [{"id": "none"}]})
    kit = next((v["id"] for v in kit["variants"] if v.get("title") == "kit"), "none")
    await api.admin("GET", f"{at}/{kit}?fields=title,*inventory_items,*inventory_items.inventory")
    await api.admin("POST", f"{at}/{kit}/inventory-items", {"inventory_item_id": item, "required_quantity": 3})
    await api.admin("POST", f"{at}/{kit}/inventory-items/{item}", {"required_quantity": 4})
    await api.admin("POST", f"{at}/{kit}/inventory-items/{item}", {"required_quantity": "x"})
    await api.admin("POST", f"{at}/{kit}/inventory-items/iitem_nothing", {"required_quantity": 4})
    await api.admin("POST", f"{at}/{kit}/inventory-items", {"inventory_item_id": "iitem_nothing", "required_quantity": 1})
    await api.store("GET", f"/products/{product['id']}?fields=title,variants.title,+variants.inventory_quantity")
    await api.store("GET", f"/product-variants?sku={api.fresh('kit')}&fields=title,+inventory_quantity")
    await api.admin(
        "POST", f"{at}/inventory-items/batch", {"update": [{"inventory_item_id": item, "variant_id": kit, "required_quantity": 1}]}
    )
    await api.admin(
        "GET", f"/product-variants?q={api.word}&order=title&fields=title,sku,inventory_quantity,inventory_items.required_quantity"
    )
    await api.admin("DELETE", f"{at}/{kit}/inventory-items/{item}")
    await api.admin(
        "POST",
        f"{at}/inventory-items/batch",
        {
            "create": [{"inventory_item_id": item, "variant_id": kit, "required_quantity": 1}],
            "delete": [{"inventory_item_id": item, "variant_id": "variant_nothing"}],
        },
    )
    await api.admin(
        "POST",
        f"{at}/batch",
        {
            "create": [{"title": "n", "options": {"Size": "M", "Colour": "red"}, "prices": []}],
            "update": [{"id": "variant_nothing", "title": "x"}],
            "delete": [],
        },
    )
    await api.admin("POST", f"{at}/batch", {"delete": ["variant_nothing"]})
    for query in (
        f"?q={api.word}&order=-title&fields=title,product.title",
        f"?sku={api.fresh('kit')}",
        f"?product_id={product['id']}&manage_inventory=true&fields=title&order=title",
        f"?ean=null&q={api.fresh('Shirt')}&fields=title&order=title",
        f"?sku[]={api.fresh('kit')}&sku[]=none&fields=sku",
        f"?options[value]=red&q={api.fresh('Shirt')}&fields=title&order=title",
    ):
        await api.admin("GET", "/product-variants" + query)
    await api.admin("DELETE", f"{at}/{kit}")
    await api.admin("GET", f"{at}/{kit}")
