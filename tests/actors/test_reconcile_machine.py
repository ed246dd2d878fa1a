"""Whatever dies, joins, is scaled or rolled, in any order: in the end there is what is wanted, nothing twice, nothing forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from velella.actors.cluster.members import Member
from velella.actors.cluster.reconcile import Retire, StartReplica, Wanted, is_outdated, is_settled, moves
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.membership.states import ReplicaState
from velella.actors.topology import Pool

POOLS = ("cart", "order", "http")
ROOM = 6
"""Replicas that a node holds."""


class Cluster(RuleBasedStateMachine):
    """Processes and nodes, and a supervisor that only looks and does what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = {name: Wanted(Pool(name, (name,), 2, 4), 2) for name in POOLS}
        self.nodes = {"a", "b"}
        self.members: dict[ReplicaId, Member] = {}
        self.made = 0
        self.ever: set[ReplicaId] = set()

    # -- what is asked for

    @rule(pool=st.sampled_from(POOLS), least=st.integers(1, 3), more=st.integers(0, 2))
    def scale(self, pool: str, least: int, more: int) -> None:
        kind = Pool(pool, (pool,), least, least + more)
        self.wanted[pool] = replace(self.wanted[pool], pool=kind, replicas=least)

    @rule(pool=st.sampled_from(POOLS), by=st.sampled_from((-1, 1)))
    def follow_the_queue(self, pool: str, by: int) -> None:
        now = self.wanted[pool]
        self.wanted[pool] = replace(now, replicas=min(max(now.replicas + by, now.pool.replicas), now.pool.at_most))

    @rule(pools=st.sets(st.sampled_from(POOLS), min_size=1))
    def roll(self, pools: set[str]) -> None:
        for pool in pools:
            self.wanted[pool] = replace(self.wanted[pool], generation=self.wanted[pool].generation + 1)

    # -- what happens

    @rule()
    def look(self) -> None:
        self.carry_out()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def a_process_comes_up_ends_or_is_back(self, data: st.DataObject) -> None:
        self.go_on(data.draw(st.sampled_from(sorted(self.members))))

    @precondition(lambda self: any(member.state == ReplicaState.STARTING for member in self.members.values()))
    @rule(data=st.data())
    def one_can_not_be_started(self, data: st.DataObject) -> None:
        starting = sorted(id for id, member in self.members.items() if member.state == ReplicaState.STARTING)
        del self.members[data.draw(st.sampled_from(starting))]

    @precondition(lambda self: self.members)
    @rule(data=st.data(), state=st.sampled_from((ReplicaState.RESTARTING, ReplicaState.HUNG, ReplicaState.SUSPECT)))
    def one_dies_or_is_suspect(self, data: st.DataObject, state: ReplicaState) -> None:
        member = self.members[data.draw(st.sampled_from(sorted(self.members)))]
        if member.state == ReplicaState.READY:
            member.state = state

    @rule(node=st.sampled_from("abc"))
    def a_node_comes(self, node: str) -> None:
        self.nodes.add(node)

    @precondition(lambda self: len(self.nodes) > 1)
    @rule(data=st.data())
    def a_node_goes(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(sorted(self.nodes)))
        self.nodes.remove(gone)
        for member in list(self.members.values()):
            if member.node == gone:
                member.placed_on = min(self.nodes, key=self.filled)  # the cluster starts it again where there is room
                if member.state == ReplicaState.DRAINING:
                    del self.members[member.id]
                elif member.state != ReplicaState.STARTING:
                    member.state = ReplicaState.RESTARTING

    @rule()
    def the_supervisor_dies_and_another_one_takes_over(self) -> None:
        """Replicas that it had begun to start are there; one that drains says so, and is drained to its end."""
        for member in self.members.values():
            if member.state == ReplicaState.STARTING:
                member.state = ReplicaState.RESTARTING

    # -- what holds in the end

    def teardown(self) -> None:
        """Then it is quiet, and everything comes to an end."""
        for _ in range(200):
            settled = all(is_settled(wanted, list(self.members.values())) for wanted in self.wanted.values())
            if not self.carry_out() and settled:
                break
            for id in sorted(self.members):
                self.go_on(id)
        else:
            raise AssertionError(f"no end: {self.wanted} {self.members}")
        for name, wanted in self.wanted.items():
            assert len(self.of(name)) == wanted.replicas
            assert not any(is_outdated(wanted, member) for member in self.of(name))

    # -- inside

    def of(self, pool: str) -> list[Member]:
        return [member for member in self.members.values() if member.id.pool == pool]

    def filled(self, node: str) -> int:
        return sum(member.node == node for member in self.members.values())

    def carry_out(self) -> bool:
        """One look; whether there was anything to do."""
        running = {name: sum(member.state == ReplicaState.READY for member in self.of(name)) for name in POOLS}
        there = {name: len(self.of(name)) for name in POOLS}
        nodes: list[dict[str, Any]] = [
            {"NodeID": name, "Alive": True, "Resources": {"CPU": 8.0}, "Labels": {}} for name in sorted(self.nodes)
        ]
        begun = moves(list(self.wanted.values()), list(self.members.values()), nodes)
        for one in begun:
            if isinstance(one, StartReplica):
                self.start(one)
            else:
                assert isinstance(one, Retire)
                one.member.state = ReplicaState.DRAINING
        for name in POOLS:
            left = sum(member.state == ReplicaState.READY for member in self.of(name))
            assert left or not running[name], "who runs goes only where another one runs"
            assert running[name] - left <= 1, "one at a time"
            assert len(self.of(name)) <= max(there[name], self.wanted[name].replicas + 1), "nothing is begun twice"
        return bool(begun)

    def start(self, one: StartReplica) -> None:
        name = one.pool.name
        taken = {member.id.index for member in self.of(name)}
        id = ReplicaId(name, next(n for n in range(len(taken) + 1) if n not in taken))
        member = Member(id, one.pool, None, ReplicaAddress(id), placed_on=one.node or sorted(self.nodes)[0], generation=one.generation)
        self.members[id] = member

    def go_on(self, id: ReplicaId) -> None:
        member = self.members[id]
        if member.state == ReplicaState.DRAINING:
            del self.members[id]
        else:
            member.state = ReplicaState.READY


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=60, stateful_step_count=40)
