"""The buyers' part of the walk, and what is thrown away in the end."""

from __future__ import annotations

import asyncio

from .api import Api
from .walk import ADDRESS, HOOKED, PASSWORD, Shop


async def buy(shop: Shop) -> None:
    changes = (sending, returning, editing, swapping, handing_over, drafting)
    for area in (customers, carts, orders, *changes, executions, payments, signing_in, clearing):
        await area(shop)


async def registered(shop: Shop, email: str) -> Api:
    """A storefront with a customer in it who has just registered."""
    given = {"email": email, "password": PASSWORD}
    path = {"actor_type": "customer", "auth_provider": "emailpass"}
    fresh = (await shop.guest.post("/auth/{actor_type}/{auth_provider}/register", given, **path))["token"]
    arriving = shop.store.as_(**shop.store.headers, authorization=f"Bearer {fresh}")
    await arriving.post("/store/customers", {"email": email, "first_name": "Ada"})
    token = (await shop.guest.post("/auth/{actor_type}/{auth_provider}", given, **path))["token"]
    return shop.store.as_(**shop.store.headers, authorization=f"Bearer {token}")


async def customers(shop: Shop) -> None:
    admin = shop.admin
    buyer = await registered(shop, "ada@example.com")
    shop.buyer = buyer
    shop.ids["customer"] = (await buyer.get("/store/customers/me"))["customer"]["id"]
    await buyer.post("/store/customers/me", {"last_name": "L"})
    addresses = "/store/customers/me/addresses"
    made = (await buyer.post(addresses, {**ADDRESS, "is_default_shipping": True}))["customer"]["addresses"][0]["id"]
    await buyer.get(addresses)
    await buyer.get(f"{addresses}/{{address_id}}", address_id=made)
    await buyer.post(f"{addresses}/{{address_id}}", {"city": "City"}, address_id=made)
    await buyer.delete(f"{addresses}/{{address_id}}", address_id=made)

    guest = (await admin.post("/admin/customers", {"email": "guest@example.com"}))["customer"]["id"]
    await admin.get("/admin/customers")
    await admin.get("/admin/customers/{id}", id=guest)
    await admin.post("/admin/customers/{id}", {"company_name": "Guests"}, id=guest)
    addresses = "/admin/customers/{id}/addresses"
    await admin.post(addresses, {**ADDRESS, **HOOKED}, id=guest)
    made = (await admin.get(addresses, id=guest))["addresses"][0]["id"]
    await admin.get(f"{addresses}/{{address_id}}", id=guest, address_id=made)
    await admin.post(f"{addresses}/{{address_id}}", {"city": "City", **HOOKED}, id=guest, address_id=made)
    await admin.delete(f"{addresses}/{{address_id}}", id=guest, address_id=made)

    group = (await admin.post("/admin/customer-groups", {"name": "Regulars"}))["customer_group"]["id"]
    await admin.get("/admin/customer-groups")
    await admin.get("/admin/customer-groups/{id}", id=group)
    await admin.post("/admin/customer-groups/{id}", {"metadata": {"a": 1}}, id=group)
    await admin.post("/admin/customer-groups/{id}/customers", {"add": [guest]}, id=group)
    await admin.post("/admin/customers/{id}/customer-groups", {"remove": [group]}, id=guest)
    await admin.delete("/admin/customer-groups/{id}", id=group)
    await admin.post("/admin/customer-groups", {"name": "Sailors"})
    await admin.delete("/admin/customers/{id}", id=guest)


async def carts(shop: Shop) -> None:
    store, ids = shop.store, shop.ids
    await store.get("/store/payment-providers", {"region_id": ids["region"]})
    cart = ids["cart"] = (await store.post("/store/carts", {"region_id": ids["region"], "items": [], **HOOKED}))["cart"]["id"]
    await store.post(
        "/store/carts/{id}", {"email": "ada@example.com", "shipping_address": ADDRESS, "billing_address": ADDRESS, **HOOKED}, id=cart
    )
    for variant in shop.variants:
        made = await store.post("/store/carts/{id}/line-items", {"variant_id": variant, "quantity": 1}, id=cart)
    first, second = (line["id"] for line in made["cart"]["items"])
    await store.post("/store/carts/{id}/line-items/{line_id}", {"quantity": 2}, id=cart, line_id=first)
    await store.delete("/store/carts/{id}/line-items/{line_id}", id=cart, line_id=second)
    await store.get("/store/shipping-options", {"cart_id": cart})
    await store.post("/store/shipping-options/{id}/calculate", {"cart_id": cart}, id=ids["calculated"])
    await store.post("/store/carts/{id}/shipping-methods", {"option_id": ids["flat"]}, id=cart)
    method = {"type": "percentage", "value": 10, "target_type": "order"}
    body = {"code": "TENTH", "type": "standard", "status": "active", "application_method": method}
    await shop.admin.post("/admin/promotions", body)
    for ask in (store.post, store.delete, store.post):
        await ask("/store/carts/{id}/promotions", {"promo_codes": ["TENTH"]}, id=cart)
    await store.post("/store/carts/{id}/taxes", id=cart)
    await store.get("/store/carts/{id}", id=cart)


