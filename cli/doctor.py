"""`velella doctor`: look at everything that a shop stands on, and say what to do where something is wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import asyncpg
import typer
from rich.text import Text

from ..actors import services
from ..actors.cluster.control import supervisor_handle
from ..actors.cluster.postgres import EmbeddedPostgres
from ..actors.host import Host
from ..actors.membership.directory import HOST
from ..actors.topology import WITHOUT_DATABASE, Topology
from ..core.errors import Misconfigured, VelellaError
from ..core.infrastructure import Infrastructure
from ..core.service.context import ModuleContext
from ..core.service.module import Module
from ..core.service.providers import Providers
from ..core.service.third_party import ThirdPartyService
from ..core.settings import Secret, Settings, without_password
from ..core.sql.db.database import Database
from ..modules.file.files import Files
from . import colony, dashboard, instance
from .data import DatabaseUrl, DataDir
from .infrastructure import KINDS
from .output import console

DEADLINE = 10.0
"""Seconds for one check."""
LEAST_POSTGRES = 14
LEAST_FREE = 1 << 30
"""Bytes on the disk of the data directory."""
SHARED: tuple[Secret, ...] = ("jwt_secret", "cookie_secret", "mfa_key")
"""What rows of the database are made with: every server of it needs the same."""
MOST_SKEW = 2.0
"""Seconds between this machine's clock and a database's: tokens, leases and jobs go by either."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found."""

    name: str
    fine: bool
    said: str
    hint: str | None = None


Check = Callable[[], Awaitable[str]]
"""Says what it has found to be fine. Raises VelellaError with what is wrong, and what to do as its hint."""


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella doctor  ·  velella doctor --json | jq '.[] | select(.fine | not)'")
    def doctor(
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        topology: str | None = typer.Option(None, help="packed, pooled, or a cluster.yaml."),
        as_json: bool = typer.Option(False, "--json", help="The same as JSON."),
    ) -> None:
        """Look at settings, databases, disk, port, providers and executions. Exit code 1 if something is wrong.

        Changes nothing but that S3 gets a small file, which is deleted again."""
        found = _examine(data_dir, database_url, topology)
        if as_json:
            print(json.dumps([asdict(each) for each in found], indent=2))
        else:
            for each in found:
                mark = Text("✓ ", "green") if each.fine else Text("✗ ", "red")
                console.print(mark + Text(f"{each.name}: {each.said}"))
                if each.hint:
                    console.print(Text(f"  {instance.as_it_stands(each.hint)}", "dim"))
        if not all(each.fine for each in found):
            raise typer.Exit(1)


def _examine(data_dir: Path | None, database_url: str | None, topology: str | None) -> list[Finding]:
    """All findings; nothing else can be looked at where the settings are wrong."""
    try:
        settings = instance.settings_of(data_dir=data_dir, database_url=database_url, topology=topology)
        plan = Topology.of(settings)
    except VelellaError as error:
        return [Finding("settings", False, error.message, error.hint)]
    return asyncio.run(examine(plan))


async def examine(plan: Topology) -> list[Finding]:
    """Look at all that a shop with this topology and its settings stands on, all at once, each within `DEADLINE`."""
    settings = plan.settings
    checks: dict[str, Check] = {
        "disk": lambda: _disk(settings),
        "port": lambda: _port(settings),
        "public URL": lambda: _public_url(settings),
        "secrets": lambda: _secrets(settings),
        **_databases(plan),
        **{f"plugin {name}": lambda name=name: _loads(name) for name in settings.plugins},  # type: ignore[misc]
        **{f"module {name}": lambda name=name: _module(name, settings) for name in settings.modules},  # type: ignore[misc]
        **_providers(settings),
    }
    if (settings.dashboard_dir / "site" / "index.html").is_file():
        checks["dashboard"] = lambda: _dashboard(settings)
    cluster = colony.of(settings, None)
    if cluster.ray_address is not None and instance.holder(settings) is None:
        checks["clocks"] = lambda: _clocks(cluster)
    found = await asyncio.gather(*(_within_deadline(name, check) for name, check in checks.items()))
    return [Finding("settings", True, f"topology {plan.name}, {plan.processes} processes"), *found]


