"""A supervisor that lives in the Ray cluster itself: what `velella up` starts and `velella down` ends.

It is a detached actor, and so are its replicas. When it dies, or its node does, Ray starts it again; it then finds the replicas by their
names and goes on watching them. Ray makes the actor again with its first arguments, so what an operator has scaled since is kept in Ray's
own store.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import ray
import uvloop
from ray.exceptions import RayError
from ray.experimental import internal_kv

from ...core import logs
from ...core.errors import Misconfigured, Unavailable, VelellaError
from ...core.settings import Settings
from ..messaging.handles import Send, handle
from ..topology import Pool, Topology
from .control import SUPERVISOR, SupervisorService
from .ray_runtime import NAMESPACE
from .replica import on_node
from .supervisor import Supervisor

log = logs.logger("velella.supervisor")

NAME = "velella-supervisor"
POOLS = b"velella:pools"
"""Key in Ray's store of the pools as an operator has changed them."""
ANSWER_SECONDS = 60.0
_LIFE: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": 0, "concurrency_groups": {"waiting": 4, "control": 8}}


class DetachedSupervisor:
    """The Ray actor. It outlives the command that made it."""

    def __init__(self, settings: str, topology: str, pools: str) -> None:
        self._settings = Settings.model_validate_json(settings)
        logs.configure(self._settings, replica=SUPERVISOR)
        kept = internal_kv._internal_kv_get(POOLS)
        self._topology = Topology(topology, _pools(kept.decode() if kept is not None else pools), self._settings)
        self._loop = uvloop.new_event_loop()
        self._supervisor: Supervisor | None = None
        self._started: Future[None] = Future()
        threading.Thread(target=self._run, name="supervisor", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = self._loop.create_task(self._start())  # kept: a loop only has a weak reference to its tasks
        self._loop.run_forever()
        starting.cancel()

    async def _start(self) -> None:
        try:
            self._supervisor = Supervisor(self._settings, self._topology, inside=True, pools_changed=_keep)
            await self._supervisor.start_pools()
            self._started.set_result(None)
        except Exception as error:  # any error is passed on by `ready`
            log.exception("the pools could not be started")
            self._started.set_exception(error)

    @ray.method(concurrency_group="waiting")
    def ready(self) -> list[Any] | None:
        """Wait until all pools run. Returns the error that prevented it, in its wire form, or None."""
        return self._told(self._started)

    @ray.method(concurrency_group="control")
    def ask(self, method: str, args: Sequence[Any]) -> dict[str, Any]:
        """Send a message to the supervisor. Returns its `result`, or its `error`."""
        if self._supervisor is None:
            return {"error": Unavailable("The supervisor is starting.", hint="Try again in a moment.").to_wire()}
        message = getattr(SupervisorService(self._supervisor), method)
        try:
            return {"result": asyncio.run_coroutine_threadsafe(message(*args), self._loop).result(ANSWER_SECONDS)}
        except VelellaError as error:
            return {"error": error.to_wire()}

    @ray.method(concurrency_group="control")
    def apply(self, pools: str) -> list[Any] | None:
        """Begin to change the pools to what a cluster file says. Returns the error if that can't begin, or None."""
        if self._supervisor is None:
            return Unavailable("The supervisor is starting.", hint="Try again in a moment.").to_wire()
        return self._told(asyncio.run_coroutine_threadsafe(self._supervisor.changes.apply(_pools(pools)), self._loop))

    @ray.method(concurrency_group="control")
    def down(self) -> None:
        """Finish the messages inside and end every replica. The caller ends this process."""
        if self._supervisor is not None:
            asyncio.run_coroutine_threadsafe(self._supervisor.stop(), self._loop).result()
        internal_kv._internal_kv_del(POOLS)

    @staticmethod
    def _told(future: Future[None]) -> list[Any] | None:
        try:
            future.result()
        except VelellaError as error:
            return error.to_wire()
        except Exception as error:  # noqa: BLE001 - the traceback is in the log, the message goes to the operator
            return VelellaError(f"{type(error).__name__}: {error}").to_wire()
        return None


# -- for commands, in a process that has joined the cluster


def find() -> Any:
    """The supervisor of this cluster, or None."""
    try:
        return ray.get_actor(NAME, namespace=NAMESPACE)
    except ValueError:
        return None


def launch(settings: Settings, topology: Topology) -> Any:
    """Start the supervisor, on the head node if possible. Its `ready` returns when the pools run."""
    internal_kv._internal_kv_del(POOLS)
    head = [node["NodeID"] for node in _nodes() if node["Alive"] and "node:__internal_head__" in node["Resources"]]
    where = on_node(head[0]) if head else {}
    # for a type checker, ray.remote turns this class into a function
    made: Any = ray.remote(**_LIFE)(DetachedSupervisor)
    options: dict[str, Any] = {"name": NAME, "namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True, **where}
    kept = settings.model_copy(update={"databases": topology.settings.databases, "data_dir": settings.data_dir.absolute()})
    return made.options(**options).remote(kept.model_dump_json(), topology.name, packed(topology.pools))


def _nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def end(supervisor: Any) -> None:
    """Stop everything, the supervisor last."""
    try:
        ray.get(supervisor.down.remote())
    except RayError as error:
        raise Unavailable(f"The supervisor could not stop everything: {str(error).strip()}") from error
    finally:
        ray.kill(supervisor)


@contextmanager
def handle_of(supervisor: Any) -> Iterator[SupervisorService]:
    """A handle like that of a supervisor on this machine."""

    def resolve(service: str, method: str) -> Send:
        async def send(*args: Any) -> Any:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await supervisor.ask.remote(method, args)
            except (RayError, TimeoutError) as error:
                raise Misconfigured(
                    "The supervisor of this cluster does not answer.", hint="Ray is starting it again if its node has died."
                ) from error
            if "error" in answer:
                raise VelellaError.from_wire(answer["error"])
            return answer["result"]

        return send

    yield handle(SUPERVISOR, resolve)


def packed(pools: Sequence[Pool]) -> str:
    return json.dumps([asdict(pool) for pool in pools])


def _pools(text: str) -> tuple[Pool, ...]:
    return tuple(Pool(**(row | {"services": tuple(row["services"])})) for row in json.loads(text))


async def _keep(pools: Sequence[Pool]) -> None:
    await asyncio.to_thread(internal_kv._internal_kv_put, POOLS, packed(pools).encode(), True)
