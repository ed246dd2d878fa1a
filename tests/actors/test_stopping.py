"""What fails to stop, or takes too long, keeps nothing that comes after it from being stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from velella.actors.host import Host, local_host
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.core.errors import Unavailable
from velella.core.message import Service
from velella.core.settings import Settings


async def test_a_host_that_cannot_start_leaves_no_connection_behind(fresh_database: str, tmp_path: Path) -> None:
    """One of its databases answers, and the other is known not to before the first is connected."""
    nowhere = {"order": "postgresql://shop@127.0.0.1:9/nothing"}
    settings = Settings(_env_file=None, database_url=fresh_database, databases=nowhere, data_dir=tmp_path)
    with pytest.raises(Unavailable):
        async with local_host(settings, visits=True):
            pass
    await asyncio.sleep(0.5)
    connection = await asyncpg.connect(fresh_database)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert await connection.fetchval(others) == 0
    await connection.close()


class Part(Service):
    """Stops at once, never, or with an error."""

    def __init__(self, name: str, stopped: list[str], how: str) -> None:
        self._name, self._stopped, self._how = name, stopped, how

    async def drain(self) -> None:
        await self.stop()

    async def stop(self) -> None:
        if self._how == "never":
            await asyncio.Event().wait()
        if self._how == "fails":
            raise RuntimeError("can't")
        self._stopped.append(self._name)


@pytest.mark.parametrize("how", ["never", "fails"])
async def test_a_part_of_a_host_that_does_not_stop_keeps_no_other(tmp_path: Path, how: str) -> None:
    stopped: list[str] = []
    host = Host(Settings(_env_file=None), [], address=ReplicaAddress(ReplicaId("toys", 0), path=str(tmp_path / "s")))
    await host.start()
    for name in ("locking", "product", "workflows", "http"):
        host.services[name] = Part(name, stopped, how if name in ("http", "product") else "at once")
        host._started.append(name)
    await host.drain(0.05)
    assert sorted(stopped) == ["locking", "workflows"]
    stopped.clear()
    await host.stop(0.05)
    assert stopped == ["workflows", "locking"]
    assert not (tmp_path / "s").exists(), "the endpoint is closed, too"
