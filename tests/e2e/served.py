"""A Velella as a user runs it: `velella serve` in a process of its own, and clients for its two APIs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from .. import forks
from ..conftest import VELELLA

ADMIN = ("admin@medusa-test.com", "supersecret")
LIMITS = {
    "VELELLA_SIGN_IN_ACCOUNT_LIMIT": "10/hour",
    **{f"VELELLA_{name}_LIMIT": "" for name in ("SIGN_IN_ADDRESS", "SIGN_UP_ADDRESS", "EMAIL_ACCOUNT", "EMAIL_REQUEST")},
}
"""Settings of a shop that gets all requests from one client."""


@dataclass
class Api:
    """One API of a served Velella: requests with the headers that admit them."""

    session: aiohttp.ClientSession
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    async def raw(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        """A `body` is sent as JSON, a form as it is."""
        what = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        async with self.session.request(method, self.base + path, **what, params=params, headers=self.headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text[:1] in "{[" else text

    async def get(self, path: str, **params: Any) -> Any:
        return self._ok(path, *await self.raw("GET", path, **params))

    async def post(self, path: str, body: Any, **params: Any) -> Any:
        return self._ok(path, *await self.raw("POST", path, body, **params))

    @staticmethod
    def _ok(path: str, status: int, answer: Any) -> Any:
        assert status in (200, 201, 202), f"{path}: {status} {answer}"
        return answer


@dataclass
class Served:
    """A running `velella serve`."""

    topology: str
    base: str
    data_dir: Path
    process: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    log: Path
    database: tuple[str, ...] = ()
    """Options by which a command finds the shop's database, if that isn't the embedded one."""

    async def admin(self) -> Api:
        api = Api(self.session, self.base)
        token = (await api.post("/auth/user/emailpass", {"email": ADMIN[0], "password": ADMIN[1]}))["token"]
        return Api(self.session, self.base, {"authorization": f"Bearer {token}"})

    async def store(self, key: str | None = None) -> Api:
        if key is None:
            keys = (await (await self.admin()).get("/admin/api-keys", type="publishable"))["api_keys"]
            key = keys[0]["token"]
        return Api(self.session, self.base, {"x-publishable-api-key": key})

    async def command(self, *words: str) -> str:
        """Run another `velella` command on the same data directory; returns what it printed."""
        return await velella(*words, *self.database, data_dir=self.data_dir)

    async def status(self) -> Any:
        return json.loads(await self.command("status", "--json"))


async def velella(*words: str, data_dir: Path, ok: bool = True) -> str:
    """The output of a command whose data directory lies in the folder that it runs in. It must succeed, or fail if `ok` is False."""
    code, output = await forks.velella(*words, "--data-dir", str(data_dir), folder=data_dir.parent, environment=os.environ)
    assert (code == 0) == ok, f"velella {' '.join(words)} exited with {code}: {output}"
    return output


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(
    folder: Path, topology: str, *options: str, database_url: str | None = None, environment: dict[str, str] | None = None
) -> AsyncIterator[Served]:
    """`velella serve` on `folder`, with an admin user; ended by SIGTERM, which must leave nothing behind."""
    database = ("--database-url", database_url) if database_url else ()
    port = free_port()
    data_dir = folder / "data"
    log = folder / "serve.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *VELELLA, "serve", "--topology", topology, "--port", str(port), "--data-dir", str(data_dir), *database, *options,
            stdout=output, stderr=output, cwd=folder, env=os.environ | {"VELELLA_LOG_LEVEL": "warning"} | LIMITS | (environment or {}),
        )  # fmt: skip
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
    running = Served(topology, f"http://127.0.0.1:{port}", data_dir, process, session, log, database)
    try:
        await _until_healthy(running)
        if "--empty" in options:
            await running.command("user", "create", "--email", ADMIN[0], "--password", ADMIN[1])
        yield running
    finally:
        await session.close()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 60)
    assert process.returncode == 0, log.read_text()[-2000:]


async def _until_healthy(running: Served, seconds: float = 120) -> None:
    for _ in range(int(seconds / 0.2)):
        assert running.process.returncode is None, running.log.read_text()[-2000:]
        try:
            async with running.session.get(running.base + "/health") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)
    raise AssertionError(f"not healthy after {seconds} s: {running.log.read_text()[-2000:]}")
