"""How far an order is, as its fulfilments say: each step by itself, back again, and what can't be done in each of them."""

from __future__ import annotations

from typing import Any

from ..ground import Api

SHOW = "?fields=id,status,payment_status,fulfillment_status,*items,*items.detail,*fulfillments,*fulfillments.items"


async def run(api: Api) -> None:
    shop = await api.shop("pl", "eur", rate=23)
    hat = await api.goods(shop, "Hat", {"S": 10, "L": 20}, stock=10)
    digital = await api.goods(shop, "File", {"one": 5})
    order = await api.buy(shop, {hat["S"]: 2, hat["L"]: 1, digital["one"]: 1})
    got = (await api.quiet("GET", f"/admin/orders/{order}?fields=id,*items"))["order"]
    small, large = ({i["variant_title"]: i["id"] for i in got["items"]}[k] for k in ("S", "L"))
    file = next(i["id"] for i in got["items"] if i["variant_title"] == "one")
    at = f"/orders/{order}/fulfillments"

    async def boxes() -> list[dict[str, Any]]:
        found = (await api.quiet("GET", f"/admin/orders/{order}?fields=*fulfillments"))["order"]["fulfillments"]
        return sorted(found, key=lambda one: str(one["created_at"]))

    await api.admin("POST", at, {"items": []})
    await api.admin("POST", at, {"items": [{"id": "ordli_nothing", "quantity": 1}]})
    await api.admin("POST", at, {"items": [{"id": small, "quantity": 0}]})
    await api.admin("POST", at, {"items": [{"id": small, "quantity": 3}]})
    await api.admin("POST", "/orders/order_nothing/fulfillments", {"items": [{"id": small, "quantity": 1}]})
    await api.admin("POST", f"{at}{SHOW}", {"items": [{"id": small, "quantity": 1}]})  # where it is left to the server
    first = (await boxes())[0]["id"]
    await api.admin("POST", f"{at}/{first}/cancel{SHOW}", {})
    await api.admin("POST", f"{at}/{first}/cancel", {})
    await api.admin("POST", f"{at}/{first}/shipments", {"items": [{"id": small, "quantity": 1}]})
    await api.admin("POST", f"{at}/{first}/mark-as-delivered", {})
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
    body = {"items": [{"id": small, "quantity": 2}, {"id": large, "quantity": 1}], "location_id": shop.location, "metadata": {"box": 2}}
    await api.admin("POST", f"{at}{SHOW}", body)
    second = (await boxes())[1]["id"]
    await api.admin("POST", f"{at}/ful_nothing/shipments", {"items": [{"id": small, "quantity": 1}]})
    labels = [{"tracking_number": "1", "tracking_url": "https://t.example", "label_url": "https://l.example"}]
    await api.admin("POST", f"{at}/{second}/shipments", {"items": [{"id": "ordli_nothing", "quantity": 1}], "labels": labels})
    await api.admin(
        "POST", f"{at}/{second}/shipments{SHOW},*fulfillments.labels", {"items": [{"id": small, "quantity": 2}], "labels": labels}
    )
    await api.admin("POST", f"{at}/{second}/shipments", {"items": [{"id": small, "quantity": 2}]})
    await api.admin("POST", f"{at}/{second}/cancel", {})
    await api.admin("POST", f"{at}/{second}/mark-as-delivered{SHOW}", {})
    await api.admin("POST", f"{at}/{second}/mark-as-delivered", {})
    await api.admin("POST", f"{at}{SHOW}", {"items": [{"id": file, "quantity": 1}]})
    third = (await boxes())[2]["id"]
    await api.admin("POST", f"{at}/{third}/mark-as-delivered{SHOW}", {})
    await api.admin("GET", f"/orders?id={order}&fields=id,fulfillment_status,payment_status")
    await api.admin("GET", f"/orders/{order}?fields=fulfillment_status")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
    await api.admin("GET", f"/reservations?line_item_id[]={small}&line_item_id[]={large}&fields=id,quantity")
    await api.admin("POST", "/orders/order_nothing/fulfillments/ful_nothing/cancel", {})
    await api.admin("POST", f"/fulfillments/{third}/cancel", {})
    await api.admin("POST", "/fulfillments/ful_nothing/cancel", {})
