"""What lists can be asked: fields with *, + and -, filters with operators, null, $and and $or, order by columns and relations, pages."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("nl", "eur")
    shelf = (await api.quiet("POST", "/admin/collections", {"title": api.fresh("Shelf")}))["collection"]["id"]
    for n, word in enumerate(("Ant", "Bee", "Cow")):
        await api.goods(shop, word, {"one": 5 + n, "two": 9}, weight=n, **({"collection_id": shelf} if n else {}), metadata={"n": n})
    base = f"/products?q={api.word}"
    for query in (
        "&fields=id,title&order=title",
        "&fields=title&order=-title&limit=2",
        "&fields=title&order=title&limit=1&offset=1",
        "&fields=+metadata,-description&order=title&limit=1",
        "&fields=*variants&order=title&limit=1",
        "&fields=title,variants.title,variants.prices.amount&order=title",
        "&fields=*collection,-images&order=title&limit=1",
        "&fields=title,collection.title&order=collection.title",
        "&fields=nothing",
        "&fields=title,variants.nothing&limit=1",
        "&fields=",
        "&fields=title&collection_id=null",
        f"&fields=title&collection_id[]={shelf}&order=title",
        f"&fields=title&title={api.fresh('Ant')}",
        "&fields=title&created_at[$gt]=2001-01-01&order=title",
        "&fields=title&created_at[$lt]=2001-01-01",
        "&fields=title&status[]=draft&status[]=published&order=title",
        "&fields=title&nothing=1",
        "&limit=no",
        "&fields=title&order=variants.title&limit=1",
        "&fields=id&is_giftcard=false&with_deleted=true",
        "&fields=title&variants[title]=two&order=title",
    ):
        await api.admin("GET", base + query)
    for query in (
        "&fields=title&order=title",
        "&fields=title,*variants.calculated_price&order=title&limit=1",
        f"&fields=title,*variants.calculated_price&region_id={shop.region}&order=title&limit=1",
        "&fields=+metadata,+sales_channels.name&limit=1",
        "&fields=title,variants.inventory_items.id&limit=1",
    ):
        await api.store("GET", base + query)
    for query in (
        f"/collections?fields=title&$or[0][title]={api.fresh('Shelf')}&$or[1][title]=none",
        f"/collections?fields=title&$and[0][title]={api.fresh('Shelf')}&$and[1][handle]=none",
        "/customers?$and[0][email]=none&$and[1][has_account]=true&fields=email",
    ):
        await api.admin("GET", query)
