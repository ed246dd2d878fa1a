"""A replica: a host inside a Ray actor.

Ray starts it, places it, restarts it and checks its health; messages reach it over its own sockets. The host runs on an event loop in a
thread of its own, so that Ray doesn't slow it down, and a health check tells whether that loop turns.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import Any

import ray
import uvloop

from ...core import logs, tracing
from ...core.endings import end_with_parent
from ...core.errors import VelellaError
from ...core.settings import Settings
from ..host import Host
from ..membership.directory import NODE, Directory, ReplicaAddress, ReplicaId, Wire
from ..membership.epochs import epoch_of
from ..membership.states import ReplicaState
from ..topology import Pool
from . import logpipe
from .ray_runtime import NAMESPACE, run_dir

log = logs.logger("velella.replica")

HEALTH_SECONDS = 2.0
"""Seconds: a loop that takes longer for one turn counts as hung."""
GC_THRESHOLDS = (20_000, 20, 20)
"""A request makes thousands of objects and hardly a cycle: at Python's default of 700 the collector would run several times in each."""
FORGOTTEN_SECONDS = 10.0
"""Seconds without a question of a supervisor after which a replica checks whether another process has taken its place."""
LOOK_SECONDS = 2.0
ENDED_SECONDS = 120.0
"""Seconds after `stop` after which a replica that wasn't ended ends itself: its supervisor can't reach it any more."""


@dataclass(frozen=True)
class StartArguments:
    """Everything that a replica needs to start, also when Ray restarts it: the actor's arguments."""

    settings: str
    """As JSON."""
    pool: str
    index: int
    services: tuple[str, ...]
    connections: int
    directory: Wire = field(default_factory=lambda: Directory().to_wire())
    listen: str | None = None
    """Where to take messages by TCP: an address, `node` for Ray's address of this node, None for nowhere."""
    one_node: bool = True
    """Whether all replicas are on this machine, share its sockets and write their logs to the supervisor."""

    @classmethod
    def of(cls, pool: Pool, index: int, settings: Settings, directory: Directory, **where: Any) -> StartArguments:
        return cls(settings.model_dump_json(), pool.name, index, pool.services, pool.connections, directory.to_wire(), **where)


def actor_name(replica: ReplicaId) -> str:
    return f"velella-{replica}"


def named_actors() -> dict[ReplicaId, Any]:
    """Every replica that Ray knows in this cluster. Blocks."""
    found: dict[ReplicaId, Any] = {}
    for name in ray.util.list_named_actors():
        pool, _, index = str(name).removeprefix("velella-").rpartition("-")
        if str(name).startswith("velella-") and index.isdigit():
            found[ReplicaId(pool, int(index))] = ray.get_actor(name, namespace=NAMESPACE)
    return found


def socket_path(settings: Settings, replica: ReplicaId) -> str:
    """The socket of a replica: the same after a restart, so that callers simply connect again."""
    return str(run_dir(settings) / f"{replica}.sock")