async def orders(shop: Shop) -> None:
    store, admin, buyer, cart = shop.store, shop.admin, shop.buyer, shop.ids["cart"]
    await buyer.post("/store/carts/{id}/customer", id=cart)
    collection = (await store.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
    await store.post("/store/payment-collections/{id}/payment-sessions", {"provider_id": "pp_system_default"}, id=collection)
    done = await store.post("/store/carts/{id}/complete", id=cart)
    assert done["type"] == "order", done
    order = shop.ids["order"] = done["order"]["id"]
    await buyer.get("/store/orders")
    await store.get("/store/orders/{id}", id=order)
    await admin.get("/admin/orders")
    await admin.get("/admin/orders/{id}", id=order)
    await admin.post("/admin/orders/{id}", {"email": "lovelace@example.com", "metadata": {"a": 1}}, id=order)
    for part in ("changes", "line-items", "preview", "shipping-options"):
        await admin.get(f"/admin/orders/{{id}}/{part}", id=order)
    for path in ("/admin/returns", "/admin/claims", "/admin/exchanges"):
        await admin.get(path, {"order_id": order})
    await admin.get("/admin/payments/payment-providers")
    await shop.guest.post("/hooks/payment/{provider}", provider="system_default")


async def bought(shop: Shop, provider: str = "pp_system_default") -> tuple[str, str]:
    """An order of two of something, and its line."""
    store, ids = shop.store, shop.ids
    body = {"region_id": ids["region"], "email": "bob@example.com", "shipping_address": ADDRESS, "billing_address": ADDRESS}
    items = [{"variant_id": shop.variants[0], "quantity": 2}]
    cart = (await store.post("/store/carts", {**body, "items": items}))["cart"]["id"]
    await store.post("/store/carts/{id}/shipping-methods", {"option_id": ids["flat"]}, id=cart)
    collection = (await store.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
    await store.post("/store/payment-collections/{id}/payment-sessions", {"provider_id": provider}, id=collection)
    order = (await store.post("/store/carts/{id}/complete", id=cart))["order"]
    return order["id"], order["items"][0]["id"]


async def sending(shop: Shop) -> None:
    admin, at = shop.admin, "/admin/orders/{id}/fulfillments"
    order, line = await bought(shop)
    one = {"items": [{"id": line, "quantity": 1}]}
    boxes = []
    for _ in range(2):
        await admin.post(at, {**one, **HOOKED}, id=order)
        shown = await admin.raw("GET", f"/admin/orders/{order}?fields=fulfillments.id,fulfillments.location_id")
        boxes.append(next(box for box in shown.json["order"]["fulfillments"] if box["id"] not in boxes)["id"])
    location = shown.json["order"]["fulfillments"][0]["location_id"]
    label = {"tracking_number": "1", "tracking_url": "https://t.example", "label_url": "https://l.example"}
    await admin.post(f"{at}/{{fulfillment_id}}/shipments", {**one, "labels": [label], **HOOKED}, id=order, fulfillment_id=boxes[0])
    await admin.post(f"{at}/{{fulfillment_id}}/mark-as-delivered", {}, id=order, fulfillment_id=boxes[0])
    await admin.post(f"{at}/{{fulfillment_id}}/cancel", HOOKED, id=order, fulfillment_id=boxes[1])
    await admin.post("/admin/orders/{id}/complete", HOOKED, id=order)
    await admin.post("/admin/orders/{id}/archive", id=order)
    other, _ = await bought(shop)
    await admin.post("/admin/orders/{id}/cancel", id=other)
    waiting, _ = await bought(shop, "pp_packet_p")
    shown = await admin.raw("GET", f"/admin/orders/{waiting}?fields=*payment_collections.payment_sessions")
    session = shown.json["order"]["payment_collections"][0]["payment_sessions"][0]["id"]
    await admin.post("/admin/orders/{id}/payment-sessions/authorize", {"payment_session_id": session}, id=waiting)
    item = {"title": "Gift", "sku": "", "barcode": "", "quantity": 1}
    body = {"location_id": location, "provider_id": "manual_manual", "delivery_address": {}, "items": [item], "labels": [], "data": {}}
    for end in ("cancel", "shipment"):
        made = (await admin.post("/admin/fulfillments", {**body, "order_id": order, "metadata": None}))["fulfillment"]["id"]
        await admin.post(f"/admin/fulfillments/{{id}}/{end}", {"labels": []} if end == "shipment" else None, id=made)


async def returning(shop: Shop) -> None:
    admin, at = shop.admin, "/admin/returns/{id}"
    order, line = await bought(shop)
    two = {"items": [{"id": line, "quantity": 2}]}
    one = {"items": [{"id": line, "quantity": 1}]}
    await admin.post("/admin/orders/{id}/fulfillments", two, id=order)
    await admin.delete(f"{at}/request", id=(await admin.post("/admin/returns", {"order_id": order}))["return"]["id"])
    id = (await admin.post("/admin/returns", {"order_id": order, "internal_note": "by phone"}))["return"]["id"]
    await admin.get(at, id=id)
    await admin.post(at, {"metadata": {"a": 1}}, id=id)
    asked = (await admin.post(f"{at}/request-items", one, id=id))["order_preview"]
    act = asked["items"][0]["actions"][0]["id"]
    await admin.post(f"{at}/request-items/{{action_id}}", {"quantity": 2}, id=id, action_id=act)
    await admin.delete(f"{at}/request-items/{{action_id}}", id=id, action_id=act)
    await admin.post(f"{at}/request-items", one, id=id)
    asked = (await admin.post(f"{at}/shipping-method", {"shipping_option_id": shop.ids["flat"]}, id=id))["order_preview"]
    act = next(method["actions"][0]["id"] for method in asked["shipping_methods"] if "actions" in method)
    await admin.post(f"{at}/shipping-method/{{action_id}}", {"custom_amount": 1}, id=id, action_id=act)
    await admin.delete(f"{at}/shipping-method/{{action_id}}", id=id, action_id=act)
    await admin.post(f"{at}/request", {}, id=id)
    await admin.post(f"{at}/receive", {}, id=id)
    await admin.delete(f"{at}/receive", id=id)
    await admin.post(f"{at}/receive", {}, id=id)
    for kind in ("dismiss", "receive"):
        asked = (await admin.post(f"{at}/{kind}-items", one, id=id))["order_preview"]
        act = asked["items"][0]["actions"][0]["id"]
        await admin.post(f"{at}/{kind}-items/{{action_id}}", {"quantity": 1}, id=id, action_id=act)
        await admin.delete(f"{at}/{kind}-items/{{action_id}}", id=id, action_id=act)
    await admin.post(f"{at}/receive-items", one, id=id)
    await admin.post(f"{at}/receive/confirm", {}, id=id)
    other = (await admin.post("/admin/returns", {"order_id": order}))["return"]["id"]
    await admin.post(f"{at}/request-items", one, id=other)
    await admin.post(f"{at}/request", {}, id=other)
    await admin.post(f"{at}/cancel", {}, id=other)
    shipping = {"option_id": shop.ids["flat"]}
    await shop.store.post("/store/returns", {"order_id": order, **one, "return_shipping": shipping})


async def editing(shop: Shop) -> None:
    admin, at = shop.admin, "/admin/order-edits/{id}"
    order, line = await bought(shop)
    items = {"items": [{"variant_id": shop.variants[0], "quantity": 1}]}
    await admin.post("/admin/order-edits", {"order_id": order})
    await admin.delete(at, id=order)
    await admin.post("/admin/order-edits", {"order_id": order, "description": "more"})
    asked = (await admin.post(f"{at}/items", items, id=order))["order_preview"]
    change = {"carry_over_promotions": True, "internal_note": "by phone"}
    await admin.post("/admin/order-changes/{id}", change, id=asked["order_change"]["id"])
    act = next(item["actions"][0]["id"] for item in asked["items"] if "actions" in item)
    await admin.post(f"{at}/items/{{action_id}}", {"quantity": 2}, id=order, action_id=act)
    await admin.delete(f"{at}/items/{{action_id}}", id=order, action_id=act)
    await admin.post(f"{at}/items/item/{{item_id}}", {"quantity": 3}, id=order, item_id=line)
    asked = (await admin.post(f"{at}/shipping-method", {"shipping_option_id": shop.ids["flat"]}, id=order))["order_preview"]
    act = next(method["actions"][0]["id"] for method in asked["shipping_methods"] if "actions" in method)
    await admin.post(f"{at}/shipping-method/{{action_id}}", {"custom_amount": 1}, id=order, action_id=act)
    await admin.delete(f"{at}/shipping-method/{{action_id}}", id=order, action_id=act)
    await admin.post(f"{at}/request", {}, id=order)
    await admin.post(f"{at}/confirm", id=order)
    credit = {"amount": 1, "reference": "goodwill", "reference_id": "1"}
    await admin.post("/admin/orders/{id}/credit-lines", credit, id=order)


async def swapping(shop: Shop) -> None:
    admin, flat = shop.admin, shop.ids["flat"]
    for kind, begin in (("exchanges", {}), ("claims", {"type": "replace"})):
        at, key = f"/admin/{kind}/{{id}}", kind[:-1]
        order, line = await bought(shop)
        await admin.post("/admin/orders/{id}/fulfillments", {"items": [{"id": line, "quantity": 2}]}, id=order)
        await admin.delete(f"{at}/request", id=(await admin.post(f"/admin/{kind}", {"order_id": order, **begin}))[key]["id"])
        id = (await admin.post(f"/admin/{kind}", {"order_id": order, **begin}))[key]["id"]
        back, new = {"items": [{"id": line, "quantity": 1}]}, {"items": [{"variant_id": shop.variants[0], "quantity": 1}]}
        for part, body in (("inbound/items", back), ("outbound/items", new), *((("claim-items", back),) if kind == "claims" else ())):
            asked = (await admin.post(f"{at}/{part}", body, id=id))["order_preview"]
            act = max((each for row in asked["items"] for each in row.get("actions", ())), key=lambda each: each["ordering"])["id"]
            await admin.post(f"{at}/{part}/{{action_id}}", {"quantity": 2}, id=id, action_id=act)
            await admin.delete(f"{at}/{part}/{{action_id}}", id=id, action_id=act)
            await admin.post(f"{at}/{part}", body, id=id)
        for way in ("inbound", "outbound"):
            asked = (await admin.post(f"{at}/{way}/shipping-method", {"shipping_option_id": flat}, id=id))["order_preview"]
            act = next(method["actions"][0]["id"] for method in asked["shipping_methods"] if "actions" in method)
            await admin.post(f"{at}/{way}/shipping-method/{{action_id}}", {"custom_amount": 1}, id=id, action_id=act)
            await admin.delete(f"{at}/{way}/shipping-method/{{action_id}}", id=id, action_id=act)
        await admin.post(f"{at}/request", id=id)
        await admin.get(at, id=id)
        await admin.get(f"/admin/{kind}", {"order_id": order})
        await admin.post(f"{at}/cancel", {}, id=id)


async def handing_over(shop: Shop) -> None:
    admin, buyer, at = shop.admin, shop.buyer, "/store/orders/{id}/transfer"
    order, _ = await bought(shop)

    async def token() -> str:
        changes = (await admin.get("/admin/orders/{id}/changes", id=order))["order_changes"]
        return next(str(each["actions"][0]["details"]["token"]) for each in changes if each["status"] == "requested")

    await buyer.post(f"{at}/request", {}, id=order)
    await buyer.post(f"{at}/cancel", id=order)
    await admin.post("/admin/orders/{id}/transfer", {"customer_id": shop.ids["customer"]}, id=order)
    await admin.post("/admin/orders/{id}/transfer/cancel", id=order)
    for answer in ("decline", "accept"):
        await buyer.post(f"{at}/request", {}, id=order)
        await shop.store.post(f"{at}/{answer}", {"token": await token()}, id=order)
    await admin.post("/admin/orders/{id}/transfer/guest", {"email": "zed@example.com"}, id=order)


async def drafting(shop: Shop) -> None:
    admin, ids, at = shop.admin, shop.ids, "/admin/draft-orders/{id}"
    edit = f"{at}/edit"
    items = [{"variant_id": shop.variants[0], "quantity": 1}, {"title": "Engraving", "quantity": 1, "unit_price": 8}]
    body = {"email": "carol@example.com", "region_id": ids["region"], "sales_channel_id": ids["channel"], "shipping_address": ADDRESS}
    draft = (await admin.post("/admin/draft-orders", {**body, "items": items}))["draft_order"]
    id, line = draft["id"], draft["items"][0]["id"]
    await admin.get("/admin/draft-orders")
    await admin.get(at, id=id)
    await admin.post(edit, {}, id=id)
    await admin.delete(edit, id=id)
    await admin.post(edit, {}, id=id)
    asked = (await admin.post(f"{edit}/items", {"items": items[1:]}, id=id))["draft_order_preview"]
    act = next(item["actions"][0]["id"] for item in asked["items"] if "actions" in item)
    await admin.post(f"{edit}/items/{{action_id}}", {"quantity": 2}, id=id, action_id=act)
    await admin.delete(f"{edit}/items/{{action_id}}", id=id, action_id=act)
    await admin.post(f"{edit}/items/item/{{item_id}}", {"quantity": 3}, id=id, item_id=line)
    option = {"shipping_option_id": ids["flat"]}
    asked = (await admin.post(f"{edit}/shipping-methods", option, id=id))["draft_order_preview"]
    act = next(method["actions"][0]["id"] for method in asked["shipping_methods"] if "actions" in method)
    await admin.post(f"{edit}/shipping-methods/{{action_id}}", {**option, "custom_amount": 1}, id=id, action_id=act)
    await admin.delete(f"{edit}/shipping-methods/{{action_id}}", id=id, action_id=act)
    way = (await admin.post(f"{edit}/shipping-methods", option, id=id))["draft_order_preview"]["shipping_methods"][0]["id"]
    code = {"promo_codes": [(await admin.get("/admin/promotions"))["promotions"][0]["code"]]}
    await admin.post(f"{edit}/promotions", code, id=id)
    await admin.delete(f"{edit}/promotions", code, id=id)
    await admin.post(f"{edit}/request", {}, id=id)
    await admin.post(f"{edit}/confirm", {}, id=id)
    await admin.post(edit, {}, id=id)
    method = f"{edit}/shipping-methods/method/{{method_id}}"
    await admin.post(method, {"custom_amount": 2}, id=id, method_id=way)
    await admin.delete(method, id=id, method_id=way)
    await admin.post(f"{edit}/confirm", {}, id=id)
    await admin.post(at, {"email": "dave@example.com", "metadata": {"a": 1}}, id=id)
    await admin.post(f"{at}/convert-to-order", {}, id=id)
    for _ in range(2):  # one stays, to be read
        spare = (await admin.post("/admin/draft-orders", body))["draft_order"]["id"]
    await admin.delete(at, id=spare)


async def executions(shop: Shop) -> None:
    admin, path = shop.admin, "/admin/workflows-executions"
    done = (await admin.get(path, {"workflow_id": "complete-cart"}))["workflow_executions"][0]
    await admin.get(f"{path}/{{id}}", id=done["id"])
    transaction = {"workflow_id": done["workflow_id"], "transaction_id": done["transaction_id"]}
    await admin.get(f"{path}/{{workflow_id}}/{{transaction_id}}", **transaction)
    await admin.post(f"{path}/{{workflow_id}}/run", {"input": {"cart_id": shop.ids["cart"]}}, workflow_id="complete-cart")


async def payments(shop: Shop) -> None:
    admin, order = shop.admin, shop.ids["order"]
    reasons = "/admin/refund-reasons"
    reason = (await admin.post(reasons, {"label": "Broken", "code": "broken"}))["refund_reason"]["id"]
    await admin.get(reasons)
    await admin.get(f"{reasons}/{{id}}", id=reason)
    await admin.post(f"{reasons}/{{id}}", {"description": "In a storm"}, id=reason)
    payment = shop.ids["payment"] = (await admin.get("/admin/payments"))["payments"][0]["id"]
    await admin.post("/admin/payments/{id}/capture", {"amount": 2}, id=payment)
    given = {"amount": 1.5, "refund_reason_id": reason, "note": "Sorry"}
    await admin.post("/admin/payments/{id}/refund", given, id=payment)
    await admin.get("/admin/payments/{id}", id=payment)
    await admin.delete(f"{reasons}/{{id}}", id=reason)
    await admin.post(reasons, {"label": "Late", "code": "late"})

    collections = "/admin/payment-collections"
    made = [(await admin.post(collections, {"order_id": order, "amount": 5}))["payment_collection"]["id"] for _ in range(3)]
    await admin.post(f"{collections}/{{id}}/payment-sessions", {"provider_id": "pp_system_default"}, id=made[0])
    await admin.post(f"{collections}/{{id}}/mark-as-paid", {"order_id": order}, id=made[1])
    await admin.delete(f"{collections}/{{id}}", id=made[2])


async def signing_in(shop: Shop) -> None:
    guest, admin = shop.guest, shop.admin
    path = {"actor_type": "user", "auth_provider": "emailpass"}
    await guest.get("/auth/{actor_type}/providers", actor_type="user")
    await guest.post("/auth/{actor_type}/{auth_provider}/reset-password", {"identifier": "grace@example.com"}, **path)
    token = (await admin.post("/admin/users/{id}/reset-password", id=shop.user))["token"]
    await guest.as_(authorization=f"Bearer {token}").post("/auth/{actor_type}/{auth_provider}/update", {"password": PASSWORD}, **path)
    token = (await guest.post("/auth/{actor_type}/{auth_provider}", {"email": "grace@example.com", "password": PASSWORD}, **path))["token"]
    user = guest.as_(authorization=f"Bearer {token}")
    await invites(shop)
    await user.post("/auth/token/refresh")
    await user.get("/auth/mfa/factors")
    await guest.get("/cloud/auth")
    await user.post("/auth/session")
    await guest.delete("/auth/session")
    shop.grace = user


async def invites(shop: Shop) -> None:
    admin, path = shop.admin, "/admin/invites"
    invited = (await admin.post(path, {"email": "lin@example.com", "metadata": {"a": 1}}))["invite"]["id"]
    await admin.get(path)
    await admin.get(f"{path}/{{id}}", id=invited)
    token = (await admin.post(f"{path}/{{id}}/resend", id=invited))["invite"]["token"]
    given = {"email": "lin@example.com", "password": PASSWORD}
    made = await shop.guest.post("/auth/{actor_type}/{auth_provider}/register", given, actor_type="user", auth_provider="emailpass")
    arriving = shop.guest.as_(authorization=f"Bearer {made['token']}")
    assert (await arriving.post(f"{path}/accept", {"first_name": "Lin"}, {"token": token}))["user"]["email"] == "lin@example.com"
    await admin.post(path, {"email": "unanswered@example.com"})
    spare = (await admin.post(path, {"email": "spare@example.com"}))["invite"]["id"]
    await admin.delete(f"{path}/{{id}}", id=spare)

    while not (told := (await admin.get("/admin/notifications"))["notifications"]):
        await asyncio.sleep(0.05)
    await admin.get("/admin/notifications/{id}", id=told[0]["id"])


async def clearing(shop: Shop) -> None:
    """Make one of everything that can be deleted, and delete it."""
    admin, ids = shop.admin, shop.ids
    for path, key, body in (
        ("/admin/product-options", "product_option", {"title": "Collar", "values": ["Round"]}),
        ("/admin/collections", "collection", {"title": "Spring"}),
        ("/admin/product-tags", "product_tag", {"value": "spare"}),
        ("/admin/product-types", "product_type", {"value": "Spare"}),
        ("/admin/product-categories", "product_category", {"name": "Spare"}),
        ("/admin/price-preferences", "price_preference", {"attribute": "currency_code", "value": "dkk"}),
        ("/admin/sales-channels", "sales_channel", {"name": "Spare"}),
        ("/admin/shipping-option-types", "shipping_option_type", {"label": "Spare", "code": "spare"}),
        ("/admin/inventory-items", "inventory_item", {"sku": "spare"}),
        ("/admin/regions", "region", {"name": "Spare", "currency_code": "usd"}),
    ):
        made = (await admin.post(path, body))[key]["id"]
        await admin.delete(f"{path}/{{id}}", id=made)
    await admin.delete("/admin/fulfillment-sets/{id}", id=ids["spare set"])
    await admin.delete("/admin/stock-locations/{id}", id=ids["spare location"])
    await admin.delete("/admin/users/{id}", id=shop.user)
