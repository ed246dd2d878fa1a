"""Each operator and kind of filter on lists; orders by several columns, of relations, of what isn't there; words; pages."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("ro", "ron")
    tags = [(await api.quiet("POST", "/admin/product-tags", {"value": api.fresh(w)}))["product_tag"]["id"] for w in ("soft", "hard")]
    kind = (await api.quiet("POST", "/admin/product-types", {"value": api.fresh("kind")}))["product_type"]["id"]
    ids = {}
    for n, word in enumerate(("Ant", "Bee", "Cow", "Dog")):
        more = {"tags": [{"id": tags[n % 2]}], "weight": n, "external_id": api.fresh(str(n)), "subtitle": "small" if n < 2 else None}
        ids[word] = (await api.goods(shop, word, {"one": 5 + n, "two": 9}, **more, **({"type_id": kind} if n == 3 else {})))["product"]
    base = f"/products?q={api.word}&fields=title&order=title"
    for query in (
        f"&id={ids['Ant']}",
        f"&id[]={ids['Ant']}&id[]={ids['Bee']}",
        f"&id[$in][]={ids['Ant']}",
        f"&id[$nin][]={ids['Ant']}",
        f"&id[$ne]={ids['Ant']}",
        "&title[$like]=A%25",
        "&title[$ilike]=a%25",
        "&title[$gt]=B",
        f"&handle={api.fresh('ant')}",
        f"&tag_id={tags[0]}",
        f"&tag_id[]={tags[0]}&tag_id[]={tags[1]}",
        f"&type_id={kind}",
        "&type_id=null",
        "&type_id[$ne]=null",
        f"&type_id[]={kind}&type_id[]=null",
        "&subtitle=null",
        "&status=published",
        "&status[]=nothing",
        "&is_giftcard=true",
        "&is_giftcard=maybe",
        f"&external_id={api.fresh('1')}",
        f"&external_id[]={api.fresh('1')}",
        f"&sales_channel_id={api.channel}",
        "&sales_channel_id[]=sc_nothing",
        f"&variants[sku]={api.fresh('Ant-one')}",
        "&variants[title]=one&variants[manage_inventory]=true",
        f"&variants.sku={api.fresh('Ant-one')}",
        "&created_at[$gte]=2001-01-01&created_at[$lte]=2101-01-01T00:00:00Z",
        "&created_at=2001-01-01",
        "&created_at[$gt]=no",
        "&updated_at[$lt]=2001-01-01",
        "&deleted_at[$gt]=2001-01-01&with_deleted=true",
        "&deleted_at=null",
        f"&$or[0][title]={api.fresh('Ant')}&$or[1][title]={api.fresh('Bee')}",
        f"&$and[0][title]={api.fresh('Ant')}&$and[1][handle]={api.fresh('ant')}",
        "&title[$nothing]=1",
        "&title=null",
        "&tags=x",
        "&tags[value]=x",
        "&limit=1&offset=2",
        "&limit=0",
        "&limit=-1",
        "&offset=-1",
        "&offset=x",
        "&limit=1.5",
    ):
        await api.admin("GET", base + query)
    for order in (
        "title",
        "-title",
        "title,-created_at",
        "weight",
        "-weight",
        "type.value",
        "-type.value",
        "variants.sku",
        "nothing",
        "type.nothing",
        "metadata",
        "",
        "created_at",
        "-status,title",
        "subtitle",
        "-subtitle",
        "handle:desc",
    ):
        await api.admin("GET", f"/products?q={api.word}&fields=title&order={order}&limit=3")
    for q in ("ant", "ANT", "an", api.fresh("Ant"), api.fresh("Ant-one"), "ant one", "%25", "_", "small", "zzz", ""):
        await api.admin("GET", f"/products?q={q}&fields=title&order=title&id[]={ids['Ant']}&id[]={ids['Bee']}&id[]={ids['Cow']}")
    await api.admin("DELETE", f"/products/{ids['Dog']}")
    await api.admin("GET", f"{base}&with_deleted=true")
    await api.admin("GET", base + "&with_deleted=false")
    for query in (
        f"&id={ids['Ant']}",
        f"&tag_id={tags[0]}",
        f"&type_id[]={kind}",
        "&status=draft",
        f"&variants[sku]={api.fresh('Ant-one')}",
        "&title[$like]=A%25",
        f"&title={api.fresh('Ant')}",
        f"&$or[0][title]={api.fresh('Ant')}",
        "&created_at[$gt]=2001-01-01&limit=1",
        "&nothing=1",
        "&limit=2&offset=1",
    ):
        await api.store("GET", base + query)
