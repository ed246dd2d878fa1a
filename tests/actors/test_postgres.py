"""The embedded PostgreSQL, while it is ours: it is there again whatever ends it."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest
import structlog

from velella.actors.cluster import postgres
from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.cli import instance
from velella.core.errors import Misconfigured
from velella.core.settings import Settings


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


async def test_commands_that_use_it_at_once_share_it_and_the_last_one_stops_it() -> None:
    with tempfile.TemporaryDirectory(prefix="velella-test-", ignore_cleanup_errors=True) as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        running = settings.data_dir / "postgres" / "data" / "postmaster.pid"
        began, ended = asyncio.Event(), asyncio.Event()

        async def short() -> None:
            async with instance.database(settings):
                await began.wait()
            ended.set()

        async def long() -> None:
            async with instance.database(settings) as ready:
                began.set()
                await ended.wait()
                connection = await asyncpg.connect(ready.database_url)
                await connection.close()

        async with asyncio.timeout(120):
            await asyncio.gather(short(), long())
        assert not running.exists(), "it has ended with the last of them"
        async with instance.database(settings):
            with instance.held(settings):
                async with instance.database(settings):
                    assert running.exists()
            assert not running.exists(), "where a shop ends nothing is left running"


async def test_a_command_waits_for_the_database_of_a_shop_that_is_just_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the backup of last night does, that a machine makes up for when it starts."""
    with tempfile.TemporaryDirectory(prefix="velella-test-", ignore_cleanup_errors=True) as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        server = EmbeddedPostgres(settings.data_dir / "postgres", {"fsync": "off"})
        shop = await asyncio.create_subprocess_exec("sleep", "60")
        monkeypatch.setattr(instance, "holder", lambda _: shop.pid)

        async def serve() -> None:
            await asyncio.sleep(0.5)
            await server.start()

        async def look() -> None:
            async with instance.database(settings) as ready:
                connection = await asyncpg.connect(ready.database_url)
                await connection.close()

        try:
            await asyncio.gather(serve(), look())
            assert server.is_running(), "it is the shop's"
        finally:
            await server.stop()
            shop.kill()
            await shop.wait()


def test_an_account_that_it_makes_on_the_machine_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, where there is none yet."""
    made: list[list[str]] = []
    own = pwd.getpwuid(os.getuid())

    def run(words: list[str], account: str | None = None) -> subprocess.CompletedProcess[str]:
        made.append(words)
        return subprocess.CompletedProcess(words, 0 if allowed else 1, "", "" if allowed else "useradd: cannot lock /etc/passwd\n")

    def named(name: str) -> pwd.struct_passwd:
        if name == postgres.SYSTEM_USER and made and allowed:
            return own
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "_run", run)
    monkeypatch.setattr(postgres.pwd, "getpwnam", named)
    monkeypatch.setattr(postgres, "_let_pass", lambda *_: None)
    server = EmbeddedPostgres(tmp_path / "postgres")
    for folder in (server.folder, server.sockets):
        folder.mkdir()
    allowed = False
    with pytest.raises(
        Misconfigured, match="velella-postgres, under which PostgreSQL runs, could not be made: useradd: cannot lock"
    ) as refused:
        server._account()
    assert "another account than root" in str(refused.value.hint)
    allowed = True
    made.clear()
    with structlog.testing.capture_logs() as lines:
        assert server._account() == postgres.SYSTEM_USER
        assert server._account() == postgres.SYSTEM_USER  # it is there now
    assert [words[0] for words in made] == ["useradd"]
    [line] = lines
    assert (line["log_level"], line["account"]) == ("info", "velella-postgres")
    assert line["event"] == "made an account on this machine, for PostgreSQL, which refuses to run as root"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks at what is another account's")
async def test_root_leaves_the_data_of_another_account_to_it() -> None:
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="velella-test-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", {"fsync": "off"})
        await server.start()
        await server.stop()
        theirs = [server.folder, *server.folder.rglob("*")]
        for path in theirs:
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        server = EmbeddedPostgres(server.folder, {"fsync": "off"})
        await server.start()
        try:
            connection = await asyncpg.connect(server.url())
            await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
            await connection.close()
            assert psutil.Process(server.pid).uids().real == nobody.pw_uid
        finally:
            await server.stop()
        owners = {path.stat().st_uid for path in (server.folder, server.data, *server.data.rglob("*"))}
        assert owners == {nobody.pw_uid}
