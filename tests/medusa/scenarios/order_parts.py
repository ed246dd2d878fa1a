"""An order in parts: captured and refunded in part, fulfilled in two, one called off and sent again, shipped, delivered, archived."""

from __future__ import annotations

from ..ground import Api

SHOW = (
    "?fields=id,status,version,payment_status,fulfillment_status,total,tax_total,shipping_total,summary"
    ",*items,*items.detail,*fulfillments,*fulfillments.items,*fulfillments.labels,*payment_collections,*payment_collections.payments"
)


async def run(api: Api) -> None:
    shop = await api.shop("dk", "eur", rate=25)
    mug = await api.goods(shop, "Mug", {"S": 10, "L": 20}, stock=10)
    order = await api.buy(shop, {mug["S"]: 3, mug["L"]: 2})
    seen = await api.admin("GET", f"/orders/{order}{SHOW}")
    small, large = ({i["variant_title"]: i["id"] for i in seen["order"]["items"]}[k] for k in ("S", "L"))
    payment = seen["order"]["payment_collections"][0]["payments"][0]["id"]
    await api.admin("GET", f"/orders/{order}")  # as it is shown by itself
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": 50})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": 500})  # more than there is
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 10, "note": "sorry"})
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 1000})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    at = f"/orders/{order}/fulfillments"
    await api.admin("POST", at, {"location_id": shop.location, "items": [{"id": small, "quantity": 2}], "metadata": {"box": 1}})
    await api.admin("POST", at, {"location_id": shop.location, "items": [{"id": small, "quantity": 5}]})
    await api.admin("POST", at, {"location_id": shop.location, "items": [{"id": small, "quantity": 1}, {"id": large, "quantity": 2}]})
    boxes = sorted((await api.admin("GET", f"/orders/{order}{SHOW}"))["order"]["fulfillments"], key=lambda f: len(f["items"]))
    await api.admin(
        "POST",
        f"{at}/{boxes[0]['id']}/shipments",
        {
            "items": [{"id": small, "quantity": 2}],
            "labels": [{"tracking_number": "T1", "tracking_url": "https://t.example/1", "label_url": "https://l.example/1"}],
        },
    )
    await api.admin("POST", f"{at}/{boxes[0]['id']}/cancel", {})  # it is on its way
    await api.admin("POST", f"{at}/{boxes[1]['id']}/cancel", {"no_notification": True})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("GET", f"/inventory-items?q={api.word}&order=sku&fields=sku,stocked_quantity,reserved_quantity")
    await api.admin("POST", f"{at}/{boxes[0]['id']}/mark-as-delivered", {})
    await api.admin("POST", at, {"location_id": shop.location, "items": [{"id": small, "quantity": 1}, {"id": large, "quantity": 2}]})
    await api.admin("POST", f"/orders/{order}/complete", {})
    await api.admin("POST", f"/orders/{order}/archive", {})
    await api.admin("GET", f"/orders/{order}{SHOW}")
    await api.admin("POST", f"/orders/{order}/cancel", {})
    await api.store("GET", f"/orders/{order}")
