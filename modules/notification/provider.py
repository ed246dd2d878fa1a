"""What a notification provider has to be able to do.

A provider is a class named in the settings (`providers.notification`); its options are its constructor's arguments, `channels` among
them: a channel belongs to one provider. It is asked outside of any transaction.

A message that was sent and whose answer was lost is sent again, under the same id: where the outside party can tell by it that it has the
message already, a provider passes it on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter says. `html` may be missing."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One notification to one receiver."""

    id: str
    """The notification's: the same whenever it is sent again."""
    to: str
    channel: str
    template: str | None = None
    sender: str | None = None
    """None: the provider's own."""
    content: Content | None = None
    """None: there are only data, as for the dashboard's feed."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """With what only the receiver may know."""


class NotificationProvider(ABC):
    """Base of all notification providers."""

    identifier: ClassVar[str]
    name: ClassVar[str]

    channels: Sequence[str] | None
    """What it delivers. None: whatever no other provider does."""

    @abstractmethod
    async def send(self, message: Message) -> str | None:
        """Deliver it; its id at the outside party, if it has one.

        InvalidData means that it will never be delivered (there is no such address); any other error that it may be tried again.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of connections. Called once, when the process ends."""
