"""Where the replicas are: who answers for which service, and over which address each can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "host"
"""The service that every process has: it answers for the process itself."""
NODE = "node"
"""As an address to listen on: the one that the cluster knows each node by."""


@dataclass(frozen=True, slots=True, order=True)
class ReplicaId:
    """`product-0`: a replica keeps its id, and its socket path, across restarts."""

    pool: str
    index: int

    def __str__(self) -> str:
        return f"{self.pool}-{self.index}"


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach one replica. What is None can't be used: without a path and a port, messages go as Ray calls."""

    replica: ReplicaId
    node: str = ""
    """Replicas with the same node share a file system: they talk over `path`."""
    path: str | None = None
    host: str | None = None
    port: int | None = None
    actor: str | None = None
    """Name of the Ray actor."""

    def to_wire(self) -> list[Any]:
        return [self.replica.pool, self.replica.index, self.node, self.path, self.host, self.port, self.actor]

    @classmethod
    def from_wire(cls, wire: list[Any]) -> Address:
        pool, index, *rest = wire
        return cls(ReplicaId(pool, index), *rest)


@dataclass(frozen=True, slots=True)
class Directory:
    """Every replica of a running cluster, by service. Replaced as a whole when replicas come, go or move."""

    services: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, replicas: Iterable[tuple[Address, Iterable[str]]]) -> Directory:
        """From (replica, its services); each replica also answers as `host`."""
        services: dict[str, list[Address]] = {}
        for address, names in replicas:
            for name in (*names, HOST):
                services.setdefault(name, []).append(address)
        return cls({name: tuple(addresses) for name, addresses in services.items()})

    def of_service(self, service: str) -> tuple[Address, ...]:
        return self.services.get(service, ())

    def to_wire(self) -> dict[str, list[list[Any]]]:
        return {name: [address.to_wire() for address in addresses] for name, addresses in self.services.items()}

    @classmethod
    def from_wire(cls, wire: Mapping[str, list[list[Any]]]) -> Directory:
        return cls({name: tuple(Address.from_wire(address) for address in addresses) for name, addresses in wire.items()})
