"""The sales channel module's messages."""

from __future__ import annotations

from ...core.message import writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA


class SalesChannelService(ModuleService):
    """Sales channels. Which products they offer, and which keys open them, are links."""

    name = "sales_channel"
    schema = SCHEMA

    @writes
    async def default_channel(self, name: str, description: str | None = None) -> Row:
        """The shop's first channel; made under this name where there is none. Of several who ask at once one makes it."""
        await self.database.fetch(queries.ONE_AT_A_TIME)
        there = await self.list("sales_channel", limit=1)
        return there[0] if there else (await self.create("sales_channel", [{"name": name, "description": description}]))[0]