class Replica:
    """The Ray actor. The supervisor calls its methods; `call_batch` is also called by peers that can't open a socket to it."""

    def __init__(self, plan: StartArguments) -> None:
        self._plan = plan
        self._settings = Settings.model_validate_json(plan.settings)
        if self._settings.host == NODE:
            self._settings = self._settings.model_copy(update={"host": _node_ip()})
        if plan.one_node:
            # Ray would notice by itself, but seconds later, and meanwhile we would serve beside a Velella that has been started again
            end_with_parent()
            logpipe.write_to(logpipe.log_path(self._settings))
        else:
            self._settings = self._settings.for_several_nodes()
        id = ReplicaId(plan.pool, plan.index)
        logs.configure(self._settings, replica=str(id))
        self._loop = uvloop.new_event_loop()
        self._host: Future[Host] = Future()
        self._starting: Host | None = None
        self._directory = plan.directory
        self._stopped = False
        self._asked = time.monotonic()
        threading.Thread(target=self._run, args=(id,), name="host", daemon=True).start()

    def _run(self, id: ReplicaId) -> None:
        asyncio.set_event_loop(self._loop)
        start = self._loop.create_task(self._start(id))
        self._loop.run_forever()
        start.cancel()

    async def _start(self, id: ReplicaId) -> None:
        plan = self._plan
        node = "" if plan.one_node else str(ray.get_runtime_context().get_node_id())
        listen = _node_ip() if plan.listen == NODE else plan.listen
        address = ReplicaAddress(id, node, socket_path(self._settings, id), actor=actor_name(id))
        try:
            if self._settings.traces is not None:
                tracing.start(self._settings.traces, self._settings.traces_share, str(id))
            self._starting = host = Host(
                self._settings, plan.services, address=address, listen=listen, connections=plan.connections, actor=batch_call
            )
            host.on_superseded = _end
            host.update(Directory.from_wire(self._directory))
            await host.start()
            gc.collect()
            gc.freeze()  # loaded objects stay, so later collections skip them
            gc.set_threshold(*GC_THRESHOLDS)
            self._host.set_result(host)
            if not plan.one_node:
                self._looking = self._loop.create_task(self._look_around(host))
        except Exception as error:  # any error is passed on by `ready`
            log.exception("this process could not start")
            self._host.set_exception(error)

    async def _look_around(self, host: Host) -> None:
        """Check whether we were replaced while our node was cut off or frozen: an idle process would never learn that from a peer."""
        while not self._stopped:
            await asyncio.sleep(LOOK_SECONDS)
            if time.monotonic() - self._asked > FORGOTTEN_SECONDS:
                try:
                    await host.router.knock()
                except Exception:  # whatever failed, the next check must come
                    log.exception("others could not be asked who has this one's place")

    # -- called by the supervisor
    def ready(self) -> dict[str, Any]:
        """Wait until the host takes messages. Returns its address, or the error that kept it from starting."""
        try:
            host = self._host.result()
            return {"address": host.address.to_wire(), "pid": os.getpid(), "node": _node_ip(), "documents": host.documents()}
        except VelellaError as error:
            return {"error": error.to_wire(), "pid": os.getpid()}
        except Exception as error:  # noqa: BLE001 - the traceback is in the log, the message goes to the operator
            return {"error": VelellaError(f"{type(error).__name__}: {error}").to_wire(), "pid": os.getpid()}

    @ray.method(concurrency_group="health")
    def health(self, restarts: int, epoch: int = 0) -> dict[str, Any]:
        """Its `state`, with what its event loop says of itself if that turns.

        `restarts`: how often it has been restarted; the replica can't know that by itself. `epoch`: that of the calling supervisor; a
        call of a replaced supervisor is answered, but doesn't count as a supervisor's.
        """
        if epoch >= epoch_of(self._directory["version"]):
            self._asked = time.monotonic()
        if not self._host.done():
            return {"state": ReplicaState.STARTING, "pid": os.getpid()}
        if self._host.exception() is not None:
            return {"state": ReplicaState.FAILED, "pid": os.getpid()}
        host = self._host.result()
        host.restarts = restarts
        asked = asyncio.run_coroutine_threadsafe(_turn(host), self._loop)
        try:
            state = ReplicaState.DRAINING if self._stopped else ReplicaState.READY
            return {
                "state": state,
                **asked.result(HEALTH_SECONDS),
                "address": host.address.to_wire(),
                "node": _node_ip(),
                "directory": self._directory["version"],
            }
        except FutureTimeout:
            return {"state": ReplicaState.HUNG, "pid": os.getpid()}

    @ray.method(concurrency_group="control")
    def update(self, directory: Wire) -> None:
        """Replicas came, went or moved. Processed even while the host starts: it may be waiting for one of them."""
        if directory["version"] >= self._directory["version"]:
            self._directory = directory
        if self._starting is not None:
            self._loop.call_soon_threadsafe(self._starting.update, Directory.from_wire(directory))

    @ray.method(concurrency_group="control")
    def stop(self, seconds: float, drain: bool = False) -> None:
        """Finish the messages inside within `seconds`, then close everything. The caller ends the process itself.

        `drain`: other replicas stay; clients from outside are sent to them first.
        """
        self._stopped = True
        if not self._plan.one_node:
            ending = threading.Timer(ENDED_SECONDS, _end)
            ending.daemon = True
            ending.start()
        if self._host.done() and self._host.exception() is None:
            host = self._host.result()
            if drain:
                self._finish(host.drain(seconds), seconds + 1.0)
            self._finish(host.stop(seconds), 2 * seconds)
        tracing.stop()

    def _finish(self, ending: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run it on the loop. If it fails or takes too long, the next steps follow all the same."""
        try:
            asyncio.run_coroutine_threadsafe(ending, self._loop).result(seconds)
        except Exception:
            log.exception("this process could not finish in order")

    # -- called by peers
    @ray.method(concurrency_group="messages")
    def call_batch(self, frames: list[bytes]) -> list[bytes]:
        """Carry out requests as they would come over a socket, and return their answers in the same order."""
        host = self._host.result(HEALTH_SECONDS)
        return asyncio.run_coroutine_threadsafe(host.dispatcher.batch(frames), self._loop).result()


def batch_call(name: str) -> Any:
    """The batch call of the replica whose actor has that name. Blocks; raises Ray's error if there is none."""
    actor = ray.get_actor(name, namespace=NAMESPACE)
    return actor.call_batch.remote


def replica_actor(pool: Pool, node: str | None = None, detached: bool = False) -> Any:
    """The actor class of a pool's replicas, with its placement: on `node` if possible, else where Ray finds room.

    `detached`: it lives until it is killed, whatever becomes of its creator.
    """
    resources = dict(pool.resources)
    options: dict[str, Any] = {
        "num_cpus": resources.pop("CPU", 0),
        "max_restarts": -1,
        "max_task_retries": 0,
        "concurrency_groups": {"health": 1, "control": 1, "messages": 16},
    }
    if "GPU" in resources:
        options["num_gpus"] = resources.pop("GPU")
    if "memory" in resources:
        options["memory"] = int(resources.pop("memory"))
    if resources:
        options["resources"] = resources
    if node is not None:
        options |= on_node(node, pool.labels)
    elif pool.labels:
        options["label_selector"] = dict(pool.labels)
    if node is None and pool.at_most > 1:
        options["scheduling_strategy"] = "SPREAD"
    if detached:
        options["lifetime"] = "detached"
        options["namespace"] = NAMESPACE
    return ray.remote(**options)(Replica)


def on_node(node: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An actor's options: on that node, or on any node with these labels if that one is lost. Ray's soft affinity often ends up
    elsewhere."""
    wanted = dict(labels or {})
    return {"label_selector": wanted | {"ray.io/node-id": node}, "fallback_strategy": [{"label_selector": wanted}]}


def _end() -> None:
    """End this process without finishing its messages: Ray has another one in its place."""
    logging.shutdown()
    os._exit(1)


def _node_ip() -> str:
    address: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    return address


async def _turn(host: Host) -> dict[str, Any]:
    return host.status()
