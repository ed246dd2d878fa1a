"""One Velella on one data directory: which process holds it, where its database is, whether its schema is current."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import re
import shlex
import signal
import socket
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import psutil

from ..actors.cluster.postgres import EmbeddedPostgres
from ..core.errors import Misconfigured
from ..core.logs import logger
from ..core.private import open_private
from ..core.settings import Settings, kept_secret, url_of, without_password
from ..core.settings_sources import check_plugins, read_settings
from .infrastructure import check_infrastructure

if TYPE_CHECKING:
    from ..core.service.migrations import Found


def settings_of(**given: Any) -> Settings:
    """Settings, overridden by the command line's options; paths made absolute, so that every process means the same."""
    global _given
    options = {name: value for name, value in given.items() if value is not None}
    settings = read_settings(**options)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})
    _given = settings, options.keys()
    return settings


def settings_to_run(**given: Any) -> Settings:
    """`settings_of`, for commands that run a shop or prepare its database: its plugins and what it stands on are there, and their options
    are right."""
    settings = settings_of(**given)
    check_plugins(settings, **{name: value for name, value in given.items() if value is not None})
    check_infrastructure(settings)
    return settings


_given: tuple[Settings, Collection[str]] | None = None
"""The settings of this command, and the names of those that stood on its command line."""
ON_DATA = ("migrate", "seed", "backup", "restore", "serve", "user", "key", "jobs", "workflows", "exec", "shell")
"""Commands that take --database-url."""


def as_it_stands(text: str) -> str:
    """The text, with the data directory and the database of this command added to each `velella …` in it.

    Passwords are left out, because others may read the terminal.
    """
    return re.sub(r"`(velella [^`]+)`", lambda found: f"`{command(found[1])}`", text)


def command(words: str) -> str:
    """A command line for the same shop as this command's: `velella status --data-dir /srv/shop2`."""
    if _given is None:
        return words
    settings, options = _given
    if "data_dir" in options:
        words += f" --data-dir {shlex.quote(str(settings.data_dir))}"
    if "database_url" in options and words.split()[1] in ON_DATA:
        words += f" --database-url {shlex.quote(without_password(str(settings.database_url)))}"
    if "topology" in options and words.startswith("velella migrate") and settings.topology not in ("packed", "pooled"):
        words += f" --topology {shlex.quote(str(Path(settings.topology).absolute()))}"
    return words


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the data directory for this process. The kernel's lock ends with the process, however that ends.

    Raises Misconfigured when another process holds it.
    """
    settings.private_data_dir()
    with open_private(_lock_file(settings), "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(
                f"A Velella already runs on {settings.data_dir} (process {holder(settings)}).",
                hint="`velella status` looks at it, `velella stop` ends it, --data-dir starts another one beside it.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(settings: Settings) -> int | None:
    """Process id of the Velella that runs on the data directory, or None."""
    path = _lock_file(settings)
    if not path.exists():
        return None
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read()
            return int(text) if text else None
    return None


def nobody_there(settings: Settings) -> Misconfigured:
    return Misconfigured(f"No Velella runs on {settings.data_dir}.", hint="Start one with `velella serve`, or name its --data-dir.")


def must_be_there(settings: Settings) -> None:
    """Raises Misconfigured where the embedded database is meant and was never made: a command that reads a shop makes none."""
    if settings.database_url is None and not EmbeddedPostgres(settings.data_dir / "postgres").is_made():
        if holder(settings) not in (None, os.getpid()):
            raise Misconfigured(
                f"The shop on {settings.data_dir} has a database that this command isn't told of, or makes its own just now.",
                hint="Name it by --database-url or VELELLA_DATABASE_URL, as where the shop is served.",
            )
        raise Misconfigured(
            f"There is no shop on {settings.data_dir}.",
            hint="`velella serve` makes one; --data-dir and --database-url name another.",
        )


def must_be_ours(settings: Settings) -> None:
    """Raises Misconfigured where root would leave files in the data directory that the account whose it is can't open."""
    if os.geteuid() == 0 and settings.data_dir.exists() and (owner := settings.data_dir.stat().st_uid) != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise Misconfigured(
            f"{settings.data_dir} belongs to the account {name}, which couldn't open what root makes there.",
            hint=f"Run it as that account: sudo -u '{name}' velella …",
        )


def stop(settings: Settings, timeout: float = 60.0) -> int:
    """Stop the Velella that runs on the data directory and wait until it has ended. Returns its process id."""
    pid = holder(settings)
    if pid is None:
        raise nobody_there(settings)
    try:
        process = psutil.Process(pid)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout)
    except psutil.NoSuchProcess:  # it has ended by itself just now
        return pid
    except psutil.TimeoutExpired:
        raise Misconfigured(
            f"Process {pid} has not stopped within {timeout:.0f} s.", hint="Look into its log; SIGTERM again makes it give up waiting."
        ) from None
    return pid


def _lock_file(settings: Settings) -> Path:
    return settings.data_dir / "serve.pid"


def check_port(settings: Settings) -> None:
    """Raises Misconfigured when the port is taken or the address isn't this machine's."""
    _bound(settings, socket.SO_REUSEADDR).close()


