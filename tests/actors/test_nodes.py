"""A cluster of two nodes that was there before: replicas where their resources are, messages between them, the cluster left as it was."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

TOYS = Path(__file__).parent / "toys"


async def test_pools_spread_over_nodes_and_talk_by_tcp_or_where_that_is_off_by_ray_calls(sockets: Path) -> None:
    environment = os.environ | {
        "RAY_AUTH_MODE": "disabled",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on loopback, as in service
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(TOYS / "two_nodes.py"),
        str(sockets),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 200)
    assert process.returncode == 0, errors.decode()[-3000:]
    seen = json.loads(output.splitlines()[-1])
    assert seen["tcp"]["ports"] == 3
    assert seen["ray"]["ports"] == 0
    for way in seen.values():
        assert way["nodes"] == 2
        assert way["restarts"] >= 1
        assert way["forgotten"] >= 1, "the caching pool hears of a restart"
        assert way["left behind"] == []
