"""The list of drafts: what it is filtered and ordered by, and what it leaves out; drafts that are changed, deleted, converted."""

from __future__ import annotations

from typing import Any

from ..ground import Api

SHOW = "fields=id,email,status"


async def run(api: Api) -> None:
    shop = await api.shop("hr", "eur", rate=25)
    other = await api.shop("mt", "usd")
    cup = await api.goods(shop, "Cup", {"S": 10}, stock=8)
    token = await api.person("ivo")
    customer = (await api.quiet("GET", "/store/customers/me", token=token))["customer"]["id"]
    line = {"items": [{"variant_id": cup["S"], "quantity": 1}]}
    ana = await _draft(api, shop.region, "ana", line)
    await _draft(api, other.region, "bob", {})
    ivo = await _draft(api, shop.region, "ivo", line | {"customer_id": customer})
    gone = await _draft(api, shop.region, "cat", line)
    order = await api.buy(shop, {cup["S"]: 1}, name="ana")
    await _lists(api, shop.region, customer, ana, ivo)

    at = f"/draft-orders/{ana}"
    await api.admin("POST", "/draft-orders/order_nothing", {"email": "new@example.com"})
    await api.admin("GET", "/draft-orders/order_nothing")
    await api.admin("POST", f"/draft-orders/{order}?{SHOW}", {"email": "new@example.com"})
    await api.admin("GET", f"/draft-orders/{order}?{SHOW}")
    await api.admin("POST", f"{at}?{SHOW},*customer", {"customer_id": customer})
    await api.admin("POST", f"{at}?{SHOW},metadata", {"metadata": {"a": 1, "b": 2}})
    await api.admin("POST", f"{at}?{SHOW},metadata", {"metadata": {"b": ""}})
    await api.admin("POST", f"{at}?{SHOW},*shipping_address", {"shipping_address": {"city": "Split", "country_code": "hr"}})
    await api.admin("POST", f"{at}?{SHOW},*shipping_address,*billing_address", {"billing_address": {"city": "Zadar", "country_code": "hr"}})
    await api.admin("POST", f"{at}?{SHOW}", {"region_id": other.region})
    await api.admin("GET", f"/orders/{ana}/changes")

    await api.admin("DELETE", f"/draft-orders/{gone}")
    await api.admin("DELETE", f"/draft-orders/{gone}")
    await api.admin("DELETE", "/draft-orders/order_nothing")
    await api.admin("DELETE", f"/draft-orders/{order}")
    await api.admin("POST", f"/draft-orders/{gone}/convert-to-order", {})
    await api.admin("POST", "/draft-orders/order_nothing/convert-to-order", {})
    await api.admin("POST", f"/draft-orders/{order}/convert-to-order", {})
    await api.admin("POST", f"/draft-orders/{ana}/convert-to-order?{SHOW},is_draft_order,display_id", {})
    await api.admin("POST", f"/draft-orders/{ana}/convert-to-order", {})
    await api.admin("POST", f"/draft-orders/{ana}/edit", {})
    await api.admin("POST", f"/draft-orders/{ana}?{SHOW}", {"email": "late@example.com"})
    await api.admin("DELETE", f"/draft-orders/{ana}")
    await api.admin("GET", f"/draft-orders?q={api.word}&order=email&{SHOW}")


async def _draft(api: Api, region: str, name: str, more: dict[str, Any]) -> str:
    body = {"email": f"{api.fresh(name)}@example.com", "region_id": region, "sales_channel_id": api.channel} | more
    return str((await api.quiet("POST", "/admin/draft-orders", body))["draft_order"]["id"])


async def _lists(api: Api, region: str, customer: str, ana: str, ivo: str) -> None:
    of = f"sales_channel_id={api.channel}&order=email&{SHOW}"
    for filters in (
        of,
        f"{of}&limit=2&offset=1",
        f"{of}&region_id={region}",
        f"{of}&customer_id={customer}",
        f"{of}&id={ana}",
        f"{of}&id[]={ana}&id[]={ivo}",
        f"{of}&q=ivo-{api.word}",
        f"{of}&q=nobody",
        f"{of}&created_at[$gt]=2020-01-01",
        f"{of}&created_at[$lt]=2020-01-01",
        f"{of}&updated_at[$gt]=2020-01-01",
        f"{of}&status=draft",
        f"sales_channel_id={api.channel}&order=-email&{SHOW},total,*items",
        f"sales_channel_id={api.channel}&order=email&fields=+metadata,-items",
        f"sales_channel_id[]=sc_nothing&{SHOW}",
        f"q={api.word}&is_draft_order=true&{SHOW}",
        f"q={api.word}&order=nothing&{SHOW}",
    ):
        await api.admin("GET", f"/draft-orders?{filters}")
    await api.admin("GET", f"/orders?{of},is_draft_order")
