"""Money of an order: captured in parts, refunded in parts, with reasons, and what is refused."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("be", "eur", rate=21)
    cup = await api.goods(shop, "Cup", {"S": 10})
    order = await api.buy(shop, {cup["S"]: 2})
    await api.admin(
        "GET",
        f"/orders/{order}?fields=id,total,summary,payment_status,*payment_collections,*payment_collections.payments,*payment_collections.payments.captures,*payment_collections.payments.refunds",
    )
    payment = (await api.quiet("GET", f"/admin/orders/{order}?fields=payment_collections.payments.id,payment_collections.id"))["order"][
        "payment_collections"
    ][0]
    collection, payment = payment["id"], payment["payments"][0]["id"]
    await api.admin("GET", f"/payments/{payment}")
    await api.admin("GET", "/payments?payment_session_id[]=none")
    await api.admin("GET", "/payments/pay_unknown")
    await api.admin("GET", "/payments/payment-providers")
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 1})
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": "x"})
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": 10})
    await api.admin("GET", f"/orders/{order}?fields=id,summary,payment_status,*payment_collections")
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": 1000})
    await api.admin("POST", f"/payments/{payment}/capture", {"amount": 26.3})
    await api.admin("GET", f"/orders/{order}?fields=id,summary,payment_status,*payment_collections")
    reason = (
        (await api.admin("POST", "/refund-reasons", {"label": api.fresh("Late"), "code": api.fresh("late"), "description": "came late"}))
        .get("refund_reason", {})
        .get("id")
    )
    await api.admin("POST", "/refund-reasons", {"label": "again", "code": api.fresh("late")})
    await api.admin("POST", "/refund-reasons", {"label": "no code"})
    await api.admin("GET", f"/refund-reasons/{reason}")
    await api.admin("POST", f"/refund-reasons/{reason}", {"label": api.fresh("Later")})
    await api.admin("GET", f"/refund-reasons?q={api.word}")
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 5, "refund_reason_id": reason, "note": "sorry"})
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 1, "refund_reason_id": "refr_unknown"})
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 1000})
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 0})
    await api.admin("GET", f"/orders/{order}?fields=id,summary,payment_status,*payment_collections,*payment_collections.payments.refunds")
    await api.admin("POST", f"/payments/{payment}/refund", {"amount": 31.3})
    await api.admin("GET", f"/payments/{payment}?fields=*refunds,*captures,amount")
    await api.admin("GET", f"/orders/{order}?fields=id,summary,payment_status,*payment_collections")
    await api.admin("POST", "/payments/pay_unknown/capture", {})
    await api.admin("POST", "/payments/pay_unknown/refund", {})
    await api.admin("DELETE", f"/refund-reasons/{reason}")
    await api.admin("GET", f"/refund-reasons/{reason}")
    await api.admin("POST", "/payment-collections", {"order_id": order, "amount": 3})
    await api.admin("POST", "/payment-collections", {"order_id": "order_unknown", "amount": 3})
    await api.admin("POST", f"/payment-collections/{collection}/mark-as-paid", {"order_id": order})
    await api.admin("DELETE", f"/payment-collections/{collection}")
    await api.admin("DELETE", "/payment-collections/paycol_unknown")
