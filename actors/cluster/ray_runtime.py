"""Ray on this machine: started so that it listens on loopback only, stays quiet, keeps its secrets and files in the data directory, and
leaves nothing behind. Or a Ray cluster that is running already, joined as it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil

from ...core.errors import Misconfigured, Unavailable
from ...core.logs import logger
from ...core.private import private_folder
from ...core.settings import Settings, kept_secret

log = logger("velella.cluster")

NAMESPACE = "velella"
OBJECT_STORE = 80 * 1024 * 1024
"""Bytes. Messages don't go through the object store; this is near the least that Ray accepts."""
MARK = "VELELLA_RAY"
"""Environment variable of every process that Ray starts for us, by which they are found again."""
LONGEST_RUN_DIR = 36
"""Characters. A unix socket's path may have 107; Ray adds about 65 to the folder it is given, we up to 50."""


def run_dir(settings: Settings) -> Path:
    """The folder of the sockets, which may not exist yet: `data_dir/run`, or a separate one where that path is too long for sockets.

    Where root looks at an instance of the account that the data directory belongs to, it is that account's. Raises Misconfigured when it
    belongs to any other account.
    """
    data, own = settings.data_dir.absolute(), os.geteuid()
    if own == 0 and data.exists() and (owner := data.stat().st_uid) != own:
        theirs = _run_dir(data / "run", owner)
        if _belongs(theirs, owner):
            return theirs
    folder = _run_dir(data / "run", own)
    if folder.is_symlink() or (folder.exists() and not _belongs(folder, own)):
        raise Misconfigured(f"{folder} belongs to somebody else.", hint="Choose another --data-dir with a shorter path.")
    return folder


def _run_dir(near: Path, account: int) -> Path:
    if len(str(near)) <= LONGEST_RUN_DIR:
        return near
    folder = Path(tempfile.gettempdir()) / f"velella-{account}-{sha256(str(near).encode()).hexdigest()[:10]}"
    return folder if len(str(folder)) <= LONGEST_RUN_DIR else Path("/tmp") / folder.name


def _belongs(folder: Path, account: int) -> bool:
    return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == account


def make_run_dir(settings: Settings) -> Path:
    """The same, made for its owner only if it doesn't exist."""
    settings.private_data_dir()
    private_folder(run_dir(settings))
    return run_dir(settings)  # checked again: another process may have made it first


