"""The review module's messages."""

from __future__ import annotations

from collections.abc import Sequence

from velella.core.message import reads, writes
from velella.core.rows import Row
from velella.core.service.module import ModuleService

from . import queries
from .tables import SCHEMA


class ReviewService(ModuleService):
    """Reviews. Creating, listing, updating and deleting them are `ModuleService`'s messages."""

    name = "review"
    schema = SCHEMA

    @reads
    async def ratings(self, product_ids: Sequence[str]) -> dict[str, Row]:
        """Product → how many reviews it has and their average. Products without any are left out."""
        rows = await self.database.fetch(queries.RATINGS, {"ids": list(product_ids)})
        return {id: {"count": count, "average": average} for id, count, average in rows}

    @writes
    async def ask(self, order_id: str, email: str, product_ids: Sequence[str]) -> list[Row]:
        """Note that a buyer was asked for reviews of what they bought; those that weren't noted before. May be repeated."""
        asked = {row["product_id"] for row in await self.list("review_request", {"order_id": order_id})}
        new = [id for id in dict.fromkeys(product_ids) if id not in asked]
        return await self.create("review_request", [{"order_id": order_id, "product_id": id, "email": email} for id in new])
