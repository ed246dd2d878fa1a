"""What happened in a shop during a test."""

from __future__ import annotations

from ..core.flow import Event
from ..modules.notification.provider import NotificationMessage
from .shop import Shop


class Emails:
    """The emails that were sent since this was made."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._before = {message.id for message in shop.emails()}

    async def sent(self, to: str | None = None, template: str | None = None) -> list[NotificationMessage]:
        """The emails to an address, and of a template, oldest first. Waits until the shop has done all it has to (`Shop.settled`)."""
        await self._shop.settled()
        new = [message for message in self._shop.emails() if message.id not in self._before]
        return [one for one in new if to in (None, one.to) and template in (None, one.template)]


class Events:
    """The events that were emitted since this was made."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._before = {event.id for event in shop.events()}

    async def emitted(self, name: str | None = None) -> list[Event]:
        """The events of that name, oldest first. Waits until the shop has done all it has to (`Shop.settled`)."""
        await self._shop.settled()
        return [event for event in self._shop.events() if event.id not in self._before and name in (None, event.name)]
