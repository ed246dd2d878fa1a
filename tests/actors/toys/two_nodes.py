"""A Ray cluster of two nodes on this machine, and a toy shop that joins it. Prints its observations as JSON.

`python two_nodes.py FOLDER`. In a process of its own, because Ray allows one cluster a process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from ray.cluster_utils import Cluster

from velella.actors.cluster.replica import batch_call
from velella.actors.cluster.supervisor import Supervisor
from velella.actors.host import Host
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.topology import Pool, Topology
from velella.core.settings import Settings

POOLS = (Pool("left", ("toy",), 2, resources={"left": 1}), Pool("right", ("caching",), 1, resources={"right": 1}))


def restarts_of(supervisor: Supervisor) -> int:
    return sum(replica["restarts"] for pool in supervisor.status()["pools"] for replica in pool["replicas"])


async def look(address: str, folder: Path, message_host: str | None) -> dict[str, Any]:
    settings = Settings(
        modules={"toy": "toy_services:create", "caching": "toy_services:create_cache"},
        data_dir=folder,
        ray_address=address,
        message_host=message_host,
    ).with_secrets()
    supervisor = Supervisor(settings, Topology("two nodes", POOLS, settings))
    try:
        await supervisor.start_cluster()
        await supervisor.start_pools()
        addresses = [one for service in ("toy", "caching") for one in supervisor.directory().of_service(service)]
        client = Host(
            supervisor.settings,
            [],
            address=ReplicaAddress(ReplicaId("client", 0), "a third node"),
            directory=supervisor.directory(),
            actor=batch_call,
        )
        await client.start()
        toy: Any = client.modules.toy  # type: ignore[attr-defined]
        before = {await toy.process() for _ in range(40)}
        os.kill(next(iter(before)), signal.SIGKILL)
        while not {await toy.process() for _ in range(40)} - before:
            await asyncio.sleep(0.1)
            client.router.update(supervisor.directory())  # as replicas receive it
        caching: Any = client.caching
        async with asyncio.timeout(30):  # the client may have found the new process before the supervisor's check
            # caches are invalidated when the old process is missed, and again when there is a new one
            while not (told := (await caching.told())[0]) or not restarts_of(supervisor):
                await asyncio.sleep(0.1)
        await client.stop()
        status = supervisor.status()
        return {
            "nodes": len({one.node for one in addresses}),
            "ports": sum(one.port is not None for one in addresses),
            "restarts": restarts_of(supervisor),
            "forgotten": told,
            "pids": [replica["pid"] for pool in status["pools"] for replica in pool["replicas"]],
        }
    finally:
        await supervisor.stop()


def main(folder: Path) -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "resources": {"left": 4}, "include_dashboard": False, "node_ip_address": "127.0.0.1"},
    )
    try:
        cluster.add_node(num_cpus=1, resources={"right": 4}, node_ip_address="127.0.0.1")
        seen = {way: asyncio.run(look(cluster.address, folder, host)) for way, host in (("tcp", None), ("ray", "none"))}
        for way in seen.values():
            pids = [pid for pid in way.pop("pids") if pid is not None]
            deadline = time.monotonic() + 20
            while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
                time.sleep(0.1)
            way["left behind"] = list(filter(psutil.pid_exists, pids))
        print(json.dumps(seen))
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
