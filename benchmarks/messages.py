"""How fast a message is: in process, over a unix socket, over TCP, and as Ray calls for comparison.

    python benchmarks/messages.py [--messages 20000] [--json]

One caller, one replica in a process of its own, started by the supervisor as in service. The message is a read that
returns what it was given: a small dict.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from velella.actors.cluster.supervisor import Supervisor
from velella.actors.host import Host, local_host
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.topology import Pool, Topology
from velella.core.message import Service, reads
from velella.core.settings import Settings

VALUE = {"id": "variant_01J9ZK3S7W8X", "quantity": 2, "amount": "10.00"}
Send = Callable[[Any], Awaitable[Any]]


class Echo(Service):
    name = "echo"

    @reads
    async def echo(self, value: Any) -> Any:
        return value


def create(context: Any) -> Echo:
    return Echo()


@dataclass
class Figures:
    """One line of the table."""

    way: str
    in_flight: int
    per_second: float
    p50_ms: float
    p99_ms: float


async def measure(way: str, send: Send, messages: int, in_flight: int) -> Figures:
    """Send `messages`, `in_flight` at a time, after a tenth of them to warm up."""
    times: list[float] = []

    async def sender(count: int) -> None:
        for _ in range(count):
            started = time.perf_counter()
            await send(VALUE)
            times.append(time.perf_counter() - started)

    for share in (messages // 10, messages):
        times.clear()
        started = time.perf_counter()
        await asyncio.gather(*(sender(max(1, share // in_flight)) for _ in range(in_flight)))
        took = time.perf_counter() - started
    times.sort()
    return Figures(way, in_flight, len(times) / took, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000)


async def run(messages: int) -> list[Figures]:
    found: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="vm-", ignore_cleanup_errors=True) as folder:
        settings = Settings(modules={"echo": "messages:create"}, data_dir=Path(folder), message_host="127.0.0.1").with_secrets()
        async with local_host(settings, ["echo"]) as host:
            found.append(await measure("in process", host.modules.echo.echo, messages * 5, 1))
        supervisor = Supervisor(settings, Topology("messages", (Pool("echo", ("echo",)),), settings))
        try:
            await supervisor.start_cluster()
            await supervisor.start_pools()
            for way, address in _ways(supervisor):
                client = Host(
                    supervisor.settings, [], address=ReplicaAddress(ReplicaId("client", 0)), directory=Directory.of([(address, ["echo"])])
                )
                await client.start()
                for in_flight in (1, 32):
                    found.append(await measure(way, client.modules.echo.echo, messages, in_flight))
                await client.stop()
            found += await _ray(messages // 10)
        finally:
            await supervisor.stop()
    return found


def _ways(supervisor: Supervisor) -> list[tuple[str, ReplicaAddress]]:
    (address,) = supervisor.directory().of_service("echo")
    return [("unix socket", address), ("TCP", ReplicaAddress(address.replica, "another node", None, address.host, address.port))]


async def _ray(messages: int) -> list[Figures]:
    import ray

    from velella.actors.cluster.replica import batch_call
    from velella.actors.messaging.client import Outgoing, RayLink

    class Plain:
        async def echo(self, value: Any) -> Any:
            return value

    plain: Any = ray.remote(num_cpus=0)(Plain).remote()
    link = RayLink(lambda: batch_call("velella-echo-0"))

    async def call(value: Any) -> Any:
        return await plain.echo.remote(value)

    async def batched(value: Any) -> Any:
        return await link.request(Outgoing("echo", "echo", [value], {}, "trace"), 30.0)

    found = [await measure("Ray call", call, messages, in_flight) for in_flight in (1, 32)]
    found.append(await measure("Ray call, coalesced", batched, messages * 4, 32))
    link.close()
    return found


def show(found: list[Figures]) -> None:
    table = Table("distance", "in flight", "messages/s", "p50 ms", "p99 ms")
    for line in found:
        table.add_row(line.way, str(line.in_flight), f"{line.per_second:,.0f}", f"{line.p50_ms:.3f}", f"{line.p99_ms:.3f}")
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help="messages of each measurement (Ray calls: a tenth)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # the replica finds `messages:create`
    found = uvloop.run(run(options.messages))
    if options.json:
        print(json.dumps([asdict(line) for line in found], indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
