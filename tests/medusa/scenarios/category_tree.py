"""A tree of categories: ranks, moves, ancestors and descendants, what a storefront sees of it, and how its branches go."""

from __future__ import annotations

from typing import Any

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("es", "eur")
    mug = (await api.goods(shop, "Mug", {"s": 1}))["product"]
    pot = (await api.goods(shop, "Pot", {"s": 2}))["product"]

    def new(name: str, parent: str, **more: Any) -> Any:
        return api.admin("POST", "/product-categories", {"name": api.fresh(name), "parent_category_id": parent, "is_active": True, **more})

    def id(answer: Any) -> Any:
        return answer["product_category"]["id"]

    ground = await api.own_category()
    root = id(await new("Kitchen", ground, description="all", metadata={"a": 1}))
    await new("Kitchen", ground)
    cups = id(await new("Cups", root))
    pans = id(await new("Pans", root))
    knives = id(await new("Knives", root, rank=0))
    small = id(await new("Small cups", cups))
    tiny = id(await new("Tiny cups", small, is_internal=True))
    await new("Off", root, is_active=False)
    await new("Wrong", "pcat_nothing")
    for body in (
        {},
        {"name": 5},
        {"name": "x", "rank": -1},
        {"name": "x", "rank": "a"},
        {"name": "x", "nothing": 1},
        {"name": "x", "is_active": "yes"},
        {"name": api.fresh("日本語"), "parent_category_id": ground},
    ):
        await api.admin("POST", "/product-categories", body)
    at = f"/product-categories/{root}"
    await api.admin("GET", at)
    await api.admin("GET", at + "?include_descendants_tree=true")
    await api.admin("GET", f"/product-categories/{tiny}?include_ancestors_tree=true")
    await api.admin("GET", f"/product-categories/{small}?include_ancestors_tree=true&include_descendants_tree=true&fields=name")
    await api.admin("GET", f"/product-categories/{small}?fields=name,*parent_category,*category_children")
    await api.admin("GET", f"/product-categories?parent_category_id={root}&fields=name,rank&order=rank")
    await api.admin("GET", f"/product-categories?q={api.word}&parent_category_id=null&fields=name,handle")
    await api.admin("GET", f"/product-categories?q={api.word}&include_descendants_tree=true&fields=name&order=name")
    await api.admin("GET", f"/product-categories?q=tiny-&id={tiny}&include_ancestors_tree=true&fields=name")
    await api.admin("GET", f"/product-categories?id[]={cups}&id[]={pans}&order=name&is_active=true&is_internal=false&fields=name")
    await api.admin("POST", f"/product-categories/{pans}", {"rank": 0})
    await api.admin("GET", f"/product-categories?parent_category_id={root}&fields=name,rank&order=rank")
    await api.admin("POST", f"/product-categories/{pans}", {"parent_category_id": cups})
    await api.admin("POST", f"/product-categories/{knives}", {"name": "Blades", "is_active": False, "description": "sharp"})
    await api.admin("GET", at + "?include_descendants_tree=true&fields=name,rank,handle,parent_category_id")
    await api.admin("POST", f"/product-categories/{pans}", {"parent_category_id": ground})
    await api.admin("POST", f"/product-categories/{pans}/products", {"add": [mug, pot]})
    await api.admin("POST", f"/product-categories/{small}/products", {"add": [mug], "remove": [pot]})
    await api.admin("POST", f"/product-categories/{small}/products", {"add": ["prod_nothing"]})
    await api.admin("GET", f"/product-categories/{pans}?fields=name,*products")
    await api.admin("GET", f"/products?category_id={small}&fields=title,*categories")
    await api.admin("GET", f"/products?category_id[]={small}&category_id[]={pans}&fields=title,categories.name&order=title")
    await api.store("GET", f"/product-categories?q={api.word}&include_descendants_tree=true&fields=name,handle&order=name")
    await api.store("GET", f"/product-categories/{root}")
    await api.store("GET", f"/product-categories/{small}?include_ancestors_tree=true")
    await api.store("GET", f"/product-categories/{tiny}")
    await api.store("GET", f"/product-categories?handle={api.fresh('cups')}")
    await api.store("GET", f"/products?category_id={small}&fields=title,*categories")
    await api.admin("DELETE", f"/product-categories/{cups}")
    await api.admin("DELETE", f"/product-categories/{tiny}")
    await api.admin("DELETE", f"/product-categories/{small}")
    await api.admin("GET", f"/product-categories/{small}")
    await api.admin("GET", f"/products/{mug}?fields=title,categories.name")
    await api.admin("POST", "/product-categories/pcat_nothing", {"name": "x"})
    await api.admin("DELETE", "/product-categories/pcat_nothing")
    await api.store("GET", "/product-categories/pcat_nothing")
    await api.admin("POST", f"/products/{pot}", {"categories": [{"id": root}]})
    await api.admin("POST", f"/products/{pot}", {"categories": [{"id": "pcat_nothing"}]})
    await api.admin("GET", f"/products/{pot}?fields=*categories")
