"""Stock: items, levels at locations one by one and in batches, reservations, what may not be, and what lists can be asked."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("be", "eur")
    other = (await api.admin("POST", "/stock-locations", {"name": api.fresh("barn")}))["stock_location"]["id"]
    item = (
        await api.admin(
            "POST",
            "/inventory-items",
            {
                "sku": api.fresh("nail"),
                "title": "Nail",
                "description": "steel",
                "requires_shipping": False,
                "weight": 1.5,
                "origin_country": "be",
                "hs_code": "7317",
                "metadata": {"a": 1},
                "location_levels": [{"location_id": shop.location, "stocked_quantity": 10}],
            },
        )
    )["inventory_item"]["id"]
    at = f"/inventory-items/{item}"
    await api.admin("POST", "/inventory-items", {"sku": api.fresh("nail")})
    bare = (await api.admin("POST", "/inventory-items", {}))["inventory_item"]["id"]
    for body in (
        {"sku": 5},
        {"weight": "heavy"},
        {"nothing": 1},
        {"location_levels": [{"location_id": "sloc_nothing", "stocked_quantity": 1}]},
        {"location_levels": [{"stocked_quantity": 1}]},
        {"location_levels": [{"location_id": other, "stocked_quantity": -1}]},
    ):
        await api.admin("POST", "/inventory-items", body)
    await api.admin("GET", at)
    await api.admin("GET", at + "?fields=*location_levels")
    await api.admin("GET", at + "?fields=sku,location_levels.available_quantity,location_levels.stock_locations.name")
    await api.admin("POST", at, {"title": "Long nail", "sku": api.fresh("long"), "thumbnail": "https://img.example/n.png"})
    await api.admin("POST", at + "/location-levels", {"location_id": other, "stocked_quantity": 4, "incoming_quantity": 2})
    await api.admin("POST", at + "/location-levels", {"location_id": other, "stocked_quantity": 4})
    await api.admin("POST", at + "/location-levels", {"location_id": "sloc_nothing", "stocked_quantity": 4})
    await api.admin("POST", at + "/location-levels", {"stocked_quantity": 4})
    await api.admin("POST", f"{at}/location-levels/{other}", {"stocked_quantity": 7})
    await api.admin("POST", f"{at}/location-levels/{other}", {"incoming_quantity": 0})
    await api.admin("POST", f"{at}/location-levels/{other}", {"stocked_quantity": -7})
    await api.admin("POST", f"{at}/location-levels/sloc_nothing", {"stocked_quantity": 7})
    await api.admin("GET", at + "/location-levels")
    await api.admin("GET", f"{at}/location-levels?location_id={other}&fields=stocked_quantity,stock_locations.name")
    await api.admin("GET", "/inventory-items/iitem_nothing/location-levels")

    def reserve(quantity, **more):
        return api.admin("POST", "/reservations", {"inventory_item_id": item, "location_id": other, "quantity": quantity, **more})

    held = (await reserve(5, description="for Ada", metadata={"a": 1}))["reservation"]["id"]
    await reserve(3)
    await reserve("x")
    await reserve(1, location_id="sloc_nothing")
    await reserve(1, inventory_item_id="iitem_nothing")
    await reserve(1, line_item_id="ordli_nothing")
    await api.admin("POST", "/reservations", {"quantity": 1})
    await api.admin("GET", f"/reservations/{held}")
    await api.admin("GET", f"/reservations/{held}?fields=quantity,inventory_item.sku")
    await api.admin("GET", f"/reservations?inventory_item_id={item}&order=quantity")
    await api.admin("GET", f"/reservations?location_id[]={other}&quantity[$gt]=1&fields=quantity,description")
    await api.admin("GET", f"/reservations?inventory_item_id={item}&description[$ilike]=for%25&fields=description")
    await api.admin("GET", f"/reservations?inventory_item_id={item}&line_item_id=null&fields=quantity&order=quantity")
    await api.admin("GET", f"/reservations?q=ada&inventory_item_id={item}&fields=description")
    await api.admin("POST", f"/reservations/{held}", {"quantity": 7})
    await api.admin("POST", f"/reservations/{held}", {"quantity": 6})
    await api.admin("POST", f"/reservations/{held}", {"quantity": 60})
    await api.admin("POST", "/reservations/resitem_nothing", {"quantity": 1})
    await api.admin("GET", at)
    await api.admin("POST", f"{at}/location-levels/{other}", {"stocked_quantity": 0})
    await api.admin("DELETE", f"{at}/location-levels/{shop.location}")
    await api.admin("DELETE", f"/reservations/{held}")
    await api.admin("DELETE", f"/reservations/{held}")
    await api.admin("DELETE", f"{at}/location-levels/{shop.location}")
    await api.admin("DELETE", f"{at}/location-levels/{shop.location}")
    third = (await api.quiet("POST", "/admin/stock-locations", {"name": api.fresh("cellar")}))["stock_location"]["id"]
    await api.admin(
        "POST",
        at + "/location-levels/batch",
        {"create": [{"location_id": third, "stocked_quantity": 3}], "update": [{"location_id": other, "stocked_quantity": 9}]},
    )
    await api.admin("POST", at + "/location-levels/batch", {"create": [{"location_id": third}]})
    await api.admin("POST", at + "/location-levels/batch", {"update": [{"location_id": "sloc_nothing", "stocked_quantity": 1}]})
    levels = (await api.quiet("GET", f"/admin{at}/location-levels"))["inventory_levels"]
    ids = {level["location_id"]: level["id"] for level in levels}
    await api.admin("POST", at + "/location-levels/batch", {"delete": [ids.get(third, "none")]})
    await api.admin("POST", at + "/location-levels/batch", {"delete": [ids.get(other, "none")], "force": True})
    await api.admin(
        "POST",
        "/inventory-items/location-levels/batch",
        {
            "create": [
                {"inventory_item_id": bare, "location_id": third, "stocked_quantity": 2},
                {"inventory_item_id": item, "location_id": third, "stocked_quantity": 2},
            ]
        },
    )
    await api.admin(
        "POST",
        "/inventory-items/location-levels/batch",
        {"update": [{"inventory_item_id": bare, "location_id": third, "stocked_quantity": 5}]},
    )
    for query in (
        f"?q={api.word}",
        f"?sku={api.fresh('long')}",
        f"?location_levels[location_id]={third}&fields=sku&order=sku",
        f"?q={api.word}&weight[$gte]=1.5&fields=sku,weight",
        f"?q={api.word}&requires_shipping=false&fields=sku",
        "?nothing=1",
        f"?q={api.word}&order=-stocked_quantity&fields=stocked_quantity",
        f"?q={api.word}&fields=sku,reserved_quantity",
        f"?sku[]={api.fresh('long')}&sku[]=none&fields=sku",
        f"?id={bare}&fields=id,sku",
    ):
        await api.admin("GET", "/inventory-items" + query)
    await api.admin("DELETE", at)
    await api.admin("GET", at)
    await api.admin("DELETE", at)
    await api.admin("POST", "/inventory-items/iitem_nothing", {"title": "x"})
