"""The sales channel module's messages."""

from __future__ import annotations

from ...core.message import writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA


class SalesChannelService(ModuleService):
    """Sales channels. Links say which products they offer, and which keys open them."""

    name = "sales_channel"
    schema = SCHEMA

    @writes
    async def default_channel(self, name: str, description: str | None = None) -> Row:
        """The shop's first channel; created under this name if there is none. Of concurrent calls one creates it."""
        await self.database.fetch(queries.ONE_AT_A_TIME)
        there = await self.list("sales_channel", limit=1)
        return there[0] if there else (await self.create("sales_channel", [{"name": name, "description": description}]))[0]
