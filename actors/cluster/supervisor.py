"""The supervisor: starts the pools on Ray, watches them, restarts what hangs, scales pools by their queues, and ends everything.

No message goes through it. The supervisor of `velella serve` takes Ray and all replicas along when it ends; that of `velella up` lives in
the cluster itself (see `detached.py`), and finds the replicas where they are when it is restarted.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

import psutil

from ...core.errors import Unavailable, VelellaError
from ...core.logs import logger
from ...core.metrics import Sample
from ...core.settings import Settings, without_password
from ...core.tasks import Tasks
from ..caching.shared import clear_shared
from ..membership.directory import HOST, NODE, Directory, ReplicaAddress, ReplicaId
from ..membership.epochs import epoch_of, first_version, take_epoch
from ..membership.states import MOVING, UNREACHABLE, ReplicaState
from ..messaging.router import Router, socket_links
from ..messaging.tls import client_tls
from ..observe.scrape import gather
from ..services import import_path
from ..topology import Pool, Topology
from .autoscale import Scaling
from .control import Control, address_of, supervisor_handle
from .finishing import Finishing, pids_of, processes_of, replied
from .logpipe import LogPipe
from .members import Member, directory_of, node_for
from .nodes import Nodes
from .ray_runtime import Cluster, Surroundings, run_dir
from .reconcile import Hold, StartReplica, Wanted, in_order, moves
from .rollout import Rollout

log = logger("velella.supervisor")

READY_SECONDS = 180.0
GLANCE_SECONDS = 0.25
"""Seconds between two checks whether the processes exist."""
WATCH_SECONDS = 1.0
"""Seconds between two health checks of the replicas."""
ASK_SECONDS = 3.0
"""Seconds one health check may take; the replica's next one waits for it. On several nodes, a replica that doesn't answer for this long
is suspect and gets no more messages until it answers again."""
SEND_SECONDS = 2.0
"""Seconds we wait for replicas to receive a change. Slow ones receive it later; dead ones must not hold up the others."""
HUNG_SECONDS = 15.0
"""Seconds without a sign of life after which a replica is killed: longer than any pause that a loaded machine makes."""
PATIENCE_SECONDS = {
    ReplicaState.HUNG: HUNG_SECONDS,
    ReplicaState.SUSPECT: HUNG_SECONDS,
    ReplicaState.RESTARTING: READY_SECONDS,
    ReplicaState.FAILED: 5.0,
}
"""State → seconds a replica may be in it before it is restarted. A replica that failed may have met a database that is just down."""
NO_TCP = "none"
"""Value of `message_host`: take no messages by TCP. Between nodes they then go as Ray calls."""
LAST_TIERS = (("http",), ("workflows",))
"""The order in which services stop: the front ends first, so that nothing new comes in, then the senders of messages on behalf of
others."""


class Supervisor:
    """One running Velella: `start_cluster`, then `start_pools`, then `stop`. Each may be awaited once; `stop` at any time, repeatedly."""

    def __init__(
        self,
        settings: Settings,
        topology: Topology,
        *,
        inside: bool = False,
        pools_changed: Callable[[Sequence[Pool]], Awaitable[None]] | None = None,
    ) -> None:
        """`inside`: this process is an actor of the cluster itself, and the replicas shall outlive it. `pools_changed` is awaited when
        an operator changes the numbers of replicas."""
        formatted = settings.log_format
        if formatted == "auto":  # replicas write to our terminal, but can't see that it is one
            formatted = "text" if sys.stderr.isatty() else "json"
        self.settings = settings.model_copy(
            update={"log_format": formatted, "data_dir": settings.data_dir.absolute(), "databases": topology.settings.databases}
        )
        self.topology = topology
        self._inside = inside
        self._pools_changed = pools_changed
        self._cluster: Cluster | Surroundings = (
            Surroundings()
            if inside
            else Cluster(
                self.settings,
                topology.processes,
                counts_cores=any("CPU" in pool.resources for pool in topology.pools),
                preload=self._packages() if len(topology.pools) == 1 else (),
            )
        )
        self.wanted = {pool.name: Wanted(pool, pool.replicas) for pool in in_order(topology.pools)}
        """Pool → its wanted state, in the order in which pools are replaced."""
        self._members: dict[ReplicaId, Member] = {}
        self._moves = Tasks("something that was to be done to the pools failed")
        self._looks: dict[ReplicaId, asyncio.Task[bool]] = {}
        self._held: dict[str, Hold] = {}
        self._nodes = Nodes()
        self._logs = LogPipe(self.settings)
        self._control = Control(self.settings, self)
        self.changes = Rollout(self)
        me = ReplicaAddress(ReplicaId("supervisor", 0))
        self._router = Router(
            me.replica, socket_links(me, self.settings.cluster_token, _batch_call, tls=client_tls(self.settings)), _nothing_here
        )
        self._watching: asyncio.Task[None] | None = None
        self._scaling = Scaling()
        self._version = 0
        self._latest_epoch = 0
        """The highest epoch that replicas have reported."""
        self._stopped = False
        self._finishing = Finishing()

    def _packages(self) -> list[str]:
        """The packages that a process with everything imports."""
        return [import_path(service, self.settings).partition(":")[0] for service in self.topology.services]

    # -- starting
    async def start_cluster(self) -> None:
        """Start Ray, or join it. Needs no database, so it may run while the database is being filled."""
        await self._cluster.start()

    async def start_pools(self) -> None:
        """Start every replica, all at once, and wait until each takes messages and the shop answers.

        Replicas that outlived an earlier supervisor are adopted. Raises the error that kept a replica from starting.
        """
        if not self._inside:
            self._logs.open()
        else:
            self._version = first_version(await asyncio.to_thread(take_epoch))
        await clear_shared(self.settings)
        if self._inside and await self._adopt():
            self._watching = asyncio.create_task(self._watch())
        new = [self._plan(pool) for pool in self.pools for _ in range(pool.replicas - len(self.members(pool.name)))]
        await self._make(new)
        await self._ready(new)
        await self._send_directory()
        if not self._inside:
            await self._control.open()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def _adopt(self) -> int:
        """Adopt the replicas that exist. Returns how many."""
        from .replica import named_actors

        for id, actor in (await asyncio.to_thread(named_actors)).items():
            if (wanted := self.wanted.get(id.pool)) is not None:
                member = self._plan(wanted.pool, id.index)
                member.actor, member.state = actor, ReplicaState.RESTARTING
        await asyncio.gather(*(self._look_at(member) for member in self._members.values()))
        for name, wanted in self.wanted.items():  # a pool that has grown with its queue keeps its size until it is quiet
            staying = [member for member in self.members(name) if member.state != ReplicaState.DRAINING]
            self.wanted[name] = wanted.resized(wanted.pool, len(staying))
        if self._is_outdated():  # Ray's store was lost, and epochs began again
            self._version = first_version(await asyncio.to_thread(take_epoch, self._latest_epoch))
        if self._members:
            log.warning("replicas are taken over from the supervisor before", replicas=len(self._members))
            await self._send_directory()
        return len(self._members)

    @property
    def pools(self) -> list[Pool]:
        """The pools as wanted, in the order in which they were given."""
        return [self.wanted[pool.name].pool for pool in self.topology.pools]

    def members(self, pool: str) -> list[Member]:
        """The replicas of a pool."""
        return sorted((member for member in self._members.values() if member.id.pool == pool), key=lambda member: member.id)

    def all_members(self) -> list[Member]:
        return list(self._members.values())

    def _plan(self, pool: Pool, index: int | None = None) -> Member:
        from .replica import actor_name, socket_path

        taken = {member.id.index for member in self.members(pool.name)}
        id = ReplicaId(pool.name, next(n for n in range(len(taken) + 1) if n not in taken) if index is None else index)
        path = None if self._cluster.is_joined else socket_path(self.settings, id)  # elsewhere it isn't known before it has started
        generation = self.wanted[pool.name].generation
        member = self._members[id] = Member(id, pool, None, ReplicaAddress(id, path=path, actor=actor_name(id)), generation=generation)
        return member

    async def _make(self, members: Sequence[Member]) -> None:
        """Have Ray start them; on several nodes, where the fewest of their pool are."""
        import ray

        nodes = await asyncio.to_thread(ray.nodes) if self._cluster.is_joined else []
        for member in (one for one in members if not one.placed_on):
            member.placed_on = node_for(member.pool, self._members.values(), nodes) or ""
        for member in members:
            self._make_one(member)

    def _make_one(self, member: Member) -> None:
        from .replica import StartArguments, actor_name, replica_actor

        joined = self._cluster.is_joined
        listen = self.settings.message_host or (NODE if joined else NO_TCP)
        plan = StartArguments.of(
            member.pool,
            member.id.index,
            self.settings,
            self.directory(),
            listen=None if listen == NO_TCP else listen,
            one_node=not joined,
        )
        made = replica_actor(member.pool, node=member.placed_on or None, detached=self._inside)
        member.actor = made.options(name=actor_name(member.id)).remote(plan)

    async def _ready(self, members: Sequence[Member]) -> None:
        """Wait until they take messages. Raises the first one's error, or Unavailable if that takes too long."""
        if not members:  # all were adopted
            return
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
        member.address, member.report = ReplicaAddress.from_wire(answer["address"]), {name: answer[name] for name in ("node", "documents")}
        member.pid, member.state, member.seen = answer["pid"], ReplicaState.READY, time.monotonic()

    def directory(self) -> Directory:
        """Where every replica is, as far as we know."""
        return directory_of(self.all_members(), self._version, joined=self._cluster.is_joined)

    def _is_unreachable(self, member: Member) -> bool:
        return self._cluster.is_joined and member.state in UNREACHABLE

    async def _send_directory(self) -> None:
        """Send the directory to every replica. Through Ray, since the replicas may need it to reach each other.

        A replica that is only planned has no actor yet: it is made with the directory of then.
        """
        self._version += 1
        wire = self.directory().to_wire()
        self._router.update(self.directory())
        there = [member for member in self._members.values() if member.actor is not None]
        sending = [asyncio.ensure_future(replied(member.actor.update.remote(wire))) for member in there]
        if sending:
            _, late = await asyncio.wait(sending, timeout=SEND_SECONDS)
            for one in late:
                one.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

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
            except Exception:  # whatever failed, the next check must come
                log.exception("a check failed")
            if due:
                checked = time.monotonic()

    async def _check(self, ask: bool) -> None:
        """Check whether all processes exist, and if `ask`, begin health checks; then begin the next moves. Waits for nothing."""
        there = [member for member in self._members.values() if member.actor is not None and member.state != ReplicaState.DRAINING]
        changed = [self._has_died(member) for member in there]
        changed += self._answers()
        if ask:
            # a replica that is just being made can't answer yet: `_start` waits for it
            for member in there:
                if member.id not in self._looks and (member.pid is not None or member.state != ReplicaState.STARTING):
                    self._looks[member.id] = asyncio.create_task(self._look_at(member))
            self._follow_queues()
            if self._cluster.is_joined:
                self._nodes.look()
        if self._is_outdated():
            log.critical("another supervisor has taken over: this one ends", epoch=self._latest_epoch)
            os._exit(1)  # nothing that it was about to do may be done
        if any(changed):
            self._moves.begin(self._after_restart())
        self._reconcile()

    def _answers(self) -> list[bool]:
        """The results of the health checks that have ended: whether each has seen something new."""
        ended = [id for id, look in self._looks.items() if look.done()]
        return [self._looks.pop(id).result() for id in ended]

    def _is_outdated(self) -> bool:
        return self._latest_epoch > epoch_of(self._version)

    def _has_died(self, member: Member) -> bool:
        """Whether its process has died since the last check. Ray is about to start another."""
        if member.pid is None or self._cluster.is_joined or psutil.pid_exists(member.pid):
            return False
        self._count_restart(member, None)
        member.state = ReplicaState.RESTARTING
        return True

    def _count_restart(self, member: Member, pid: int | None) -> None:
        member.restarts, member.seen = member.restarts + 1, time.monotonic()
        log.warning("a replica has died", replica=str(member.id), pid=member.pid, restarts=member.restarts)
        member.pid = pid

    async def _look_at(self, member: Member) -> bool:
        """Check a replica's health. Returns whether its process, its address or its suspicion has changed."""
        from ray.exceptions import RayError

        known, was_unreachable = (member.address, member.address.incarnation), self._is_unreachable(member)
        restarts = member.restarts
        try:
            report = await asyncio.wait_for(replied(member.actor.health.remote(member.restarts, epoch_of(self._version))), ASK_SECONDS)
        except TimeoutError:  # a process that hasn't been ready yet is only slow to start: it gets the time of a start, however busy it is
            starting = member.pid is None or member.state == ReplicaState.RESTARTING
            report = {"state": ReplicaState.RESTARTING if starting else ReplicaState.SUSPECT}
        except RayError:
            report = {"state": ReplicaState.RESTARTING}
        pid = report.get("pid")
        if pid is not None and pid != member.pid:
            if member.pid is None:
                member.pid = pid
            else:
                self._count_restart(member, pid)
        now = time.monotonic()
        state = ReplicaState(report["state"])
        if state == ReplicaState.STARTING:  # Ray has started its process again
            state = ReplicaState.RESTARTING
        if state in (ReplicaState.READY, ReplicaState.DRAINING):
            member.seen = now
        elif (seconds := now - member.seen) > PATIENCE_SECONDS[state]:
            log.error(
                "a replica did not get well: its process is killed, and Ray starts another one",
                replica=str(member.id),
                state=state,
                seconds=round(seconds, 1),
            )
            self._restart(member)
            member.seen = now
        if "address" in report:
            member.address = ReplicaAddress.from_wire(report["address"])
        known_documents = member.report.get("documents", {})
        if member.state != ReplicaState.DRAINING:  # it may have begun to drain meanwhile
            member.state = state
            if state == ReplicaState.DRAINING:  # an earlier supervisor has begun that: this one ends the process
                self._moves.begin(self._retire(member))
        member.report = {"node": member.report.get("node"), "documents": known_documents, **report}
        self._latest_epoch = max(self._latest_epoch, epoch_of(report.get("directory", 0)))
        if (is_unreachable := self._is_unreachable(member)) != was_unreachable:
            log.warning("a replica is suspect" if is_unreachable else "a replica answers again", replica=str(member.id), state=state)
        if member.report["documents"] != known_documents:
            self._moves.begin(self._send_directory())
        return member.restarts != restarts or (member.address, member.address.incarnation) != known or is_unreachable != was_unreachable

    async def _after_restart(self) -> None:
        """A replica may have died before it sent the invalidation of its changes: every process drops what may be stale."""
        await self._send_directory()
        await self.clear_cache()

    async def clear_cache(self) -> None:
        """Make every process drop its cache, and the caching pool too."""
        if self._router.replicas("caching"):
            await self._router.broadcast("caching", "forget_all")
        await self._router.broadcast(HOST, "forget", None)

    def _restart(self, member: Member) -> None:
        """Kill the process; Ray starts another. Directly if possible: a process that hangs doesn't listen to Ray either."""
        if member.pid is not None and not self._cluster.is_joined and psutil.pid_exists(member.pid):
            os.kill(member.pid, signal.SIGKILL)
        else:
            self._kill(member, restart=True)

    def _kill(self, member: Member, restart: bool) -> None:
        import ray

        ray.kill(member.actor, no_restart=not restart)

    # -- the wanted state, and the way there
    async def want(self, wanted: Iterable[Wanted]) -> None:
        """Change the wanted state of pools, all at once."""
        self.wanted |= {each.pool.name: each for each in wanted}
        if self._pools_changed is not None:
            await self._pools_changed(self.pools)

    def _follow_queues(self) -> None:
        """Want one replica more of a crowded pool, and one less of a quiet one."""
        for name, wanted in self.wanted.items():
            own = self.members(name)
            step = self._scaling.step(wanted.pool, [member.report for member in own])
            moving = len(own) != wanted.replicas or any(member.state in MOVING for member in own)
            if step and not moving:
                self.wanted[name] = wanted.resized(wanted.pool, wanted.replicas + step)
                log.info("a pool follows its queue", pool=name, replicas=self.wanted[name].replicas)

    def _reconcile(self) -> None:
        """Begin the next moves."""
        now = time.monotonic()
        held = {name for name, held in self._held.items() if held.until > now}
        for one in moves(list(self.wanted.values()), self.all_members(), self._nodes.settled, held):
            self._moves.begin(self._start(one) if isinstance(one, StartReplica) else self._retire(one.member))
        self.changes.look()

    def _start(self, one: StartReplica) -> Coroutine[Any, Any, None]:
        """Make a replica. Until it takes messages its state is STARTING."""
        member = self._plan(one.pool)
        member.placed_on = one.node or ""
        return self._come_up(member, one.instead_of)

    async def _come_up(self, member: Member, instead_of: Member | None) -> None:
        name = member.id.pool
        try:
            await self._make([member])
            await self._ready([member])
        except Exception as error:
            self._members.pop(member.id, None)
            if member.actor is not None:
                self._kill(member, restart=False)
            last = self._held.get(name)
            self._held[name] = Hold.after(last, time.monotonic())
            if not isinstance(error, VelellaError):
                log.exception("a replica failed unexpectedly while it was started")
            known = error if isinstance(error, VelellaError) else VelellaError(f"{type(error).__name__}: {error}")
            self.changes.fail(name, known)
            return
        self._held.pop(name, None)
        await self._send_directory()
        if instead_of is not None:
            self.changes.say(name, f"{instead_of.id} (process {instead_of.pid}) → {member.id} (process {member.pid})")
        else:
            log.info("a replica is ready", replica=str(member.id), pid=member.pid)

    def _retire(self, member: Member) -> Coroutine[Any, Any, None]:
        """Retire a replica: first it gets no more messages, then it finishes the ones it has, then it ends."""
        member.state = ReplicaState.DRAINING
        return self._drain(member)

    async def _drain(self, member: Member) -> None:
        await self._send_directory()
        await self._finishing.wait_for([member], drain=True)
        self._kill(member, restart=False)
        self._members.pop(member.id, None)
        await self._send_directory()
        log.info("a replica was retired", replica=str(member.id), pid=member.pid)

    # -- stopping
    async def stop(self) -> None:
        """Close the front ends, finish the messages inside, end every replica and Ray. Nothing is left running."""
        if self._stopped:
            return
        self._stopped = True
        for task in (self._watching, *self._moves, *self._looks.values()):
            if task is not None:
                task.cancel()
        self._nodes.stop()
        try:
            if not self._inside:
                await self._control.close()
            rest = [member for member in self._members.values() if member.actor is not None]
            for tier in (*LAST_TIERS, ()):
                going = [member for member in rest if not tier or any(service in tier for service in member.pool.services)]
                rest = [member for member in rest if member not in going]
                for member in going:
                    member.state = ReplicaState.DRAINING
                await self._finishing.wait_for(going)
            self._router.close()
            if not self._inside:
                self._logs.close()
        finally:  # what could not be stopped in order is ended all the same
            await self._end()

    def hurry(self) -> None:
        """Wait no longer for messages inside: `stop` then ends replicas as they are."""
        self._finishing.hurry()

    async def _end(self) -> None:
        for member in self._members.values():
            if member.actor is not None:
                self._kill(member, restart=False)
        await self._cluster.stop()
        self._cluster.close()
        if self._cluster.is_joined:
            return
        _, alive = await asyncio.to_thread(psutil.wait_procs, processes_of(self._members.values()), 3.0)
        for process in alive:
            process.kill()
        shutil.rmtree(run_dir(self.settings), ignore_errors=True)  # sockets of killed replicas

    # -- reporting
    async def metrics(self) -> dict[str, list[Sample]]:
        """The metrics of every replica; none of a replica that doesn't answer."""
        return {str(replica): samples for replica, samples in (await gather(self._router)).items()}

    def status(self) -> dict[str, Any]:
        """What `velella status` shows."""
        own = psutil.Process()
        return {
            "topology": self.topology.name,
            "url": self._url(),
            "address": address_of(self.settings),
            "database": without_password(str(self.settings.database_url)),
            "supervisor": own.pid,
            "up_seconds": round(time.time() - own.create_time(), 1),
            "pids": sorted(pids_of(own) | {member.pid for member in self._members.values() if member.pid is not None}),
            "pools": [
                {
                    "name": pool.name,
                    "services": list(pool.services),
                    "replicas": [member.shown() for member in self.members(pool.name)],
                }
                for pool in self.pools
            ],
        }

    def _url(self) -> str:
        """The shop's URL. With front ends on several nodes there is a load balancer before them, which only `public_url` can name."""
        host = self.settings.host
        if host == NODE:
            hosts = (member.report.get("node") for member in self._members.values() if "http" in member.pool.services)
            host = next((node for node in hosts if node), host)
        return self.settings.model_copy(update={"host": host}).url


def _batch_call(name: str) -> Any:
    from .replica import batch_call

    return batch_call(name)


def _nothing_here(service: str, method: str) -> Any:
    raise Unavailable(f"{service} does not live in the supervisor.")


__all__ = ["Member", "Supervisor", "supervisor_handle"]
