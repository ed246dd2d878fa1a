"""The messages of the module of things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from sqlalchemy import bindparam, update

from velella.core.message import writes
from velella.core.service.module import ModuleService
from velella.core.sql.db.compiled import compiled

from .tables import SCHEMA, thing

SOLD = compiled(
    update(thing)
    .where(thing.c.product_id == bindparam("product"), thing.c.deleted_at.is_(None))
    .values(sold=thing.c.sold + bindparam("quantity"))
)
COUNT_ANEW = compiled(update(thing).where(thing.c.sold > 0).values(sold=0))


class Thing(TypedDict):
    """A thing, as far as our code reads it."""

    id: str
    name: str
    product_id: str
    sold: int


class ThingService(ModuleService):
    """Things. Creating, listing, updating and deleting them are messages of `ModuleService`."""

    name = "thing"
    schema = SCHEMA

    @writes
    async def count_sales(self, quantities: Mapping[str, int]) -> None:
        """Add what was sold of products to their things. Recorded under the message's id: sent twice, it counts once."""
        for product, quantity in quantities.items():
            await self.database.execute(SOLD, {"product": product, "quantity": quantity})
        self.touch("thing")

    @writes
    async def count_anew(self) -> None:
        """Begin to count sales from zero."""
        await self.database.execute(COUNT_ANEW, {})
        self.touch("thing")
