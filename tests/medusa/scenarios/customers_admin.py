"""Customers, their addresses and groups as an admin keeps them, one or many at a time."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    word = api.fresh
    mail = word("Cara") + "@Example.com"
    one = (
        await api.admin(
            "POST",
            "/customers",
            {"email": mail, "first_name": "Cara", "last_name": "C", "phone": "1", "company_name": "C Co", "metadata": {"a": 1}},
        )
    )["customer"]["id"]
    await api.admin("POST", "/customers", {"email": mail})
    await api.admin("POST", "/customers", {"email": mail.lower()})
    await api.admin("POST", "/customers", {"first_name": "x"})
    await api.admin("POST", "/customers", {"email": 5})
    await api.admin("POST", "/customers", {"email": word("x") + "@example.com", "unknown": 1})
    await api.admin("GET", f"/customers/{one}")
    await api.admin("GET", "/customers/cus_unknown")
    await api.admin("GET", f"/customers/{one}?fields=email,*addresses,*groups")
    await api.admin("GET", f"/customers?q=cara-{api.word}&fields=email,has_account")
    await api.admin("GET", f"/customers?email={mail.lower()}&has_account=false&fields=email,first_name")
    await api.admin("GET", f"/customers?has_account=true&q={api.word}&fields=email")
    await api.admin("GET", "/customers?limit=x")
    await api.admin("GET", "/customers?unknown=1")
    await api.admin("POST", f"/customers/{one}", {"first_name": None, "email": word("cora") + "@example.com"})
    await api.admin("POST", f"/customers/{one}", {"email": "no address"})
    await api.admin("POST", "/customers/cus_unknown", {"first_name": "x"})
    home = {
        "address_name": "home",
        "first_name": "C",
        "address_1": "Street 1",
        "city": "Oslo",
        "country_code": "NO",
        "postal_code": "1",
        "province": "x",
        "phone": "2",
        "company": "co",
        "metadata": {"b": 2},
        "is_default_shipping": True,
    }
    await api.admin("POST", f"/customers/{one}/addresses", home)
    await api.admin(
        "POST", f"/customers/{one}/addresses", {"address_name": "work", "is_default_shipping": True, "is_default_billing": True}
    )
    await api.admin("POST", f"/customers/{one}/addresses", {"country_code": 5})
    await api.admin("POST", "/customers/cus_unknown/addresses", home)
    await api.admin("GET", f"/customers/{one}/addresses?order=address_name")
    first = (await api.quiet("GET", f"/admin/customers/{one}/addresses?order=address_name"))["addresses"][0]["id"]
    await api.admin("GET", f"/customers/{one}/addresses/{first}")
    await api.admin("GET", f"/customers/{one}/addresses/cuaddr_unknown")
    await api.admin("POST", f"/customers/{one}/addresses/{first}", {"city": "Bergen", "is_default_billing": True})
    await api.admin(
        "GET", f"/customers/{one}?fields=addresses.address_name,addresses.city,addresses.is_default_shipping,addresses.is_default_billing"
    )
    await api.admin("POST", f"/customers/{one}/addresses/cuaddr_unknown", {"city": "x"})
    await api.admin("DELETE", f"/customers/{one}/addresses/{first}")
    await api.admin("DELETE", f"/customers/{one}/addresses/cuaddr_unknown")
    group = (await api.admin("POST", "/customer-groups", {"name": word("Gold"), "metadata": {"x": 1}}))["customer_group"]["id"]
    other = (await api.admin("POST", "/customer-groups", {"name": word("Silver")}))["customer_group"]["id"]
    await api.admin("POST", "/customer-groups", {})
    await api.admin("POST", f"/customer-groups/{other}", {"name": word("Gold")})
    await api.admin("POST", f"/customer-groups/{other}", {"name": word("Bronze"), "metadata": {"y": 1}})
    await api.admin("POST", "/customer-groups/cusgroup_unknown", {"name": "x"})
    await api.admin("POST", f"/customers/{one}/customer-groups", {"add": [group, other]})
    await api.admin("POST", f"/customers/{one}/customer-groups", {"add": [group], "remove": [other]})
    await api.admin("POST", f"/customers/{one}/customer-groups", {"add": ["cusgroup_unknown"]})
    await api.admin("POST", f"/customer-groups/{group}/customers", {"add": ["cus_unknown"]})
    await api.admin("POST", f"/customer-groups/{other}/customers", {"add": [one], "remove": []})
    await api.admin("GET", f"/customer-groups/{group}")
    await api.admin("GET", f"/customer-groups/{group}?fields=name,customers.email")
    await api.admin("GET", "/customer-groups/cusgroup_unknown")
    await api.admin("GET", f"/customer-groups?q={api.word}&order=name&fields=name")
    await api.admin("GET", f"/customer-groups?customers[email]={word('cora')}@example.com&fields=name&order=name")
    await api.admin("GET", f"/customers?groups={group}&fields=email")
    await api.admin("DELETE", f"/customer-groups/{group}")
    await api.admin("DELETE", f"/customer-groups/{group}")
    await api.admin("GET", f"/customers/{one}?fields=email,groups.name")
    await api.admin("DELETE", f"/customers/{one}")
    await api.admin("DELETE", f"/customers/{one}")
    await api.admin("GET", f"/customers/{one}")
