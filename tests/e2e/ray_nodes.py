"""A Ray cluster of several nodes on one machine: `python ray_nodes.py FOLDER '{"left": {"labels": …, "num_cpus": 1}, …}'`.

The first node is the head. Prints the cluster's address, and of each node its own and its processes; lives until its stdin is closed.
As `ray.cluster_utils.Cluster` does, but all workers at once, and each node with an address of its own.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ray._private.node import Node
from ray._private.parameter import RayParams


def start(folder: Path, number: int, name: str, options: dict[str, Any], gcs: str | None) -> Node:
    params = RayParams(
        node_ip_address=f"127.0.0.{11 + number}",  # not .1: Ray would take the machine's outer address instead
        gcs_address=gcs,
        object_store_memory=80_000_000,
        include_dashboard=False,
        include_log_monitor=False,
        no_monitor=True,
        temp_dir=str(folder / "ray") if gcs is None else None,
        raylet_socket_name=str(folder / f"{name}.raylet"),  # those that start at once would take the same ones
        plasma_store_socket_name=str(folder / f"{name}.plasma"),
        dashboard_agent_listen_port=0,
        **options,
    )
    return Node(params, head=gcs is None, shutdown_at_exit=False, spawn_reaper=False)


def main(folder: Path, wanted: dict[str, dict[str, Any]]) -> None:
    (head, options), *workers = wanted.items()
    nodes = {head: start(folder, 0, head, options, None)}
    try:
        with ThreadPoolExecutor() as threads:
            starting = {}
            for number, (name, options) in enumerate(workers, 1):
                starting[name] = threads.submit(start, folder, number, name, options, nodes[head].gcs_address)
                time.sleep(0.5)  # nodes of one session number their log files by looking which are there
        nodes |= {name: node.result() for name, node in starting.items()}
        shown = {
            name: {"address": node.node_ip_address, "pids": [one.process.pid for all in node.all_processes.values() for one in all]}
            for name, node in nodes.items()
        }
        print(json.dumps({"address": nodes[head].gcs_address, "nodes": shown}), flush=True)
        sys.stdin.read()
    finally:
        for node in reversed(nodes.values()):
            node.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
