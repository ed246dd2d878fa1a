"""`velella backup` and `restore`: all of a shop in one file, and a shop out of it.

The file is a ZIP: a dump of each database (pg_dump's own format, which `pg_restore` also reads by itself), the merchants' files where they
lie on disk, the secrets by which tokens and links are signed, and `manifest.json`, which comes last: a file without it isn't whole.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .. import __version__
from ..actors.cluster.postgres import program
from ..core.errors import Misconfigured
from ..core.ids import ulid
from ..core.private import open_private, private_folder
from ..core.settings import SECRET_PARAMETERS, Settings, without_parameters, without_password
from ..modules.file.files import Files
from ..modules.file.providers.local import LocalFiles
from . import instance
from .data import DatabaseUrl, DataDir, with_database
from .output import console
from .seeding import analyze

FORMAT = 1
"""Of the file. Rises when an older Velella could not read it."""
PIECE = 1024 * 1024
MANIFEST = "manifest.json"
SECRETS = "secrets"
TopologyFile = typer.Option(None, help="A cluster.yaml whose pools name databases for themselves.")


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella backup shop.zip  ·  velella backup /backups/$(date +%F).zip --data-dir /srv/shop")
    def backup(
        file: Path = typer.Argument(help="Where to write it. Whoever has it has the shop: it holds its customers and its secrets."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        topology: str | None = TopologyFile,
    ) -> None:
        """Write all of a shop into one file, also while it is served: its databases, its files, its secrets."""
        if file.exists():
            raise Misconfigured(f"{file} exists already.", hint="Name another file, or remove it first.")

        async def work(settings: Settings) -> list[str]:
            databases = await _databases(settings)
            await _carried_out(lambda halt: _write(settings, file, databases, halt))
            return await _absent(databases)

        instance.must_be_there(instance.settings_of(data_dir=data_dir, database_url=database_url))
        absent = with_database(data_dir, database_url, work, current=False, topology=topology)  # also before an upgrade
        console.print(f"The shop is in {file} ({file.stat().st_size / 1e6:,.1f} MB).")
        if absent:
            said = f"Not in it: {', '.join(absent)}: no tables of theirs are there. Name the cluster file that says where, by --topology."
            Console(stderr=True, highlight=False, soft_wrap=True).print(said, markup=False)

    @app.command(
        epilog="Examples:  velella restore shop.zip --data-dir /srv/shop2  ·  velella restore shop.zip --database-url postgresql://…"
    )
    def restore(
        file: Path = typer.Argument(help="What `velella backup` wrote."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        topology: str | None = TopologyFile,
    ) -> None:
        """Make a shop out of a backup, where there is none yet, with the tables of this version."""
        with _opened(file) as archive:
            manifest = _manifest(file, archive)

            async def work(settings: Settings) -> None:
                await _check_empty(settings)
                await _carried_out(lambda halt: _read(settings, archive, manifest, halt))
                await instance.migrate(settings)
                await analyze(settings)

            settings = instance.settings_of(data_dir=data_dir, database_url=database_url, topology=topology)
            instance.must_be_ours(settings)
            with instance.held(settings):
                with_database(data_dir, database_url, work, current=False, topology=topology)
        console.print(instance.as_it_stands("The shop is there again: `velella serve`"))


async def _databases(settings: Settings) -> dict[str, list[str]]:
    """The modules of each database, by URL."""
    from ..core.service import migrations  # here: most commands don't need Alembic, which is slow to import

    return {url: list(found.modules) for url, found in (await migrations.survey(settings)).items()}


async def _absent(databases: Mapping[str, list[str]]) -> list[str]:
    """The modules that have no tables where they are looked for."""
    absent: list[str] = []
    for url, modules in databases.items():
        connection = await asyncpg.connect(url)
        try:
            for name in modules:
                if await connection.fetchval("SELECT to_regclass($1) IS NULL", f'"{name}_migrations"'):
                    absent.append(name)
        finally:
            await connection.close()
    return absent


async def _check_empty(settings: Settings) -> None:
    """Raises Misconfigured where something lies that would be lost, or mixed up."""
    from ..core.service import migrations

    for url, found in (await migrations.survey(settings)).items():
        if not found.is_empty:
            raise Misconfigured(
                f"There is something in the database {without_password(url)} already.",
                hint="A backup is restored into an empty database, or another --data-dir.",
            )


class Interrupted(Exception):
    """The command is ended while a thread works for it."""


class Halt:
    """How a thread hears that its command is ended."""

    def __init__(self) -> None:
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self) -> None:
        """Have the thread leave off; a program that it waits for is ended."""
        self._asked = True
        if self._process is not None:
            self._process.kill()

    def check(self) -> None:
        """Raises Interrupted if that was asked."""
        if self._asked:
            raise Interrupted

    @contextmanager
    def ending(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """A block in which the thread waits for this program."""
        self._process = process
        try:
            self.check()
            yield
        except Interrupted:
            process.kill()
            raise
        finally:
            self._process = None


async def _carried_out(work: Callable[[Halt], None]) -> None:
    """Carry out in a thread what takes long. Where the command is ended meanwhile, what was begun is cleared away first."""
    halt = Halt()
    thread = asyncio.create_task(asyncio.to_thread(work, halt))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        halt.ask()
        await asyncio.wait([thread])
        if not thread.cancelled():
            thread.exception()  # nobody wants to know any more
        raise


# -- writing


def _write(settings: Settings, file: Path, databases: Mapping[str, list[str]], halt: Halt) -> None:
    draft = file.with_name(f"{file.name}.{ulid().lower()}.part")  # of its own: another backup may be written beside it
    try:
        with open_private(draft, "wb") as out, _progress() as progress:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
                dumps = [
                    _dump(archive, f"databases/{number}.dump", url, modules, progress, halt)
                    for number, (url, modules) in enumerate(databases.items())
                ]
                folders = _folders(settings)
                for name, folder in folders.items():
                    _add_folder(archive, f"files/{name}", folder, progress, halt)
                for path in sorted((settings.data_dir / SECRETS).glob("*")):
                    archive.write(path, f"{SECRETS}/{path.name}")
                made_at = datetime.now(UTC).isoformat(timespec="seconds")
                manifest = {"format": FORMAT, "velella": __version__, "made_at": made_at, "databases": dumps}
                archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
            out.flush()
            os.fsync(out.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    if not folders:
        console.print("Merchants' files lie with a provider of the settings (providers.file): they aren't in it.")


def _dump(archive: zipfile.ZipFile, entry: str, url: str, modules: list[str], progress: Progress, halt: Halt) -> dict[str, Any]:
    with archive.open(entry, "w", force_zip64=True) as out:
        _through("pg_dump", ["--format=custom", "--no-owner", "--no-privileges"], url, out=out, progress=progress, halt=halt)
    return {"entry": entry, "modules": modules}


def _add_folder(archive: zipfile.ZipFile, name: str, folder: Path, progress: Progress, halt: Halt) -> None:
    """Add the files that are there now; one that is removed meanwhile is left out, as it would be a moment later."""
    task = progress.add_task(f"Files in {folder}", total=None)
    for path in sorted(folder.rglob("*")):
        halt.check()
        if not path.is_file():
            continue
        try:
            source = path.open("rb")
        except FileNotFoundError:
            continue
        with source, archive.open(f"{name}/{path.relative_to(folder)}", "w", force_zip64=True) as out:
            shutil.copyfileobj(source, out, PIECE)
            progress.advance(task, source.tell())


# -- reading


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except OSError as error:
        raise Misconfigured(f"{file} can't be read: {error.strerror}.") from None
    except zipfile.BadZipFile:
        raise _broken(file) from None
    with archive:
        yield archive


def _manifest(file: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """What the backup says of itself, once every byte of it was read and is as it was written."""
    if MANIFEST not in archive.namelist():
        raise _broken(file)
    with console.status(f"Reading {file} …"):
        if archive.testzip() is not None:
            raise _broken(file)
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest["format"] > FORMAT:
        raise Misconfigured(f"{file} was written by Velella {manifest['velella']}, this is {__version__}.", hint="Install that version.")
    return manifest


def _broken(file: Path) -> Misconfigured:
    return Misconfigured(f"{file} is no whole backup of a shop.", hint="`velella backup` writes one.")


def _read(settings: Settings, archive: zipfile.ZipFile, manifest: Mapping[str, Any], halt: Halt) -> None:
    targets = [_target(settings, dump["modules"]) for dump in manifest["databases"]]
    if len(set(targets)) < len(targets):
        raise Misconfigured(
            "The backup holds several databases, of which two would become one here.", hint="Give `databases` in the settings as they were."
        )
    for entry in archive.namelist():
        if entry.startswith(f"{SECRETS}/"):
            path = private_folder(settings.private_data_dir() / SECRETS) / Path(entry).name
            with open_private(path, "wb") as out:
                out.write(archive.read(entry))
    with _progress() as progress:
        for name, folder in _folders(settings).items():
            _fill_folder(archive, f"files/{name}/", folder, progress, halt)
        # last: until a database holds something, all of it may be done again
        for url, dump in zip(targets, manifest["databases"], strict=True):
            with archive.open(dump["entry"]) as given:
                size = archive.getinfo(dump["entry"]).file_size
                options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
                _through("pg_restore", options, url, given=given, size=size, progress=progress, halt=halt)


def _target(settings: Settings, modules: list[str]) -> str:
    """The database that modules have here, which lay in one."""
    urls = {settings.database_of(module) for module in modules}
    if len(urls) > 1:
        raise Misconfigured(
            f"The backup holds {', '.join(modules)} in one database, and here they have several.",
            hint="Restore with `databases` in the settings as they were.",
        )
    return urls.pop()


def _fill_folder(archive: zipfile.ZipFile, name: str, folder: Path, progress: Progress, halt: Halt) -> None:
    entries = [each for each in archive.infolist() if each.filename.startswith(name)]
    task = progress.add_task(f"Files in {folder}", total=sum(each.file_size for each in entries))
    for entry in entries:
        halt.check()
        path = (folder / entry.filename.removeprefix(name)).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise Misconfigured(f"The backup names a file outside of {folder}: {entry.filename}.")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with archive.open(entry) as source, open_private(path, "wb") as out:
            shutil.copyfileobj(source, out, PIECE)
        progress.advance(task, entry.file_size)


# -- both


def _folders(settings: Settings) -> Mapping[str, Path]:
    """Where merchants' files lie on this machine; empty where a provider keeps them elsewhere."""
    provider = Files.of(settings).provider
    return {f"{access}": folder for access, folder in provider.folders.items()} if isinstance(provider, LocalFiles) else {}


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _through(
    name: str,
    options: list[str],
    url: str,
    *,
    progress: Progress,
    halt: Halt,
    out: IO[bytes] | None = None,
    given: IO[bytes] | None = None,
    size: int | None = None,
) -> None:
    """Run a program of PostgreSQL's on a database, with its output going to `out`, or its input coming from `given`."""
    shown, password = password_apart(url)
    environment = dict(os.environ) if password is None else {**os.environ, "PGPASSWORD": password}
    words = [program(name), *options, f"--dbname={shown}"]
    task = progress.add_task(f"Database {urlsplit(url).path.lstrip('/')}", total=size)
    source, target = (subprocess.DEVNULL, subprocess.PIPE) if given is None else (subprocess.PIPE, subprocess.DEVNULL)
    halt.check()
    with subprocess.Popen(words, stdin=source, stdout=target, stderr=subprocess.PIPE, env=environment) as process, halt.ending(process):
        reading, writing = (process.stdout, out) if given is None else (given, process.stdin)
        assert reading is not None
        assert writing is not None
        try:
            while piece := reading.read(PIECE):
                writing.write(piece)
                progress.advance(task, len(piece))
            if given is not None:
                writing.close()
        except BrokenPipeError:
            pass  # it has ended, and says why
        said = process.stderr.read().decode(errors="replace") if process.stderr is not None else ""
    if process.returncode:
        reason = next((line for line in said.splitlines() if "error" in line.lower()), said.strip())
        raise Misconfigured(f"{name} on {without_password(url)} has failed: {reason}", hint=_hint(said))


def password_apart(url: str) -> tuple[str, str | None]:
    """A database's URL without the password, and that: other accounts may read command lines. The one of a client's key is left out."""
    parts = urlsplit(url)
    given = parse_qs(parts.query, keep_blank_values=True).get("password", [None])[-1]
    login, at, host = parts.netloc.rpartition("@")
    shown = url.replace(f"://{parts.netloc}", f"://{login.partition(':')[0]}{at}{host}", 1)
    return without_parameters(shown, SECRET_PARAMETERS), unquote(parts.password) if parts.password else given


def _hint(said: str) -> str | None:
    if "server version mismatch" in said:
        return "The database is newer than the PostgreSQL that comes with Velella: put its own pg_dump and pg_restore into PATH."
    return None
