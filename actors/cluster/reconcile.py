"""The next steps from the replicas that exist to the replicas that are wanted. Pure: no clock, no Ray, no messages.

Commands change what is wanted: how many replicas a pool has, and from which generation. Each time `moves` compares that with
what exists, and returns at most one move for each pool; its earlier moves show up as replicas that start or drain. So nothing
is remembered between two calls, and whatever happens in between (a death, a node that comes or goes, another command, a supervisor that
takes over) is handled by the next one.

A pool is never left without a ready replica: a new one is ready before an old one is retired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..membership.directory import ReplicaAddress, ReplicaId
from ..membership.states import MOVING, ReplicaState
from ..topology import Pool
from .members import Member, move, node_for, one_too_many

HELD_SECONDS = 30.0
"""Seconds for which no replica of a pool is started after one failed to start. Doubles each time, to `HELD_AT_MOST`."""
HELD_AT_MOST = 300.0


@dataclass(frozen=True, slots=True)
class Hold:
    """A pool of which no replica is started for a while."""

    until: float
    """Monotonic seconds."""
    seconds: float

    @classmethod
    def after(cls, last: Hold | None, now: float) -> Hold:
        """What follows when a replica fails to start: longer than the time before."""
        seconds = min(2 * last.seconds, HELD_AT_MOST) if last is not None else HELD_SECONDS
        return cls(now + seconds, seconds)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted state of a pool."""

    pool: Pool
    replicas: int
    """How many at the moment, between the pool's minimum and maximum."""
    generation: int = 0
    """Replicas of an earlier generation are replaced, one after the other. Pools are replaced in the order they are given."""

    def resized(self, pool: Pool, replicas: int) -> Wanted:
        """With this many replicas, or as near to that as the pool allows."""
        return replace(self, pool=pool, replicas=min(max(replicas, pool.replicas), pool.at_most))


@dataclass(frozen=True, slots=True)
class StartReplica:
    """Make a replica."""

    pool: Pool
    node: str | None
    """The node to place it on; None leaves that to the cluster."""
    generation: int
    instead_of: Member | None = None
    """The replica to retire when this one is ready."""


@dataclass(frozen=True, slots=True)
class Retire:
    """Let a replica finish its messages, and end it."""

    member: Member


Move = StartReplica | Retire


_LAST = ("workflows", "http")
"""Services whose pools are replaced last: they should meet the new version of what they call, not the other way round."""


def in_order(pools: Iterable[Pool]) -> list[Pool]:
    """Pools in the order in which they are replaced."""
    return sorted(pools, key=lambda pool: [service in pool.services for service in _LAST])


def moves(
    wanted: Sequence[Wanted], members: Sequence[Member], nodes: Sequence[Mapping[str, Any]] = (), held: Collection[str] = ()
) -> list[Move]:
    """The moves to begin now. `members`: all replicas, also those that start and that drain. `nodes`: the cluster's nodes that have been
    there for a while (as `ray.nodes` reports them); empty where everything is on one machine. `held`: pools of which a replica failed to
    start a moment ago."""
    behind = next((each.pool.name for each in wanted if any(is_outdated(each, member) for member in members)), None)
    found: list[Move] = []
    placed = list(members)
    for each in wanted:
        name = each.pool.name
        own = sorted((member for member in members if member.id.pool == name), key=lambda member: member.id)
        for begun in _next(each, own, placed, nodes, may_replace=behind == name, may_start=name not in held):
            found.append(begun)
            if isinstance(begun, StartReplica):
                placed.append(Member(ReplicaId(name, -1), each.pool, None, ReplicaAddress(ReplicaId(name, -1)), placed_on=begun.node or ""))
    return found


def is_outdated(wanted: Wanted, member: Member) -> bool:
    """Whether a replica is to be replaced."""
    return member.id.pool == wanted.pool.name and member.state != ReplicaState.DRAINING and member.generation < wanted.generation


def is_settled(wanted: Wanted, members: Sequence[Member]) -> bool:
    """Whether a pool is in its wanted state."""
    own = [member for member in members if member.id.pool == wanted.pool.name]
    return len(own) == wanted.replicas and all(member.state == ReplicaState.READY and not is_outdated(wanted, member) for member in own)


def _next(
    wanted: Wanted,
    own: Sequence[Member],
    members: Sequence[Member],
    nodes: Sequence[Mapping[str, Any]],
    *,
    may_replace: bool,
    may_start: bool,
) -> Iterator[Move]:
    """`members` may grow while the returned moves are carried out."""
    pool, there = wanted.pool, [member for member in own if member.state != ReplicaState.DRAINING]
    missing = wanted.replicas - len(there)
    if missing > 0:
        for _ in range(missing if may_start else 0):
            yield StartReplica(pool, node_for(pool, members, nodes) if nodes else None, wanted.generation)
        return
    if any(member.state in MOVING for member in own):
        return
    outdated = [member for member in there if is_outdated(wanted, member)]
    if missing < 0:
        surplus = outdated[0] if outdated else one_too_many(there, members)
        if any(member.state == ReplicaState.READY for member in there if member is not surplus):
            yield Retire(surplus)
    elif not may_start:
        return
    elif outdated:
        if may_replace:
            yield StartReplica(pool, outdated[0].node or None, wanted.generation, outdated[0])
    elif nodes and (apart := move(pool, members, nodes)) is not None:
        yield StartReplica(pool, apart[1], wanted.generation, apart[0])
