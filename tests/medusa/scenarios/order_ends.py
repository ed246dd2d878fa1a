"""How an order ends: cancelled, completed, archived, in each of its states; what becomes of stock and money."""

from __future__ import annotations

from ..ground import Api

SHOW = (
    "?fields=id,status,version,canceled_at,payment_status,fulfillment_status,total,summary,*items,*items.detail,*payment_collections,"
    "*payment_collections.payments,*payment_collections.payments.refunds,*payment_collections.payments.captures,*transactions,*credit_lines"
)
STOCK = "&order=sku&fields=sku,stocked_quantity,reserved_quantity"


async def run(api: Api) -> None:
    shop = await api.shop("cz", "eur", rate=21)
    pen = await api.goods(shop, "Pen", {"S": 10}, stock=20)
    plain = await api.buy(shop, {pen["S"]: 2})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("POST", "/orders/order_nothing/cancel", {})
    await api.admin("POST", "/orders/order_nothing/complete", {})
    await api.admin("POST", "/orders/order_nothing/archive", {})
    await api.admin("POST", f"/orders/{plain}/archive", {})
    await api.admin("POST", f"/orders/{plain}/cancel{SHOW}", {})
    await api.admin("POST", f"/orders/{plain}/cancel{SHOW}", {})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("POST", f"/orders/{plain}/complete", {})
    await api.admin("POST", f"/orders/{plain}/archive{SHOW}", {})
    await api.admin("POST", f"/orders/{plain}/archive", {})
    await api.admin("GET", f"/orders/{plain}/changes")

    paid = await api.buy(shop, {pen["S"]: 3})
    got = (await api.quiet("GET", f"/admin/orders/{paid}?fields=id,*items,*payment_collections.payments"))["order"]
    line, pay = got["items"][0]["id"], got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {})
    at = f"/orders/{paid}/fulfillments"
    await api.quiet("POST", f"/admin{at}", {"location_id": shop.location, "items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"/orders/{paid}/cancel", {})
    box = (await api.quiet("GET", f"/admin/orders/{paid}?fields=*fulfillments"))["order"]["fulfillments"][0]["id"]
    await api.quiet("POST", f"/admin{at}/{box}/cancel", {})
    await api.admin("GET", f"/orders/{paid}{SHOW}")
    await api.admin("POST", f"/orders/{paid}/cancel{SHOW}", {})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    await api.admin("POST", at, {"location_id": shop.location, "items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"/payments/{pay}/refund", {"amount": 1})

    part = await api.buy(shop, {pen["S"]: 1})
    got = (await api.quiet("GET", f"/admin/orders/{part}?fields=id,*items,*payment_collections.payments"))["order"]
    pay = got["payment_collections"][0]["payments"][0]["id"]
    await api.quiet("POST", f"/admin/payments/{pay}/capture", {"amount": 10})
    await api.admin("POST", f"/orders/{part}/cancel{SHOW}", {})

    done = await api.buy(shop, {pen["S"]: 1})
    line = (await api.quiet("GET", f"/admin/orders/{done}?fields=id,*items"))["order"]["items"][0]["id"]
    await api.admin("POST", f"/orders/{done}/complete{SHOW}", {})
    await api.admin("POST", f"/orders/{done}/complete", {})
    await api.admin("POST", f"/orders/{done}/fulfillments{SHOW}", {"location_id": shop.location, "items": [{"id": line, "quantity": 1}]})
    await api.admin("POST", f"/orders/{done}/archive{SHOW}", {})
    await api.admin("POST", f"/orders/{done}/cancel", {})
    await api.admin("POST", f"/orders/{done}/complete", {})
    await api.admin("GET", f"/inventory-items?q={api.word}{STOCK}")
    unsent = await api.buy(shop, {pen["S"]: 1})
    await api.quiet("POST", f"/admin/orders/{unsent}/complete", {})
    await api.admin("POST", f"/orders/{unsent}/cancel", {})
    await api.admin("POST", f"/orders/{unsent}/archive{SHOW}", {})
    await api.admin("POST", f"/orders/{unsent}/cancel{SHOW}", {})
    edited = await api.buy(shop, {pen["S"]: 1})
    await api.quiet("POST", "/admin/order-edits", {"order_id": edited})
    await api.admin("POST", f"/orders/{edited}/cancel", {})
    await api.admin("POST", f"/orders/{edited}/complete{SHOW}", {})
    await api.admin("POST", f"/orders/{edited}/archive{SHOW}", {})
    await api.admin(
        "GET",
        f"/orders?q=guest-{api.word}&status[]=canceled&status[]=archived&order=display_id&fields=id,status,payment_status,fulfillment_status",
    )