@contextlib.contextmanager
def port_held(settings: Settings) -> Iterator[None]:
    """Hold the port for the shop that is started in the block: its processes share it, which come a while later, and would share it as well
    with those of another shop that is started meanwhile. Raises what `check_port` raises."""
    check_port(settings)
    # it takes no connection, for it doesn't listen; whose processes don't share the port with it can't have it
    with _bound(settings, socket.SO_REUSEPORT) if settings.port else contextlib.nullcontext():
        yield


def _bound(settings: Settings, option: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise Misconfigured(
            f"Can't listen on {url_of(settings.host, settings.port)}: {error.strerror}.",
            hint="Choose another with --port, or stop what listens there.",
        ) from None
    return bound


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose database answers: the configured one, or the embedded one, started for the duration of the block.

    The embedded one is then ours, and restarted should it end. Commands that use it at once share it, and the last of them stops it. If a
    running Velella of this data directory has started it, or is about to, that one is used and left running.
    """
    if settings.database_url is not None:
        await must_answer(settings.database_url)
        yield settings
        return
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    held_by = holder(settings)
    if held_by not in (None, os.getpid()):
        await must_answer(server.url(), until=_started(held_by) + START_SECONDS)
        yield settings.model_copy(update={"database_url": server.url()})
        return
    try:
        await server.start()
        keeping = asyncio.create_task(server.keep())
        try:
            yield settings.model_copy(update={"database_url": server.url()})
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
    finally:  # also where its start was interrupted
        await server.stop(unless_used=held_by is None)


START_SECONDS = 60.0
"""Seconds in which a Velella that was started has its database."""
LOOK_SECONDS = 0.2


def _started(pid: int) -> float:
    """When a process was started, in seconds of the clock."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


async def must_answer(url: str, *, until: float = 0.0) -> None:
    """Raises Misconfigured for a database that doesn't answer; what comes up may take until then, by the clock."""
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=10)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError) as error:
            if time.time() < until:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            raise Misconfigured(
                f"The database does not answer: {str(error) or type(error).__name__}.",
                hint=f"Is it up, and is the URL right? {without_password(url)}",
            ) from None
        await connection.close()
        return


async def migrate(settings: Settings) -> list[str]:
    """Bring every module's tables up to date; returns the modules that changed. May be called by several processes at once.

    Raises Misconfigured, before anything is changed, if one of the databases holds tables of another application.
    """
    from ..core.service import migrations  # here: most commands don't need Alembic, which is slow to import

    _refuse_foreign(await migrations.survey(settings))
    return await migrations.migrate_all(settings)


async def check_schema(settings: Settings) -> None:
    """Raises Misconfigured when a module's tables are older than the code."""
    from ..core.service import migrations

    found = await migrations.survey(settings)
    _refuse_foreign(found)
    _refuse_older(found)


async def make_current(settings: Settings, *, embedded: bool) -> None:
    """Prepare the databases for `serve`: the embedded one is brought up to date, and tables are made in an empty one that the settings
    name.

    Raises Misconfigured, before anything is changed, for a database of another application; for one of ours with older tables, because
    other processes may be serving it; and for an empty one that a module or a pool names for itself.
    """
    from ..core.service import migrations

    found = await migrations.survey(settings)
    _refuse_foreign(found)
    main = settings.database_url
    _refuse_older({url: each for url, each in found.items() if url != main or not (embedded or each.is_empty)})
    await migrations.migrate_all(settings, only=main)


def _refuse_foreign(found: Mapping[str, Found]) -> None:
    for url, each in found.items():
        if each.foreign:
            shown = ", ".join(each.foreign[:5]) + (" …" if len(each.foreign) > 5 else "")
            raise Misconfigured(
                f"{without_password(url)} holds tables that aren't Velella's: {shown}.",
                hint="Name an empty database, or one of Velella's.",
            )


def _refuse_older(found: Mapping[str, Found]) -> None:
    for url, each in found.items():
        if each.pending:
            state = "is empty" if each.is_empty else f"is older than this Velella: {', '.join(each.pending)}"
            raise Misconfigured(f"The database {without_password(url)} {state}.", hint="Run `velella migrate` first.")


def ask_for_public_url(settings: Settings) -> None:
    """Say on the terminal, or in the log, that links will lead nowhere as long as nothing says how other machines reach the shop."""
    if settings.lacks_public_url:
        logger("velella").warning(
            "public_url is not set: links in emails and addresses of files lead to this machine only",
            links=settings.url,
            hint="VELELLA_PUBLIC_URL=https://shop.example, or public_url in velella.toml",
        )


DEMO_ADMIN = "admin@example.com"


def database_url(settings: Settings) -> str:
    """The URL of the database, also before the embedded one runs."""
    return settings.database_url or EmbeddedPostgres(settings.data_dir / "postgres").url()


def admin_password(settings: Settings) -> str:
    """The demo shop's admin password: made once, kept beside the other secrets."""
    return kept_secret(admin_password_file(settings), 9)


def admin_password_file(settings: Settings) -> Path:
    """The file with that password, if it was made on this data directory."""
    return settings.data_dir / "secrets" / "admin_password"
