"""A fulfillment provider of tests that keeps true books of its own, whatever it answers to the shop.

Requests can go wrong in every possible way; `Carrier.tricks` says how, by the request (`create`, `create_return`, `cancel`):

    lost     it carries the request out, and its answer never comes
    dark     it doesn't get the request, and that is known
    hangs    it doesn't get the request, and never answers
    late     it doesn't answer, and carries the request out later (`come_back`)
    refuses  it says no, and does nothing
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from velella.core.errors import NotAllowed
from velella.modules.fulfillment.provider import Consignment, Data, FulfillmentProvider

from .tricks import Trick, carried_out


class Carrier(FulfillmentProvider):
    identifier = "carrier"
    taken: ClassVar[dict[str, str]] = {}
    """Key of what it was asked to send → the line of its first item."""
    called_off: ClassVar[set[str]] = set()
    tricks: ClassVar[dict[str, Trick]] = {}
    later: ClassVar[list[Callable[[], None]]] = []

    @classmethod
    def reset(cls) -> None:
        for books in (cls.taken, cls.called_off, cls.tricks, cls.later):
            books.clear()

    @classmethod
    def come_back(cls) -> None:
        """From now on it answers truly, and carries out what is late."""
        cls.tricks.clear()
        for do in cls.later:
            do()
        cls.later.clear()

    @classmethod
    def carries(cls, *lines: str) -> set[str]:
        """Keys of what it has to carry of these lines."""
        return {key for key, line in cls.taken.items() if line in lines} - cls.called_off

    async def ask(self, what: str, do: Callable[[], None]) -> None:
        await asyncio.sleep(0)
        await carried_out("carrier", self.tricks.get(what), do, self.later, NotAllowed("the carrier refuses"))

    async def options(self) -> list[dict[str, Any]]:
        return [{"id": "road"}, {"id": "back", "is_return": True}]

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        await self.ask("create", lambda: self.taken.update({key: items[0]["line_item_id"]}))
        return Consignment({"parcel": key})

    async def create_return(self, key: str, fulfillment: Data) -> Consignment:
        await self.ask("create_return", lambda: self.taken.update({key: fulfillment["items"][0]["line_item_id"]}))
        return Consignment({"parcel": key})

    async def cancel(self, key: str, data: Data) -> None:
        await self.ask("cancel", lambda: self.called_off.add(key))
