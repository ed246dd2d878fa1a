"""Where the replicas are: which one answers for which service, and at which address it can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Wire = dict[str, Any]
"""A directory in its wire form."""
HOST = "host"
"""The service that every process has: it answers for the process itself."""
NODE = "node"
"""As an address to listen on: the cluster's address of each node."""


@dataclass(frozen=True, slots=True, order=True)
class ReplicaId:
    """`product-0`: a replica keeps its id, and its socket path, across restarts."""

    pool: str
    index: int

    def __str__(self) -> str:
        return f"{self.pool}-{self.index}"


@dataclass(frozen=True, slots=True)
class ReplicaAddress:
    """How to reach one replica. A way that is None isn't available: without a path and a port, messages go as Ray calls."""

    replica: ReplicaId
    node: str = ""
    """Replicas with the same node share a file system: they connect over `path`."""
    path: str | None = None
    host: str | None = None
    port: int | None = None
    actor: str | None = None
    """Name of the Ray actor."""
    incarnation: str | None = field(default=None, compare=False)
    """Of the process that this replica has now: its successor has another one. Not part of the address."""

    def to_wire(self) -> list[Any]:
        return [self.replica.pool, self.replica.index, self.node, self.path, self.host, self.port, self.actor, self.incarnation]

    @classmethod
    def from_wire(cls, wire: list[Any]) -> ReplicaAddress:
        pool, index, *rest = wire
        return cls(ReplicaId(pool, index), *rest)


@dataclass(frozen=True, slots=True)
class Directory:
    """Every replica of a running cluster, by service. Replaced as a whole when replicas come, go or move."""

    services: Mapping[str, tuple[ReplicaAddress, ...]] = field(default_factory=dict)
    version: int = 0
    """Rises with each change, counted by the supervisor; the versions of a later supervisor are all higher (see `epochs.py`)."""
    suspects: frozenset[ReplicaId] = frozenset()
    """Replicas that don't answer the supervisor, listed or not: others may take over what they had begun."""
    draining: frozenset[ReplicaAddress] = frozenset()
    """Replicas that get no new messages and finish those that they have."""
    documents: Mapping[str, int] = field(default_factory=dict)
    """Entity → number of the newest schema of its documents that all replicas know, draining ones included. Entities that no replica
    reports are missing."""

    @classmethod
    def of(
        cls,
        replicas: Iterable[tuple[ReplicaAddress, Iterable[str]]],
        version: int = 0,
        *,
        suspects: Iterable[ReplicaId] = (),
        draining: Iterable[ReplicaAddress] = (),
        documents: Mapping[str, int] | None = None,
    ) -> Directory:
        """From (replica, its services); each replica also answers as `host`."""
        services: dict[str, list[ReplicaAddress]] = {}
        for address, names in replicas:
            for name in (*names, HOST):
                services.setdefault(name, []).append(address)
        listed = {name: tuple(addresses) for name, addresses in services.items()}
        return cls(listed, version, frozenset(suspects), frozenset(draining), documents or {})

    def address(self, replica: ReplicaId) -> ReplicaAddress | None:
        """The address of a replica, or None."""
        return next((address for address in self.of_service(HOST) if address.replica == replica), None)

    def of_service(self, service: str) -> tuple[ReplicaAddress, ...]:
        return self.services.get(service, ())

    def to_wire(self) -> Wire:
        services = {name: [one.to_wire() for one in all] for name, all in self.services.items()}
        suspects = [[one.pool, one.index] for one in sorted(self.suspects)]
        draining = [one.to_wire() for one in sorted(self.draining, key=lambda address: address.replica)]
        return {
            "version": self.version, "services": services, "suspects": suspects, "draining": draining, "documents": dict(self.documents),
        }  # fmt: skip

    @classmethod
    def from_wire(cls, wire: Wire) -> Directory:
        services: Mapping[str, list[list[Any]]] = wire["services"]
        listed = {name: tuple(ReplicaAddress.from_wire(one) for one in all) for name, all in services.items()}
        suspects = frozenset(ReplicaId(*one) for one in wire["suspects"])
        return cls(listed, wire["version"], suspects, frozenset(map(ReplicaAddress.from_wire, wire["draining"])), wire["documents"])


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a process, and how much it knows: what it says of itself when it opens a connection.

    A process that was taken for dead may come back while its successor works: frozen, or cut off for a while. It is recognised by its
    incarnation, which isn't the one that the directory has for its replica, and by knowing less: its directory, which still lists it
    as that replica, has a lower version than the directory of the process it connects to. A new process that the supervisor
    hasn't announced yet doesn't have such a directory. No clock is involved.
    """

    replica: ReplicaId
    incarnation: str
    version: int | None = None
    """Of the last directory it had that lists this process."""

    def after(self, directory: Directory) -> Identity:
        """The same process, after it received this directory."""
        own = directory.address(self.replica)
        return replace(self, version=directory.version) if own is not None and own.incarnation == self.incarnation else self

    def is_superseded(self, directory: Directory) -> bool:
        """Whether a process with that directory must refuse this one."""
        if self.version is None or self.version >= directory.version:
            return False
        now = directory.address(self.replica) or next((one for one in directory.draining if one.replica == self.replica), None)
        if now is None:  # the replica was removed, unless it is only suspect
            return self.replica not in directory.suspects
        return now.incarnation is not None and now.incarnation != self.incarnation
