"""The supervisor: starts the pools on Ray, watches them, restarts what hangs, follows queues with replicas, and ends everything.

It is not on the way of any message. When it is gone, Ray and all replicas go with it; started again, they come up as before.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from ..core.errors import Unavailable, VelellaError
from ..core.logs import logger
from ..core.metrics import Sample
from ..core.settings import Settings
from .cluster import Cluster, run_dir
from .control import Control, supervisor_handle
from .directory import HOST, Address, Directory, ReplicaId
from .logpipe import LogPipe
from .metrics import gather
from .router import Router, socket_links
from .services import import_path
from .topology import Pool, Topology

log = logger("velella.supervisor")

READY_SECONDS = 180.0
GLANCE_SECONDS = 0.25
"""How often we see whether processes are there."""
WATCH_SECONDS = 1.0
"""How often we ask replicas how they are."""
ASK_SECONDS = 3.0
"""How long one check may take: as long as it does, the others wait for theirs."""
HUNG_SECONDS = 15.0
"""How long a replica may give no sign of life before it is killed: longer than any pause a loaded machine makes."""
SILENT_SECONDS = {"hung": HUNG_SECONDS, "silent": HUNG_SECONDS, "failed": 5.0, "starting": READY_SECONDS, "restarting": READY_SECONDS}
"""State → how long a replica may not have been running before it is started again. One that failed may have met a database just away."""
FINISH_SECONDS = 10.0
"""What messages inside get to finish when we stop."""
NO_TCP = "none"
"""As `message_host`: take no messages by TCP. Between nodes they then go as Ray calls."""
LAST_TIERS = (("http",), ("workflows",))
"""Who stops first: the doors, so that nothing new comes in, then those who send messages on behalf of others."""
GROW_WAITING, GROW_CHECKS = 8, 3
"""A pool grows when this many messages wait for each of its replicas, at so many checks in a row."""
SHRINK_SECONDS = 60.0


@dataclass
class Member:
    """A replica as the supervisor sees it."""

    id: ReplicaId
    pool: Pool
    actor: Any
    address: Address
    pid: int | None = None
    state: str = "starting"
    restarts: int = 0
    report: dict[str, Any] = field(default_factory=dict)
    """What it last said of itself."""
    seen: float = field(default_factory=time.monotonic)

    def shown(self) -> dict[str, Any]:
        return {
            "index": self.id.index,
            "pid": self.pid,
            "state": self.state,
            "restarts": self.restarts,
            "waiting": self.report.get("waiting", 0),
            "running": self.report.get("running", 0),
            "handled": self.report.get("handled", 0),
            "refused": self.report.get("refused", 0),
            "socket": self.address.path,
            "port": self.address.port,
        }


class Supervisor:
    """One running Velella: `start_cluster`, then `start_pools`, then `stop`. Each may be awaited once; `stop` at any time, repeatedly."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        formatted = settings.log_format
        if formatted == "auto":  # replicas write into our terminal, but can't see that it is one
            formatted = "text" if sys.stderr.isatty() else "json"
        self.settings = settings.model_copy(
            update={"log_format": formatted, "data_dir": settings.data_dir.absolute(), "databases": topology.settings.databases}
        )
        self.topology = topology
        self._cluster = Cluster(
            self.settings,
            topology.processes,
            counts_cores=any("CPU" in pool.resources for pool in topology.pools),
            preload=self._packages() if len(topology.pools) == 1 else (),
        )
        self._members: dict[ReplicaId, Member] = {}
        self._logs = LogPipe(self.settings)
        self._control = Control(self.settings, self)
        me = Address(ReplicaId("supervisor", 0))
        self._router = Router(me.replica, socket_links(me, self.settings.cluster_token, _batch_call), _nothing_here)
        self._watching: asyncio.Task[None] | None = None
        self._scaling = Scaling()
        self._stopped = False

    def _packages(self) -> list[str]:
        """What a process with everything imports."""
        return [import_path(service, self.settings).partition(":")[0] for service in self.topology.services]

    # -- starting
    async def start_cluster(self) -> None:
        """Start Ray, or join it. Needs no database, so it may run while that is being filled."""
        await self._cluster.start()

    async def start_pools(self) -> None:
        """Start every replica, all at once, and wait until each takes messages and the shop answers.

        Raises what kept a replica from starting.
        """
        self._logs.open()
        for pool in self.topology.pools:
            for index in range(pool.replicas):
                self._plan(pool, index)
        for member in self._members.values():
            self._make(member)
        await self._ready(self._members.values())
        if self._cluster.is_joined:
            await self._tell_directory()
        self._router.update(self.directory())
        await self._control.open()
        self._watching = asyncio.create_task(self._watch())

    def _plan(self, pool: Pool, index: int) -> Member:
        from .replica import actor_name, socket_path

        id = ReplicaId(pool.name, index)
        path = None if self._cluster.is_joined else socket_path(self.settings, id)  # elsewhere it isn't known before it has started
        member = self._members[id] = Member(id, pool, None, Address(id, path=path, actor=actor_name(id)))
        return member

    def _make(self, member: Member) -> None:
        from .replica import Plan, actor_name, replica_actor

        joined = self._cluster.is_joined
        listen = self.settings.message_host or ("node" if joined else NO_TCP)
        plan = Plan.of(
            member.pool,
            member.id.index,
            self.settings,
            self.directory(),
            listen=None if listen == NO_TCP else listen,
            one_node=not joined,
        )
        member.actor = replica_actor(member.pool).options(name=actor_name(member.id)).remote(plan)

    async def _ready(self, members: Iterable[Member]) -> None:
        """Wait until they take messages. Raises what kept the first one from it, or Unavailable when that takes too long."""
        waiting = {asyncio.create_task(self._one_ready(member)): member for member in members}
        done, late = await asyncio.wait(waiting, timeout=READY_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in done:
            task.result()
        if late:
            names = ", ".join(str(waiting[task].id) for task in late)
            raise Unavailable(
                f"Not started within {READY_SECONDS:.0f} s: {names}.", hint="Does the cluster have the resources that the pools ask for?"
            )

    async def _one_ready(self, member: Member) -> None:
        from ray.exceptions import RayError

        try:
            answer = await member.actor.ready.remote()
        except RayError as error:
            raise Unavailable(f"{member.id} did not start: {str(error).strip()}") from error
        if "error" in answer:
            raise VelellaError.from_wire(answer["error"])
        member.address = Address.from_wire(answer["address"])
        member.pid, member.state, member.seen = answer["pid"], "running", time.monotonic()

    def directory(self) -> Directory:
        """Where everybody is, as far as we know."""
        return Directory.of((member.address, member.pool.services) for member in self._members.values())

    async def _tell_directory(self) -> None:
        """Hand the directory to every replica. By Ray, since it may be what they need to reach each other."""
        wire = self.directory().to_wire()
        self._router.update(self.directory())
        await asyncio.gather(*(member.actor.update.remote(wire) for member in self._members.values()), return_exceptions=True)

    # -- watching
    async def _watch(self) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(GLANCE_SECONDS)
            if self._cluster.is_lost():
                log.critical("Ray has ended: stopping")
                os.kill(os.getpid(), signal.SIGTERM)
                return
            due = time.monotonic() - checked >= WATCH_SECONDS
            try:
                await self._check(ask=due)
            except Exception:  # whatever it was, the next look must come
                log.exception("a check failed")
            if due:
                checked = time.monotonic()

    async def _check(self, ask: bool) -> None:
        """See whether all processes are there, and if `ask`, how they are."""
        changed = [self._is_gone(member) for member in self._members.values()]
        if ask:
            changed += await asyncio.gather(*(self._look_at(member) for member in list(self._members.values())))
            await self._scale()
        if any(changed):
            await self._after_restart()

    def _is_gone(self, member: Member) -> bool:
        """Whether its process has died since we looked last. Ray is about to start another."""
        if member.pid is None or self._cluster.is_joined or psutil.pid_exists(member.pid):
            return False
        self._count_restart(member, None)
        member.state, member.seen = "restarting", time.monotonic()
        return True

    def _count_restart(self, member: Member, pid: int | None) -> None:
        member.restarts += 1
        log.warning("a replica has died", replica=str(member.id), pid=member.pid, restarts=member.restarts)
        member.pid = pid

    async def _look_at(self, member: Member) -> bool:
        """Ask how it is. Returns whether another process answers than before, or from elsewhere."""
        from ray.exceptions import RayError

        known = member.address
        restarts = member.restarts
        try:
            report = await asyncio.wait_for(_asked(member.actor.health.remote(member.restarts)), ASK_SECONDS)
        except TimeoutError:
            report = {"state": "silent" if member.pid is not None else "restarting"}
        except RayError:
            report = {"state": "restarting"}
        pid = report.get("pid")
        if pid is not None and pid != member.pid:
            if member.pid is None:
                member.pid = pid
            else:
                self._count_restart(member, pid)
        now = time.monotonic()
        if (state := report["state"]) in ("running", "stopping"):
            member.seen = now
        elif now - member.seen > SILENT_SECONDS[state]:
            log.error("a replica is started again", replica=str(member.id), state=state, silent=round(now - member.seen, 1))
            self._restart(member)
            member.seen = now
        if "address" in report:
            member.address = Address.from_wire(report["address"])
        member.state, member.report = state, report
        return member.restarts != restarts or member.address != known

    async def _after_restart(self) -> None:
        """A dead replica may have taken along changes that it hadn't told yet: everybody forgets what may be stale."""
        if self._cluster.is_joined:
            await self._tell_directory()
        await self.clear_cache()

    async def clear_cache(self) -> None:
        """Every process forgets what it caches, and the caching pool too."""
        if self._router.replicas("caching"):
            await self._router.broadcast("caching", "forget_all")
        await self._router.broadcast(HOST, "forget", None)

    def _restart(self, member: Member) -> None:
        """Kill the process; Ray starts another. Not through Ray where we can help it: a process that hangs doesn't listen to Ray either."""
        if member.pid is not None and not self._cluster.is_joined and psutil.pid_exists(member.pid):
            os.kill(member.pid, signal.SIGKILL)
        else:
            self._kill(member, restart=True)

    def _kill(self, member: Member, restart: bool) -> None:
        import ray

        ray.kill(member.actor, no_restart=not restart)

    # -- scaling
    async def _scale(self) -> None:
        for pool in self.topology.pools:
            members = [member for member in self._members.values() if member.pool is pool]
            step = self._scaling.step(pool, [member.report for member in members])
            if step > 0:
                member = self._plan(pool, max(member.id.index for member in members) + 1)
                self._make(member)
                try:
                    await self._ready([member])
                except VelellaError as error:
                    log.error("a pool could not grow", pool=pool.name, error=str(error))
                    await self._retire([member])
                    continue
                log.info("a pool has grown", pool=pool.name, replicas=len(members) + 1)
                await self._tell_directory()
            elif step < 0:
                leaving = max(members, key=lambda member: member.id.index)
                await self._retire([leaving])
                log.info("a pool has shrunk", pool=pool.name, replicas=len(members) - 1)

    async def _retire(self, members: Sequence[Member]) -> None:
        """Let replicas go: first nobody sends to them any more, then they finish, then they end."""
        for member in members:
            self._members.pop(member.id, None)
        await self._tell_directory()
        await self._finish(members)
        for member in members:
            self._kill(member, restart=False)

    # -- stopping
    async def stop(self) -> None:
        """Close the doors, finish what is inside, end every replica and Ray. Nothing is left running."""
        if self._stopped:
            return
        self._stopped = True
        if self._watching is not None:
            self._watching.cancel()
        await self._control.close()
        rest = [member for member in self._members.values() if member.actor is not None]
        for tier in (*LAST_TIERS, ()):
            going = [member for member in rest if not tier or any(service in tier for service in member.pool.services)]
            rest = [member for member in rest if member not in going]
            for member in going:
                member.state = "stopping"
            await self._finish(going)
        self._router.close()
        self._logs.close()
        await self._end()

    async def _finish(self, members: Iterable[Member]) -> None:
        waiting = [asyncio.ensure_future(_asked(member.actor.stop.remote(FINISH_SECONDS))) for member in members]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=FINISH_SECONDS + 5.0)
            for one in late:
                one.cancel()

    async def _end(self) -> None:
        for member in self._members.values():
            if member.actor is not None:
                self._kill(member, restart=False)
        await self._cluster.stop()
        self._cluster.close()
        if self._cluster.is_joined:
            return
        _, alive = await asyncio.to_thread(psutil.wait_procs, _processes(self._members.values()), 3.0)
        for process in alive:
            process.kill()
        shutil.rmtree(run_dir(self.settings), ignore_errors=True)  # sockets of those that were killed

    # -- telling
    async def figures(self) -> dict[str, list[Sample]]:
        """What every replica tells of itself; nothing of one that doesn't answer."""
        return {str(replica): samples for replica, samples in (await gather(self._router)).items()}

    def status(self) -> dict[str, Any]:
        """What `velella status` shows."""
        own = psutil.Process()
        pids = {own.pid, *(child.pid for child in own.children(recursive=True) if child.name() != "postgres")}
        return {
            "topology": self.topology.name,
            "url": self.settings.public_url or f"http://{self.settings.host}:{self.settings.port}",
            "supervisor": own.pid,
            "up_seconds": round(time.time() - own.create_time(), 1),
            "pids": sorted(pids | {member.pid for member in self._members.values() if member.pid is not None}),
            "pools": [
                {
                    "name": pool.name,
                    "services": list(pool.services),
                    "replicas": [member.shown() for member in sorted(self._members.values(), key=lambda m: m.id) if member.pool is pool],
                }
                for pool in self.topology.pools
            ],
        }


