"""What is no email address is kept nowhere, whichever way it comes in."""

from __future__ import annotations

import pytest

from velella.cli.accounts import create_admin
from velella.core.emails import is_email
from velella.core.errors import InvalidData
from velella.core.ids import ulid

from ..conftest import Client, Shop
from .conftest import Merchant

WRONG = (
    "ada@example.com\n",
    "\nada@example.com",
    "ada@example.com\r\nBcc: everybody@example.com",
    "ada\u0007@example.com",
    "ada@exam\u200bple.com",
    "ädä@example.com",
    "ada",
    "@example.com",
    "ada@example",
    "ada..b@example.com",
    "ada @example.com",
    f"{'a' * 250}@example.com",
    "",
)


def test_an_address_is_one_from_its_first_letter_to_its_last() -> None:
    assert not any(map(is_email, (*WRONG, None, 1, ["ada@example.com"])))
    assert all(map(is_email, ("ada@example.com", "a.b+c_d-e'f@mail.example.co", f"{'a' * 242}@example.com")))


@pytest.fixture
async def bearer(client: Client) -> str:
    """A token of somebody who has just signed up."""
    made = await client("POST", "/auth/user/emailpass/register", {"email": f"{ulid()}@example.com", "password": "correct horse"})
    return str(made.json["token"])


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
async def test_no_door_takes_what_is_no_address(shop: Shop, merchant: Merchant, client: Client, bearer: str, wrong: str) -> None:
    modules = shop.host.modules
    if wrong:  # the API has words of its own for none at all
        for actor in ("user", "customer"):
            refused = await client("POST", f"/auth/{actor}/emailpass/register", {"email": wrong, "password": "correct horse"})
            assert (refused.status, refused.json["type"]) == (400, "invalid_data"), actor
    assert (await merchant.refused("POST", "/admin/invites", {"email": wrong}))[:2] == (400, "invalid_data")
    assert (await merchant.refused("POST", "/admin/customers", {"email": wrong}))[:2] == (400, "invalid_data")
    known = (await merchant.post("/admin/customers", {"email": f"{ulid()}@example.com"}))["customer"]["id"]
    assert (await merchant.refused("POST", f"/admin/customers/{known}", {"email": wrong}))[:2] == (400, "invalid_data")

    invite = (await merchant.post("/admin/invites", {"email": f"{ulid()}@example.com"}))["invite"]
    options = {"params": {"token": invite["token"]}, "headers": {"authorization": f"Bearer {bearer}"}}
    refused = await client("POST", "/admin/invites/accept", {"email": wrong}, **options)
    assert (refused.status, refused.json["type"]) == (400, "invalid_data")
    assert (await merchant.get(f"/admin/invites/{invite['id']}"))["invite"]["accepted"] is False

    # and what comes past the doors: the command line, and flows and plugins that ask a module
    with pytest.raises(InvalidData):
        await create_admin(modules, wrong, "correct horse")
    for entity, rows in (("user", [{"email": wrong}]), ("customer", [{"email": wrong}])):
        with pytest.raises(InvalidData):
            await getattr(modules, entity).create(entity, rows)
    with pytest.raises(InvalidData):
        await modules.customer.guest(wrong)
    with pytest.raises(InvalidData):
        await modules.notification.create_notifications([{"to": wrong, "channel": "email", "content": {"subject": "x", "text": "y"}}])
    assert not await modules.notification.list("notification", {"to": wrong})
    assert not await modules.auth.list("provider_identity", {"entity_id": wrong})
