"""A real Ray with two pools of toys: starting, looking, killing, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from velella.actors.cluster.autoscale import Scaling
from velella.actors.cluster.supervisor import Supervisor, supervisor_handle
from velella.actors.host import Host
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.topology import Pool, Topology
from velella.core.errors import Misconfigured, VelellaError
from velella.core.settings import Settings

POOLS = (Pool("toys", ("toy",), 2, 3), Pool("cache", ("caching",), 1))


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Supervisor, Settings]]:
    settings = Settings(
        modules={"toy": "toy_services:create", "caching": "toy_services:create_cache"},
        data_dir=tmp_path_factory.mktemp("colony"),
        cluster_token="the token of these tests",
    )
    supervisor = Supervisor(settings, Topology("toys", POOLS, settings))
    try:
        await supervisor.start_cluster()
        await supervisor.start_pools()
        yield supervisor, supervisor.settings
    finally:
        await supervisor.stop()


async def report(settings: Settings) -> dict[str, Any]:
    async with supervisor_handle(settings) as supervisor:
        return await supervisor.status()


def replicas(report: dict[str, Any], pool: str) -> list[dict[str, Any]]:
    (found,) = [row["replicas"] for row in report["pools"] if row["name"] == pool]
    return list(found)


async def client(supervisor: Supervisor) -> Host:
    host = Host(supervisor.settings, [], address=ReplicaAddress(ReplicaId("test", 0)), directory=supervisor.directory())
    await host.start()
    return host


async def test_status_shows_every_pool_replica_and_process(shop: tuple[Supervisor, Settings]) -> None:
    told = await report(shop[1])
    assert [(pool["name"], len(pool["replicas"])) for pool in told["pools"]] == [("toys", 2), ("cache", 1)]
    for replica in replicas(told, "toys") + replicas(told, "cache"):
        assert replica["state"] == "ready"
        assert replica["restarts"] == 0
        assert psutil.pid_exists(replica["pid"])
        assert replica["pid"] in told["pids"]
    assert os.getpid() in told["pids"]


async def test_status_is_told_while_processes_come_and_go(shop: tuple[Supervisor, Settings]) -> None:
    """As PostgreSQL's do, whose parent is the supervisor: many end between being listed and being looked at."""
    passing = await asyncio.create_subprocess_exec("sh", "-c", "while :; do true & true & true & /bin/true; done")
    try:
        for _ in range(60):
            assert os.getpid() in (await report(shop[1]))["pids"]
    finally:
        passing.kill()
        await passing.wait()


