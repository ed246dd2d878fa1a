"""A shop for one measurement: filled, served from a data directory, and stopped at the end of the block."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from shop import Refused, Shop, opened

from velella.actors.membership.states import ReplicaState

ADMIN = "admin@example.com"
GOODS = ("--variants", "4000", "--orders", "200", "--price-lists", "0")
"""1,000 products of four variants with prices in two currencies, and a few pages of orders."""
_VELELLA = (sys.executable, "-m", "velella.cli")
_GENERATE = (sys.executable, str(Path(__file__).with_name("generate.py")))


@dataclass
class Served:
    """A running `velella serve` on this machine."""

    base: str
    data_dir: Path

    async def opened(self) -> Shop:
        return await opened(self.base, ADMIN, self.password)

    @property
    def password(self) -> str:
        return (self.data_dir / "secrets" / "admin_password").read_text()

    @property
    def database(self) -> int:
        """Process id of the embedded PostgreSQL."""
        return int((self.data_dir / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])

    async def status(self) -> Any:
        """The output of `velella status --json`."""
        return json.loads(await run(*_VELELLA, "status", "--json", "--data-dir", str(self.data_dir)))

    async def forget(self) -> None:
        """Make every process drop its cache."""
        await run(*_VELELLA, "cache", "clear", "--data-dir", str(self.data_dir))

    async def replicas(self) -> list[int]:
        """Process ids of all replicas: every process that answers requests or messages."""
        return [replica["pid"] for pool in (await self.status())["pools"] for replica in pool["replicas"]]

    async def processes(self) -> list[int]:
        """Process ids of everything that belongs to it: replicas, supervisor, Ray, PostgreSQL."""
        return [*(await self.status())["pids"], self.database]


async def fill(data_dir: Path) -> None:
    """Make a shop with goods in a data directory, if it has none."""
    if not (data_dir / "postgres").exists():
        await run(*_GENERATE, "--data-dir", str(data_dir), *GOODS)


@asynccontextmanager
async def served(data_dir: Path, topology: str = "packed", *options: str, seconds: float = 180) -> AsyncIterator[Served]:
    """`velella serve` on a data directory; ended by SIGTERM. Raises Refused if it isn't fully up within `seconds`."""
    port = free_port()
    log = data_dir / "serve.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_VELELLA, "serve", "--topology", topology, "--port", str(port), "--data-dir", str(data_dir), *options,
            stdout=output, stderr=output,
        )  # fmt: skip
    shop = Served(f"http://127.0.0.1:{port}", data_dir)
    try:
        await _until_whole(shop, process, log, seconds)
        yield shop
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _until_whole(shop: Served, process: asyncio.subprocess.Process, log: Path, seconds: float) -> None:
    """Wait until a front end is open and every replica runs: with many pools some are up long before others."""
    end = time.monotonic() + seconds
    while process.returncode is None and time.monotonic() < end:
        if await _is_open(shop) and await _is_whole(shop):
            return
        await asyncio.sleep(0.25)
    said = await asyncio.to_thread(log.read_text)
    raise Refused(f"velella serve on {shop.data_dir} does not answer: {said[-1500:]}")


async def _is_open(shop: Served) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{shop.base}/health") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False


async def _is_whole(shop: Served) -> bool:
    try:
        pools = (await shop.status())["pools"]
    except Refused:  # the supervisor is still starting them
        return False
    return all(replica["state"] == ReplicaState.READY for pool in pools for replica in pool["replicas"])


async def run(*words: str) -> str:
    """Run a command and return its output. Raises Refused if it fails."""
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise Refused(f"{' '.join(words)}: {errors.decode()[-1000:] or output.decode()[-1000:]}")
    return output.decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