async def _within_deadline(name: str, check: Check) -> Finding:
    try:
        async with asyncio.timeout(DEADLINE):
            return Finding(name, True, await check())
    except TimeoutError:
        return Finding(name, False, f"no answer within {DEADLINE:.0f} s", "Is it up, and does a firewall lie between?")
    except VelellaError as error:
        return Finding(name, False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - of a library or of another's provider: whatever it is, it is what is wrong
        return Finding(name, False, f"{type(error).__name__}: {error}")


# -- this machine


async def _disk(settings: Settings) -> str:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise Misconfigured(f"{free / 1e6:,.0f} MB are free for {settings.data_dir}", hint="Make room, or move the data directory.")
    return f"{free / 1e9:,.1f} GB are free for {settings.data_dir}"


async def _port(settings: Settings) -> str:
    if instance.holder(settings) is None:
        instance.check_port(settings)
        return f"{settings.port} is free; no Velella runs on {settings.data_dir}"
    url = (await _as_served(settings)).model_copy(update={"public_url": None}).url
    await _answers(f"{url}/health/ready", "`velella status` shows what is up.")
    return f"the shop is served on {url}"


async def _as_served(settings: Settings) -> Settings:
    """With the address that a shop that is served was told by its own command line and environment, which this command doesn't have."""
    if instance.holder(settings) is None:
        return settings
    async with supervisor_handle(settings) as supervisor:
        told = (await supervisor.status()).get("address", {})  # one of an older version doesn't say
    return settings.model_copy(update=told)


async def _secrets(settings: Settings) -> str:
    given = [name for name in SHARED if getattr(settings, name) is not None]
    made = [name for name in SHARED if name not in given]
    folder = settings.data_dir / "secrets"
    if given and made and settings.database_url is not None:
        raise Misconfigured(
            f"{', '.join(given)} given, but not {', '.join(made)}: each machine of this database makes its own",
            hint=f"Give all of them wherever it is served, or none. What this machine has made lies in {folder}.",
        )
    return f"kept in {folder}" if made else "given"


async def _dashboard(settings: Settings) -> str:
    there = settings.model_copy(update={"plugins": {name: {} for name in settings.plugins if importlib.util.find_spec(name) is not None}})
    if plugins := dashboard.outdated(there):
        raise Misconfigured(f"what {', '.join(plugins)} brings for it has changed since it was built", hint="`velella admin build`")
    return "built with what plugins bring"


async def _clocks(cluster: Settings) -> str:
    from ..actors.cluster.visiting import visitor

    async with colony.joined(cluster), colony.found(cluster) as supervisor:
        pools = (await supervisor.status())["pools"]
        nodes = {f"{pool['name']}-{replica['index']}": str(replica["node"]) for pool in pools for replica in pool["replicas"]}
        async with visitor(colony.with_cluster_secrets(cluster), supervisor, joined=True) as host:
            return await compared(host, nodes)


async def compared(host: Host, nodes: Mapping[str, str]) -> str:
    """Compare the clocks of the machines that replicas are on (`nodes`: replica → machine) with this one's. Raises Misconfigured where
    one differs: workflows' leases, tokens and jobs go by them."""
    skews: dict[str, tuple[float, float]] = {}
    for replica in host.router.replicas(HOST):
        began, started = time.time(), time.monotonic()
        there = await host.router.send_to(replica, HOST, "clock")
        took = time.monotonic() - started
        skews[nodes.get(str(replica), "?")] = there - (began + took / 2), took
    wrong = {node: skew for node, (skew, took) in skews.items() if abs(skew) > MOST_SKEW + took / 2}
    if wrong:
        said = ", ".join(f"{node} {skew:+.1f} s" for node, skew in sorted(wrong.items()))
        raise Misconfigured(f"they differ from this machine's: {said}", hint="Run an NTP service (chrony, systemd-timesyncd) on all nodes.")
    return f"those of {len(skews)} nodes agree with this machine's"


async def _public_url(settings: Settings) -> str:
    settings = await _as_served(settings)
    if settings.lacks_public_url:
        raise Misconfigured(
            f"not set: links in emails and addresses of files lead to {settings.url}, which is this machine only",
            hint="VELELLA_PUBLIC_URL=https://shop.example, or public_url in velella.toml.",
        )
    if settings.public_url is not None and instance.holder(settings) is not None:
        await _answers(f"{settings.url}/health", "Does the proxy there lead to this server, and does its certificate hold?")
    return settings.url


async def _answers(url: str, hint: str) -> None:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            if answer.status != 200:
                raise Misconfigured(f"{url} answers {answer.status}: {(await answer.text())[:200]}", hint=hint)
    except aiohttp.ClientError as error:
        raise Misconfigured(f"{url} can't be reached: {error}", hint=hint) from None


# -- databases


def _databases(plan: Topology) -> dict[str, Check]:
    settings = plan.settings
    if settings.database_url is None:
        server = EmbeddedPostgres(settings.data_dir / "postgres")
        if instance.holder(settings) is None:
            said = "the embedded PostgreSQL is started by `velella serve`" if server.is_made() else "made by the first `velella serve`"
            return {"database": lambda: _fine(said)}
        settings = settings.model_copy(update={"database_url": server.url()})
    wanted: dict[str, int] = {}
    for pool in plan.pools:
        for url in {settings.database_of(service) for service in pool.services if service not in WITHOUT_DATABASE}:
            wanted[url] = wanted.get(url, 0) + pool.connections_in_all
    checks: dict[str, Check] = {}
    for url, connections in wanted.items():
        name = f"database {without_password(url)}"
        checks[name] = lambda url=url, connections=connections: _database(url, connections)  # type: ignore[misc]
    return {**checks, "tables": lambda: _tables(settings), "executions": lambda: _executions(settings)}


async def _fine(said: str) -> str:
    return said


async def _connected(url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Misconfigured(f"it does not answer: {error or type(error).__name__}", hint="Is it up, and is the URL right?") from None


async def _database(url: str, wanted: int) -> str:
    connection = await _connected(url)
    try:
        began = time.time()
        row = await connection.fetchrow(_ABOUT)
        took = time.time() - began
    finally:
        connection.terminate()
    assert row is not None
    version = row["version"] // 10000
    if version < LEAST_POSTGRES:
        raise Misconfigured(f"it is PostgreSQL {version}", hint=f"Velella needs {LEAST_POSTGRES} or newer.")
    if row["standby"] or row["read_only"]:
        raise Misconfigured("it takes no writes", hint="Name the server that leads, or several with ?target_session_attrs=read-write.")
    if not row["pg_trgm"]:
        raise Misconfigured("the extension pg_trgm isn't available there", hint="Install PostgreSQL's contrib package on its server.")
    if wanted > row["room"]:
        raise Misconfigured(
            f"it admits {row['room']} connections, and this topology opens up to {wanted}",
            hint="Raise max_connections, or lower `connections`: `velella topology {FILE}` adds them up.",
        )
    skew = row["at"] - (began + took / 2)
    if abs(skew) > MOST_SKEW + took / 2:
        raise Misconfigured(
            f"its clock is {skew:+.1f} s from this machine's", hint="Run an NTP service (chrony, systemd-timesyncd) on both."
        )
    return f"PostgreSQL {row['server_version']}, {wanted} of {row['room']} connections, answers in {took * 1000:.1f} ms"


_ABOUT = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS server_version,
    pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only')::bool AS read_only,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS pg_trgm,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS room,
    extract(epoch FROM clock_timestamp())::float8 AS at
"""


async def _tables(settings: Settings) -> str:
    from ..core.service import migrations  # here: most commands don't need Alembic, which is slow to import

    there = {name: options for name, options in settings.plugins.items() if importlib.util.find_spec(name) is not None}
    found = await migrations.survey(settings.model_copy(update={"plugins": there}))  # of one that isn't there its own line tells
    for url, each in found.items():
        if each.foreign:
            raise Misconfigured(f"{without_password(url)} holds tables of another application", hint="Name a database of its own.")
        if each.pending:
            hint = (
                "`velella migrate` brings them up to date." if not each.is_empty else "`velella migrate`, or `velella serve`, makes them."
            )
            raise Misconfigured(f"{len(each.pending)} modules have migrations to run: {', '.join(each.pending)}", hint=hint)
    return f"those of {sum(len(each.modules) for each in found.values())} modules are up to date"


async def _executions(settings: Settings) -> str:
    connection = await _connected(settings.database_of("engine"))
    try:
        if not await connection.fetchval("SELECT to_regclass('workflow_execution') IS NOT NULL"):
            return "none yet"
        failed = await connection.fetchval("SELECT count(*) FROM workflow_execution WHERE state = 'failed' AND given_up IS NULL")
    finally:
        connection.terminate()
    if failed:
        raise Misconfigured(f"{failed} have failed", hint="`velella workflows list --state failed` shows them.")
    return "none has failed"


# -- code and third parties


async def _loads(package: str) -> str:
    import importlib

    try:
        importlib.import_module(package)
    except Exception as error:
        raise Misconfigured(f"it can't be imported: {type(error).__name__}: {error}", hint="Is it installed beside Velella?") from error
    return "it loads"


async def _module(name: str, settings: Settings) -> str:
    made_by = services.load(name, settings)
    if not isinstance(made_by, Module) or not issubclass(made_by.service, ThirdPartyService):
        return "it loads"
    database = Database(settings.database_url or "postgresql:///")  # which isn't opened: a check asks the third party alone
    service = made_by.service(ModuleContext(settings, database, Providers(name), _nobody))
    await service.start()
    try:
        return await service.check()
    finally:
        await service.stop()


async def _nobody(_: frozenset[str]) -> None: ...


def _providers(settings: Settings) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    for module in sorted(settings.providers):
        if module in KINDS:
            name = {"locking": "locks", "session": "sessions", "workflow_engine": "workflow engine"}.get(module, module)
            checks[name] = lambda kind=KINDS[module]: _infrastructure(kind, settings)  # type: ignore[misc]
            continue
        for one in settings.providers[module]:
            name = f"{module} {one.use}" + (f" ({one.id})" if one.id not in ("default", one.use) else "")
            checks[name] = lambda module=module, one=one: _provider(module, settings, one)  # type: ignore[misc]
    return checks


async def _provider(module: str, settings: Settings, one: object) -> str:
    made_by = services.load(module, settings)
    assert isinstance(made_by, Module)
    providers = Providers(module, made_by.provider_kinds, [one], made_by.provider)  # type: ignore[list-item]
    [(_, provider)] = providers.items()
    if module == "file":
        Files.of(settings, providers)
    try:
        return str(await provider.check())
    finally:
        if hasattr(provider, "close"):
            await provider.close()


async def _infrastructure(kind: Infrastructure, settings: Settings) -> str:
    chosen = kind.chosen(settings)
    return "nothing to look at" if chosen is None else str(await chosen[0].check(**chosen[1]))
