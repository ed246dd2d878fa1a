"""The locks of one shard, in memory: sets of keys granted whole, first come first served, without polling.

A waiter stands in the queue of each of its keys, and is granted when it is first in all of them and none is held. Queues are joined
all at once, so any two waiters stand in the same order in every queue they share: nobody can wait in a circle.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ...core.errors import Conflict, InvalidData, VelellaError

LONGEST_LEASE = 30.0
"""Seconds; also how long after its start a table takes over grants of the one before: none of them can be older."""

DRAW_PAUSE = 0.1


@dataclass(slots=True, eq=False)
class Holding:
    """Keys that are held."""

    keys: tuple[str, ...]
    owner: str
    token: int
    until: float


@dataclass(slots=True, eq=False)
class _Waiter:
    keys: tuple[str, ...]
    owner: str
    lease: float
    granted: asyncio.Future[Holding]
    askers: int = 1
    """An acquisition that is sent again, because its answer was lost, waits in the place of the first."""


@dataclass(slots=True)
class Figures:
    """What operators see."""

    held: int = 0
    waiting: int = 0
    granted: int = 0
    expired: int = 0
    given_up: int = 0


class Tokens:
    """Fencing tokens that only rise, also across restarts and shards.

    They come in blocks, and a block number comes from a sequence of the database, which never gives one twice: whatever this process
    counts up to inside its block is lower than what a later block starts with.
    """

    SIZE = 1 << 20

    def __init__(self, draw: Callable[[], Awaitable[int]]) -> None:
        """`draw` gives the next number of the sequence."""
        self._draw = draw
        self._next = 0
        self._end = 0
        self._spare: int | None = None
        self._drawing: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.wait([self._drawing])

    def next(self) -> int | None:
        """The next token; None when the block is used up and the next one has not come yet."""
        token = self._next
        if token >= self._end:
            if self._spare is None:
                return None
            self._begin(self._spare)
            self._spare, token = None, self._next
        self._next = token + 1
        if self._end - token == self.SIZE // 4 and self._drawing is None:  # early enough that nobody ever waits for the database
            self._drawing = asyncio.create_task(self._draw_spare())
        return token

    async def wait(self) -> None:
        """For a block. Raises what the database raises."""
        if self._next >= self._end and self._spare is None:
            await self._use_new_block()

    async def exceed(self, token: int) -> None:
        """Give only higher ones from now on."""
        if token >= self._next:
            await self._use_new_block()  # that token is out of a block drawn before: the next block is above it

    async def renew(self) -> None:
        """Begin a new block: higher than all that were ever given, by anybody."""
        await self._use_new_block()

    def _begin(self, block: int) -> None:
        self._next, self._end = block * self.SIZE, (block + 1) * self.SIZE

    async def _use_new_block(self) -> None:
        block = await self._draw()
        if block * self.SIZE >= self._end:  # of two that draw at once, the later block counts
            self._begin(block)
            self._spare = None

    async def _draw_spare(self) -> None:
        try:
            spare = await self._draw()
            if spare * self.SIZE >= self._end:
                self._spare = spare
        finally:
            self._drawing = None


def counted() -> Callable[[], Awaitable[int]]:
    """Block numbers that only rise within this process: for a table whose tokens nobody outside sees."""
    numbers = itertools.count(1)

    async def draw() -> int:
        return next(numbers)

    return draw


class LockTable:
    """Who holds what. Times are monotonic seconds of this process."""

    def __init__(
        self, tokens: Tokens, clock: Callable[[], float] = time.monotonic, *, neighbours: Callable[[], object] = lambda: None
    ) -> None:
        """`neighbours` gives an object that is another one when shards come or go: keys may have moved here from one whose tokens are
        higher, so from then on they come from a new block."""
        self.figures = Figures()
        self._tokens = tokens
        self._clock = clock
        self._neighbours = neighbours
        self._neighbours_known: object = None
        self._held: dict[str, Holding] = {}
        self._by_owner: dict[str, Holding | _Waiter] = {}
        self._queues: dict[str, deque[_Waiter]] = {}
        self._alarms: dict[Holding, asyncio.TimerHandle] = {}
        self._adopting_until = clock() + LONGEST_LEASE
        self._latest_since_start: dict[str, int] | None = {}
        """Key → highest token of all who were granted it or have claimed it here; None once nobody can claim any more."""

    def keys_moved(self) -> None:
        """Somebody who can't reach another shard, or can again, asks here for what was asked there: as when shards come or go."""
        self._neighbours_known = None

    # -- acquiring

    def try_acquire(self, keys: Sequence[str], owner: str, lease: float) -> Holding | None:
        """All keys at once if nobody holds or waits for any of them. `keys` are sorted and each is there once."""
        held, queues = self._held, self._queues
        if self._neighbours() is not self._neighbours_known:
            return None
        for key in keys:
            if key in queues or (key in held and not self._expire(held[key])):
                return None
        return self._grant(keys, owner, lease)

    async def acquire(self, keys: Sequence[str], owner: str, lease: float, wait: float) -> Holding:
        """All keys, as soon as they are free and those who came before have had them.

        Sent again by the same owner, it is the same acquisition: it gives what that has or waits for.

        Raises:
            Conflict: they didn't become free within `wait` seconds.
            InvalidData: the owner has an acquisition of other keys; an owner is one acquisition, and locks are not re-entrant here.
        """
        await self._tokens.wait()
        if (neighbours := self._neighbours()) is not self._neighbours_known:
            await self._tokens.renew()
            self._neighbours_known = neighbours
        known = self._by_owner.get(owner)
        if known is not None:
            if known.keys != tuple(keys):
                raise InvalidData(f"{owner} holds or awaits other locks already: {', '.join(known.keys)}.")
            if isinstance(known, Holding):
                known.until = max(known.until, self._clock() + lease)
                return known
            known.askers += 1
            return await self._wait(known, wait)
        granted = self.try_acquire(keys, owner, lease)
        if granted is not None:
            return granted
        if wait <= 0:
            raise self._taken(keys)
        waiter = _Waiter(tuple(keys), owner, lease, asyncio.get_running_loop().create_future())
        self._by_owner[owner] = waiter
        for key in waiter.keys:
            self._queues.setdefault(key, deque()).append(waiter)
        self.figures.waiting += 1
        for key in waiter.keys:
            self._watch(key)
        self._serve(waiter.keys)
        return await self._wait(waiter, wait)

    async def _wait(self, waiter: _Waiter, wait: float) -> Holding:
        try:
            async with asyncio.timeout(wait):
                return await asyncio.shield(waiter.granted)
        except (TimeoutError, asyncio.CancelledError) as error:
            waiter.askers -= 1
            if waiter.granted.done() and not waiter.granted.cancelled():
                holding = waiter.granted.result()  # granted in the very moment of giving up
                if isinstance(error, TimeoutError):
                    return holding
                if waiter.askers == 0:
                    self.release(waiter.owner, holding.token)
            elif waiter.granted.cancelled():
                raise Conflict(f"{waiter.owner} was withdrawn.") from None
            elif waiter.askers == 0:
                self._leave(waiter)
            if isinstance(error, TimeoutError):
                raise self._taken(waiter.keys) from None
            raise

    # -- holding

    def renew(self, keys: Sequence[str], owner: str, token: int, lease: float, *, adopt: bool = True) -> bool:
        """Extend the lease. False: it is over, and somebody else may hold the keys.

        A table that has just been started takes a grant of its predecessor over, unless it has granted one of the keys since. Of two
        such grants of one key the later one counts, whichever is claimed first and whatever became of it: when it was given the other one
        was over. `adopt`: whether
        the lease still runs by the clock of its owner, who may have stood still for longer than that.
        """
        holding = self._by_owner.get(owner)
        if isinstance(holding, Holding) and holding.token == token:
            holding.until = self._clock() + lease
            return True
        latest = self._latest_since_start
        if not adopt or holding is not None or latest is None or self._clock() > self._adopting_until:
            return False
        if any(latest.get(key, 0) >= token for key in keys):
            return False
        latest.update(dict.fromkeys(keys, token))
        others = {self._held[key] for key in keys if key in self._held}
        for other in others:
            self._remove(other, serve=False)
        self._enter(Holding(tuple(keys), owner, token, self._clock() + lease))
        for key in keys:
            if key in self._queues:
                self._watch(key)
        for other in others:
            self._serve(other.keys)
        return True

    def release(self, owner: str, token: int) -> bool:
        """Give back. False: that owner doesn't hold them under that token; then nothing happens."""
        holding = self._by_owner.get(owner)
        if not isinstance(holding, Holding) or holding.token != token:
            return False
        self._remove(holding)
        return True

    def withdraw(self, owner: str) -> None:
        """Give back, or stop waiting for, whatever the owner asked for: for one who doesn't know whether it was granted."""
        known = self._by_owner.get(owner)
        if isinstance(known, Holding):
            self._remove(known)
        elif known is not None:
            self._leave(known)
            known.granted.cancel()

    def sweep(self) -> None:
        """Forget leases that ran out without anybody waiting for them."""
        for holding in {id(holding): holding for holding in self._held.values()}.values():
            self._expire(holding)
        if self._latest_since_start is not None and self._clock() > self._adopting_until:
            self._latest_since_start = None

    # -- inside

    def _grant(self, keys: Sequence[str], owner: str, lease: float) -> Holding | None:
        token = self._tokens.next()
        if token is None:
            return None
        holding = Holding(tuple(keys), owner, token, self._clock() + lease)
        self._enter(holding)
        self.figures.granted += 1
        if self._latest_since_start is not None:
            self._latest_since_start.update(dict.fromkeys(keys, token))
        return holding

    def _enter(self, holding: Holding) -> None:
        for key in holding.keys:
            self._held[key] = holding
        self._by_owner[holding.owner] = holding
        self.figures.held += 1

    def _remove(self, holding: Holding, *, serve: bool = True) -> None:
        for key in holding.keys:
            del self._held[key]
        del self._by_owner[holding.owner]
        self.figures.held -= 1
        if self._alarms and (alarm := self._alarms.pop(holding, None)) is not None:
            alarm.cancel()
        if serve and self._queues:
            self._serve(holding.keys)

    def _expire(self, holding: Holding) -> bool:
        """Whether the lease is over; then the keys are free."""
        if holding.until > self._clock():
            return False
        if self._by_owner.get(holding.owner) is holding:
            self.figures.expired += 1
            self._remove(holding)
            return all(key not in self._held for key in holding.keys)
        return True

    def _leave(self, waiter: _Waiter) -> None:
        for key in waiter.keys:
            queue = self._queues[key]
            queue.remove(waiter)
            if not queue:
                del self._queues[key]
        del self._by_owner[waiter.owner]
        self.figures.waiting -= 1
        self.figures.given_up += 1
        self._serve(waiter.keys)  # those behind may be first now

    def _serve(self, keys: Sequence[str]) -> None:
        """Grant to whoever is first in all queues now."""
        for key in keys:
            queue = self._queues.get(key)
            while queue:
                waiter = queue[0]
                if any(other in self._held or self._queues[other][0] is not waiter for other in waiter.keys):
                    break
                holding = self._grant(waiter.keys, waiter.owner, waiter.lease)
                if holding is None:  # no tokens left for a moment
                    self._serve_later(waiter.keys)
                    break
                for other in waiter.keys:
                    passed = self._queues[other]
                    passed.popleft()
                    if passed:
                        self._watch(other)
                    else:
                        del self._queues[other]
                self.figures.waiting -= 1
                waiter.granted.set_result(holding)
                queue = self._queues.get(key)

    def _serve_later(self, keys: Sequence[str]) -> None:
        async def later() -> None:
            while any(key in self._queues for key in keys):
                try:
                    await self._tokens.wait()
                except VelellaError:  # the database that tokens come from: those who wait go on waiting for it
                    await asyncio.sleep(DRAW_PAUSE)
                else:
                    self._serve(keys)
                    return

        task = asyncio.create_task(later())
        _pending.add(task)
        task.add_done_callback(_pending.discard)

    def _watch(self, key: str) -> None:
        """Wake up when the lease of the key's holder ends: only for keys that somebody waits for."""
        holding = self._held.get(key)
        if holding is not None and holding not in self._alarms:
            loop = asyncio.get_running_loop()
            self._alarms[holding] = loop.call_later(max(0.0, holding.until - self._clock()), self._alarm, holding)

    def _alarm(self, holding: Holding) -> None:
        self._alarms.pop(holding, None)
        if self._by_owner.get(holding.owner) is holding and not self._expire(holding):
            self._watch(holding.keys[0])  # it was renewed

    @staticmethod
    def _taken(keys: Sequence[str]) -> Conflict:
        return Conflict(f"{', '.join(keys)} is being changed elsewhere. Try again.")


_pending: set[asyncio.Task[None]] = set()

__all__ = ["LONGEST_LEASE", "Figures", "Holding", "LockTable", "Tokens"]
