"""Looking at orders, as their buyer and as the merchant."""

from __future__ import annotations

from velella.core.ids import ulid
from velella.core.sql.read.lists import Scale
from velella.http.admin.orders import ORDER as ADMIN_ORDER
from velella.http.store.orders import ORDER, ORDERS
from velella.modules.order.service import OrderService

from ..signing import token_of
from .conftest import Market, Row, Store


async def placed(market: Market, store: Store, price: str = "10", **data: str) -> Row:
    variant = await market.new_variant({"eur": price}, stock=5)
    provider = "pp_moody_m" if data else "pp_system_default"
    order: Row = (await store.complete(await store.ready(variant, provider=provider, **data)))["order"]
    return order


async def merchant(market: Market, store: Store) -> Store:
    user = (await market.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com"}]))[0]
    token = await token_of(market.modules, market.front.tokens, "user", user["id"])
    return Store(market, store.session, {"authorization": f"Bearer {token}"})


async def test_customers_list_their_own_orders(market: Market, store: Store) -> None:
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    mine = await store.signed_in(customer["id"])
    assert (await store.get("/store/orders")).status == 401
    assert (await mine.get("/store/orders")).body == {"orders": [], "count": 0, "offset": 0, "limit": 50}
    first, second = await placed(market, mine), await placed(market, mine)
    await placed(market, store)
    listed = await mine.get("/store/orders", order="-created_at")
    assert listed["count"] == 2
    assert [order["id"] for order in listed["orders"]] == [second["id"], first["id"]]
    assert set(listed["orders"][0]) == {*ORDERS.defaults, "version", "items", "payment_status", "fulfillment_status"}
    page = await mine.get("/store/orders", limit="1", offset="1", fields="id,*items")
    assert page["count"] == 2
    assert page["orders"][0]["items"]
    assert (await mine.get("/store/orders", id=first["id"]))["count"] == 1
    assert (await mine.get("/store/orders", status="canceled"))["count"] == 0


async def test_an_order_is_open_to_whoever_has_its_id(market: Market, store: Store) -> None:
    order = await placed(market, store)
    shown = await store.get(f"/store/orders/{order['id']}", fields="id,total,payment_status")
    of_payment = shown["order"].pop("payment_collections")
    assert [(each["amount"], each["status"]) for each in of_payment] == [(order["total"], "authorized")]
    assert shown["order"] == {
        "id": order["id"],
        "total": order["total"],
        "status": "pending",
        "version": 1,
        "fulfillments": [],
        "payment_status": "authorized",
        "fulfillment_status": "not_fulfilled",
    }
    missing = await store.get("/store/orders/order_0")
    assert missing.body == {"type": "not_found", "message": "Order with id: order_0 was not found"}


async def test_every_field_that_is_allowed_can_be_asked_for(market: Market, store: Store) -> None:
    order = await placed(market, store)
    for view, path in ((ORDER, f"/store/orders/{order['id']}"), (ORDERS, f"/store/orders/{order['id']}")):
        assert view.allowed is not None
        for name in sorted(view.allowed & (ORDER.allowed or view.allowed)):
            answer = await store.get(path, fields=f"id,{name}")
            assert answer.status == 200, (name, answer.body)


async def test_a_merchant_sees_all_orders(market: Market, store: Store) -> None:
    first = await placed(market, store)
    second = await placed(market, store, mood="captured")
    admin = await merchant(market, store)
    listed = await admin.get("/admin/orders", order="-created_at", limit="2")
    assert [order["id"] for order in listed["orders"]] == [second["id"], first["id"]]
    assert [order["payment_status"] for order in listed["orders"]] == ["captured", "authorized"]
    assert listed["count"] >= 2
    assert listed["orders"][0]["total"] == second["total"]
    assert (await admin.get("/admin/orders"))["limit"] == 15
    found = await admin.get("/admin/orders", q=first["email"])
    assert [order["id"] for order in found["orders"]] == [first["id"]]
    found = await admin.get("/admin/orders", **{"created_at[$gte]": first["created_at"], "id": first["id"], "unknown": "dropped"})
    assert found["count"] == 1
    assert (await store.get("/admin/orders")).status == 401


DASHBOARD = (
    "id,status,created_at,canceled_at,email,display_id,custom_display_id,currency_code,metadata,total,credit_line_total,item_subtotal,"
    "item_total,item_tax_total,original_item_tax_total,item_discount_total,shipping_subtotal,original_total,original_tax_total,subtotal,"
    "discount_total,discount_subtotal,shipping_total,shipping_tax_total,original_shipping_tax_total,shipping_discount_total,tax_total,"
    "refundable_total,order_change,*customer,*items,*items.variant,*items.variant.product,*items.variant.options,"
    "+items.variant.manage_inventory,*items.variant.inventory_items.inventory,+items.variant.inventory_items.required_quantity,+summary,"
    "*shipping_address,*billing_address,*sales_channel,*promotions,*shipping_methods,*credit_lines,*fulfillments,"
    "+fulfillments.shipping_option.service_zone.fulfillment_set.type,*fulfillments.items,*fulfillments.labels,*payment_collections,"
    "*payment_collections.payment_sessions,*payment_collections.payments,*payment_collections.payments.refunds,"
    "*payment_collections.payments.refunds.refund_reason,region.automatic_taxes"
)
"""What the official dashboard asks for on an order's page."""


async def test_the_dashboard_finds_what_it_asks_for(market: Market, store: Store) -> None:
    placed_order = await placed(market, store, mood="captured")
    admin = await merchant(market, store)
    order = (await admin.get(f"/admin/orders/{placed_order['id']}", fields=DASHBOARD))["order"]
    assert order["refundable_total"] == order["item_total"]
    assert order["items"][0]["variant"]["inventory_items"][0]["inventory"]["sku"]
    assert order["region"]["automatic_taxes"] is True
    assert order["fulfillments"] == order["promotions"] == []
    assert (order["items"][0]["detail"]["quantity"], order["items"][0]["detail"]["fulfilled_quantity"]) == (
        order["items"][0]["quantity"],
        0,
    )
    assert order["customer_id"] == order["customer"]["id"]
    fields = "id,status,created_at,email,display_id,custom_display_id,payment_status,fulfillment_status,total,currency_code"
    listed = await admin.get(
        "/admin/orders", fields=f"{fields},*customer,*sales_channel,*payment_collections,*shipping_address", q=order["email"]
    )
    assert listed["orders"][0]["sales_channel"]["name"] == "Web"


async def test_a_merchant_sees_all_of_an_order(market: Market, store: Store) -> None:
    placed_order = await placed(market, store, mood="captured")
    admin = await merchant(market, store)
    order = (await admin.get(f"/admin/orders/{placed_order['id']}"))["order"]
    names = {name.lstrip("*").partition(".")[0] for name in ADMIN_ORDER.defaults}
    assert set(order) == {*names, "fulfillments", "payment_status", "fulfillment_status"}
    [payment] = order["payment_collections"][0]["payments"]
    assert [capture["amount"] for capture in payment["captures"]] == [order["total"]]
    assert order["items"][0]["variant"]["product"]["id"] == order["items"][0]["product_id"]
    asked = "id,*customer,*sales_channel,*region,*fulfillments,*payment_collections,*payment_collections.payments,*items,total"
    shown = (await admin.get(f"/admin/orders/{order['id']}", fields=asked))["order"]
    assert shown["customer"]["email"] == shown["customer"]["email"]
    assert (shown["fulfillments"], shown["total"]) == ([], order["total"])
    assert (await admin.get("/admin/orders/order_0")).status == 404
    newer = (await admin.get(f"/admin/orders/{order['id']}", fields="display_id,nonsense"))["order"]
    assert {"id", "display_id"} <= newer.keys()
    assert "nonsense" not in newer


async def test_a_merchant_changes_what_an_order_says_about_its_buyer(market: Market, store: Store, merchant: Store) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}))
    order = (await store.complete(cart))["order"]
    path = f"/admin/orders/{order['id']}"
    before = (await merchant("GET", path))["order"]
    changes = {"email": "new@example.com", "shipping_address": {"city": "Elsewhere"}, "metadata": {"gift": True}}
    changed = (await merchant.post(path, changes))["order"]
    assert changed["metadata"] == {"gift": True}
    assert changed["shipping_address"]["city"] == "Elsewhere"
    assert changed["shipping_address"]["address_1"] == before["shipping_address"]["address_1"]
    assert changed["shipping_address"]["id"] != before["shipping_address"]["id"]
    assert changed["billing_address"] == before["billing_address"]
    assert changed["total"] == before["total"]
    buyer = await market.host.graph.one("order", order["id"], ("email", "customer.email"))
    assert (buyer["email"], buyer["customer"]["email"]) == ("new@example.com", cart["email"])
    refused = await merchant.post(path, {"email": "other@example.com", "shipping_address": {"country_code": "us"}})
    assert refused.status == 400
    assert (await market.host.graph.one("order", order["id"], ("email",)))["email"] == "new@example.com"
    assert (await merchant.post("/admin/orders/order_none", {"email": "a@example.com"})).status == 404
    assert (await merchant.post(path, {"email": "a@example.com\n"})).status == 400


