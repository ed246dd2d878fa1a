"""A signed-in customer's purchase where prices include tax: from the cart to the order, its lists, and what an admin does to it."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("nl", "eur", rate=21, inclusive=True)
    cup = await api.goods(shop, "Cup", {"S": 10, "L": 20}, stock=50)
    code = api.fresh("OFF").upper()
    await api.quiet(
        "POST",
        "/admin/promotions",
        {
            "code": code,
            "type": "standard",
            "status": "active",
            "is_tax_inclusive": True,
            "application_method": {"type": "percentage", "target_type": "items", "allocation": "across", "value": 10},
        },
    )
    token = await api.person("kim")
    home = {
        "first_name": "Kim",
        "last_name": "K",
        "address_1": "Gracht 1",
        "city": "Town",
        "postal_code": "1000",
        "country_code": "nl",
        "province": "NH",
        "company": "K BV",
        "phone": "06",
    }
    cart = (
        await api.store(
            "POST",
            "/carts",
            {
                "region_id": shop.region,
                "shipping_address": home,
                "billing_address": home,
                "promo_codes": [code],
                "metadata": {"note": "x"},
                "items": [{"variant_id": cup["S"], "quantity": 3, "metadata": {"gift": 1}}, {"variant_id": cup["L"], "quantity": 1}],
            },
            token,
        )
    )["cart"]["id"]
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": shop.ship}, token)
    collection = (await api.store("POST", "/payment-collections", {"cart_id": cart}, token))["payment_collection"]["id"]
    await api.store("POST", f"/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"}, token)
    await api.store("GET", f"/carts/{cart}?fields=*payment_collection,*payment_collection.payment_sessions,total", token=token)
    order = (await api.store("POST", f"/carts/{cart}/complete", {}, token))["order"]["id"]
    await api.store("POST", f"/carts/{cart}/complete", {}, token)
    await api.store("POST", f"/carts/{cart}", {"email": "x@example.com"}, token)
    await api.store("POST", f"/carts/{cart}/line-items", {"variant_id": cup["L"], "quantity": 1}, token)
    await api.store("GET", f"/carts/{cart}", token=token)
    await api.store("GET", "/orders", token=token)
    await api.store("GET", "/orders?fields=id,*items,email,*shipping_address&status=pending", token=token)
    await api.store("GET", "/orders?status[]=canceled", token=token)
    await api.store("GET", "/orders")
    await api.store("GET", f"/orders/{order}", token=token)
    await api.store(
        "GET", f"/orders/{order}?fields=id,total,items.title,items.detail.quantity,customer_id,payment_status,fulfillment_status"
    )
    await api.store("GET", "/orders/order_unknown")
    await api.admin("GET", f"/orders?id={order}")
    await api.admin("GET", f"/orders?q=kim-{api.word}&fields=id,email,total,*customer,*sales_channel,*payment_collections")
    await api.admin(
        "GET",
        f"/orders?sales_channel_id[]={api.channel}&region_id={shop.region}&fields=id,status,payment_status,fulfillment_status&limit=1",
    )
    await api.admin("GET", f"/orders/{order}")
    await api.admin("GET", f"/orders/{order}?fields=id,*items,*items.variant,summary,total,*shipping_methods,*shipping_methods.tax_lines")
    await api.admin("GET", f"/orders/{order}?fields=+customer.email,+items.tax_lines.rate,-shipping_address")
    await api.admin("GET", "/orders/order_unknown")
    await api.admin("POST", f"/orders/{order}", {"metadata": {"a": 1}})
    await api.admin("POST", f"/orders/{order}", {"email": "no address"})
    await api.admin("POST", f"/orders/{order}", {"email": api.fresh("Other") + "@example.com"})
    await api.admin("GET", f"/orders/{order}?fields=email,customer_id,customer.email")
    await api.admin("POST", f"/orders/{order}", {"shipping_address": {"first_name": "K", "address_1": "New 2", "country_code": "nl"}})
    await api.admin("POST", f"/orders/{order}", {"shipping_address": {"address_1": "Far", "country_code": "be"}})
    await api.admin("POST", f"/orders/{order}", {"billing_address": {"company": "Other BV"}})
    await api.admin("POST", "/orders/order_unknown", {"metadata": {}})
    await api.admin("POST", f"/orders/{order}", {"unknown": 1})
    await api.admin("GET", f"/orders/{order}/changes")
    await api.admin("GET", f"/orders/{order}/line-items")
    await api.admin("GET", f"/orders/{order}/preview")
    await api.store("GET", "/orders", token=token)
