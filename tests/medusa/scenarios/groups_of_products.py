"""Collections, tags and types: made, found, renamed, filled, emptied, deleted; handles in every script."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("fi", "eur")
    one = (await api.goods(shop, "One", {"s": 1}))["product"]
    two = (await api.goods(shop, "Two", {"s": 2}))["product"]
    shelf = (await api.admin("POST", "/collections", {"title": api.fresh("Été à la Plage"), "metadata": {"a": 1}}))["collection"]["id"]
    await api.admin("POST", "/collections", {"title": api.fresh("Été à la Plage")})
    await api.admin("POST", "/collections", {"title": api.fresh("x1"), "handle": api.fresh("Été à la Plage").lower()})
    for body in (
        {"title": "Ünïcode", "handle": api.fresh("ünïcode-日本")},
        {"title": "日本", "handle": api.fresh("日本")},
        {"title": "with blanks", "handle": api.fresh("with blanks")},
        {"title": "upper", "handle": api.fresh("UPPER")},
        {},
        {"title": 5},
        {"title": None},
        {"title": api.fresh("x2"), "nothing": 1},
        {"title": ""},
        {"title": api.fresh("handle"), "handle": ""},
    ):
        answer = await api.admin("POST", "/collections", body)
        if "collection" in answer and answer["collection"]["handle"] == "":
            await api.quiet("DELETE", f"/admin/collections/{answer['collection']['id']}")
    await api.store("GET", f"/collections?handle={api.fresh('日本')}&fields=title,handle")
    await api.admin("POST", f"/collections/{shelf}", {"title": api.fresh("Beach")})
    await api.admin("POST", f"/collections/{shelf}", {"handle": api.fresh("beach")})
    await api.admin("POST", f"/collections/{shelf}/products", {"add": [one, two]})
    await api.admin("GET", f"/products?collection_id={shelf}&fields=title,collection.title&order=title")
    await api.admin("POST", f"/collections/{shelf}/products", {"remove": [one], "add": ["prod_nothing"]})
    await api.admin("POST", f"/collections/{shelf}/products", {"remove": [one]})
    await api.admin("GET", f"/collections/{shelf}?fields=title,products.title")
    await api.admin("GET", f"/collections/{shelf}?fields=*products")
    await api.admin("GET", f"/collections?q={api.word}&order=title&fields=title,handle")
    await api.store("GET", f"/collections?title={api.fresh('Beach')}")
    await api.store("GET", f"/collections/{shelf}")
    await api.store("GET", f"/collections/{shelf}?fields=*products")
    await api.admin("POST", "/collections/pcol_nothing", {"title": "x"})
    await api.admin("POST", "/collections/pcol_nothing/products", {"add": [one]})
    await api.admin("GET", "/collections/pcol_nothing")
    await api.admin("DELETE", "/collections/pcol_nothing")
    await api.admin("DELETE", f"/collections/{shelf}")
    await api.admin("GET", f"/products/{two}?fields=title,collection_id,*collection")
    for path, key, _many in (("/product-tags", "product_tag", "product_tags"), ("/product-types", "product_type", "product_types")):
        first = (await api.admin("POST", path, {"value": api.fresh("wool"), "metadata": {"a": 1}}))[key]["id"]
        await api.admin("POST", path, {"value": api.fresh("wool")})
        second = (await api.admin("POST", path, {"value": api.fresh("silk")}))[key]["id"]
        await api.admin("POST", path, {})
        await api.admin("POST", path, {"value": 5})
        await api.admin("POST", f"{path}/{second}", {"value": api.fresh("wool")})
        await api.admin("POST", f"{path}/{second}", {"value": api.fresh("linen")})
        await api.admin("POST", f"{path}/{second}", {"value": None})
        await api.admin("GET", f"{path}?q={api.word}&order=-value")
        await api.admin("GET", f"{path}?value[]={api.fresh('wool')}&value[]={api.fresh('linen')}&order=value&fields=value")
        await api.admin("GET", f"{path}?id={first}&limit=1&offset=1")
        await api.admin("GET", f"{path}/{first}?fields=*products")
        await api.store("GET", f"{path}?value={api.fresh('wool')}")
        await api.store("GET", f"{path}/{first}")
        await api.admin("GET", f"{path}/ptag_nothing")
        await api.admin("POST", f"{path}/ptag_nothing", {"value": "x"})
        await api.admin("DELETE", f"{path}/ptag_nothing")
        await api.admin("POST", f"/products/{one}", {"tags": [{"id": first}, {"id": second}]} if "tag" in key else {"type_id": first})
        await api.admin("GET", f"/products?{'tag_id' if 'tag' in key else 'type_id'}={first}&fields=title")
        await api.admin("DELETE", f"{path}/{first}")
        await api.admin("GET", f"/products/{one}?fields=title,type_id,*tags,*type")
