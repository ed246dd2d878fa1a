"""Opening a shop for tests, in each topology."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ..actors.host import local_host
from ..actors.services import service_names
from ..cli import demo
from ..cli.accounts import create_admin
from ..cli.infrastructure import check_infrastructure
from ..cli.seeding import seed_defaults
from ..core import json
from ..core.ids import ulid
from ..core.service import migrations
from ..core.settings import ProviderSettings, Settings, default_providers
from ..core.settings_sources import check_plugins, read_settings
from . import clock, recording
from .client import Client
from .shop import Shop

HERE = "here"
"""The topology of a shop in the process of the tests."""
ADMIN = "admin@example.com"
STARTED_SECONDS = 120.0
UNLIMITED = {f"{name}_limit": "" for name in ("sign_in_account", "sign_in_address", "sign_up_address", "email_account", "email_request")}
"""All requests come from one address."""


@asynccontextmanager
async def opened(given: Mapping[str, Any], *, topology: str, database_url: str, folder: Path) -> AsyncIterator[Shop]:
    """A shop with these settings (those of velella.toml where the tests run, too), on a database that it makes its tables in.

    Args:
        topology: `here`: in this process. `packed`, `pooled`, or the path of a topology's file: served as `velella serve` does.
        folder: an empty one, for its data directory.
    """
    given = _with_recorders({**given, **UNLIMITED, "database_url": database_url, "data_dir": folder, "host": "127.0.0.1"}, folder)
    settings = read_settings(**given, port=0, topology="packed" if topology == HERE else topology).with_secrets()
    check_plugins(settings, **given)
    check_infrastructure(settings)
    await clock.prepare(settings.database_of("engine"))
    await migrations.migrate_all(settings)
    await seed_defaults(settings)
    password = ulid()
    async with local_host(settings, visits=True) as visitor:
        await create_admin(visitor.modules, ADMIN, password)
        [key] = await visitor.modules.api_key.list("api_key", {"type": "publishable"}, limit=1)
    async with (
        _here(settings) if topology == HERE else _served(settings, given, folder) as (host, base),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        merchant = demo.Merchant(session, base)
        await merchant.log_in(ADMIN, password)
        ids = await demo.open_shop(merchant, lambda step: None)
        anybody = Client(session, base)
        token = (await anybody.post("/auth/user/emailpass", {"email": ADMIN, "password": password}))["token"]
        admin = anybody.with_headers(authorization=f"Bearer {token}")
        regions = {row["name"]: row["id"] for row in (await admin.get("/admin/regions"))["regions"]}
        store = anybody.with_headers(x_publishable_api_key=str(key["token"]))
        shop = Shop(topology, store, admin, regions, ids, settings, host)
        await shop.begun()
        yield shop


def _with_recorders(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The settings with the recorder of events, and that of emails unless the shop under test has a provider of its own for them."""
    for name in (recording.EVENTS, recording.EMAILS):
        (folder / name).mkdir()
    providers = dict(given.get("providers", {}))
    keeping = ProviderSettings(use=f"{recording.__name__}:KeptEmails", id="kept", options={"folder": str(folder / recording.EMAILS)})
    providers.setdefault("notification", [*default_providers()["notification"], keeping])
    named = given.get("plugins", {})
    plugins = {**(named if isinstance(named, Mapping) else {name: {} for name in named}), recording.__name__: {}}
    return {**given, "plugins": plugins, "providers": providers}


@asynccontextmanager
async def _here(settings: Settings) -> AsyncIterator[tuple[Any, str]]:
    async with local_host(settings, service_names(settings), wire_check=True) as host:
        front_end: Any = host.services["http"]
        yield host, f"http://127.0.0.1:{front_end.port}"


@asynccontextmanager
async def _served(settings: Settings, given: Mapping[str, Any], folder: Path) -> AsyncIterator[tuple[Any, str]]:
    """`velella serve` in processes of its own, and a visitor in this one."""
    port = _free_port()
    variables = {f"VELELLA_{name.upper()}": text if isinstance(text, str) else _as_json(text) for name, text in given.items()}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "VELELLA_LOG_LEVEL": "warning", **variables}
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "velella.cli", "serve", "--empty", "--topology", settings.topology, "--port", str(port)),
            stdout=output, stderr=output, cwd=folder, env=environment,
        )  # fmt: skip
    try:
        await _until_ready(f"http://127.0.0.1:{port}", process, log)
        async with local_host(settings, visits=True) as visitor:
            yield visitor, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), STARTED_SECONDS)


def _as_json(value: Any) -> str:
    return str(value) if isinstance(value, Path) else json.dumps(_plain(value)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, ProviderSettings):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_ready(base: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(STARTED_SECONDS):
        while True:
            if process.returncode is not None:
                raise AssertionError(f"The shop didn't start:\n{await asyncio.to_thread(log.read_text)}")
            try:
                async with session.get(f"{base}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
