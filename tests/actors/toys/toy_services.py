"""Services for tests of the runtime, small enough to understand at a glance."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from velella.actors.context import HostContext
from velella.core.errors import NotFound
from velella.core.message import Service, current_call, reads, writes


class Toy(Service):
    """One method for each thing that can happen to a message."""

    name = "toy"

    def __init__(self, context: HostContext) -> None:
        self.context = context
        self.started = 0
        self.cancelled = 0

    @reads
    async def echo(self, value: Any) -> Any:
        return value

    @reads
    async def giant(self, size: int) -> str:
        return "x" * size

    @reads
    async def process(self) -> int:
        return os.getpid()

    @reads
    async def replica(self) -> str:
        return str(self.context.replica)

    @reads(key="key")
    async def replica_of(self, key: str) -> str:
        return str(self.context.replica)

    @reads
    async def seconds_left(self) -> float:
        return current_call().left()

    @reads
    async def trace(self) -> str:
        return current_call().trace_id

    @reads
    async def slow(self, seconds: float) -> str:
        self.started += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"

    @reads
    async def counts(self) -> list[int]:
        return [self.started, self.cancelled]

    @reads
    async def missing(self, id: str) -> None:
        raise NotFound(f"Toy with id: {id} was not found", id=id)

    @reads
    async def broken(self) -> None:
        raise ZeroDivisionError("a secret of this process")

    @reads
    async def slow_once(self, folder: str) -> int:
        """The first process that gets it never answers; the next does."""
        try:
            os.mkdir(f"{folder}/asked")
        except FileExistsError:
            return os.getpid()
        Path(folder, "pid").write_text(str(os.getpid()))
        await asyncio.sleep(60)
        return 0

    @reads
    async def hog(self, folder: str) -> None:
        """Keeps the loop busy until the process is killed, as a watchdog would do."""
        Path(folder, f"hogged-{os.getpid()}").touch()
        time.sleep(1.0)  # noqa: ASYNC251 - that is the point
        os.kill(os.getpid(), signal.SIGKILL)

    @writes
    async def hog_and_note(self, folder: str, word: str) -> str:
        await self.hog(folder)
        return word

    async def die(self) -> None:
        """Neither a read nor a recorded write: it must not be sent twice."""
        os.kill(os.getpid(), signal.SIGKILL)

    @writes
    async def note(self, folder: str, word: str, die_once: bool = False) -> str:
        """Append a word to a file. With `die_once` the process is killed after the first time, before it could answer."""
        with Path(folder, "notes").open("a") as notes:
            notes.write(f"{word}\n")
        return f"{word} by {self.context.replica}"

    async def run_write(self, body: Callable[[], Awaitable[Any]]) -> Any:
        """An inbox in a file: what a module keeps in its table."""
        folder, die_once = body.args[1], (body.args[3:] or [False])[0]  # type: ignore[attr-defined]
        message_id = current_call().message_id
        with Path(folder, "fresh").open("a") as fresh:
            fresh.write(f"{current_call().fresh}\n")
        with Path(folder, "ledger").open("a+") as ledger:
            fcntl.flock(ledger, fcntl.LOCK_EX)
            ledger.seek(0)
            replies = dict(json.loads(line) for line in ledger)
            if message_id is not None and message_id in replies:
                return replies[message_id]
            reply = await body()
            ledger.write(json.dumps([message_id, reply]) + "\n")
        if die_once:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply


def create(context: HostContext) -> Toy:
    return Toy(context)


class Cache(Service):
    """Stands in for the caching pool: records its invalidations."""

    name = "caching"

    def __init__(self) -> None:
        self.forgotten = 0
        self.bumped: list[str] = []

    async def bump(self, names: list[str]) -> None:
        self.bumped += names

    async def forget_all(self) -> None:
        self.forgotten += 1

    @reads
    async def told(self) -> list[Any]:
        return [self.forgotten, self.bumped]


def create_cache(context: HostContext) -> Cache:
    return Cache()
