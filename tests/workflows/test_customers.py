"""Customers across modules: accounts, addresses, groups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.errors import Duplicate, InvalidData, NotFound
from velella.workflows.kit import on_hook

from .conftest import Shop, Unlucky, refuse

ADA = "ada@example.com"

for _workflow, _hook in (
    ("create-customers", "customersCreated"),
    ("update-customers", "customersUpdated"),
    ("create-customer-addresses", "addressesCreated"),
    ("update-customer-addresses", "addressesUpdated"),
):
    on_hook(_workflow, _hook)(refuse)


async def identity(shop: Shop, name: str = ADA) -> str:
    made = await shop.modules.auth.create_identity("emailpass", name, {"password": "x"})
    assert made is not None
    return str(made["id"])


async def customer(shop: Shop, **more: Any) -> str:
    return str((await shop.run("create-customers", rows=[{"email": ADA, **more}]))[0]["id"])


async def defaults(shop: Shop, customer_id: str) -> list[str]:
    rows = await shop.modules.customer.list("customer_address", {"customer_id": customer_id, "is_default_shipping": True})
    return [row["address_name"] for row in rows]


async def test_who_registers_is_known_by_their_identity(shop: Shop) -> None:
    who = await identity(shop)
    made = await shop.run("create-customer-account", auth_identity_id=who, customer={"email": ADA, "first_name": "Ada"})
    assert (made["has_account"], made["first_name"]) == (True, "Ada")
    assert (await shop.modules.auth.identity(who))["app_metadata"] == {"customer_id": made["id"]}
    with pytest.raises(Duplicate, match="already has an account"):
        await shop.run("create-customer-account", auth_identity_id=await identity(shop, "other"), customer={"email": ADA})
    with pytest.raises(InvalidData, match="needs an email"):
        await shop.run("create-customer-account", auth_identity_id=who, customer={})


async def test_an_identity_is_one_customer(shop: Shop) -> None:
    who = await identity(shop)
    answers = await asyncio.gather(
        *(shop.run("create-customer-account", auth_identity_id=who, customer={"email": f"{n}@example.com"}) for n in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert await shop.modules.customer.count("customer") == 1  # those who lost are gone again


async def test_a_removed_account_leaves_no_identity_behind(shop: Shop) -> None:
    who = await identity(shop)
    made = await shop.run("create-customer-account", auth_identity_id=who, customer={"email": ADA})
    assert await shop.run("remove-customer-account", customer_id=made["id"]) == made["id"]
    assert await shop.modules.customer.count("customer") == 0
    with pytest.raises(NotFound):
        await shop.modules.auth.identity(who)
    assert await shop.run("remove-customer-account", customer_id=made["id"]) == made["id"]


async def test_what_a_hook_refuses_has_not_happened(shop: Shop, unlucky: dict[str, Any]) -> None:
    with pytest.raises(Unlucky):
        await shop.run("create-customers", rows=[{"email": ADA}], **unlucky)
    assert await shop.modules.customer.count("customer") == 0
    ada = await customer(shop, addresses=[{"address_name": "home", "is_default_shipping": True}])
    with pytest.raises(Unlucky):
        await shop.run("update-customers", rows=[{"id": ada, "first_name": "Ada"}], **unlucky)
    assert (await shop.one("customer", ada))["first_name"] is None
    work = {"customer_id": ada, "address_name": "work", "is_default_shipping": True}
    with pytest.raises(Unlucky):
        await shop.run("create-customer-addresses", rows=[work], **unlucky)
    assert await defaults(shop, ada) == ["home"]
    (made,) = await shop.run("create-customer-addresses", rows=[work])
    assert await defaults(shop, ada) == ["work"]
    (home,) = await shop.modules.customer.list("customer_address", {"address_name": "home"})
    change = {"is_default_shipping": True, "city": "Bremen"}
    with pytest.raises(Unlucky):
        await shop.run("update-customer-addresses", rows=[{"id": home["id"], **change}], **unlucky)
    assert await defaults(shop, ada) == ["work"]
    assert (await shop.one("customer_address", home["id"]))["city"] is None
    assert await shop.run("delete-customer-addresses", ids=[made["id"], "cuaddr_none"]) == [made["id"]]


async def test_groups_from_both_ends(shop: Shop) -> None:
    ada, bob = await customer(shop), await customer(shop, email="bob@example.com")
    vip, trade = [row["id"] for row in await shop.run("create-customer-groups", rows=[{"name": "vip"}, {"name": "trade"}])]
    await shop.run("link-customers-to-customer-group", id=vip, add=[ada, bob])
    await shop.run("link-customer-groups-to-customer", id=ada, add=[vip, trade], remove=[])
    await shop.run("link-customers-to-customer-group", id=vip, remove=[bob, "cus_none"])
    assert [row["name"] for row in (await shop.one("customer", ada, "groups.name"))["groups"]] == ["vip", "trade"]
    assert (await shop.one("customer", bob, "groups.name"))["groups"] == []
    with pytest.raises(NotFound):
        await shop.run("link-customers-to-customer-group", id="cusgroup_none", add=[ada])
    with pytest.raises(NotFound):
        await shop.run("link-customers-to-customer-group", id=vip, add=["cus_none"])
    assert await shop.run("delete-customer-groups", ids=[vip]) == [vip]
    assert [row["name"] for row in (await shop.one("customer", ada, "groups.name"))["groups"]] == ["trade"]
