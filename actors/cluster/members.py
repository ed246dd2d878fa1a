"""The replicas as the supervisor sees them, and the nodes they may be placed on."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..membership.directory import Directory, ReplicaAddress, ReplicaId
from ..membership.states import UNREACHABLE, ReplicaState
from ..topology import Pool

_PLAIN_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""A value that a label must have. Ray also knows `!a` and `in(a, b)`: for those, Ray chooses the node."""


@dataclass
class Member:
    """A replica."""

    id: ReplicaId
    pool: Pool
    """The pool's definition when this replica was made."""
    actor: Any
    address: ReplicaAddress
    pid: int | None = None
    state: ReplicaState = ReplicaState.STARTING
    restarts: int = 0
    report: dict[str, Any] = field(default_factory=dict)
    """Its last report about itself."""
    seen: float = field(default_factory=time.monotonic)
    placed_on: str = ""
    """The node it was placed on: where it is, until its address says where it is."""
    generation: int = 0
    """The pool's generation when this replica was made (see `reconcile.py`)."""

    @property
    def node(self) -> str:
        return self.address.node or self.placed_on

    def shown(self) -> dict[str, Any]:
        return {
            "index": self.id.index,
            "pid": self.pid,
            "state": self.state,
            "restarts": self.restarts,
            "waiting": self.report.get("waiting", 0),
            "running": self.report.get("running", 0),
            "handled": self.report.get("handled", 0),
            "refused": self.report.get("refused", 0),
            "node": self.report.get("node"),
            "socket": self.address.path,
            "port": self.address.port,
        }


def directory_of(members: Sequence[Member], version: int, *, joined: bool) -> Directory:
    """The directory that replicas are sent. A replica that can't be reached is left out while its pool has others.

    `joined`: the cluster may have several nodes. On one machine no replica is left out: a process that dies closes its sockets, and its
    callers notice.
    """
    staying = [member for member in members if member.state != ReplicaState.DRAINING]
    suspects = {member.id for member in staying if joined and member.state in UNREACHABLE}
    answering = {member.id.pool for member in staying if member.id not in suspects}
    listed = [member for member in staying if member.id not in suspects or member.id.pool not in answering]
    return Directory.of(
        ((member.address, member.pool.services) for member in listed),
        version,
        suspects=suspects,
        draining=[member.address for member in members if member.state == ReplicaState.DRAINING],
        documents=known_to_all(member.report.get("documents", {}) for member in members),
    )


def known_to_all(schemas: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The newest document schemas that all replicas know, from what each knows (entity → number of the newest schema)."""
    known: dict[str, int] = {}
    for each in schemas:
        known |= {name: min(number, known.get(name, number)) for name, number in each.items()}
    return known


def node_for(pool: Pool, members: Iterable[Member], nodes: Sequence[Mapping[str, Any]]) -> str | None:
    """The node of a cluster (as `ray.nodes` reports them) for the next replica of a pool; None leaves the choice to Ray.

    Of the nodes with the pool's labels and resources, the one with the fewest replicas of the pool; of several, the one with the fewest
    replicas at all. Ray's own SPREAD may put both replicas of a pool on one node. Nodes without CPUs are for managing the cluster: they get
    a replica only where no other node can take it.
    """
    if not all(_PLAIN_LABEL.fullmatch(value) for value in pool.labels.values()):
        return None
    here: dict[str, list[Member]] = {node["NodeID"]: [] for node in nodes}
    for member in members:
        here.setdefault(member.node, []).append(member)
    can = [node for node in nodes if node["Alive"] and _may_hold(node, pool, here[node["NodeID"]])]
    can = [node for node in can if node["Resources"].get("CPU", 0) > 0] or can

    def crowd(node: Mapping[str, Any]) -> tuple[int, int, str]:
        there = here[node["NodeID"]]
        return sum(member.id.pool == pool.name for member in there), len(there), node["NodeID"]

    return str(min(can, key=crowd)["NodeID"]) if can else None


def move(pool: Pool, members: Sequence[Member], nodes: Sequence[Mapping[str, Any]]) -> tuple[Member, str] | None:
    """The replica of a pool to move, and the node to move it to, so that the pool is spread more widely, or the nodes are filled more
    evenly.

    None: no move is an improvement. Also None while one of them isn't ready, because its node isn't known yet.
    """
    own = [member for member in members if member.id.pool == pool.name]
    to = node_for(pool, members, nodes)
    if to is None or not own or any(member.state != ReplicaState.READY for member in own):
        return None
    of_pool, of_all = Counter(member.node for member in own), Counter(member.node for member in members)
    crowded = max(of_pool, key=lambda node: (of_pool[node], of_all[node], node))
    nearer = of_pool[crowded] - of_pool[to]
    if nearer >= 2 or (nearer == 1 and of_all[crowded] - of_all[to] >= 2):  # a move must gain more than a move back would
        return max((member for member in own if member.node == crowded), key=lambda member: member.id), to
    return None


def one_too_many(own: Sequence[Member], members: Iterable[Member]) -> Member:
    """The replica that a pool needs least: one that isn't ready, else one on the node with most of its replicas, and most of all
    replicas. `own`: the pool's replicas, at least one, out of all `members`."""
    of_pool, of_all = Counter(member.node for member in own), Counter(member.node for member in members)
    return max(own, key=lambda member: (member.state != ReplicaState.READY, of_pool[member.node], of_all[member.node], member.id))


def _may_hold(node: Mapping[str, Any], pool: Pool, here: Sequence[Member]) -> bool:
    labels, resources = node.get("Labels") or {}, node["Resources"]
    return pool.labels.items() <= labels.items() and all(
        resources.get(name, 0) - sum(member.pool.resources.get(name, 0) for member in here) >= amount
        for name, amount in pool.resources.items()
    )
