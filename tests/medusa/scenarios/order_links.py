"""What an order, its returns, claims and exchanges, and what is in these, say of each other: asked for by `fields`, in both directions."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("gr", "eur", rate=20)
    coat = await api.goods(shop, "Coat", {"S": 50, "L": 80}, stock=9)
    order = await api.buy(shop, {coat["S"]: 4})
    line = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items"))["order"]["items"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments", {"location_id": shop.location, "items": [{"id": line, "quantity": 4}]})
    box = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin/orders/{order}/fulfillments/{box}/mark-as-delivered", {})
    one, new = {"items": [{"id": line, "quantity": 1}]}, {"items": [{"variant_id": coat["L"], "quantity": 1}]}

    back = (await api.quiet("POST", "/admin/returns", {"order_id": order}))["return"]["id"]
    await api.quiet("POST", f"/admin/returns/{back}/request-items", one)
    await api.quiet("POST", f"/admin/returns/{back}/request", {})
    swap = (await api.quiet("POST", "/admin/exchanges", {"order_id": order}))["exchange"]["id"]
    await api.quiet("POST", f"/admin/exchanges/{swap}/inbound/items", one)
    await api.quiet("POST", f"/admin/exchanges/{swap}/outbound/items", new)
    await api.quiet("POST", f"/admin/exchanges/{swap}/request", {})
    claim = (await api.quiet("POST", "/admin/claims", {"order_id": order, "type": "replace"}))["claim"]["id"]
    await api.quiet("POST", f"/admin/claims/{claim}/claim-items", one)
    await api.quiet("POST", f"/admin/claims/{claim}/inbound/items", one)
    await api.quiet("POST", f"/admin/claims/{claim}/outbound/items", new)
    await api.quiet("POST", f"/admin/claims/{claim}/request", {})

    await api.admin("GET", f"/orders/{order}?fields=id,returns.id,returns.status,returns.items.quantity")
    await api.admin("GET", f"/orders?id={order}&fields=id,returns.status,returns.order_id")
    await api.admin("GET", f"/returns/{back}?fields=id,order.id,order.display_id,items.return.id,items.item.title,items.quantity")
    await api.admin("GET", f"/returns?order_id={order}&order=display_id&fields=id,status,exchange.id,claim.id,claim.type")
    await api.admin("GET", f"/returns?order_id={order}&status=requested&fields=id,status")
    await api.admin("GET", f"/returns?order_id={order}&status[]=received&status[]=canceled&fields=id,status")
    await api.admin("GET", f"/returns?id={back}&fields=id")
    await api.admin(
        "GET", f"/exchanges/{swap}?fields=id,order.id,return.id,return.status,additional_items.exchange.id,additional_items.quantity"
    )
    await api.admin("GET", f"/exchanges?order_id={order}&fields=id,return.exchange_id,return.exchange.id")
    fields = "id,order.id,return.status,additional_items.quantity,claim_items.claim.type,claim_items.images.url,claim_items.reason"
    await api.admin("GET", f"/claims/{claim}?fields={fields}")
    await api.admin("GET", f"/claims?order_id={order}&fields=id,type,return.claim.id")
    await api.admin("GET", "/claims?order_id=order_nothing&fields=id")
    await api.admin("GET", f"/orders/{order}/changes?fields=id,change_type,order.id,actions.order_change.id,actions.action")
