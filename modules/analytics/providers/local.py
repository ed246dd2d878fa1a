"""The provider for shops that count nothing yet: it logs what would be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ....core.logs import logger
from ..provider import AnalyticsProvider, Told, Tracked

log = logger("velella.analytics.local")


class LocalAnalytics(AnalyticsProvider):
    """For trying out."""

    identifier: ClassVar[str] = "local"

    async def send(self, batch: Sequence[Told]) -> None:
        for told in batch:
            log.info(
                told.event if isinstance(told, Tracked) else "identified",
                actor_id=told.actor_id,
                group=f"{told.group.type}:{told.group.id}" if told.group is not None else None,
                properties=dict(told.properties),
            )
