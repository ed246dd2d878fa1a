"""One person whose address is written in several ways, and whose address changes."""

from __future__ import annotations

from ..ground import Api

PASSWORD = "supersecret"


async def run(api: Api) -> None:
    shop = await api.shop("pt", "eur")
    mail, new = api.fresh("Dora") + "@example.com", api.fresh("new") + "@example.com"
    await api.store("POST", "/carts?fields=email,customer.email", {"region_id": shop.region, "email": mail})
    token = (await api.auth("POST", "/customer/emailpass/register", {"email": mail, "password": PASSWORD}))["token"]
    await api.store("POST", "/customers", {"email": mail, "first_name": "Dora"}, token)
    await api.auth("POST", "/customer/emailpass", {"email": mail, "password": PASSWORD})
    await api.auth("POST", "/customer/emailpass", {"email": mail.lower(), "password": PASSWORD})
    await api.auth("POST", "/customer/emailpass/register", {"email": mail.lower(), "password": PASSWORD})
    await api.admin("POST", "/customers", {"email": mail.lower()})
    who = (await api.admin("GET", f"/customers?email={mail}&has_account=true&fields=email"))["customers"][0]["id"]
    await api.admin("POST", f"/customers/{who}", {"email": new})
    await api.auth("POST", "/customer/emailpass", {"email": new, "password": PASSWORD})
    await api.auth("POST", "/customer/emailpass", {"email": mail, "password": PASSWORD})
    await api.store("GET", "/customers/me", token=token)
