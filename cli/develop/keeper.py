"""The keeper: has a generation made for whatever is saved, and lets the one before go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.markup import escape

from ...actors.cluster.control import Control, address_of
from ...actors.cluster.ray_runtime import make_run_dir
from ...actors.cluster.rollout import Rollout
from ...actors.membership.directory import HOST, Directory, ReplicaAddress, ReplicaId
from ...actors.membership.states import ReplicaState
from ...actors.messaging.handles import Send
from ...actors.messaging.router import Router, socket_links
from ...actors.observe.scrape import gather
from ...core.errors import Misconfigured, Unavailable
from ...core.metrics import Sample
from ...core.settings import Settings, without_password
from ...core.settings_sources import DOTENV, TOML
from ...core.tasks import Tasks
from .. import instance
from ..output import console
from ..serve import introduce
from .messages import Ended, Forked, Preload, Prepare, Ready, Start
from .nursery import Nursery
from .watching import Folders, shown, watch

AGAIN_SECONDS = 1.0
"""Seconds before a generation that has died by itself is followed by another."""
GONE_SECONDS = 15.0
"""Seconds in which a generation has to finish what is inside."""
TICK_SECONDS = 1.0
OVERLAP_SECONDS = 1.0


@dataclass
class Generation:
    number: int
    began: float
    saved: set[Path]
    """What made it necessary; empty for the first."""
    pid: int | None = None
    ready: Ready | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Keeper:
    """One `velella develop`. To its operator's commands it is a supervisor."""

    def __init__(self, settings: Settings, nursery: Nursery, given: dict[str, Any], *, demo: bool, embedded: bool) -> None:
        self._settings = settings
        self._nursery = nursery
        self._given, self._demo, self._embedded = given, demo, embedded
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._folders = Folders(settings)
        self._watching: asyncio.Task[None] | None = None
        self._numbers = 0
        self._starting: Generation | None = None
        self._serving: Generation | None = None
        self._all: dict[int, Generation] = {}
        """By number, until they are gone."""
        self._unseen: set[Path] = set()
        """What was saved since the code that serves was loaded."""
        self._prepared = False
        self._began = time.time()
        me = ReplicaAddress(ReplicaId("keeper", 0))
        self._router = Router(me.replica, socket_links(me, settings.cluster_token), _nothing_here)
        self._control = Control(settings, self)
        self._later = Tasks("something that was to be done after a reload failed")

    async def run(self) -> None:
        """Serve until cancelled. Raises Unavailable when generations can't be made any more."""
        make_run_dir(self._settings)
        await self._control.open()
        asyncio.get_running_loop().add_reader(self._nursery.talk, self._hear)
        self._watch()
        self._start()
        while True:
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    event = await self._events.get()
            except TimeoutError:
                self._check()
                continue
            if isinstance(event, set):
                self._saved(event)
            elif isinstance(event, Forked):
                self._forked(event)
            elif isinstance(event, Ended):
                self._ended(event)
            elif self._starting is None or event.number != self._starting.number:
                pass  # of one that was given up meanwhile
            elif isinstance(event, Ready):
                await self._took_over(self._starting, event)
            else:
                self._failed(self._starting, event.why)

    def hurry(self) -> None:
        """Wait for nothing that generations still have inside."""
        for generation in list(self._all.values()):
            self._end(generation, signal.SIGKILL)

    async def close(self) -> None:
        """End every generation. Returns when all are gone."""
        for generation in list(self._all.values()):
            self._end(generation, signal.SIGTERM)
        self._starting = None  # if it is still to be forked, it is ended then
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                while self._all:
                    event = await self._events.get()
                    if isinstance(event, Forked):
                        self._forked(event)
                    elif isinstance(event, Ended):
                        self._gone(event.pid)
        asyncio.get_running_loop().remove_reader(self._nursery.talk)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._later.wait()
        self._router.close()
        await self._control.close()

    # -- generations
    def _start(self) -> None:
        self._numbers += 1
        self._starting = self._all[self._numbers] = Generation(self._numbers, time.monotonic(), set(self._unseen))
        tables = any(path.parent.name == "migrations" for path in self._unseen)
        prepare: Prepare = "all" if not self._prepared else "tables" if tables else None
        self._nursery.send(Start(self._numbers, self._given, prepare, self._demo, self._embedded))

    def _saved(self, paths: set[Path]) -> None:
        self._unseen |= paths
        if any(path.name in (TOML.name, DOTENV.name) for path in paths):
            self._look_for_plugins()
        if self._starting is not None:
            self._end(self._starting, signal.SIGKILL)
        self._start()

    async def _took_over(self, new: Generation, ready: Ready) -> None:
        url = self._url()
        former, self._serving, self._starting, new.ready = self._serving, new, None, ready
        self._unseen.clear()
        self._router.update(self.directory())
        if former is not None:
            self._end(former, signal.SIGTERM)
            self._later.begin(self._follow(former))
        if new.saved:
            console.print(f"[green]↻[/green] {escape(shown(new.saved))} [dim]({time.monotonic() - new.began:.2f} s)[/dim]")
        if not self._prepared:
            await introduce(self._settings, "one process, loaded anew when a plugin or the settings are saved", ready.filled)
        elif ready.url != url:
            console.print(f"[bold]Velella serves[/bold] {ready.url}")
        self._prepared = True
        self._nursery.send(Preload(ready.others))
        if self._folders.add(ready.files):
            self._watch()

    async def _follow(self, former: Generation) -> None:
        """Have what serves forget what it has read, once the one before has written its last."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                await former.gone.wait()
        self._end(former, signal.SIGKILL)
        await self.clear_cache()

    def _failed(self, generation: Generation, why: str) -> None:
        self._starting = None
        self._end(generation, signal.SIGKILL)
        console.print(f"\n{escape(why)}\n")
        goes_on = "the former code goes on serving" if self._serving is not None else "waiting until it is mended"
        what = shown(generation.saved) or "It could not start"
        console.print(f"[red]✗[/red] {escape(what)}: {goes_on}")

    def _ended(self, event: Ended) -> None:
        generation = self._gone(event.pid)
        if generation is None:
            return
        if generation is self._starting:
            self._failed(generation, f"Its process ended with {_code(event.code)} while it was starting.")
        elif generation is self._serving:
            console.print(f"[red]✗[/red] The process that serves ended with {_code(event.code)}: another one is started")
            self._serving = None
            if self._starting is None:
                asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._events.put_nowait, set())

    def _forked(self, event: Forked) -> None:
        generation = self._all[event.number]
        generation.pid = event.pid
        if generation not in (self._starting, self._serving):
            self._end(generation, signal.SIGKILL)

    def _gone(self, pid: int) -> Generation | None:
        generation = next((each for each in self._all.values() if each.pid == pid), None)
        if generation is not None:
            del self._all[generation.number]
            generation.gone.set()
        return generation

    def _end(self, generation: Generation, how: signal.Signals) -> None:
        if generation.pid is not None and generation.number in self._all:
            with contextlib.suppress(ProcessLookupError):
                os.kill(generation.pid, how)

    # -- what is heard
    def _watch(self) -> None:
        """Watch what is to be watched by now."""
        if self._watching is not None:  # for a moment both do, so that nothing is missed between them
            asyncio.get_running_loop().call_later(OVERLAP_SECONDS, self._watching.cancel)
        self._watching = asyncio.create_task(watch(self._folders, self._events))

    def _look_for_plugins(self) -> None:
        """Watch what the settings name by now, whether it can be imported or not."""
        try:
            if self._folders.add_named(instance.settings_of(**self._given)):
                self._watch()
        except Misconfigured:
            pass  # the generation that begins says so

    def _hear(self) -> None:
        for message in self._nursery.received():
            self._events.put_nowait(message)

    def _check(self) -> None:
        if self._watching is not None and self._watching.done():
            self._watching.result()
        if os.waitpid(self._nursery.pid, os.WNOHANG)[0]:
            raise Unavailable("The process that starts others has ended.", hint="Start `velella develop` again.")

    # -- for commands: see `Supervising`
    @property
    def changes(self) -> Rollout:
        raise Misconfigured("This shop is one process, of `velella develop`: it has no pools.")

    def directory(self) -> Directory:
        serving = self._serving
        if serving is None or serving.ready is None:
            return Directory(version=self._numbers)
        return Directory.of([(ReplicaAddress.from_wire(serving.ready.address), serving.ready.services)], serving.number)

    def status(self) -> dict[str, Any]:
        serving, own = self._serving, psutil.Process()
        replica = {
            "index": serving.number if serving is not None else 0,
            "pid": serving.pid if serving is not None else None,
            "state": ReplicaState.READY if serving is not None else ReplicaState.STARTING,
            **{name: 0 for name in ("restarts", "waiting", "running", "handled", "refused")},
            **{name: None for name in ("node", "socket", "port")},
        }
        services = list(serving.ready.services) if serving is not None and serving.ready is not None else []
        return {
            "topology": "develop",
            "url": self._url(),
            "address": address_of(self._settings),
            "database": without_password(str(self._settings.database_url)),
            "supervisor": own.pid,
            "up_seconds": round(time.time() - own.create_time(), 1),
            "pids": sorted({own.pid, self._nursery.pid, *(each.pid for each in self._all.values() if each.pid is not None)}),
            "pools": [{"name": "develop", "services": services, "replicas": [replica]}],
        }

    def _url(self) -> str:
        return self._serving.ready.url if self._serving is not None and self._serving.ready is not None else self._settings.url

    async def metrics(self) -> dict[str, list[Sample]]:
        return {str(replica): samples for replica, samples in (await gather(self._router)).items()}

    async def clear_cache(self) -> None:
        await self._router.broadcast(HOST, "forget", None)


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _nothing_here(service: str, method: str) -> Send:
    raise Unavailable(f"{service} does not live in this process.")
