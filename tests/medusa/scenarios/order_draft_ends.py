"""Drafts that are ended as orders are: cancelled, completed, put away; and what can be done to them afterwards."""

from __future__ import annotations

from ..ground import Api

SHOW = "fields=id,status,is_draft_order,version,canceled_at,payment_status,fulfillment_status"


async def run(api: Api) -> None:
    shop = await api.shop("sk", "eur", rate=20)
    tea = await api.goods(shop, "Tea", {"S": 10}, stock=8)
    for verb in ("cancel", "complete", "archive"):
        draft = await _draft(api, shop.region, tea["S"])
        body = {} if verb == "complete" else None
        await api.admin("POST", f"/orders/{draft}/{verb}?{SHOW}", body)
        await api.admin("GET", f"/orders/{draft}?{SHOW}")
        await api.admin("GET", f"/draft-orders/{draft}?fields=id,status,is_draft_order,canceled_at")
        await api.admin("GET", f"/orders?id={draft}&{SHOW}")
        await api.admin("GET", f"/draft-orders?id={draft}&fields=id,status,is_draft_order")
        await api.admin("POST", f"/orders/{draft}/{verb}?{SHOW}", body)
        await api.admin("POST", f"/draft-orders/{draft}/edit", {})
        await api.admin("DELETE", f"/draft-orders/{draft}/edit")
        await api.admin("POST", f"/draft-orders/{draft}?fields=id,email", {"email": "new@example.com"})
        await api.admin("POST", f"/draft-orders/{draft}/convert-to-order?{SHOW}", {})
        await api.admin("GET", f"/orders/{draft}?{SHOW}")
    draft = await _draft(api, shop.region, tea["S"])
    await api.quiet("POST", f"/admin/draft-orders/{draft}/edit", {})
    await api.admin("POST", f"/orders/{draft}/cancel?{SHOW}")
    await api.quiet("POST", f"/admin/draft-orders/{draft}/edit/items", {"items": [{"variant_id": tea["S"], "quantity": 1}]})
    await api.quiet("POST", f"/admin/draft-orders/{draft}/edit/confirm", {})
    await api.admin("DELETE", f"/draft-orders/{draft}")
    draft = await _draft(api, shop.region, tea["S"])
    await api.admin("POST", f"/orders/{draft}?fields=id,email", {"email": "other@example.com"})
    await api.admin("POST", f"/orders/{draft}/transfer?fields=id", {"customer_id": "cus_nothing"})
    await api.admin("GET", f"/orders/{draft}/preview?fields=id,status")
    await api.admin("GET", f"/orders/{draft}/changes")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")


async def _draft(api: Api, region: str, variant: str) -> str:
    body = {
        "email": api.fresh("ada") + "@example.com",
        "region_id": region,
        "sales_channel_id": api.channel,
        "items": [{"variant_id": variant, "quantity": 2}],
        "shipping_address": {"country_code": "sk", "city": "Town"},
    }
    return str((await api.quiet("POST", "/admin/draft-orders", body))["draft_order"]["id"])
