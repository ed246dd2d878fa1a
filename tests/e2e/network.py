"""A network for nodes on this machine: separate hosts that can be unplugged, where we may make those; else loopback addresses."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_networks = itertools.count()


@dataclass(frozen=True)
class Plug:
    """A host's place in the network."""

    address: str
    inside: tuple[str, ...] = ()
    """Prefix of a command that makes it run there."""
    cable: str | None = None
    """The end that is in the bridge."""


@dataclass(frozen=True)
class Network:
    middle: str
    """An address that all hosts reach."""
    plugs: tuple[Plug, ...]
    bridge: str | None = None

    @property
    def can_be_cut(self) -> bool:
        return self.bridge is not None

    async def cut(self, plug: Plug) -> None:
        """Cut a host off from the others: it goes on running, and isn't notified."""
        await _ip(f"link set {plug.cable} nomaster")

    async def mend(self, plug: Plug) -> None:
        await _ip(f"link set {plug.cable} master {self.bridge}")


@asynccontextmanager
async def network(hosts: int) -> AsyncIterator[Network]:
    """Hosts are network namespaces around a bridge, which requires root. They share this machine's files and unix sockets."""
    if os.geteuid() != 0 or shutil.which("ip") is None or not await _may_make_namespaces():
        yield Network("127.0.0.10", tuple(Plug(f"127.0.0.{11 + n}") for n in range(hosts)))  # not .1: Ray would take the outer address
        return
    name = f"vn{os.getpid()}{'abcdefgh'[next(_networks) % 8]}"
    net = f"10.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}"
    plugs = tuple(Plug(f"{net}.{11 + n}", ("ip", "netns", "exec", f"{name}{n}"), f"{name}{n}") for n in range(hosts))
    try:
        await _ip(f"link add {name} type bridge", f"addr add {net}.1/24 dev {name}", f"link set {name} up")
        for plug in plugs:
            host = plug.inside[-1]
            await _ip(f"netns add {host}", f"link add {plug.cable} type veth peer name eth0 netns {host}")
            await _ip(f"link set {plug.cable} master {name}", f"link set {plug.cable} up")
            await _ip(f"-n {host} addr add {plug.address}/24 dev eth0", f"-n {host} link set eth0 up", f"-n {host} link set lo up")
        yield Network(f"{net}.1", plugs, name)
    finally:
        for plug in plugs:
            await _ip(f"netns del {plug.inside[-1]}", must=False)
        await _ip(f"link del {name}", must=False)


async def _may_make_namespaces() -> bool:
    trial = f"vn{os.getpid()}"
    made = await _ip(f"netns add {trial}", must=False)
    await _ip(f"netns del {trial}", must=False)
    return made


async def _ip(*commands: str, must: bool = True) -> bool:
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            "ip", *command.split(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output = (await process.communicate())[0].decode()
        if process.returncode != 0:
            assert not must, f"ip {command}: {output}"
            return False
    return True
