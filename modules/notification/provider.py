"""The interface of notification providers.

A provider is a class named in the settings (`providers.notification`); its options are its constructor's arguments, `channels` among
them: a channel belongs to one provider. It is called outside of any transaction.

A message whose answer was lost is sent again, with the same id: if the outside service can recognise repetitions by an id, a provider
passes it on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...core.service.providers import Provider


@dataclass(frozen=True, slots=True)
class Content:
    """The contents of an email. `html` may be missing."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class NotificationMessage:
    """One notification to one receiver."""

    id: str
    """The notification's id: the same whenever it is sent again."""
    to: str
    channel: str
    template: str | None = None
    sender: str | None = None
    """None: the provider's own sender."""
    content: Content | None = None
    """None: there are only data, as for the dashboard's feed."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Including secrets that only the receiver may know."""


class NotificationProvider(Provider, ABC):
    """Base of all notification providers."""

    identifier: ClassVar[str]
    name: ClassVar[str]

    channels: Sequence[str] | None
    """The channels it delivers. None: all that no other provider delivers."""

    @abstractmethod
    async def send(self, message: NotificationMessage) -> str | None:
        """Deliver a message. Returns its id at the outside service, if it has one.

        InvalidData means that it can never be delivered (there is no such address); after any other error it may be tried again.
        """
