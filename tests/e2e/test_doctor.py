"""`velella doctor`: everything that a shop stands on, right, wrong, dead and slow; and what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import types
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from velella.actors.host import Host
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.topology import Topology
from velella.cli import doctor
from velella.core.errors import Misconfigured, Unavailable
from velella.core.service.module import Module
from velella.core.service.third_party import ThirdPartyService
from velella.core.settings import ProviderSettings, Settings
from velella.core.sql.schema.columns import module_metadata
from velella.core.sql.schema.schema import Schema

from .. import forks
from ..stripe_desk import KEY, SECRET, StripeDesk
from .served import Served, free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto.server import ThreadedMotoServer

OUTSIDE = (
    "cache",
    "events",
    "file s3",
    "locks",
    "notification sendgrid",
    "notification smtp",
    "payment stripe",
    "sessions",
    "workflow engine",
)


def shop(folder: Path, database: str, base: str, *, redis: str, smtp: int, stripe: str, s3: str, **stripes: Any) -> Settings:
    """The settings of a shop with one of each third party that we know."""
    sender = {"from": "Shop <shop@example.com>"}
    bucket = {"bucket": "shop", "endpoint": s3, "file_url": "https://f.example", "access_key_id": "k", "secret_access_key": "s"}
    by_mail = {"host": "127.0.0.1", "port": smtp, "tls": "none", "channels": ["feed"], **sender}
    named = {
        "payment": [ProviderSettings(use="stripe", options={"api_key": KEY, "api_base": stripe, "retries": 0, **stripes})],
        "file": [ProviderSettings(use="s3", options={**bucket, "region": "us-east-1"})],
        "locking": [ProviderSettings(use="redis", options={"url": redis})],
        "events": [ProviderSettings(use="redis", options={"url": redis})],
        "cache": [ProviderSettings(use="redis", options={"url": redis})],
        "workflow_engine": [ProviderSettings(use="redis", options={"url": redis})],
        "session": [ProviderSettings(use="redis", options={"url": redis})],
        "notification": [
            ProviderSettings(use="smtp", options=by_mail),
            ProviderSettings(use="sendgrid", options={"api_key": "SG.1", "api_base": base, **sender}),
        ],
    }
    return Settings(_env_file=None, data_dir=folder / "data", database_url=database, port=free_port(), processes=1, providers=named)


async def findings(settings: Settings) -> dict[str, doctor.Finding]:
    return {each.name: each for each in await doctor.examine(Topology.of(settings))}


def wrong(found: dict[str, doctor.Finding]) -> list[str]:
    return sorted(name.partition(" postgres")[0] for name, each in found.items() if not each.fine)


@asynccontextmanager
async def listening(answer: Any) -> AsyncIterator[int]:
    """A server that does this with each of its connections."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_all_is_fine_and_what_is_wrong_is_a_line_with_what_to_do(migrated_database: str, redis_url: str, tmp_path: Path) -> None:
    scopes = ["mail.send"]

    async def sendgrid(_: web.Request) -> web.Response:
        return web.json_response({"scopes": scopes})

    app = web.Application()
    app.router.add_get("/v3/scopes", sendgrid)
    async with AsyncExitStack() as open_:
        runner = web.AppRunner(app)
        await runner.setup()
        open_.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        moto.start()
        open_.callback(moto.stop)
        s3 = "http://{}:{}".format(*moto.get_host_and_port())
        async with aiohttp.ClientSession() as session:
            await session.put(f"{s3}/shop")
        mail = Controller(object(), hostname="127.0.0.1", port=free_port())
        await asyncio.to_thread(mail.start)
        open_.callback(mail.stop)
        desk = await open_.enter_async_context(StripeDesk())
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        sides = {"redis": redis_url, "smtp": mail.port, "stripe": desk.url, "s3": s3}

        right = shop(tmp_path, migrated_database, base, **sides, webhook_secret=SECRET)  # type: ignore[arg-type]
        found = await findings(right)
        assert wrong(found) == [], found
        assert set(OUTSIDE) < set(found)

        scopes.clear()
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{s3}/shop")
        connection = await asyncpg.connect(migrated_database)
        await connection.execute("""
            INSERT INTO workflow_execution (id, workflow, state, input, trace_id, started_at)
            VALUES ('wfex_1', 'any', 'failed', '\\x80', 't', now()); DROP TABLE tax_migrations""")
        await connection.close()
        more = {
            "host": "0.0.0.0",
            "plugins": {"no_such_plugin": {}},
            "connections": 10_000,
            "jwt_secret": "x" * 32,
            "cookie_secret": "y" * 32,
        }
        broken = shop(tmp_path, migrated_database, base, **sides).model_copy(update=more)  # type: ignore[arg-type]
        found = await findings(broken)
        things = [
            "database",
            "executions",
            "file s3",
            "notification sendgrid",
            "payment stripe",
            "plugin no_such_plugin",
            "public URL",
            "secrets",
            "tables",
        ]
        assert wrong(found) == things, found
        assert found["secrets"].said.startswith("jwt_secret, cookie_secret given, but not mfa_key: ")
        assert "webhook_secret" in found["payment stripe"].said
        assert "mail.send" in str(found["notification sendgrid"].hint)
        assert "velella workflows list --state failed" in str(found["executions"].hint)
        assert "velella migrate" in str(found["tables"].hint)


