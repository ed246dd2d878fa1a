"""A guest buys, then registers; addresses with defaults; groups; what an admin sees of them."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("no", "eur")
    mug = await api.goods(shop, "Mug", {"one": 8})
    mail = api.fresh("dora") + "@example.com"
    cart = (
        await api.store("POST", "/carts", {"region_id": shop.region, "email": mail, "items": [{"variant_id": mug["one"], "quantity": 1}]})
    )["cart"]["id"]
    await api.admin("GET", f"/customers?q={mail}&fields=id,email,has_account,first_name")
    token = (await api.quiet("POST", "/auth/customer/emailpass/register", {"email": mail, "password": "supersecret"}))["token"]
    await api.store("GET", "/customers/me", token=token)  # has no customer yet
    await api.store(
        "POST", "/customers", {"email": mail, "first_name": "Dora", "last_name": "D", "company_name": "D & Co", "metadata": {"a": 1}}, token
    )
    await api.store("POST", "/customers", {"email": mail}, token)
    token = (await api.quiet("POST", "/auth/customer/emailpass", {"email": mail, "password": "supersecret"}))["token"]
    await api.auth("POST", "/customer/emailpass", {"email": mail, "password": "wrong"})
    await api.auth("POST", "/customer/emailpass/register", {"email": mail, "password": "other"})
    await api.store(
        "POST",
        "/customers/me/addresses",
        {
            "address_name": "home",
            "first_name": "Dora",
            "address_1": "Street 1",
            "city": "Oslo",
            "country_code": "no",
            "is_default_shipping": True,
            "is_default_billing": True,
        },
        token,
    )
    await api.store(
        "POST",
        "/customers/me/addresses?fields=*addresses",
        {"address_name": "work", "address_1": "Street 2", "country_code": "NO", "is_default_shipping": True},
        token,
    )
    await api.store("GET", "/customers/me/addresses?order=address_name", token=token)
    first = (await api.quiet("GET", "/store/customers/me/addresses?order=address_name", token=token))["addresses"][0]["id"]
    await api.store("POST", f"/customers/me/addresses/{first}", {"city": "Bergen", "metadata": {"floor": 3}}, token)
    await api.store("DELETE", f"/customers/me/addresses/{first}", token=token)
    await api.store("POST", f"/carts/{cart}/customer", {}, token)
    who = (await api.admin("GET", f"/customers?q={mail}&order=has_account&fields=id,email,has_account,*addresses,*groups"))["customers"][
        -1
    ]["id"]
    group = (await api.admin("POST", "/customer-groups", {"name": api.fresh("vip"), "metadata": {"level": "x"}}))["customer_group"]["id"]
    await api.admin("POST", "/customer-groups", {"name": api.fresh("vip")})  # the name is taken
    await api.admin("POST", f"/customer-groups/{group}/customers", {"add": [who]})
    await api.admin("GET", f"/customers?groups[]={group}&fields=id,email,groups.name")
    await api.admin("GET", f"/customer-groups?q=vip-{api.word}&fields=name,customers.email")
    await api.admin("POST", f"/customers/{who}", {"phone": "555", "metadata": {"b": 2}})
    await api.admin("POST", f"/customers/{who}/addresses", {"address_1": "Third", "country_code": "se", "is_default_billing": True})
    await api.admin("POST", f"/customers/{who}/customer-groups", {"remove": [group]})
    await api.admin("POST", "/customers", {"email": api.fresh("eve") + "@example.com", "first_name": "Eve"})
    await api.admin("POST", "/customers", {"email": "no address", "first_name": "Eve"})
    await api.admin("DELETE", f"/customers/{who}")
    await api.store("GET", "/customers/me", token=token)
    await api.admin("DELETE", f"/customer-groups/{group}")
