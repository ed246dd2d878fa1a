"""Who is deleted, or has another secret by now, is out through every door at once, and all doors count guesses together: in every process
of both topologies."""

from __future__ import annotations

import asyncio

from velella.core.ids import ulid

from .served import Api, Served

ASKED = 24
"""Requests on connections of their own: each of the doors gets some."""


async def statuses(colony: Served, path: str, **headers: str) -> list[int]:
    async def ask() -> int:
        async with colony.session.get(colony.base + path, headers={**headers, "connection": "close"}) as answer:
            return answer.status

    return await asyncio.gather(*(ask() for _ in range(ASKED)))


async def new_user(colony: Served, admin: Api) -> tuple[str, str, str]:
    """Address, id and token of one."""
    email, guest = f"{ulid().lower()}@example.com", Api(colony.session, colony.base)
    given = {"email": email, "password": "correct horse"}
    invite = (await admin.post("/admin/invites", {"email": email}))["invite"]
    signed_up = (await guest.post("/auth/user/emailpass/register", given))["token"]
    path = f"/admin/invites/accept?token={invite['token']}"
    user = await Api(colony.session, colony.base, {"authorization": f"Bearer {signed_up}"}).post(path, {})
    return email, user["user"]["id"], (await guest.post("/auth/user/emailpass", given))["token"]


async def test_who_is_deleted_is_out_through_every_door(colony: Served) -> None:
    admin = await colony.admin()
    _, id, token = await new_user(colony, admin)
    bearer = {"authorization": f"Bearer {token}"}
    async with colony.session.post(f"{colony.base}/auth/session", headers=bearer) as begun:
        cookie = {"cookie": begun.headers["Set-Cookie"].partition(";")[0]}
    for headers in (bearer, cookie):
        for _ in range(3):  # until each door answers from memory
            assert set(await statuses(colony, "/admin/users", **headers)) == {200}
    async with colony.session.delete(f"{colony.base}/admin/users/{id}", headers=admin.headers) as gone:
        assert gone.status == 200
    for headers in (bearer, cookie):
        for path in ("/admin/users", "/admin/users/me", "/admin/orders"):
            assert set(await statuses(colony, path, **headers)) == {401}


async def test_another_secret_ends_what_was_proven_before_through_every_door(colony: Served) -> None:
    admin = await colony.admin()
    email, id, token = await new_user(colony, admin)
    for _ in range(3):
        assert set(await statuses(colony, "/admin/users", authorization=f"Bearer {token}")) == {200}
    token = (await admin.post(f"/admin/users/{id}/reset-password", {}))["token"]
    by_token = Api(colony.session, colony.base, {"authorization": f"Bearer {token}"})
    assert await by_token.post("/auth/user/emailpass/update", {"password": "another horse"}) == {"success": True}
    assert set(await statuses(colony, "/admin/users", authorization=f"Bearer {token}")) == {401}
    fresh = await Api(colony.session, colony.base).post("/auth/user/emailpass", {"email": email, "password": "another horse"})
    assert set(await statuses(colony, "/admin/users", authorization=f"Bearer {fresh['token']}")) == {200}


async def test_all_doors_count_guesses_together(colony: Served) -> None:
    email, _, _ = await new_user(colony, await colony.admin())

    async def guess(n: int) -> int:
        given = {"email": email, "password": f"guess number {n}"}
        while True:
            options = {"json": given, "headers": {"connection": "close"}}
            async with colony.session.post(f"{colony.base}/auth/user/emailpass", **options) as answer:
                if answer.status != 503:
                    return answer.status
            await asyncio.sleep(0.2)  # a crowd is told to come back

    statuses = await asyncio.gather(*(guess(n) for n in range(ASKED)))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 10
