"""One node of a Ray cluster: `python ray_node.py '{"node_ip_address": …, "num_cpus": 1}'`, with `gcs_address` for all but the head.

Prints the cluster's address and the ids of the node's processes; lives until its stdin is closed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ray._private.node import Node
from ray._private.parameter import RayParams


def main(options: dict[str, Any]) -> None:
    params = RayParams(
        object_store_memory=80_000_000,
        include_dashboard=False,
        include_log_monitor=False,
        no_monitor=True,
        dashboard_agent_listen_port=0,
        **options,
    )
    node = Node(params, head="gcs_address" not in options, shutdown_at_exit=False, spawn_reaper=False)
    try:
        pids = [one.process.pid for all in node.all_processes.values() for one in all]
        print(json.dumps({"address": node.gcs_address, "pids": pids}), flush=True)
        sys.stdin.read()
    finally:
        node.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
