"""Users, invitations, and who may do what with them; sales channels; reasons."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    word = api.fresh
    mail = word("uma") + "@example.com"
    await api.admin("GET", "/users/me")
    await api.admin("GET", "/users?email=admin@medusa-test.com&fields=email,first_name,last_name,avatar_url")
    await api.admin("GET", "/users/user_unknown")
    me = (await api.quiet("GET", "/admin/users/me"))["user"]["id"]
    await api.admin("POST", f"/users/{me}", {"first_name": "Ada", "last_name": "L", "avatar_url": "https://example.com/a.png"})
    await api.admin("POST", f"/users/{me}", {"first_name": None, "last_name": None, "avatar_url": None})
    await api.admin("POST", f"/users/{me}", {"email": "x@example.com"})
    invite = (await api.admin("POST", "/invites", {"email": mail, "metadata": {"a": 1}}))["invite"]
    await api.admin("POST", "/invites", {"email": mail})
    await api.admin("POST", "/invites", {"email": "admin@medusa-test.com"})
    await api.admin("POST", "/invites", {})
    await api.admin("GET", f"/invites/{invite['id']}")
    await api.admin("GET", "/invites/invite_unknown")
    await api.admin("GET", f"/invites?q={mail}")
    await api.admin("GET", f"/invites?email={mail}&fields=email,accepted")
    token = (await api.admin("POST", f"/invites/{invite['id']}/resend"))["invite"]["token"]
    await api.admin("POST", "/invites/invite_unknown/resend")
    identity = (await api.quiet("POST", "/auth/user/emailpass/register", {"email": mail, "password": "supersecret"}))["token"]
    mine = api.heads["/admin"]
    api.heads["/admin"] = {"authorization": f"Bearer {identity}"}
    await api.admin("GET", "/users/me")
    await api.admin("POST", "/invites/accept?token=nonsense", {"email": mail, "first_name": "Uma", "last_name": "U"})
    (await api.admin("POST", f"/invites/accept?token={token}", {"email": mail, "first_name": "Uma", "last_name": "U"})).get("user")
    await api.admin("POST", f"/invites/accept?token={token}", {"email": mail, "first_name": "Uma", "last_name": "U"})
    api.heads["/admin"] = {}
    await api.admin("GET", "/users")
    await api.admin("GET", "/products")
    api.heads["/admin"] = {"authorization": "Bearer nonsense"}
    await api.admin("GET", "/users")
    api.heads["/admin"] = mine
    await api.auth("POST", "/user/emailpass", {"email": mail, "password": "wrongwrong"})
    await api.auth("POST", "/user/emailpass", {"email": mail})
    await api.auth("POST", "/user/other", {"email": mail, "password": "supersecret"})
    await api.auth("POST", "/user/emailpass", {"email": mail, "password": "supersecret"})
    await api.auth("POST", "/customer/emailpass", {"email": mail, "password": "supersecret"})
    await api.admin("GET", f"/users?q={mail}")
    await api.admin("DELETE", f"/invites/{invite['id']}")
    await api.admin("DELETE", "/invites/invite_unknown")
    one = (
        await api.admin(
            "POST", "/sales-channels", {"name": word("Web"), "description": "the web", "is_disabled": False, "metadata": {"a": 1}}
        )
    )["sales_channel"]["id"]
    await api.admin("POST", "/sales-channels", {"description": "none"})
    await api.admin("GET", f"/sales-channels/{one}")
    await api.admin("GET", "/sales-channels/sc_unknown")
    await api.admin("GET", f"/sales-channels?q={api.word}&order=name&fields=name,is_disabled")
    await api.admin("GET", f"/sales-channels?name={word('Web')}&is_disabled=false&fields=name")
    await api.admin("POST", f"/sales-channels/{one}", {"name": word("Shop"), "is_disabled": True})
    await api.admin("POST", "/sales-channels/sc_unknown", {"name": "x"})
    await api.admin("POST", f"/sales-channels/{one}/products", {"add": ["prod_unknown"]})
    await api.admin("DELETE", f"/sales-channels/{one}")
    await api.admin("DELETE", f"/sales-channels/{one}")
    store = (await api.quiet("GET", "/admin/stores"))["stores"][0]["default_sales_channel_id"]
    await api.admin("DELETE", f"/sales-channels/{store}")
    reason = (
        await api.admin("POST", "/return-reasons", {"value": word("small"), "label": "Too small", "description": "d", "metadata": {"a": 1}})
    )["return_reason"]["id"]
    await api.admin("POST", "/return-reasons", {"value": word("small"), "label": "again"})
    (await api.admin("POST", "/return-reasons", {"value": word("arm"), "label": "Arms", "parent_return_reason_id": reason})).get(
        "return_reason"
    )
    await api.admin("POST", "/return-reasons", {"value": word("x"), "label": "x", "parent_return_reason_id": "rr_unknown"})
    await api.admin("GET", f"/return-reasons/{reason}")
    await api.admin("GET", f"/return-reasons?q={api.word}&order=value")
    await api.store("GET", f"/return-reasons/{reason}")
    await api.store("GET", "/return-reasons/rr_unknown")
    await api.admin("POST", f"/return-reasons/{reason}", {"label": "Smaller"})
    await api.admin("DELETE", f"/return-reasons/{reason}")
    await api.admin("GET", f"/return-reasons?q={api.word}&fields=value")
