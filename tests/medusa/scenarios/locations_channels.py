"""Stock locations with their addresses, and sales channels with what is sold in them."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    home = {
        "address_1": "Dock 1",
        "address_2": "left",
        "city": "Town",
        "country_code": "be",
        "postal_code": "1000",
        "province": "x",
        "phone": "1",
        "company": "Co",
    }
    dock = (await api.admin("POST", "/stock-locations", {"name": api.fresh("dock"), "address": home, "metadata": {"a": 1}}))[
        "stock_location"
    ]["id"]
    at = f"/stock-locations/{dock}"
    await api.admin("POST", "/stock-locations", {"name": api.fresh("dock")})
    for body in (
        {},
        {"name": 5},
        {"name": "x", "address": {"city": "Town"}},
        {"name": "x", "address": {"address_1": "a"}},
        {"name": "x", "address_id": "laddr_nothing"},
        {"name": "x", "nothing": 1},
    ):
        await api.admin("POST", "/stock-locations", body)
    await api.admin("GET", at)
    await api.admin("POST", at, {"name": api.fresh("pier")})
    await api.admin("POST", at, {"address": {"address_1": "Dock 2", "country_code": "nl"}})
    await api.admin("GET", at + "?fields=*address,*sales_channels,*fulfillment_providers,*fulfillment_sets")
    await api.admin("GET", f"/stock-locations?q={api.word}&order=name&fields=name,address.city")
    await api.admin("GET", f"/stock-locations?name={api.fresh('pier')}")
    await api.admin("GET", f"/stock-locations?id={dock}&address_id=null")
    await api.admin("GET", f"/stock-locations?q={api.word}&fields=name&order=-name&limit=1&offset=0")
    web = (await api.admin("POST", "/sales-channels", {"name": api.fresh("web"), "description": "the web", "metadata": {"a": 1}}))[
        "sales_channel"
    ]["id"]
    off = (await api.admin("POST", "/sales-channels", {"name": api.fresh("of"), "is_disabled": True}))["sales_channel"]["id"]
    for body in ({}, {"name": 5}, {"name": "x", "description": 5}, {"name": "x", "is_disabled": "yes"}):
        await api.admin("POST", "/sales-channels", body)
    await api.admin("POST", f"/sales-channels/{web}", {"description": None})
    await api.admin("POST", f"/sales-channels/{web}", {"name": api.fresh("www")})
    await api.admin("POST", f"{at}/sales-channels", {"add": [web, off]})
    await api.admin("POST", f"{at}/sales-channels", {"remove": [off]})
    await api.admin("GET", f"/stock-locations?sales_channel_id={web}&fields=name,sales_channels.name")
    await api.admin("GET", f"/sales-channels/{web}?fields=name,*stock_locations")
    shop = await api.shop("cz", "czk")
    mug = (await api.goods(shop, "Mug", {"s": 1}))["product"]
    await api.admin("POST", f"/sales-channels/{web}/products", {"add": [mug]})
    await api.admin("GET", f"/products?sales_channel_id={web}&fields=title,*sales_channels")
    await api.admin("GET", f"/products?sales_channel_id[]={web}&sales_channel_id[]={off}&fields=title,sales_channels.name")
    await api.admin("POST", f"/sales-channels/{web}/products", {"remove": [mug]})
    await api.admin("POST", f"/sales-channels/{web}/products", {"add": ["prod_nothing"]})
    await api.admin("POST", "/sales-channels/sc_nothing/products", {"add": [mug]})
    for query in (
        f"?q={api.word}&order=name&fields=name",
        f"?name={api.fresh('www')}",
        f"?is_disabled=true&q={api.word}",
        f"?q={api.word}&is_disabled=false&fields=name&order=-name",
        "?is_disabled=x",
        f"?description=null&q={api.word}&fields=name&order=name",
    ):
        await api.admin("GET", "/sales-channels" + query)
    await api.admin("GET", "/sales-channels/sc_nothing")
    await api.admin("POST", "/sales-channels/sc_nothing", {"name": "x"})
    await api.admin("DELETE", f"/sales-channels/{web}")
    await api.admin("GET", f"{at}?fields=name,*sales_channels")
    await api.admin("DELETE", "/sales-channels/sc_nothing")
    await api.admin("GET", "/stock-locations/sloc_nothing")
    await api.admin("POST", "/stock-locations/sloc_nothing", {"name": "x"})
    await api.admin("DELETE", at)
    await api.admin("GET", at)
    await api.admin("DELETE", "/stock-locations/sloc_nothing")
