"""A generation: a process with the plugins as they were saved, which is a whole shop. It is forked by the nursery."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import sysconfig
import traceback
from types import ModuleType

import uvloop

from ...actors.cluster.ray_runtime import run_dir
from ...actors.host import Host
from ...actors.membership.directory import ReplicaAddress, ReplicaId
from ...actors.services import service_names
from ...core import logs
from ...core.endings import end_with_parent
from ...core.errors import VelellaError
from ...core.settings import Settings
from .. import instance
from ..script import cut
from ..seeding import seed
from .messages import Failure, Ready, Start, send

MOST_SAID = 32 * 1024
"""Characters of a failure: its end, where it says what it is."""
_OTHERS = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def be(start: Start, talk: socket.socket) -> int:
    """Be a generation until SIGTERM. Returns the exit code."""
    end_with_parent()
    sys.dont_write_bytecode = True  # a file that is saved twice in a second, with as many bytes, would be taken for the same
    known = set(sys.modules)
    settings: Settings | None = None
    try:
        settings = instance.settings_to_run(**start.given).with_secrets()
        logs.configure(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, start, talk, known))
    except VelellaError as error:
        said = error.message if error.hint is None else f"{error.message}\n  {error.hint}"
        send(talk, Failure(start.number, said))
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is what its author wants to see
        whole = traceback.format_exception(error)
        cut(error, lambda module, path: _is_theirs(module, path, settings))
        ours = error.__traceback__ is None and not isinstance(error, SyntaxError)  # then nothing less helps
        said = "".join(whole if ours else traceback.format_exception(error)).rstrip()
        send(talk, Failure(start.number, said[-MOST_SAID:]))
    else:
        return 0
    return 1


async def _serve(settings: Settings, start: Start, talk: socket.socket, known: set[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    filled = False
    if start.prepare is not None or await _links_differ(settings):
        await instance.make_current(settings, embedded=start.embedded)
    if start.prepare == "all":
        filled = await seed(settings, demo=start.demo)
    replica = ReplicaId("develop", start.number)
    address = ReplicaAddress(replica, path=str(run_dir(settings) / f"{replica}.sock"))
    # messages are packed as between processes: what can't be is found here, and not by the first pooled shop
    host = Host(settings, service_names(settings), address=address, wire_check=True)
    try:
        await host.start()
        send(talk, _ready(host, start.number, filled, known))
        await stop.wait()
        await host.drain()
    finally:
        await host.stop()


async def _links_differ(settings: Settings) -> bool:
    """Whether plugins declare links that have no tables yet, or other ones: these have no migrations that could be saved."""
    from ...core.service import migrations

    module = migrations.load_module("link", settings)
    return bool(module.unversioned and await migrations.pending(module, settings.database_of("link")))


def _ready(host: Host, number: int, filled: bool, known: set[str]) -> Ready:
    files, others = [], []
    for name, module in list(sys.modules.items()):
        path = _file(module)
        if _is_theirs(name, path, host.settings):
            files.append(path)
        elif name not in known and name.partition(".")[0] != "__main__":
            others.append(name)
    return Ready(number, host.settings.url, host.address.to_wire(), host.names, filled, files, others)


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""


def _is_theirs(name: str, path: str, settings: Settings | None) -> bool:
    """Whether a module is a plugin's: not Python's or Velella's, and not installed as a library, unless the settings name it."""
    root = name.partition(".")[0]
    if root in ("velella", "__main__") or not os.path.isabs(path):
        return False
    named = () if settings is None else (*settings.plugins, *settings.modules.values())
    return root in {each.partition(".")[0] for each in named} or not path.startswith(_OTHERS)
