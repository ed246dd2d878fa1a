"""Orders that are handed over: by who has the owner's email, and by nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.ids import ulid
from velella.modules.auth.limits import Limits

from .conftest import Market, Row, Store
from .test_order_life import bought


async def customer(market: Market, store: Store) -> tuple[str, Store]:
    [row] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    return row["id"], await store.signed_in(row["id"])


async def token_of(merchant: Store, order: Row) -> str:
    changes = (await merchant.get(f"/admin/orders/{order['id']}/changes"))["order_changes"]
    return next(str(each["actions"][0]["details"]["token"]) for each in changes if each["status"] == "requested")


async def email_to(market: Market, email: str) -> Row:
    """The last email to somebody, once it is written."""
    for _ in range(200):
        rows: list[Any] = await market.modules.notification.list("notification", {"to": email}, order=("-created_at",), limit=1)
        if rows:
            sent: Row = rows[0]
            return sent
        await asyncio.sleep(0.05)
    raise AssertionError(f"no email to {email}")


async def test_an_order_is_handed_over_by_the_owners_email(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    (kim, as_kim), (_, as_lou) = await customer(market, store), await customer(market, store)
    at = f"/store/orders/{order['id']}/transfer"
    assert (await store.post(f"{at}/request", {})).status == 401
    assert (await as_kim.post(f"{at}/request", {})).status == 200
    assert (await as_lou.post(f"{at}/request", {})).status == 400
    sent = await email_to(market, order["email"])
    assert sent["template"] == "order-transfer-requested"
    token = await token_of(merchant, order)
    assert token not in str(sent["data"]), "who reads the list of emails can't use them"
    for verb in ("accept", "decline"):
        assert (await as_kim.post(f"{at}/{verb}", {"token": "wrong"})).status == 400
    assert (await as_lou.post(f"{at}/cancel")).status == 400
    answers = await asyncio.gather(*(store.post(f"{at}/accept", {"token": token}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    now = (await merchant.get(f"/admin/orders/{order['id']}", fields="customer_id,version,email"))["order"]
    assert (now["customer_id"], now["version"], now["email"]) == (kim, 2, order["email"])
    assert [one["id"] for one in (await as_kim.get("/store/orders"))["orders"]] == [order["id"]]
    assert (await as_kim.post(f"{at}/request", {})).status == 400, "it is theirs"


async def test_an_order_stays_whose_it_is_when_that_is_declined_or_given_up(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    kim, as_kim = await customer(market, store)
    at, path = f"/store/orders/{order['id']}/transfer", f"/admin/orders/{order['id']}/transfer"
    was = (await merchant.get(f"/admin/orders/{order['id']}", fields="customer_id"))["order"]["customer_id"]
    assert (await merchant.post(path, {"customer_id": kim})).status == 200
    assert (await store.post(f"{at}/decline", {"token": await token_of(merchant, order)})).status == 200
    assert (await as_kim.post(f"{at}/request", {})).status == 200
    assert (await as_kim.post(f"{at}/cancel")).status == 200
    assert (await merchant.post(path, {"customer_id": kim})).status == 200
    assert (await merchant.post(f"{path}/guest", {"email": "g@example.com"})).status == 400, "it is being asked for"
    assert (await merchant.post(f"{path}/cancel")).status == 200
    assert (await merchant.post(path, {"customer_id": "cus_0"})).status == 404
    assert (await merchant.get(f"/admin/orders/{order['id']}", fields="customer_id"))["order"]["customer_id"] == was
    guest = f"{ulid().lower()}@example.com"
    assert (await merchant.post(f"{path}/guest", {"email": guest}))["order"]["version"] == 2
    now = (await merchant.get(f"/admin/orders/{order['id']}", fields="email,customer.email,customer.has_account"))["order"]
    assert (now["email"], now["customer"]["email"], now["customer"]["has_account"]) == (guest, guest, False)


async def test_asking_and_withdrawing_in_turns_floods_no_owner(
    market: Market, store: Store, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = market.host.services["auth"]
    limited = market.host.settings.model_copy(update={"email_account_limit": "2/hour"})
    monkeypatch.setattr(auth, "_limits", Limits(limited, auth.database))
    _, order = await bought(market, store)
    _, as_kim = await customer(market, store)
    at = f"/store/orders/{order['id']}/transfer"
    for _ in range(2):
        assert (await as_kim.post(f"{at}/request", {})).status == 200
        assert (await as_kim.post(f"{at}/cancel")).status == 200
    refused = await as_kim.post(f"{at}/request", {})
    assert (refused.status, refused.body["type"]) == (429, "too_many_requests")
    changes = (await merchant.get(f"/admin/orders/{order['id']}/changes"))["order_changes"]
    assert [one["status"] for one in changes if one["change_type"] == "transfer" and one["status"] == "requested"] == []


async def test_an_order_is_handed_over_to_nobody_whose_account_is_gone(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    kim, as_kim = await customer(market, store)
    at = f"/store/orders/{order['id']}/transfer"
    assert (await as_kim.post(f"{at}/request", {})).status == 200
    token = await token_of(merchant, order)
    await market.modules.customer.delete("customer", [kim])
    assert (await store.post(f"{at}/accept", {"token": token})).status == 400
    assert (await store.post(f"{at}/decline", {"token": token})).status == 200
    assert (await merchant.get(f"/admin/orders/{order['id']}", fields="version"))["order"]["version"] == 1


async def test_an_order_goes_to_guests_without_being_asked_for_and_to_accounts_never(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    kim, _ = await customer(market, store)
    path = f"/admin/orders/{order['id']}/transfer/guest"
    email = (await merchant.get(f"/admin/customers/{kim}"))["customer"]["email"]
    assert (await merchant.post(path, {"email": email})).status == 400
    answers = await asyncio.gather(*(merchant.post(path, {"email": f"guest-{order['id']}@example.com"}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400], "the second time it is theirs"
