"""The customer module: who owns an email, default addresses, groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound
from velella.core.sql.schema.query import Query
from velella.modules.customer import service
from velella.modules.customer.service import CustomerService

from .one_module import alone

ADA = "ada@example.com"


@pytest.fixture
async def customers(fresh_database: str) -> AsyncIterator[CustomerService]:
    async with alone(CustomerService, fresh_database, connections=8) as service:
        yield service


async def registered(customers: CustomerService, email: str = ADA, **more: Any) -> str:
    (made,) = await customers.create_customers([{"email": email, "has_account": True, **more}])
    return str(made["id"])


async def defaults(customers: CustomerService, customer: str) -> dict[str, list[str]]:
    addresses = await customers.list("customer_address", {"customer_id": customer})
    return {kind: [address["address_name"] for address in addresses if address[f"is_default_{kind}"]] for kind in ("shipping", "billing")}


async def test_a_guest_and_a_registered_customer_may_share_an_email(customers: CustomerService) -> None:
    account = await registered(customers)
    guest = await customers.guest(ADA)
    assert guest["id"] != account
    assert guest["has_account"] is False
    with pytest.raises(InvalidData, match=f"Customer with email: {ADA}, has_account: t"):
        await registered(customers)


async def test_many_who_ask_for_a_guest_get_the_same_one(customers: CustomerService) -> None:
    guests = await asyncio.gather(*(customers.guest(ADA) for _ in range(20)))
    assert len({guest["id"] for guest in guests}) == 1
    assert await customers.count("customer") == 1


async def test_of_two_who_register_an_email_at_once_one_succeeds(customers: CustomerService) -> None:
    answers = await asyncio.gather(*(registered(customers) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert all(isinstance(answer, (str, InvalidData)) for answer in answers)


async def test_the_email_of_a_deleted_customer_is_free_again(customers: CustomerService) -> None:
    await customers.delete("customer", [await registered(customers)])
    assert await registered(customers)


async def test_a_new_default_address_takes_the_place_of_the_old_one(customers: CustomerService) -> None:
    home = {"address_name": "home", "is_default_shipping": True, "is_default_billing": True}
    customer = await registered(customers, addresses=[home])
    (work,) = await customers.create_addresses([{"customer_id": customer, "address_name": "work", "is_default_shipping": True}])
    assert await defaults(customers, customer) == {"shipping": ["work"], "billing": ["home"]}
    await customers.update_addresses([{"id": work["id"], "is_default_billing": True}])
    assert await defaults(customers, customer) == {"shipping": ["work"], "billing": ["work"]}
    await customers.update_addresses([{"id": work["id"], "is_default_billing": False, "city": "Bremen"}])
    assert await defaults(customers, customer) == {"shipping": ["work"], "billing": []}


async def test_whoever_sets_defaults_at_once_leaves_exactly_one(customers: CustomerService) -> None:
    customer = await registered(customers)
    await asyncio.gather(
        *(customers.create_addresses([{"customer_id": customer, "address_name": str(n), "is_default_shipping": True}]) for n in range(12))
    )
    assert len((await defaults(customers, customer))["shipping"]) == 1
    assert await customers.count("customer_address") == 12


async def test_a_default_of_one_customer_leaves_those_of_others_alone(customers: CustomerService) -> None:
    address = {"address_name": "home", "is_default_shipping": True}
    ada, bob = await registered(customers, addresses=[address]), await registered(customers, "bob@example.com", addresses=[address])
    await customers.create_addresses([{"customer_id": ada, "address_name": "work", "is_default_shipping": True}])
    assert (await defaults(customers, bob))["shipping"] == ["home"]


async def test_an_address_needs_a_customer_that_is_there(customers: CustomerService) -> None:
    with pytest.raises(NotFound):
        await customers.create_addresses([{"customer_id": "cus_nobody", "city": "Bremen", "is_default_billing": True}])
    with pytest.raises(NotFound):
        await customers.update_addresses([{"id": "cuaddr_none", "is_default_billing": True}])


async def test_addresses_of_a_customer_are_bounded_in_number_and_size(customers: CustomerService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ADDRESSES", 3)
    monkeypatch.setattr(service, "METADATA_OF_ADDRESSES", 2048)
    ada, bob = await registered(customers), await registered(customers, "bob@example.com")
    one, *_ = await customers.create_addresses([{"customer_id": ada, "metadata": {"note": "x" * 900}}, *[{"customer_id": ada}] * 2])
    await customers.create_addresses([{"customer_id": bob}])
    for work, rows in (
        (customers.create_addresses, [{"customer_id": ada}]),
        (customers.update_addresses, [{"id": one["id"], "metadata": {"more": "x" * 1200}}]),
    ):
        with pytest.raises(InvalidData, match="3 addresses at most, with 2 KiB"):
            await work(rows)
    assert await customers.count("customer_address", {"customer_id": ada}) == 3
    await customers.delete("customer_address", [one["id"]])
    await customers.create_addresses([{"customer_id": ada, "metadata": {"more": "x" * 1200}}])


async def test_customers_join_and_leave_groups(customers: CustomerService) -> None:
    customer = await registered(customers)
    groups = [row["id"] for row in await customers.create("customer_group", [{"name": "vip"}, {"name": "trade"}])]
    pairs = [{"customer_id": customer, "customer_group_id": group} for group in groups]
    first = await customers.add_to_groups(pairs)
    again = await customers.add_to_groups([*pairs, pairs[0]])
    assert {row["id"] for row in first} == {row["id"] for row in again}
    page = await customers.query(Query("customer", ("id", "groups.name"), {"groups": {"name": "vip"}}))
    assert sorted(group["name"] for group in page.rows[0]["groups"]) == ["trade", "vip"]
    assert await customers.remove_from_groups(pairs[:1]) == [customer]
    page = await customers.query(Query("customer_group", ("name", "customers.id"), order=("name",)))
    assert [(row["name"], [one["id"] for one in row["customers"]]) for row in page.rows] == [("trade", [customer]), ("vip", [])]
    with pytest.raises(NotFound):
        await customers.add_to_groups([{"customer_id": customer, "customer_group_id": "cusgroup_none"}])
    await customers.delete("customer_group", [groups[1]])
    gone = await registered(customers, "gone@example.com")
    await customers.delete("customer", [gone])
    for pair in ((customer, groups[1]), (gone, groups[0])):
        with pytest.raises(NotFound, match=pair[0] if pair[0] == gone else pair[1]):
            await customers.add_to_groups(
                [{"customer_id": customer, "customer_group_id": groups[0]}, dict(zip(pairs[0], pair, strict=True))]
            )
    page = await customers.query(Query("customer_group", ("customers.id",), {"id": groups[0]}))
    assert page.rows[0]["customers"] == []


async def test_deleting_a_customer_takes_the_addresses_along_and_restoring_brings_them_back(customers: CustomerService) -> None:
    customer = await registered(customers, addresses=[{"address_name": "home", "is_default_shipping": True}])
    await customers.delete("customer", [customer])
    assert await customers.count("customer_address") == 0
    await customers.restore("customer", [customer])
    assert await defaults(customers, customer) == {"shipping": ["home"], "billing": []}
