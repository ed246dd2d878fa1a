"""Who may end whose account, and what a key may be linked to."""

from __future__ import annotations

from velella.core.ids import ulid

from ..conftest import Client, Shop
from .conftest import Merchant


async def new_user(shop: Shop) -> str:
    return str((await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com"}]))[0]["id"])


async def test_a_user_deletes_others_and_never_itself(shop: Shop, merchant: Merchant) -> None:
    me = (await merchant.get("/admin/users/me"))["user"]["id"]
    status, type, message = await merchant.refused("DELETE", f"/admin/users/{me}")
    assert (status, type) == (400, "not_allowed")
    assert "itself" in message
    assert (await merchant.get("/admin/users/me"))["user"]["id"] == me
    other = await new_user(shop)
    assert await merchant.delete(f"/admin/users/{other}") == {"id": other, "object": "user", "deleted": True}
    assert (await merchant.refused("GET", f"/admin/users/{other}"))[0] == 404
    assert (await merchant.refused("DELETE", f"/admin/users/{other}"))[0] == 404


async def test_sales_channels_open_with_publishable_keys_only(shop: Shop, merchant: Merchant, client: Client) -> None:
    channel = (await merchant.post("/admin/sales-channels", {"name": f"Fair {ulid()}"}))["sales_channel"]["id"]
    for key in await shop.host.modules.api_key.list("api_key", {"type": "secret", "revoked_at": None}):
        await shop.host.modules.api_key.revoke(key["id"], "test")
    secret = (await merchant.post("/admin/api-keys", {"title": "t", "type": "secret"}))["api_key"]["id"]
    for body in ({"add": [channel]}, {"remove": [channel]}, {}):
        status, type, _ = await merchant.refused("POST", f"/admin/api-keys/{secret}/sales-channels", body)
        assert (status, type) == (400, "invalid_data")
    assert (await merchant.get(f"/admin/api-keys/{secret}"))["api_key"]["sales_channels"] == []
    public = (await merchant.post("/admin/api-keys", {"title": "t", "type": "publishable"}))["api_key"]["id"]
    path = f"/admin/api-keys/{public}/sales-channels"
    assert [row["id"] for row in (await merchant.post(path, {"add": [channel]}))["api_key"]["sales_channels"]] == [channel]
    assert (await merchant.refused("POST", path, {"add": ["sc_0"]}))[:2] == (400, "invalid_data")
    assert (await merchant.post(path, {"remove": [channel]}))["api_key"]["sales_channels"] == []
    assert (await merchant.refused("POST", "/admin/api-keys/apk_0/sales-channels", {"add": [channel]}))[0] == 404
