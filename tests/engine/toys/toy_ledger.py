"""A small module whose every effect can be counted, and workflows over it. Imported by tests and by the processes they kill."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from sqlalchemy import Column, Integer, Table, Text

from velella.core.errors import NotAllowed
from velella.core.flow import Flow, step, workflow
from velella.core.ids import new_id
from velella.core.message import reads, writes
from velella.core.service.module import Module, ModuleService
from velella.core.sql.schema.columns import identity, module_metadata
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

metadata = module_metadata()
entry = Table(
    "ledger_entry",
    metadata,
    identity(),
    Column("account", Text, nullable=False),
    Column("amount", Integer, nullable=False),
)
SCHEMA = Schema("ledger", Entity("ledger_entry", entry, prefix="lent"))


class LedgerService(ModuleService):
    """Books amounts to accounts. Nothing prevents a duplicate booking: tests check for that."""

    name = "ledger"
    schema = SCHEMA

    @writes
    async def book(self, account: str, amount: int) -> str:
        made = await self.create("ledger_entry", [{"account": account, "amount": amount}])
        return str(made[0]["id"])

    @writes
    async def strike(self, id: str) -> None:
        await self.delete("ledger_entry", [id])

    @reads
    async def entries(self, account: str) -> list[dict[str, Any]]:
        return await self.list("ledger_entry", {"account": account}, order=("id",))


MODULE = Module(name="ledger", schema=SCHEMA, service=LedgerService, package=__name__)


# -- dying at a chosen point

deaths: dict[str, str | None] = {"at": os.environ.get("DIE_AT")}


def perhaps_die(place: str) -> None:
    """What a power cut does, in the processes that tests start for it."""
    if deaths["at"] == place:
        os.kill(os.getpid(), signal.SIGKILL)


# -- workflows


async def strike(flow: Flow, id: str) -> None:
    perhaps_die(f"before undo {flow.path}")
    await flow.modules.ledger.strike(id)  # type: ignore[attr-defined]
    perhaps_die(f"after undo {flow.path}")


@step(reads=True)
async def quote(flow: Flow, account: str) -> int:
    """Differs each time it is read, as prices do."""
    perhaps_die(f"before {flow.path}")
    booked = await flow.modules.ledger.entries(account)  # type: ignore[attr-defined]
    return 10 + len(booked)


@step(undo=strike)
async def book(flow: Flow, account: str, amount: int) -> str:
    perhaps_die(f"before {flow.path}")
    made: str = await flow.modules.ledger.book(account, amount)  # type: ignore[attr-defined]
    perhaps_die(f"after {flow.path}")
    return made


@step
async def refuse(flow: Flow, moody: bool) -> None:
    perhaps_die(f"before {flow.path}")
    if not moody or deaths["at"] is not None:
        raise NotAllowed("The account is closed.")


@workflow("book-two-alike")
async def book_two_alike(flow: Flow, account: str) -> None:
    """Book a number twice that depends on reads and ids outside of steps. Short, until it declares that it writes twice."""
    booked = len(await flow.modules.ledger.entries(account))  # type: ignore[attr-defined]
    flow.durably()
    number = 1000 * booked + ord(new_id("lent")[-1]) + int(flow.now().timestamp() * 1000) % 100
    await flow.run(book, account, number)
    perhaps_die("in between")
    await flow.run(book, account, number)


@workflow("book-and-tell", emits=("ledger.told",))
async def book_and_tell(flow: Flow, account: str) -> None:
    """One write, and an event."""
    await flow.run(book, account, 1)
    perhaps_die("in between")
    flow.emit("ledger.told", account=account)


@workflow("book-three", durable=True, key="account")
async def book_three(flow: Flow, account: str, fail: bool = False, moody: bool = False) -> dict[str, Any]:
    """Book what was quoted, three times; then fail if asked to: always, or (moody) only in a process that is to die."""
    amount = await flow.run(quote, account)
    first = await flow.run(book, account, amount)
    again = await flow.run(quote, account)
    second, third = await flow.parallel((book, account, again), (book, account, amount + again))
    perhaps_die("in between")
    if fail:
        await flow.run(refuse, moody)
    flow.emit("ledger.booked", account=account)
    perhaps_die("at the end")
    return {"entries": [first, second, third], "amounts": [amount, again, amount + again]}


@workflow("book-slowly", durable=True, key="account")
async def book_slowly(flow: Flow, account: str, seconds: float) -> str:
    made = await flow.run(book, account, 1)
    await asyncio.sleep(seconds)
    return made