async def test_a_wrong_key_and_a_refused_login_are_said(migrated_database: str, redis_url: str, tmp_path: Path) -> None:
    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    mail = Controller(object(), hostname="127.0.0.1", port=free_port(), authenticator=refuse, auth_require_tls=False)
    await asyncio.to_thread(mail.start)
    try:
        async with StripeDesk() as desk:
            sides = {"redis": redis_url, "smtp": mail.port, "stripe": desk.behind, "s3": "http://127.0.0.1:9"}
            settings = shop(tmp_path, migrated_database, "http://127.0.0.1:9", **sides, api_key="rk_of_another", webhook_secret=SECRET)  # type: ignore[arg-type]
            [smtp] = [one for one in settings.providers["notification"] if one.use == "smtp"]
            smtp.options.update(username="shop", password="hidden")
            found = await findings(settings)
    finally:
        mail.stop()
    for name, said in (("payment stripe", "key"), ("notification smtp", "password")):
        assert not found[name].fine
        assert said in f"{found[name].said} {found[name].hint}".lower(), found[name]
        assert "hidden" not in str(found[name])


async def test_modules_of_third_parties_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Press(ThirdPartyService):
        name = "press"
        schema = Schema("press", metadata=module_metadata())
        up = True

        async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
            raise NotImplementedError

        async def check(self) -> str:
            if not self.up:
                raise Unavailable("Nobody there", hint="Is the press paid?")
            return "It is running"

    module = types.ModuleType("doctors_press")
    module.MODULE = Module(name="press", schema=Press.schema, service=Press, package=__name__)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings = Settings(_env_file=None, data_dir=tmp_path, port=free_port(), modules={"press": "doctors_press:MODULE"})
    assert (await findings(settings))["module press"] == doctor.Finding("module press", True, "It is running")
    Press.up = False
    assert (await findings(settings))["module press"] == doctor.Finding("module press", False, "Nobody there", "Is the press paid?")


async def test_the_clock_of_another_node_is_compared(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    hosts = [Host(settings, (), address=ReplicaAddress(ReplicaId("door", number), path=f"{tmp_path}/{number}.sock")) for number in range(2)]
    looks = Host(settings, (), directory=Directory.of([(host.address, ()) for host in hosts]), visits=True)
    nodes = {"door-0": "10.0.0.1", "door-1": "10.0.0.2"}
    try:
        for host in (*hosts, looks):
            await host.start()
        skewed: Any = hosts[1].services["host"]
        ahead = 0.0

        async def clock() -> float:
            return time.time() + ahead

        skewed.clock = clock
        assert await doctor.compared(looks, nodes) == "those of 2 nodes agree with this machine's"
        ahead = 61.0
        with pytest.raises(Misconfigured, match=r"10\.0\.0\.2 \+61\.\d s") as wrong:
            await doctor.compared(looks, nodes)
        assert "10.0.0.1" not in wrong.value.message
        assert "NTP" in str(wrong.value.hint)
    finally:
        for host in (looks, *hosts):
            await host.stop()


async def test_what_is_dead_or_slow_holds_up_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = free_port()
    gone = shop(
        tmp_path, f"postgresql://shop:hidden@127.0.0.1:{dead}/shop", f"http://127.0.0.1:{dead}",
        redis=f"redis://127.0.0.1:{dead}", smtp=dead, stripe=f"http://127.0.0.1:{dead}", s3=f"http://127.0.0.1:{dead}",
    )  # fmt: skip
    monkeypatch.setattr(doctor, "DEADLINE", 2.0)
    found = await findings(gone)
    assert wrong(found) == sorted(("database", "executions", *OUTSIDE, "tables")), found
    assert not any("hidden" in f"{each}" for each in found.values())

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(never) as silent:
        slow = shop(
            tmp_path, f"postgresql://shop@127.0.0.1:{silent}/shop", f"http://127.0.0.1:{silent}",
            redis=f"redis://127.0.0.1:{silent}", smtp=silent, stripe=f"http://127.0.0.1:{silent}", s3=f"http://127.0.0.1:{silent}",
        )  # fmt: skip
        found = await findings(slow)
    assert wrong(found) == sorted(("database", "executions", *OUTSIDE, "tables")), found
    assert {found[name].said for name in OUTSIDE} == {"no answer within 2 s"}


async def test_a_mistake_in_the_settings_is_what_it_says_first(tmp_path: Path) -> None:
    (tmp_path / "velella.toml").write_text("prot = 9001\n")
    code, output = await forks.velella("doctor", "--json", folder=tmp_path, environment=os.environ)
    assert code == 1
    [found] = json.loads(output)
    assert (found["name"], found["fine"]) == ("settings", False)
    assert "Did you mean `port`?" in found["said"]


async def test_a_shop_is_looked_for_where_it_was_told_to_listen(colony: Served) -> None:
    """On its command line, which the doctor's hasn't: what answers on the port of the settings is another shop, or nobody."""
    found = {each["name"]: each for each in json.loads(await colony.command("doctor", "--json"))}
    assert found["port"]["said"] == f"the shop is served on {colony.base}"
    assert found["public URL"]["said"] == colony.base