class Cluster:
    """The Ray that this process uses."""

    def __init__(self, settings: Settings, processes: int, *, counts_cores: bool = False, preload: Sequence[str] = ()) -> None:
        """`processes`: how many will be started on it; Ray prepares that many, with the packages `preload` imported.

        `counts_cores`: some of them reserve CPUs, so Ray must know the real number.
        """
        self._settings = settings
        self._preload = ("velella.actors.cluster.replica", *preload)
        self._slots = None if counts_cores else max(processes, os.cpu_count() or 1)
        self._node: Any = None
        self._environment: dict[str, str | None] = {}
        # the kernel ends Ray's processes with the thread that started them: so one thread starts them, and is kept until the end
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")

    @property
    def is_joined(self) -> bool:
        """Whether the cluster existed before us: it may span nodes, and it stays when we end."""
        return self._settings.ray_address is not None

    async def start(self) -> None:
        """Start Ray, or join it. Raises Unavailable, with a hint, when that fails."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._join if self.is_joined else self._start)
            _take_back_signals()
        except Exception as error:
            if not self.is_joined:
                await asyncio.to_thread(self._keep_logs)
            await self.stop()
            raise Unavailable(
                f"Ray could not be {'joined' if self.is_joined else 'started'}: {str(error).strip().rstrip('.') or type(error).__name__}.",
                hint="Is the cluster up, and RAY_AUTH_MODE the same here?" if self.is_joined else f"Its logs are in {self._kept_logs}.",
            ) from error

    async def stop(self) -> None:
        """Leave the cluster; if it is ours, end all of its processes. May be repeated."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._stop)

    def close(self) -> None:
        """Release the thread. After this a cluster of ours has ended, whether it was stopped or not."""
        self._thread.shutdown(wait=False)

    def is_lost(self) -> bool:
        """Whether a process of our own Ray has died: Ray would restart nothing any more."""
        return self._node is not None and any(
            info.process.poll() is not None for infos in self._node.all_processes.values() for info in infos
        )

    # -- in the thread
    def _folder(self) -> Path:
        return run_dir(self._settings) / "ray"

    @property
    def _kept_logs(self) -> Path:
        return self._settings.data_dir / "ray-logs"

    def _keep_logs(self) -> None:
        """Keep the logs of a start that has failed: all else of it is removed."""
        shutil.rmtree(self._kept_logs, ignore_errors=True)
        written = self._folder() / "session_latest" / "logs"
        if written.is_dir():
            shutil.copytree(written.resolve(), self._kept_logs, ignore_dangling_symlinks=True)

    def _start(self) -> None:
        make_run_dir(self._settings)
        folder = self._folder()
        # left by a Velella that was killed: no other process uses this data directory
        _end(_marked(str(folder)), patience=0.0)
        shutil.rmtree(folder, ignore_errors=True)
        token = self._settings.data_dir / "secrets" / "ray_token"
        kept_secret(token)
        self._set_environment(
            {
                "RAY_ADDRESS": None,
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN_PATH": str(token.absolute()),
                "RAY_USAGE_STATS_ENABLED": "0",
                # Ray binds its ports to the node's address, but replaces a loopback address by a reachable one, except with this setting
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
                "RAY_worker_niceness": "0",  # these workers are the server, not its batch jobs
                "RAY_enable_metrics_collection": "0",
                "RAY_task_events_report_interval_ms": "0",
                "RAY_event_stats": "0",
                "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
                "RAY_DEDUP_LOGS_SKIP_REGEX": "A worker died or was killed|worker processes have been started",
                "RAY_preload_python_modules": ",".join(self._preload),
            }
        )
        import ray
        from ray._private import services
        from ray._private.node import Node
        from ray._private.parameter import RayParams

        _quieten()

        class QuietNode(Node):
            """A head without dashboard: `velella status` shows the same, and the dashboard costs a second and 100 MB."""

            def start_api_server(self, **_: Any) -> None:
                self._webui_url = ""

        params: dict[str, Any] = {
            "node_ip_address": "127.0.0.1",
            "num_cpus": self._slots,
            "object_store_memory": OBJECT_STORE,
            "include_dashboard": False,
            "include_log_monitor": False,
            "no_monitor": True,  # the autoscaler: there is nothing to scale on one machine
            "temp_dir": str(folder),
            "env_vars": {MARK: str(folder)},
        }
        with _in_groups_of_their_own(services):
            self._node = QuietNode(RayParams(**params), head=True, shutdown_at_exit=False, spawn_reaper=True)
        self._connect(ray, self._node.gcs_address, node_ip="127.0.0.1")

    def _join(self) -> None:
        import ray

        _quieten()
        self._connect(ray, str(self._settings.ray_address))

    def _connect(self, ray: Any, address: str, node_ip: str | None = None) -> None:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            logging_level="ERROR",
            log_to_driver=False,
            configure_logging=False,
            **({"_node_ip_address": node_ip} if node_ip else {}),
        )

    def _stop(self) -> None:
        ray = sys.modules.get("ray")  # not imported means never started
        if ray is not None and ray.is_initialized():
            ray.shutdown()
        if self._node is not None:
            self._node.kill_all_processes(check_alive=False, allow_graceful=True)
            self._node = None
            _end(_marked(str(self._folder())), patience=3.0)
            shutil.rmtree(self._folder(), ignore_errors=True)
        self._set_environment(self._environment)
        self._environment = {}

    def _set_environment(self, wanted: Mapping[str, str | None]) -> None:
        """Set Ray's settings, which it reads from the environment; the previous values are restored when we stop."""
        self._environment = {name: os.environ.get(name) for name in wanted}
        for name, value in wanted.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Surroundings:
    """The Ray cluster that runs this very process: it exists already, and it stays. Takes the place of a `Cluster` in a detached
    supervisor."""

    is_joined = True

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to undo."""

    def close(self) -> None:
        """Nothing to release."""

    def is_lost(self) -> bool:
        """Never: this process ends with its cluster."""
        return False


def ray_token() -> str | None:
    """The token of the Ray cluster, where its token authentication is on: read from where Ray itself looks for it."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        return None
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    return (path.read_text().strip() or None) if path.exists() else None


def _marked(folder: str) -> list[psutil.Process]:
    """Processes of a Ray that was started for this folder: its workers and agents, which outlive it for a while when it is killed.

    Their environment says so. Ray's agents overwrite theirs with their process titles: they are recognised by the logs they have open
    there.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == folder or (process.name().startswith("ray::") and _keeps_open(process.pid, folder)):
                found.append(process)
        except psutil.Error:
            continue  # another account's, or ended
    return found


def _keeps_open(pid: int, folder: str) -> bool:
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            if os.readlink(link).startswith(f"{folder}/"):
                return True
        except OSError:
            continue  # closed meanwhile
    return False


def _end(processes: list[psutil.Process], patience: float) -> None:
    """Give processes this many seconds to end by themselves, then kill them."""
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=3.0)


@contextmanager
def _in_groups_of_their_own(services: Any) -> Iterator[None]:
    """Start Ray's processes outside of our process group: Ctrl-C in a terminal goes to the whole group, and would kill the replicas before
    they could finish their messages.
    """
    popen = services.ConsolePopen
    services.ConsolePopen = partial(popen, process_group=0)
    try:
        yield
    finally:
        services.ConsolePopen = popen


def _take_back_signals() -> None:
    """Ray prints a stack on SIGTERM, as if it were a crash. For us it is a way to stop: let Python handle it again as before."""
    if threading.current_thread() is threading.main_thread() and (handler := signal.getsignal(signal.SIGTERM)) is not None:
        signal.signal(signal.SIGTERM, handler)
        signal.siginterrupt(signal.SIGTERM, False)


def _quieten() -> None:
    """Silence Ray's verbose logs; what matters comes as an exception."""
    logging.getLogger("ray").setLevel(logging.ERROR)
