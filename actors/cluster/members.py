"""The replicas as the supervisor sees them, and the nodes they may go to."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..membership.directory import Address, ReplicaId
from ..topology import Pool

_PLAIN_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""A value that a label must have. Ray also knows `!a` and `in(a, b)`: where those stand, it chooses the node."""


@dataclass
class Member:
    """A replica."""

    id: ReplicaId
    pool: Pool
    """As it was when this replica was made."""
    actor: Any
    address: Address
    pid: int | None = None
    state: str = "starting"
    restarts: int = 0
    report: dict[str, Any] = field(default_factory=dict)
    """What it last said of itself."""
    seen: float = field(default_factory=time.monotonic)
    is_away: bool = False
    """Whether it gives no answer, perhaps with all of its node."""
    node: str = ""
    """The node it was meant for, until its address says where it is."""
    generation: int = 0
    """Of the pool, when it was made (see `reconcile.py`)."""

    @property
    def place(self) -> str:
        return self.address.node or self.node

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


def node_for(pool: Pool, members: Iterable[Member], nodes: Sequence[Mapping[str, Any]]) -> str | None:
    """The node of a cluster (as `ray.nodes` tells of them) that the next replica of a pool goes to; None leaves it to Ray.

    Of the nodes with the pool's labels and resources, the one with the fewest replicas of the pool; of several, the one with the fewest
    of all. Ray's own SPREAD may put both replicas of a pool on one node. Nodes without CPUs are for managing the cluster: they get
    something only where nobody else can have it.
    """
    if not all(_PLAIN_LABEL.fullmatch(value) for value in pool.labels.values()):
        return None
    here: dict[str, list[Member]] = {node["NodeID"]: [] for node in nodes}
    for member in members:
        here.setdefault(member.place, []).append(member)
    can = [node for node in nodes if node["Alive"] and _may_hold(node, pool, here[node["NodeID"]])]
    can = [node for node in can if node["Resources"].get("CPU", 0) > 0] or can

    def crowd(node: Mapping[str, Any]) -> tuple[int, int, str]:
        there = here[node["NodeID"]]
        return sum(member.id.pool == pool.name for member in there), len(there), node["NodeID"]

    return str(min(can, key=crowd)["NodeID"]) if can else None


def move(pool: Pool, members: Sequence[Member], nodes: Sequence[Mapping[str, Any]]) -> tuple[Member, str] | None:
    """Which replica of a pool should go to which node, so that those of the pool are further apart, or the nodes more evenly filled.

    None: they are well where they are. As long as one of them doesn't run, nobody knows where it will be.
    """
    own = [member for member in members if member.id.pool == pool.name]
    to = node_for(pool, members, nodes)
    if to is None or not own or any(member.is_away or member.state != "running" for member in own):
        return None
    places, filled = Counter(member.place for member in own), Counter(member.place for member in members)
    crowded = max(places, key=lambda place: (places[place], filled[place], place))
    nearer = places[crowded] - places[to]
    if nearer >= 2 or (nearer == 1 and filled[crowded] - filled[to] >= 2):  # what is gained must not be lost again by a move back
        return max((member for member in own if member.place == crowded), key=lambda member: member.id), to
    return None


def one_too_many(own: Sequence[Member], members: Iterable[Member]) -> Member:
    """Whom a pool can do without best: one that doesn't run, else one where most of its replicas are, and most of all. `own`: its replicas,
    at least one, of all `members`."""
    places, filled = Counter(member.place for member in own), Counter(member.place for member in members)
    return max(own, key=lambda member: (member.state != "running", places[member.place], filled[member.place], member.id))


def _may_hold(node: Mapping[str, Any], pool: Pool, here: Sequence[Member]) -> bool:
    labels, resources = node.get("Labels") or {}, node["Resources"]
    return pool.labels.items() <= labels.items() and all(
        resources.get(name, 0) - sum(member.pool.resources.get(name, 0) for member in here) >= amount
        for name, amount in pool.resources.items()
    )