class Scaling:
    """When a pool between its least and most replicas grows or shrinks."""

    def __init__(self) -> None:
        self._crowded: dict[str, int] = {}
        self._quiet_since: dict[str, float] = {}

    def step(self, pool: Pool, reports: Sequence[dict[str, Any]]) -> int:
        """+1, -1 or 0, by what the replicas report. Called once a check."""
        if pool.at_most == pool.replicas:
            return 0
        waiting = sum(report.get("waiting", 0) for report in reports)
        busy = waiting + sum(report.get("running", 0) for report in reports)
        crowded = waiting >= GROW_WAITING * len(reports)
        self._crowded[pool.name] = self._crowded.get(pool.name, 0) + 1 if crowded else 0
        if busy > len(reports):
            self._quiet_since.pop(pool.name, None)
        now = time.monotonic()
        quiet_since = self._quiet_since.setdefault(pool.name, now) if busy <= len(reports) else now
        if self._crowded[pool.name] >= GROW_CHECKS and len(reports) < pool.at_most:
            self._crowded[pool.name] = 0
            return 1
        if now - quiet_since >= SHRINK_SECONDS and len(reports) > pool.replicas:
            self._quiet_since[pool.name] = now
            return -1
        return 0


async def _asked(reference: Any) -> Any:
    """A Ray reference as a coroutine, for those who want a task of it."""
    return await reference


def _batch_call(name: str) -> Any:
    from .replica import batch_call

    return batch_call(name)


def _nothing_here(service: str, method: str) -> Any:
    raise Unavailable(f"{service} does not live in the supervisor.")


def _processes(members: Iterable[Member]) -> list[psutil.Process]:
    found = []
    for member in members:
        if member.pid is not None and member.pid != os.getpid() and psutil.pid_exists(member.pid):
            found.append(psutil.Process(member.pid))
    return found


__all__ = ["Member", "Scaling", "Supervisor", "supervisor_handle"]
