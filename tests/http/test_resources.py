"""Routes that are rows: they read, write and link through the modules."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.errors import InvalidData, NotAllowed
from velella.core.flow import Flow, step
from velella.core.ids import ulid

from .conftest import PEOPLE, Client, Shop


async def test_a_row_is_created_read_changed_and_deleted(admin: Client) -> None:
    email = f"{ulid()}@Example.com"
    made = await admin("POST", "/admin/people", {"email": email, "first_name": "Ada"})
    assert made.status == 200
    person = made.json["person"]
    assert person == {"id": person["id"], "email": email.lower()}, "as the row's function made it, in the view's fields"

    path = f"/admin/people/{person['id']}"
    changed = await admin("POST", f"{path}?fields=%2Bfirst_name,%2Bmetadata", {"metadata": {"rate": 1}})
    assert changed.json["person"] == {**person, "first_name": "Ada", "metadata": {"rate": 1}}
    assert (await admin("GET", f"{path}?fields=first_name")).json["person"] == {"id": person["id"], "first_name": "Ada"}

    assert (await admin("DELETE", path)).json == {"id": person["id"], "object": "user", "deleted": True}
    for method, body in (("GET", None), ("POST", {"first_name": "x"})):
        gone = await admin(method, path, body)
        assert (gone.status, gone.json) == (404, {"type": "not_found", "message": f"User with id: {person['id']} was not found"})


async def test_a_row_is_written_once_under_one_key_however_often_it_is_asked_for(admin: Client, shop: Shop) -> None:
    tag, repeated = ulid().lower(), admin.with_(idempotency_key=ulid())
    first, again = [await repeated("POST", "/admin/people", {"email": f"{tag}@example.com"}) for _ in range(2)]
    assert (again.status, again.json) == (first.status, first.json) == (200, first.json)
    other = await repeated("POST", "/admin/people", {"email": f"{tag}-2@example.com"})
    assert other.json["person"]["id"] != first.json["person"]["id"], "another body is another request"
    path = f"/admin/people/{first.json['person']['id']}"
    await repeated("POST", path, {"first_name": "Ada"})
    await admin("POST", path, {"first_name": "Grace"})
    assert (await repeated("POST", f"{path}?fields=first_name", {"first_name": "Ada"})).json["person"]["first_name"] == "Grace"
    assert [(await repeated("DELETE", path)).json["deleted"] for _ in range(2)] == [True, True]
    assert (await admin("GET", f"/admin/people?q={tag}")).json["count"] == 1


async def test_a_row_runs_its_hooks_and_takes_back_what_it_wrote_when_one_of_them_fails(
    admin: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    tag = ulid().lower()

    @step(reads=True)
    async def look(flow: Flow, **given: Any) -> None:
        seen.append(given)
        if len(seen) > 2:
            raise NotAllowed("Not that one")

    for flow, hook in ((PEOPLE.create, "peopleCreated"), (PEOPLE.update, "peopleUpdated"), (PEOPLE.delete, "peopleDeleted")):
        monkeypatch.setitem(flow.handlers, hook, [look])
    id = (await admin("POST", "/admin/people", {"email": f"{tag}@example.com"})).json["person"]["id"]
    await admin("POST", f"/admin/people/{id}", {"first_name": "Ada"})
    told = [(*(given["people"][0][name] for name in ("id", "first_name")), given["additional_data"]) for given in seen]
    assert told == [(id, None, None), (id, "Ada", None)]
    assert (await admin("POST", f"/admin/people/{id}", {"first_name": "Grace"})).status == 400
    assert (await admin("POST", "/admin/people", {"email": f"{tag}-2@example.com"})).status == 400
    assert (await admin("DELETE", f"/admin/people/{id}")).status == 400
    assert seen[-1]["ids"] == [id]
    assert [row["first_name"] for row in await shop.host.modules.user.list("user", {"q": tag})] == ["Ada"]


async def test_a_list_has_a_page_and_a_count(admin: Client) -> None:
    tag = ulid().lower()
    for at in range(3):
        await admin("POST", "/admin/people", {"email": f"{tag}-{at}@example.com"})
    page = (await admin("GET", f"/admin/people?q={tag}&limit=2&offset=1&order=email")).json
    assert [row["email"][len(tag) :] for row in page["people"]] == ["-1@example.com", "-2@example.com"]
    assert (page["count"], page["offset"], page["limit"]) == (3, 1, 2)
    none = (await admin("GET", f"/admin/people?email={tag}")).json
    assert none == {"people": [], "count": 0, "offset": 0, "limit": 15}


async def test_what_is_taken_is_told(admin: Client) -> None:
    email = f"{ulid().lower()}@example.com"
    await admin("POST", "/admin/people", {"email": email})
    taken = await admin("POST", "/admin/people", {"email": email})
    assert (taken.status, taken.json) == (400, {"type": "invalid_data", "message": f"User with email: {email}, already exists."})


async def test_api_keys_show_their_secret_once(admin: Client, shop: Shop) -> None:
    for key in await shop.host.modules.api_key.list("api_key", {"type": "secret", "revoked_at": None}):
        await shop.host.modules.api_key.revoke(key["id"], "test")
    made = await admin("POST", "/admin/api-keys", {"title": "Robot", "type": "secret"})
    key = made.json["api_key"]
    assert key["token"].startswith("sk_")
    assert key["redacted"] == f"{key['token'][:6]}***{key['token'][-3:]}"
    path = f"/admin/api-keys/{key['id']}"
    assert (await admin("GET", path)).json["api_key"]["token"] == ""
    for hidden in ("digest", "salt"):
        assert hidden not in (await admin("GET", f"{path}?fields=%2B{hidden}")).json["api_key"]
    second = (await admin("POST", "/admin/api-keys", {"title": "Second", "type": "secret"})).json["api_key"]
    assert second["token"] not in ("", key["token"])
    assert (await admin("GET", f"/admin/api-keys/{second['id']}")).json["api_key"]["token"] == ""
    assert (await admin("POST", path, {"title": "Robot 2"})).json["api_key"]["title"] == "Robot 2"
    refused = await admin("DELETE", path)
    assert (refused.status, refused.json["type"]) == (400, "not_allowed")
    later = await admin("POST", f"{path}/revoke", {"revoke_in": 3600})
    assert later.json["api_key"]["revoked_at"] > later.json["api_key"]["updated_at"]
    assert later.json["api_key"]["revoked_by"].startswith("user_")
    assert (await admin("DELETE", path)).status == 400, "it still opens doors for an hour"
    assert (await admin("POST", f"{path}/revoke", {})).status == 400
    assert (await admin("POST", "/admin/api-keys/apk_none/revoke", {})).status == 404


async def test_a_publishable_key_is_linked_and_unlinked(admin: Client, shop: Shop) -> None:
    key = (await admin("POST", "/admin/api-keys", {"title": "Web", "type": "publishable"})).json["api_key"]
    channels = await shop.host.modules.sales_channel.create("sales_channel", [{"name": f"c{ulid()}"} for _ in range(2)])
    ids = [channel["id"] for channel in channels]
    path = f"/admin/api-keys/{key['id']}/sales-channels"
    linked = (await admin("POST", path, {"add": ids})).json["api_key"]
    assert sorted(channel["id"] for channel in linked["sales_channels"]) == sorted(ids)
    assert linked["token"] == key["token"]
    left = (await admin("POST", path, {"remove": ids[:1], "add": ids[1:]})).json["api_key"]
    assert [channel["id"] for channel in left["sales_channels"]] == ids[1:]
    assert (await admin("POST", path, {"add": ["sc_none"]})).status == 400
    assert (await admin("POST", "/admin/api-keys/apk_none/sales-channels", {"add": ids})).status == 404
    await admin("POST", f"/admin/api-keys/{key['id']}/revoke", {})
    assert (await admin("DELETE", f"/admin/api-keys/{key['id']}")).json["deleted"] is True


async def test_users_see_and_change_themselves(admin: Client) -> None:
    me = (await admin("GET", "/admin/users/me")).json["user"]
    path = f"/admin/users/{me['id']}"
    assert (await admin("GET", path)).json["user"] == me
    assert me["id"] in [user["id"] for user in (await admin("GET", "/admin/users?limit=1000")).json["users"]]
    changed = (await admin("POST", path, {"first_name": "Ada", "metadata": {"desk": 3}})).json["user"]
    assert (changed["first_name"], changed["metadata"], changed["email"]) == ("Ada", {"desk": 3}, me["email"])
    assert (await admin("POST", path, {"email": "x@y.zz"})).status == 400
    assert (await admin("POST", "/admin/users/user_none", {"first_name": "x"})).status == 404


async def test_an_account_is_made_and_removed_whole(admin: Client, client: Client, shop: Shop) -> None:
    email, auth = f"{ulid().lower()}@example.com", shop.host.modules.auth
    made = await client("POST", "/auth/user/emailpass/register", {"email": email, "password": "secret words"})
    identity = (await auth.authenticate("emailpass", {"body": {"email": email, "password": "secret words"}}))["auth_identity"]
    assert identity is not None
    account = {"auth_identity_id": identity["id"], "user": {"email": email}}
    user = await shop.host.workflows.run("create-user-account", account)
    again = {"auth_identity_id": identity["id"], "user": {"email": f"other-{email}"}}
    with pytest.raises(InvalidData, match="already exists in app metadata"):
        await shop.host.workflows.run("create-user-account", again)
    assert await shop.host.modules.user.list("user", {"email": f"other-{email}"}) == [], "what was begun is undone"

    fresh = await client.with_(authorization=f"Bearer {made.json['token']}")("POST", "/auth/token/refresh")
    themselves = client.with_(authorization=f"Bearer {fresh.json['token']}")
    path = f"/admin/users/{user['id']}"
    assert (await themselves("GET", f"{path}/auth-providers")).json == {"providers": ["emailpass"]}
    token = (await admin("POST", f"{path}/reset-password")).json["token"]
    by_token = client.with_(authorization=f"Bearer {token}")
    assert (await by_token("POST", "/auth/user/emailpass/update", {"password": "new secret"})).json == {"success": True}
    asked = await client("POST", "/auth/user/emailpass/reset-password", {"identifier": "nobody@example.com"})
    assert (asked.status, asked.text) == (201, "Created")

    assert (await themselves("GET", path)).status == 401, "another secret ends what was proven with the one before"
    assert (await admin("DELETE", path)).json == {"id": user["id"], "object": "user", "deleted": True}
    assert (await client("POST", "/auth/user/emailpass", {"email": email, "password": "new secret"})).status == 401
    assert (await client("POST", "/auth/user/emailpass/register", {"email": email, "password": "back again"})).status == 200
