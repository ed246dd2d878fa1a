"""Starting, stopping and what goes wrong with either: one clear line, nothing left behind, nothing lost."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import signal
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil
import pytest

from velella.cli import demo, instance
from velella.cli.instance import DEMO_ADMIN
from velella.core.ids import ulid
from velella.core.settings import Settings

from .. import forks
from ..conftest import VELELLA
from .served import Api, Served, free_port, served, velella
from .terminal import CTRL_C, terminal

STOPPED = "Stopped. Nothing is left running; the data stays."


def descendants(pid: int) -> set[psutil.Process]:
    return set(psutil.Process(pid).children(recursive=True))


def is_loopback(address: str) -> bool:
    """Also IPv4 loopback as IPv6 sockets show it."""
    return ipaddress.ip_address(address.removeprefix("::ffff:")).is_loopback


async def test_a_shop_is_there_again_however_it_was_ended(tmp_path: Path) -> None:
    """By `velella stop`, which leaves nothing behind; by a kill, of which the next start clears what is left."""
    data = tmp_path / "data"
    for there in (data, data / "secrets", data / "postgres"):  # as an earlier version left them
        there.mkdir(mode=0o755)
    async with served(tmp_path, "packed", "--empty") as first:
        assert data.stat().st_mode & 0o066 == 0
        open_to_others = [path.name for path in data.iterdir() if path.stat().st_mode & 0o077]
        assert open_to_others == []
        assert (data / "postgres" / "postgres.log").stat().st_mode & 0o077 == 0
        assert all(secret.stat().st_mode & 0o077 == 0 for secret in (data / "secrets").iterdir())
        await (await first.admin()).post("/admin/customers", {"email": "kept@example.com"})
        started = descendants(first.process.pid) | {psutil.Process(int(pid)) for pid in (await first.command("status", "--pids")).split()}
        assert len(started) > 3  # PostgreSQL, Ray and our own
        listening = [
            connection.laddr.ip
            for process in started
            if process.is_running()
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert all(is_loopback(address) for address in listening), listening
        assert "Stopped" in await first.command("stop")
        await asyncio.wait_for(first.process.wait(), 10)
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive, [process.cmdline() for process in alive]

    async with served(tmp_path, "packed") as second:
        admin = await second.admin()
        assert (await admin.get("/admin/customers", email="kept@example.com"))["count"] == 1
        await admin.post("/admin/customers", {"email": "survivor@example.com"})
        left = descendants(second.process.pid)
        second.process.send_signal(signal.SIGKILL)
        await second.process.wait()
        second.process._transport._returncode = 0  # type: ignore[attr-defined]  # killed on purpose

    async with served(tmp_path, "packed") as third:
        assert (await (await third.admin()).get("/admin/customers", email="survivor@example.com"))["count"] == 1
    _, alive = psutil.wait_procs(left, timeout=15)
    assert not alive, [process.cmdline() for process in alive]


async def test_the_database_is_there_again_when_it_was_killed_and_so_is_the_shop(colony: Served) -> None:
    admin, name = await colony.admin(), f"{colony.topology}-{ulid().lower()}"
    await admin.post("/admin/customers", {"email": f"before-{name}@example.com"})
    assert (await admin.raw("GET", "/health/ready"))[0] == 200
    first = server_of(colony)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(60):
        while (answer := await admin.raw("POST", "/admin/customers", {"email": f"after-{name}@example.com"}))[0] != 200:
            assert answer[0] in (400, 503), answer  # 400: it was done, and its answer was lost
            if answer[0] == 400:
                break
            await asyncio.sleep(0.1)
        while server_of(colony) in (first, None):  # whose server processes go on until they notice
            await asyncio.sleep(0.1)
        while (await admin.raw("GET", "/health/ready"))[0] != 200:
            await asyncio.sleep(0.1)
        while (found := await admin.raw("GET", "/admin/customers", q=name))[0] != 200:
            await asyncio.sleep(0.1)
    assert found[1]["count"] == 2


def server_of(colony: Served) -> int | None:
    """Process id of the database server."""
    try:
        return int((colony.data_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):  # it is just being written
        return None


async def test_a_step_that_waits_is_answered_after_every_process_was_replaced(colony: Served) -> None:
    admin, ship, path = await colony.admin(), ulid(), "/admin/workflows-executions"

    async def shown() -> str:
        return json.dumps((await admin.get(f"{path}/bring-in/{ship}"))["workflow_execution"]["execution"])

    async def pids() -> set[int]:
        """Of the processes that had to do with it."""
        pools = (await colony.status())["pools"]
        return {
            replica["pid"] for pool in pools if pool["name"] in ("http", "workflows") or len(pools) == 1 for replica in pool["replicas"]
        }

    await admin.post(f"{path}/bring-in/run", {"input": {"ship": ship}})
    async with asyncio.timeout(120):
        while '"waiting"' not in await shown():
            await asyncio.sleep(0.05)
        before = await pids()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        answered = '"invoking"'
        while '"invoking"' in answered:
            with suppress(aiohttp.ClientError, AssertionError):  # who is asked isn't there again yet, or the answer is there already
                await admin.post(f"{path}/bring-in/steps/success", {"transaction_id": ship, "step_id": "ask-pilot", "response": "in"})
            with suppress(aiohttp.ClientError, AssertionError):
                answered = await shown()
            await asyncio.sleep(0.2)
        while not before.isdisjoint(await pids()):
            await asyncio.sleep(0.2)


async def test_a_first_start_on_a_terminal_is_read_from_top_to_bottom_and_finished_by_the_next(tmp_path: Path) -> None:
    """Ctrl-C while the demo shop is filled, and again while it is served, twice: no line runs through another one, and all are ours."""
    port = free_port()
    words = (*VELELLA, "serve", "--port", str(port))
    environment = os.environ | {"VELELLA_PROCESSES": "1", "TERM": "xterm-256color"}
    async with terminal(words, folder=tmp_path, environment=environment) as first:
        await first.until("Demo shop: ")  # whichever step is shown first: a quick machine skips some
        first.press(CTRL_C)
        assert await first.ended() == 0
    assert without_account(first.screen()) == ["Stopping …", STOPPED]

    async with terminal(words, folder=tmp_path, environment=environment) as second, aiohttp.ClientSession() as session:
        await second.until("topology")
        started = descendants(second.process.pid)
        base = f"http://127.0.0.1:{port}"
        async with session.get(f"{base}/health") as answer:
            assert answer.status == 200
        await second.until("/health")
        password = (tmp_path / ".velella" / "secrets" / "admin_password").read_text()
        token = (await Api(session, base).post("/auth/user/emailpass", {"email": DEMO_ADMIN, "password": password}))["token"]
        admin = Api(session, base, {"authorization": f"Bearer {token}"})
        assert (await admin.get("/admin/products"))["count"] == len(demo.WEAR + demo.THINGS)
        assert [store["metadata"] for store in (await admin.get("/admin/stores"))["stores"]] == [None]
        second.press(CTRL_C)
        await second.until("Stopping …")
        second.press(CTRL_C)
        assert await second.ended() in (0, 130)  # 0: it was over before the second one came
    lines = second.screen()
    assert lines[0].startswith(f"Velella serves {base} ")
    assert password in "".join(lines)
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d GET    /health {49} 200 +[\d.]+ ms +2 B", line) for line in lines), lines
    assert lines[-1] == STOPPED
    for shown in (first, second):
        assert not re.search(rb"Traceback|raylet|gcs_|listening|trace_id", shown.output), shown.output
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive, [process.cmdline() for process in alive]


def without_account(lines: list[str]) -> list[str]:
    """Without what the first start as root on a machine says once."""
    return [line for line in lines if "velella-postgres" not in line]


async def test_a_second_start_on_the_same_data_says_so(colony: Served) -> None:
    output = await velella("serve", "--port", str(free_port()), data_dir=colony.data_dir, ok=False)
    assert "already runs" in output
    assert str(colony.process.pid) in output
    assert "Traceback" not in output


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        output = await velella("serve", "--port", port, "--host", "0.0.0.0", data_dir=tmp_path / "data", ok=False)
    assert "Can't listen on" in output
    assert "--port" in output
    assert "public_url is not set" in output  # said first: this shop is opened to other machines
    assert "Traceback" not in output


async def test_a_port_is_taken_from_the_moment_that_a_shop_begins_to_start(tmp_path: Path) -> None:
    """Its processes share the port, and would with those of another shop, which gets some of the requests then."""
    port = free_port()
    with instance.port_held(Settings(port=port, data_dir=tmp_path / "one")), socket.socket() as ours:
        output = await velella("serve", "--port", str(port), data_dir=tmp_path / "other", ok=False)
        assert f"Can't listen on http://127.0.0.1:{port}" in output
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ours.bind(("127.0.0.1", port))
        ours.listen()
        client = socket.create_connection(("127.0.0.1", port), 5)
        ours.settimeout(5)
        ours.accept()[0].close()  # who holds the port takes no connection
        assert client.recv(1) == b""
        client.close()
    with instance.port_held(Settings(port=port, data_dir=tmp_path / "one")):
        pass  # at once after a shop has ended, with its last connections not forgotten yet


async def test_an_unreachable_database_is_one_clear_line(tmp_path: Path) -> None:
    url = f"postgresql://nobody:hidden@127.0.0.1:{free_port()}/nowhere"
    output = await velella("serve", "--port", str(free_port()), "--database-url", url, data_dir=tmp_path / "data", ok=False)
    assert "database does not answer" in output
    assert "hidden" not in output
    assert "Traceback" not in output


async def test_a_topology_that_makes_no_sense_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(
        "cluster_name: x\nprovider: {type: local, head_ip: 127.0.0.1}\nmetadata: {velella: {pools: [{name: a, services: [nonsense]}]}}\n"
    )
    output = await velella("serve", "--topology", str(file), "--port", str(free_port()), data_dir=tmp_path / "data", ok=False)
    assert "nonsense" in output
    assert "Traceback" not in output
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize("word", ["serve", "migrate", "seed", "user", "key", "cache", "status", "topology", "workflows", "config", "stop"])
async def test_every_command_explains_itself(word: str, tmp_path: Path) -> None:
    code, output = await forks.velella(word, "--help", folder=tmp_path, environment=os.environ | {"COLUMNS": "200"})
    assert code == 0
    assert "Usage" in output
    if word not in ("user", "key", "cache", "workflows"):
        assert "Example" in output