async def test_taking_a_change_of_an_order_back_leaves_what_others_have_changed_since(market: Market, store: Store) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}))
    id = (await store.complete(cart))["order"]["id"]
    orders = market.modules.order
    was = await orders.retrieve("order", id)
    amendment = await orders.amend(id, {"email": "new@example.com", "shipping_address": {"city": "Elsewhere"}})
    await orders.amend(id, {"email": "newer@example.com"})
    for _ in range(2):
        await orders.put_back(id, amendment)
    now = await orders.retrieve("order", id)
    assert (now["email"], now["shipping_address_id"]) == ("newer@example.com", was["shipping_address_id"])


async def test_a_merchant_pages_through_orders_while_others_buy(market: Market, store: Store) -> None:
    """With places every two rows, so that a few orders are a long list: right after each order the count is right, and so is each page."""
    service = market.host.services["order"]
    assert isinstance(service, OrderService)
    desk = await merchant(market, store)
    service.lists.scale = Scale(every=2, worthwhile=1)
    try:
        orders = [await placed(market, store) for _ in range(6)]
        counts = []
        for _ in range(3):
            first = await desk.get("/admin/orders", order="-display_id", limit="1", fields="id")
            counts.append(first["count"])
            assert first["orders"][0]["id"] == orders[-1]["id"]
            deep = await desk.get("/admin/orders", order="-display_id", limit="2", offset=str(len(orders) - 2), fields="id")
            assert deep["count"] == counts[-1]
            assert [order["id"] for order in deep["orders"]] == [orders[1]["id"], orders[0]["id"]]
            orders.append(await placed(market, store))
        assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
        gone = orders.pop(2)["id"]
        await market.modules.order.delete("order", [gone])
        assert (await desk.get("/admin/orders", order="-display_id", limit="1", fields="id"))["count"] == counts[-1]
        rest = [(await desk.get("/admin/orders", limit="1", offset=str(at), fields="id"))["orders"] for at in range(counts[-1] + 1)]
        assert [row["id"] for page in rest for row in page][-len(orders) :] == [order["id"] for order in orders]
    finally:
        service.lists.scale = Scale()
