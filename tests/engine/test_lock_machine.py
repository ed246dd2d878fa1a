"""Locks under all that happens to them: holders that stand still, shards that are killed, answers that come late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from velella.actors.locking.table import LONGEST_LEASE, Holding, LockTable
from velella.core.errors import Conflict

from ..simulated import SimulatedLoop

KEYS = st.sampled_from("abc")


@dataclass(eq=False)
class Holder:
    """Somebody who asks for locks, and what it believes: it knows its own clock, and what it was told."""

    name: str
    key: str
    lease: float
    asking: asyncio.Task[Holding] | None = None
    asked_at: float = 0.0
    holds: bool = False
    """As far as it knows: it has been granted the key, and neither gave it back nor heard that its lease is over."""
    until: float = float("-inf")
    known_to: LockTable | None = None
    """The table that granted or renewed it last; after a kill the next one only hears of it when it claims its lock."""

    def believes(self, now: float) -> bool:
        return now < self.until


class Locks(RuleBasedStateMachine):
    """One shard, which is killed and started again, and its clients. The clock stands unless a rule turns it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = SimulatedLoop()
        self.table = self.started()
        self.holders: list[Holder] = []
        self.latest: dict[str, Holder] = {}
        """Key → who was granted it last."""
        self.killed_at = float("-inf")
        self.count = 0

    def started(self) -> LockTable:
        return LockTable(clock=self.loop.time)

    def now(self) -> float:
        return self.loop.now

    def heard(self) -> None:
        """What grants came in since we looked last."""
        for one in self.holders:
            if one.asking is not None and one.asking.done():
                asking, one.asking = one.asking, None
                if asking.cancelled() or asking.exception() is not None:
                    assert asking.cancelled() or isinstance(asking.exception(), Conflict)
                    continue
                granted = asking.result()
                one.holds, one.known_to = True, self.table
                one.until = min(granted.until, self.now() + one.lease)
                self.latest[one.key] = one

    @rule(key=KEYS, lease=st.sampled_from((1.0, 10.0, LONGEST_LEASE)), wait=st.sampled_from((0.0, 5.0, 60.0)))
    def ask(self, key: str, lease: float, wait: float) -> None:
        self.count += 1
        one = Holder(f"h{self.count}", key, lease, asked_at=self.now())
        one.asking = self.loop.begin(self.table.acquire(key, one.name, lease, wait))
        self.holders.append(one)
        self.heard()

    @rule(seconds=st.sampled_from((0.1, 0.9, 4.0, 11.0, LONGEST_LEASE + 1)))
    def go_on(self, seconds: float) -> None:
        self.loop.go_on(seconds)
        self.heard()

    @precondition(lambda self: any(one.holds for one in self.holders))
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        self.claim(data.draw(st.sampled_from([one for one in self.holders if one.holds])))

    def claim(self, one: Holder) -> None:
        believed = one.believes(self.now())
        newest = self.latest[one.key] is one
        others = [other for other in self.holders if other is not one and other.key == one.key and other.believes(self.now())]
        renewed = self.loop.inside(lambda: self.table.renew(one.key, one.name, one.lease, adopt=believed))
        if renewed:
            one.until, one.known_to = self.now() + one.lease, self.table
            assert [other.name for other in others if other.known_to is self.table] == [], "whom this table knows holds the key"
        else:
            alone = believed and newest and not others
            assert not alone, "nobody else has had the key, and the lease is not over"
            one.holds, one.until = False, float("-inf")
        self.heard()

    @precondition(lambda self: any(one.holds for one in self.holders))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.holders if one.holds]))
        self.loop.inside(lambda: self.table.release(one.key, one.name))
        one.holds, one.until = False, float("-inf")
        self.heard()

    @precondition(lambda self: any(one.asking for one in self.holders))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.holders if one.asking]))
        assert one.asking is not None
        one.asking.cancel()
        self.loop.settle()
        self.heard()

    @rule(data=st.data(), claimed=st.booleans())
    def kill(self, data: st.DataObject, claimed: bool) -> None:
        """The shard forgets everything. Whoever waited asks again, as the client does; `claimed`: after all who held something have claimed
        it, in any order."""
        self.table = self.started()
        self.killed_at = self.now()
        for one in data.draw(st.permutations([one for one in self.holders if one.holds])) if claimed else ():
            self.claim(one)
        for one in self.holders:
            if one.asking is not None:
                one.asking.cancel()
                self.loop.settle()
                one.asking = self.loop.begin(self.table.acquire(one.key, one.name, one.lease, 60.0))
        self.heard()

    @invariant()
    def one_holder(self) -> None:
        """Each key has one holder, but for the moment after a kill in which those of before haven't claimed theirs."""
        if self.now() - self.killed_at <= LONGEST_LEASE:
            return
        for key in "abc":
            believers = [one.name for one in self.holders if key == one.key and one.believes(self.now())]
            assert len(believers) <= 1, f"{key} is held by {believers}"

    def teardown(self) -> None:
        self.loop.go_on(100 * LONGEST_LEASE)  # with nobody renewing, everybody is served or gives up
        self.heard()
        assert [one.name for one in self.holders if one.asking] == []
        self.loop.inside(self.table.sweep)
        assert (self.table.metrics.held, self.table.metrics.waiting) == (0, 0)
        assert self.loop.unfinished() == set()
        self.loop.close()


def test_whatever_happens_a_lock_has_one_rightful_holder() -> None:
    run_state_machine_as_test(Locks, settings=settings(max_examples=100, stateful_step_count=30))
