"""Ray clusters of several nodes on this machine, and what may happen to a node."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TOKEN = "the-token-of-the-clusters-of-these-tests"


@dataclass(frozen=True)
class Node:
    """One node: Ray's processes of it, and everything below them."""

    address: str
    pids: tuple[int, ...]

    def processes(self) -> list[psutil.Process]:
        found = []
        for pid in self.pids:
            try:
                found += [(top := psutil.Process(pid)), *top.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def send(self, number: signal.Signals) -> list[psutil.Process]:
        """A signal to every process of the node, its workers first; those that got it."""
        reached = []
        for process in reversed(self.processes()):
            try:
                process.send_signal(number)
                reached.append(process)
            except psutil.NoSuchProcess:
                continue
        return reached


@dataclass(frozen=True)
class Nodes:
    """A running Ray cluster."""

    address: str
    environment: dict[str, str]
    nodes: dict[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]


@asynccontextmanager
async def ray_nodes(wanted: dict[str, dict[str, Any]]) -> AsyncIterator[Nodes]:
    """Nodes by name, with options for Ray (`num_cpus`, `labels`, …); the first is the head. Nothing is left of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vn-", dir="/tmp"))  # Ray's sockets need a short path
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",
        # a silent node is declared dead after 3 s or so, not 15
        "RAY_health_check_initial_delay_ms": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_timeout_ms": "1000",
        "RAY_health_check_failure_threshold": "3",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("ray_nodes.py")),
        str(folder),
        json.dumps(wanted),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    there: list[psutil.Process] = []
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        shown = json.loads(line)
        nodes = {name: Node(node["address"], tuple(node["pids"])) for name, node in shown["nodes"].items()}
        yield Nodes(shown["address"], environment, nodes)
        there = [one for node in nodes.values() for one in node.send(signal.SIGCONT)]
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 60)
        _, alive = await asyncio.to_thread(psutil.wait_procs, there, 5.0)
        for one in alive:
            one.kill()
        shutil.rmtree(folder, ignore_errors=True)
