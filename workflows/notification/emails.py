"""Subscribers that send emails."""

from __future__ import annotations

from urllib.parse import quote

from ...core.emails import is_email
from ...core.errors import Unavailable
from ...core.rows import Row
from ...core.settings import Settings
from ..kit import Event, Flow, subscriber


async def send(
    flow: Flow,
    event: Event,
    template: str,
    to: str,
    *,
    url: str,
    data: Row,
    resource: tuple[str, str] | None = None,
    about: str | None = None,
) -> None:
    """Send an email about an event, once; or, of all events that are `about` the same thing, once. Raises if it could not be sent now: then
    the event is delivered again later."""
    stores = await flow.modules.store.list("store", fields=("name",), limit=1)
    row: Row = {
        "to": to,
        "channel": "email",
        "template": template,
        "data": {"store_name": stores[0]["name"] if stores else "the shop", **data},
        "secrets": {"url": url},
        "trigger_type": event.name,
        "idempotency_key": f"{about or event.id}:{template}",
    }
    if resource is not None:
        row["resource_type"], row["resource_id"] = resource
    [sent] = await flow.modules.notification.create_notifications([row])
    if sent["status"] == "pending":
        raise Unavailable(f"The email {sent['id']} could not be sent", hint=sent["failure"])


@subscriber("invite.created", "invite.resent")
async def invite(flow: Flow, event: Event) -> None:
    """Invite a person to the shop's staff. An invitation that is deleted, or accepted by now, gets no email."""
    found = await flow.modules.user.list("invite", {"id": event.data["id"], "accepted": False}, limit=1)
    if found:
        url = f"{admin_url(flow.settings)}/invite?token={quote(found[0]['token'])}"
        to = found[0]["email"]
        await send(flow, event, "user-invited", to, url=url, data={"email": to}, resource=("invite", found[0]["id"]))


@subscriber("auth.password_reset")
async def password_reset(flow: Flow, event: Event) -> None:
    """Let a person choose a new password. For names that aren't email addresses the shop needs a subscriber of its own."""
    to, actor = event.data["entity_id"], event.data["actor_type"]
    storefronts = {"user": admin_url(flow.settings), "customer": storefront_url(flow.settings)}
    if is_email(to) and actor in storefronts:
        url = f"{storefronts[actor]}/reset-password?token={quote(event.data['token'])}&email={quote(to)}"
        await send(flow, event, "password-reset", to, url=url, data={"email": to, "actor_type": actor})


@subscriber("auth.verification_requested")
async def verification(flow: Flow, event: Event) -> None:
    """Let a person prove that an email address is theirs. For other kinds of names the shop needs a subscriber of its own."""
    to = event.data["entity_id"]
    if event.data["entity_type"] == "email" and is_email(to):
        url = f"{storefront_url(flow.settings)}/verify-email?code={quote(event.data['code'])}"
        await send(flow, event, "verify-email", to, url=url, data={"email": to})


def admin_url(settings: Settings) -> str:
    """The URL of the dashboard."""
    return (settings.admin_url or f"{settings.url}/app").rstrip("/")


def storefront_url(settings: Settings) -> str:
    """The URL of the storefront: as the settings say, or the first origin that may call the store API."""
    if settings.storefront_url is not None:
        return settings.storefront_url.rstrip("/")
    origins = [origin.strip() for origin in settings.store_cors.split(",")]
    return next((origin for origin in origins if origin.startswith("http")), settings.public_url or "").rstrip("/")