async def test_everything_listens_on_loopback_only(shop: tuple[Supervisor, Settings]) -> None:
    told = await report(shop[1])
    open_ports = [
        connection.laddr.ip
        for pid in told["pids"]
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert open_ports
    assert {address for address in open_ports if address not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")} == set()


async def test_secrets_of_ray_stay_in_the_data_directory(shop: tuple[Supervisor, Settings]) -> None:
    token = shop[1].data_dir / "secrets" / "ray_token"
    assert token.stat().st_mode & 0o077 == 0


async def test_messages_reach_replicas_over_their_sockets(shop: tuple[Supervisor, Settings]) -> None:
    host = await client(shop[0])
    toy: Any = host.modules.toy  # type: ignore[attr-defined]
    seen = {await toy.process() for _ in range(40)}
    assert seen == {replica["pid"] for replica in replicas(await report(shop[1]), "toys")}
    await host.stop()


async def test_where_no_socket_can_be_opened_messages_go_as_ray_calls(shop: tuple[Supervisor, Settings]) -> None:
    from velella.actors.cluster.replica import batch_call
    from velella.actors.messaging.client import Outgoing, RayLink

    link = RayLink(lambda: batch_call("velella-toys-0"))
    asked = [link.request(Outgoing("toy", "echo", [number], {}, "trace"), 5.0) for number in range(100)]
    assert await asyncio.gather(*asked) == list(range(100))
    with pytest.raises(VelellaError, match="not found"):
        await link.request(Outgoing("toy", "missing", ["x"], {}, "trace"), 5.0)
    link.close()


async def test_a_killed_replica_is_back_and_counted_and_everybody_forgets(shop: tuple[Supervisor, Settings]) -> None:
    host = await client(shop[0])
    toy: Any = host.modules.toy  # type: ignore[attr-defined]
    while (before := replicas(await report(shop[1]), "toys")[0])["state"] != "ready":
        await asyncio.sleep(0.05)
    victim = before["pid"]
    os.kill(victim, signal.SIGKILL)
    started = time.monotonic()
    while (replica := replicas(await report(shop[1]), "toys")[0])["restarts"] == before["restarts"]:
        assert await toy.echo(1) == 1, "the other one serves on"
        assert time.monotonic() - started < 30
        await asyncio.sleep(0.05)
    assert replica["pid"] != victim
    while replicas(await report(shop[1]), "toys")[0]["state"] != "ready":
        await asyncio.sleep(0.05)
    async with asyncio.timeout(30):  # the supervisor may know that it is back before a caller has looked again
        while {await toy.replica() for _ in range(20)} != {"toys-0", "toys-1"}:
            await asyncio.sleep(0.05)
        while not (await host.caching.told())[0]:  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
    await host.stop()


async def test_a_replica_more_joins_and_one_less_leaves_without_losing_a_message(
    shop: tuple[Supervisor, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, settings = shop
    host = await client(supervisor)
    toy: Any = host.modules.toy  # type: ignore[attr-defined]
    for wish, size in ((1, 3), (-1, 2)):
        wishes = [wish]
        monkeypatch.setattr(
            supervisor._scaling, "step", lambda pool, _, wishes=wishes: wishes.pop() if pool.name == "toys" and wishes else 0
        )
        started = time.monotonic()
        while len(replicas(await report(settings), "toys")) != size or replicas(await report(settings), "toys")[-1]["state"] != "ready":
            assert await toy.echo(1) == 1
            assert time.monotonic() - started < 30
            await asyncio.sleep(0.05)
        host.router.update(supervisor.directory())
        assert {await toy.replica() for _ in range(60)} == {f"toys-{index}" for index in range(size)}
    await host.stop()


async def test_an_operator_scales_and_rolls_a_pool_and_no_message_is_lost(shop: tuple[Supervisor, Settings]) -> None:
    supervisor, settings = shop
    host = await client(supervisor)
    toy: Any = host.modules.toy  # type: ignore[attr-defined]
    before = {replica["pid"] for replica in replicas(await report(settings), "toys")}

    async with supervisor_handle(settings) as asked:
        with pytest.raises(VelellaError, match="no pool toy"):
            await asked.scale({"toy": [1, 1]})
        for change, size in (("scale", 3), ("roll", 3), ("scale", 2)):
            await (asked.scale({"toys": [size, size]}) if change == "scale" else asked.roll(["toys"]))
            with pytest.raises(VelellaError, match="Another change"):
                await asked.roll([])
            while (told := await asked.change())["running"]:
                host.router.update(supervisor.directory())  # as replicas are told
                assert await toy.echo(1) == 1
                await asyncio.sleep(0.02)
            assert told["error"] is None
            assert told["lines"]
    now = {replica["pid"] for replica in replicas(await report(settings), "toys")}
    assert len(now) == 2
    assert now.isdisjoint(before)
    await host.stop()


async def test_every_process_forgets_when_asked(shop: tuple[Supervisor, Settings]) -> None:
    host = await client(shop[0])
    before = (await host.caching.told())[0]  # type: ignore[attr-defined]
    async with supervisor_handle(shop[1]) as supervisor:
        await supervisor.clear_cache()
    assert (await host.caching.told())[0] == before + 1  # type: ignore[attr-defined]
    await host.stop()


async def test_stopping_leaves_no_process_and_no_socket(shop: tuple[Supervisor, Settings]) -> None:
    told = await report(shop[1])
    before = [psutil.Process(pid) for pid in told["pids"] if pid != os.getpid()]
    sockets = [Path(replica["socket"]) for replica in replicas(told, "toys")]
    ours = {pid for replica in replicas(told, "toys") + replicas(told, "cache") for pid in [replica["pid"]]}
    await shop[0].stop()
    _, alive = psutil.wait_procs([process for process in before if process.pid in ours or "ray" in _command(process)], timeout=5)
    assert alive == []
    assert not any(path.exists() for path in sockets)
    with pytest.raises(Misconfigured, match="does not answer"):
        await report(shop[1])


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return "ray"


def test_a_pool_grows_with_its_queue_and_shrinks_when_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("velella.actors.cluster.supervisor.time.monotonic", lambda: now)
    scaling, pool = Scaling(), Pool("p", ("product",), 1, 2)
    crowded, quiet = {"waiting": 20, "running": 30}, {"waiting": 0, "running": 0}
    assert [scaling.step(pool, [crowded]) for _ in range(3)] == [0, 0, 1]
    assert [scaling.step(pool, [crowded, crowded]) for _ in range(5)] == [0] * 5, "it has as many as it may have"
    assert scaling.step(pool, [quiet, quiet]) == 0
    now += 30
    assert scaling.step(pool, [quiet, quiet]) == 0
    now += 31
    assert scaling.step(pool, [quiet, quiet]) == -1
    now += 100
    assert scaling.step(pool, [quiet]) == 0, "it never falls below its least"


async def test_a_replica_that_is_not_left_in_time_is_stopped_all_the_same() -> None:
    from velella.actors.cluster.replica import (
        Replica,  # here: Ray reads its settings when it is imported, those of the cluster above
    )

    stopped: list[float] = []

    class Slow:
        async def drain(self, seconds: float) -> None:
            raise TimeoutError

        async def stop(self, seconds: float) -> None:
            stopped.append(seconds)

    replica: Any = Replica.__new__(Replica)
    host: Future[Any] = Future()
    host.set_result(Slow())
    replica.__dict__ |= {"_host": host, "_loop": asyncio.get_running_loop(), "_stopped": False, "_plan": SimpleNamespace(one_node=True)}
    await asyncio.to_thread(replica.stop, 0.1, True)
    assert stopped == [0.1]


async def test_where_all_replicas_are_adopted_none_has_to_come_up_and_those_only_planned_keep_no_directory_back(tmp_path: Path) -> None:
    """A supervisor that follows another one, inside a cluster: here with one replica that runs and one that has no actor yet."""
    supervisor = Supervisor(Settings(data_dir=tmp_path), Topology("toys", POOLS, Settings(data_dir=tmp_path)))
    sent: list[Any] = []

    class Update:
        def remote(self, directory: Any) -> asyncio.Future[None]:
            sent.append(directory)
            return asyncio.ensure_future(asyncio.sleep(0))

    planned, running = (supervisor._plan(POOLS[0]) for _ in range(2))  # private: what Ray makes of a plan takes seconds
    running.actor = SimpleNamespace(update=Update())
    assert planned.actor is None
    await supervisor._ready([])
    await supervisor._send_directory()
    assert len(sent) == 1
