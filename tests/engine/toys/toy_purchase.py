"""A small purchase, with a third party in memory. Imported by tests."""

from __future__ import annotations

from collections import Counter

import toy_ledger

from velella.core.errors import NotAllowed
from velella.core.flow import Flow, step, workflow


class Provider:
    """A third party: does one thing once for each key, and answers as it is told to."""

    def __init__(self) -> None:
        self.done: set[str] = set()
        self.asked = 0
        self.moods: list[Exception | None] = []
        """Errors of the next requests; afterwards all succeed. An error that isn't a refusal is raised after the request was carried
        out."""

    async def charge(self, key: str) -> str:
        self.asked += 1
        mood = self.moods.pop(0) if self.moods else None
        if not isinstance(mood, NotAllowed):
            self.done.add(key)
        if mood is not None:
            raise mood
        return key


provider = Provider()
later: list[Exception] = []
"""Errors of the next attempts of the step after the pivot."""
tries: Counter[str] = Counter()


def forget() -> None:
    provider.__init__()  # type: ignore[misc]
    later.clear()
    tries.clear()


@step(pivot=True)
async def charge(flow: Flow) -> str:
    return await provider.charge(flow.idempotency_key)


@step
async def book_late(flow: Flow, account: str) -> str:
    tries["late"] += 1
    made: str = await flow.modules.ledger.book(account, 5)  # type: ignore[attr-defined]
    if later:
        raise later.pop(0)
    return made


@workflow("toy-buy", durable=True, key="account")
async def buy(flow: Flow, account: str, answers: bool = True) -> str:
    await flow.run(toy_ledger.book, account, 1)
    await flow.run(charge)
    if answers:
        flow.answer("bought")
    await flow.run(book_late, account)
    flow.emit("toy.bought", account=account)
    return "done"
