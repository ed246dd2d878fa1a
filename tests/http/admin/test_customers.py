"""Customers, their addresses and groups: as a merchant keeps them, and as they do themselves."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.ids import ulid

from ..conftest import Client, Shop
from .conftest import CutOff, Merchant

CUSTOMERS, GROUPS, ME = "/admin/customers", "/admin/customer-groups", "/store/customers/me"


def email() -> str:
    return f"{ulid().lower()}@example.com"


async def somebody(merchant: Merchant, **more: Any) -> str:
    return str((await merchant.post(CUSTOMERS, {"email": email(), **more}))["customer"]["id"])


@pytest.fixture
async def buyer(shop: Shop, store: Client) -> Merchant:
    """A storefront whose visitor has just signed up and is nobody yet."""
    answer = await store("POST", "/auth/customer/emailpass/register", {"email": email(), "password": "secret words"})
    return Merchant(store.with_(authorization=f"Bearer {answer.json['token']}"))


async def signed_in(shop: Shop, store: Client, **more: Any) -> Merchant:
    """A storefront whose visitor is a customer with an account."""
    address = email()
    token = (await store("POST", "/auth/customer/emailpass/register", {"email": address, "password": "secret words"})).json["token"]
    await Merchant(store.with_(authorization=f"Bearer {token}")).post("/store/customers", {"email": address, **more})
    token = (await store("POST", "/auth/customer/emailpass", {"email": address, "password": "secret words"})).json["token"]
    return Merchant(store.with_(authorization=f"Bearer {token}"))


# -- the merchant's side


async def test_a_customer_is_created_read_changed_and_deleted(merchant: Merchant) -> None:
    body: dict[str, Any] = {"email": email(), "first_name": "Ada", "metadata": {"vip": True}, "additional_data": {"source": "fair"}}
    customer = (await merchant.post(CUSTOMERS, body))["customer"]
    assert {"email": body["email"], "first_name": "Ada", "has_account": False, "metadata": {"vip": True}}.items() <= customer.items()
    assert customer["created_by"].startswith("user_")
    assert "addresses" not in customer
    path = f"{CUSTOMERS}/{customer['id']}"
    changed = (await merchant.post(path, {"first_name": None, "company_name": "Engines", "additional_data": None}))["customer"]
    assert (changed["first_name"], changed["company_name"]) == (None, "Engines")
    taken = await merchant.refused("POST", CUSTOMERS, {"email": body["email"]})
    assert taken == (400, "invalid_data", f"Customer with email: {body['email']}, has_account: f, already exists.")

    for wanted in ({"email": body["email"]}, {"id": customer["id"]}, {"q": body["email"][:20]}, {"$and[0][email]": body["email"]}):
        page = await merchant.get(CUSTOMERS, **wanted)
        assert ([row["id"] for row in page["customers"]], page["count"], page["limit"]) == ([customer["id"]], 1, 50), wanted
    assert (await merchant.get(CUSTOMERS, email=body["email"], has_account="true"))["count"] == 0

    assert await merchant.delete(path) == {"id": customer["id"], "object": "customer", "deleted": True}
    assert (await merchant.delete(path))["deleted"]
    for method, change in (("GET", None), ("POST", {"first_name": "x"})):
        gone = await merchant.refused(method, path, change)
        assert gone == (404, "not_found", f"Customer with id: {customer['id']} was not found")


async def test_one_person_is_one_account_however_the_address_is_written(merchant: Merchant, store: Client) -> None:
    address, login = email(), "/auth/customer/emailpass"
    written = address.upper()
    token = (await store("POST", f"{login}/register", {"email": written, "password": "secret words"})).json["token"]
    customer = (await Merchant(store.with_(authorization=f"Bearer {token}")).post("/store/customers", {"email": written}))["customer"]
    assert customer["email"] == address
    for name in (address, written, address.capitalize()):
        assert (await store("POST", login, {"email": name, "password": "secret words"})).status == 200, name
        refused = await store("POST", f"{login}/register", {"email": name, "password": "other words"})
        assert (refused.status, refused.json["type"]) == (401, "unauthorized"), name
    guest = (await merchant.post(CUSTOMERS, {"email": address.capitalize()}))["customer"]
    assert (await merchant.refused("POST", CUSTOMERS, {"email": written}))[:2] == (400, "invalid_data")
    for wanted in ({"email": written}, {"email[]": written}, {"$or[0][email]": written}):
        page = await merchant.get(CUSTOMERS, **wanted, order="has_account")
        assert [row["id"] for row in page["customers"]] == [guest["id"], customer["id"]], wanted
    (invited, again) = [{"email": each} for each in (written, address)]
    await merchant.post("/admin/invites", invited)
    assert (await merchant.refused("POST", "/admin/invites", again))[:2] == (400, "invalid_data")


async def test_a_customer_signs_in_by_the_address_that_they_have(shop: Shop, merchant: Merchant, store: Client) -> None:
    me = await signed_in(shop, store)
    customer = (await me.get(ME))["customer"]
    path, new, login = f"{CUSTOMERS}/{customer['id']}", email(), "/auth/customer/emailpass"

    async def comes_in(address: str) -> bool:
        return (await store("POST", login, {"email": address, "password": "secret words"})).status == 200

    other = (await (await signed_in(shop, store)).get(ME))["customer"]
    assert (await merchant.refused("POST", path, {"email": other["email"]}))[:2] == (400, "invalid_data")
    assert await comes_in(customer["email"])  # what is refused has changed nothing
    assert (await merchant.post(path, {"email": new.upper(), "first_name": "Ada"}))["customer"]["email"] == new
    assert (await comes_in(new), await comes_in(customer["email"])) == (True, False)
    assert (await me.get(ME))["customer"]["email"] == new  # who is in stays in
    token = (await store("POST", f"{login}/register", {"email": customer["email"], "password": "secret words"})).json["token"]
    assert token  # the former address is free again
    taken = await merchant.refused("POST", path, {"email": customer["email"]})
    assert taken[:2] == (400, "invalid_data")
    assert (await me.get(ME))["customer"]["email"] == new


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (CUSTOMERS, {"email": "nobody"}, "Invalid email"),
        (CUSTOMERS, {"name": "x"}, "Unrecognized fields: 'name'"),
        (CUSTOMERS, {"metadata": "x"}, "Expected type: 'object' for field 'metadata', got: 'string'"),
        (f"{CUSTOMERS}/x/addresses", {"is_default_billing": None}, "Expected type: 'boolean' for field 'is_default_billing', got: 'null'"),
        (f"{CUSTOMERS}/x/customer-groups", {"add": "x"}, "Expected type: 'array' for field 'add', got: 'string'"),
        (GROUPS, {}, "Field 'name' is required"),
    ],
)
async def test_wrong_bodies_are_refused(merchant: Merchant, path: str, body: object, message: str) -> None:
    assert await merchant.refused("POST", path, body) == (400, "invalid_data", f"Invalid request: {message}")


async def test_addresses_of_a_customer(merchant: Merchant) -> None:
    id = await somebody(merchant)
    path = f"{CUSTOMERS}/{id}/addresses"
    home = {"address_name": "Home", "city": "London", "is_default_shipping": True}
    shown = "id,addresses.id,addresses.address_name,addresses.is_default_shipping"
    (first,) = (await merchant.post(path, home, fields=shown))["customer"]["addresses"]
    await merchant.post(path, {"address_name": "Work", "city": "Paris", "is_default_shipping": True})
    page = await merchant.get(path, fields="address_name,is_default_shipping")
    assert page["count"] == 2
    assert {row["address_name"]: row["is_default_shipping"] for row in page["addresses"]} == {"Home": False, "Work": True}
    for wanted in ({"city": "London"}, {"q": "lond"}):
        assert [row["id"] for row in (await merchant.get(path, **wanted))["addresses"]] == [first["id"]]

    one = f"{path}/{first['id']}"
    assert (await merchant.get(one))["address"]["customer_id"] == id
    assert (await merchant.post(one, {"city": "Oxford"}))["customer"]["id"] == id
    assert (await merchant.get(one))["address"]["city"] == "Oxford"
    stranger = await somebody(merchant)
    await merchant.delete(f"{CUSTOMERS}/{stranger}/addresses/{first['id']}")  # which it isn't: it stays
    for method, body in (("GET", None), ("POST", {"city": "x"})):
        foreign = await merchant.refused(method, f"{CUSTOMERS}/{stranger}/addresses/{first['id']}", body)
        assert foreign == (404, "not_found", f"Customer address with id: {first['id']} was not found")
    gone = await merchant.delete(one, fields="id,addresses.address_name")
    assert (gone["id"], gone["object"], gone["deleted"], gone["parent"]["id"]) == (first["id"], "customer_address", True, id)
    assert [row["address_name"] for row in gone["parent"]["addresses"]] == ["Work"]
    assert (await merchant.refused("POST", f"{CUSTOMERS}/cus_none/addresses", home))[0] == 404


async def test_groups_and_who_is_in_them(merchant: Merchant) -> None:
    name = f"Friends {ulid()}"
    group = (await merchant.post(GROUPS, {"name": name, "metadata": None}))["customer_group"]
    assert group["created_by"].startswith("user_")
    assert (await merchant.refused("POST", GROUPS, {"name": name}))[:2] == (400, "invalid_data")
    ada, bob = await somebody(merchant), await somebody(merchant)
    path = f"{GROUPS}/{group['id']}"
    await merchant.post(f"{path}/customers", {"add": [ada, bob, ada]})
    shown = (await merchant.post(f"{path}/customers", {"remove": [bob, "cus_none"]}, fields="customers.id"))["customer_group"]
    assert [customer["id"] for customer in shown["customers"]] == [ada]
    for wanted in ({"groups": group["id"]}, {"groups[id]": group["id"]}, {"groups[0]": group["id"]}, {"groups[name]": name}):
        assert [row["id"] for row in (await merchant.get(CUSTOMERS, **wanted))["customers"]] == [ada], wanted
    for wanted in ({"customers": ada}, {"customers[id]": ada}):
        assert [row["id"] for row in (await merchant.get(GROUPS, **wanted))["customer_groups"]] == [group["id"]]

    assert (await merchant.refused("POST", f"{path}/customers", {"add": [bob, "cus_none"]}))[0] == 404
    assert (await merchant.refused("POST", f"{GROUPS}/cusgroup_none/customers", {"add": [bob]}))[0] == 404
    assert (await merchant.refused("POST", f"{CUSTOMERS}/{bob}/customer-groups", {"add": [group["id"], "cusgroup_none"]}))[0] == 404
    assert (await merchant.get(CUSTOMERS, groups=group["id"]))["count"] == 1, "nobody was put in by a request that was refused"
    groups = (await merchant.post(f"{CUSTOMERS}/{bob}/customer-groups", {"add": [group["id"]]}, fields="groups.name"))["customer"]["groups"]
    assert [row["name"] for row in groups] == [name]
    await merchant.post(f"{CUSTOMERS}/{bob}/customer-groups", {"remove": [group["id"]]})

    assert (await merchant.post(path, {"metadata": {"a": 1}}))["customer_group"]["metadata"] == {"a": 1}
    assert await merchant.delete(path) == {"id": group["id"], "object": "customer_group", "deleted": True}
    assert (await merchant.refused("GET", path))[0] == 404
    assert (await merchant.get(f"{CUSTOMERS}/{ada}", fields="groups.id"))["customer"]["groups"] == []


# -- the customer's side


async def test_who_signed_up_becomes_a_customer_once(buyer: Merchant, store: Client) -> None:
    assert (await store("POST", "/store/customers", {"email": email()})).status == 401
    assert (await buyer.client("GET", ME)).status == 401, "nobody yet"
    assert (await buyer.refused("POST", "/store/customers", {"first_name": "Ada"}))[:2] == (400, "invalid_data")
    body = {"email": email(), "first_name": "Ada"}
    customer = (await buyer.post("/store/customers", body))["customer"]
    assert {**body, "has_account": True, "addresses": [], "phone": None}.items() <= customer.items()
    assert (await buyer.refused("POST", "/store/customers", {"email": email()}))[:2] == (422, "duplicate_error")
    again = await store("POST", "/auth/customer/emailpass/register", {"email": email(), "password": "secret words"})
    other = Merchant(store.with_(authorization=f"Bearer {again.json['token']}"))
    assert (await other.refused("POST", "/store/customers", body))[:2] == (422, "duplicate_error"), "the address has an account"


async def test_signing_up_that_was_cut_off_is_finished_by_the_next_attempt(store: Client, cut_off: CutOff) -> None:
    address, words = email(), "secret words"
    known = await store("POST", "/auth/customer/emailpass/register", {"email": address, "password": words})
    new = Merchant(store.with_(authorization=f"Bearer {known.json['token']}"))
    with cut_off():
        assert (await new.refused("POST", "/store/customers", {"email": address}))[0] == 503
    other = await store("POST", "/auth/customer/emailpass/register", {"email": email(), "password": words})
    stranger = Merchant(store.with_(authorization=f"Bearer {other.json['token']}"))
    assert (await stranger.refused("POST", "/store/customers", {"email": address}))[0] == 422, "another one's"
    made = (await new.post("/store/customers", {"email": address, "first_name": "Ada"}))["customer"]
    assert (made["first_name"], made["has_account"]) == ("Ada", True)
    token = (await store("POST", "/auth/customer/emailpass", {"email": address, "password": words})).json["token"]
    me = await Merchant(store.with_(authorization=f"Bearer {token}")).get(ME)
    assert me["customer"]["id"] == made["id"]


async def test_a_customer_keeps_a_profile(shop: Shop, store: Client, merchant: Merchant) -> None:
    me = await signed_in(shop, store, first_name="Ada")
    mine = (await me.get(ME))["customer"]
    assert mine["first_name"] == "Ada"
    assert await me.refused("POST", "/store/customers", {"email": email()}) == (
        400,
        "invalid_data",
        "Request already authenticated as a customer.",
    )
    assert (await me.post(ME, {"phone": "1", "metadata": {"a": 1}}, fields="phone,has_account,created_by"))["customer"] == {
        "id": mine["id"],
        "phone": "1",
        "has_account": True,
    }
    assert (await me.refused("POST", ME, {"email": email()}))[2] == "Invalid request: Unrecognized fields: 'email'"
    assert await merchant.delete(f"{CUSTOMERS}/{mine['id']}")
    for method, path, body in (("GET", ME, None), ("POST", ME, {"phone": "2"}), ("POST", f"{ME}/addresses", {"city": "x"})):
        assert (await me.client(method, path, body)).status == 401


async def test_a_customer_keeps_addresses(shop: Shop, store: Client, merchant: Merchant) -> None:
    me = await signed_in(shop, store)
    path = f"{ME}/addresses"
    body = {"first_name": "Ada", "address_1": "Quay 7", "city": "London", "is_default_billing": True}
    (first,) = (await me.post(path, body))["customer"]["addresses"]
    assert body.items() <= first.items()
    await me.post(path, {"city": "Paris", "country_code": "fr"})
    page = await me.get(path, country_code="fr")
    assert [row["city"] for row in page["addresses"]] == ["Paris"]
    assert (page["count"], page["limit"], (await me.get(path))["count"]) == (1, 50, 2)
    assert (await me.get(f"{path}/{first['id']}", fields="city"))["address"] == {"id": first["id"], "city": "London"}

    changed = (await me.post(f"{path}/{first['id']}", {"city": "Oxford"}))["customer"]
    assert sorted(row["city"] for row in changed["addresses"]) == ["Oxford", "Paris"]
    stranger = await signed_in(shop, store)
    for method, change in (("GET", None), ("POST", {"city": "x"})):
        assert (await stranger.refused(method, f"{path}/{first['id']}", change))[:2] == (404, "not_found")
    gone = await me.delete(f"{path}/{first['id']}")
    assert (gone["id"], gone["object"], [row["city"] for row in gone["parent"]["addresses"]]) == (first["id"], "address", ["Paris"])
    assert (await me.refused("POST", path, {"additional_data": {}}))[0] == 400
