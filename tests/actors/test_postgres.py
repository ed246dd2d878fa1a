"""The embedded PostgreSQL, while it is ours: it is there again whatever ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from pathlib import Path

import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres


async def test_a_database_that_is_killed_is_started_again_with_all_that_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.cluster.postgres.LOOK_SECONDS", 0.05)
    with tempfile.TemporaryDirectory(prefix="velella-test-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", {"fsync": "off"})  # a kill is no power cut
        left = server.folder / "data.part"
        left.mkdir(parents=True)
        (left / "PG_VERSION").write_text("18")  # of a first start that was killed half-way
        await server.start()
        keeping = asyncio.create_task(server.keep())
        try:
            connection = await asyncpg.connect(server.url())
            await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
            for _ in range(2):
                first = server.pid
                assert first is not None
                os.kill(first, signal.SIGKILL)  # with a client connected: processes of the old server are still there for a moment
                async with asyncio.timeout(60):
                    while server.pid in (None, first):
                        await asyncio.sleep(0.02)
                    while True:
                        try:
                            connection = await asyncpg.connect(server.url())
                            break
                        except (OSError, asyncpg.PostgresError):
                            await asyncio.sleep(0.05)
                assert await connection.fetchval("SELECT n FROM kept") == 1
            await connection.close()
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await server.stop()
        assert not server.is_running()
