"""A shop behind nginx and behind Caddy, as the files of deploy/ say it, with TLS: what a client gets and doesn't get through them."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ..deploy.queries import DEPLOY
from ..e2e.served import ADMIN, Served, free_port, served

NAME = "shop.example"


@dataclass
class Behind:
    """A proxy before a shop."""

    shop: Served
    plain: int
    tls: int
    trusted: ssl.SSLContext

    @asynccontextmanager
    async def client(self, address: str = "127.0.0.9") -> AsyncIterator[aiohttp.ClientSession]:
        """A browser at this address, which takes the proxy for `shop.example`."""
        resolver: Any = _Here()
        connector = aiohttp.TCPConnector(ssl=self.trusted, resolver=resolver, local_addr=(address, 0))
        async with aiohttp.ClientSession(f"https://{NAME}:{self.tls}", connector=connector) as session:
            yield session


class _Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "fullchain.pem", folder / "privkey.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
         "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", chain],
        check=True, capture_output=True,
    )  # fmt: skip
    return chain, key


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Its clients are on other addresses of this machine, so only the proxy's own is trusted."""
    environment = {
        "VELELLA_TRUSTED_PROXIES": '["127.0.0.1/32"]',
        "VELELLA_PUBLIC_URL": f"https://{NAME}",
        "VELELLA_SIGN_IN_ADDRESS_LIMIT": "3/minute",
        "VELELLA_SIGN_IN_ACCOUNT_LIMIT": "",
    }
    async with served(tmp_path_factory.mktemp("shop"), "packed", "--empty", environment=environment) as running:
        yield running


@asynccontextmanager
async def nginx(shop: Served, folder: Path, certificate: tuple[Path, Path]) -> AsyncIterator[tuple[int, int]]:
    plain, tls = free_port(), free_port()
    text = (DEPLOY / "nginx" / "velella.conf").read_text()
    for there, here in (
        (r"\blisten 80;", f"listen {plain};"),
        (r"\blisten 443 ", f"listen {tls} "),
        (r"^\s*listen \[::\].*\n", ""),
        (r"127\.0\.0\.1:9000", shop.base.removeprefix("http://")),
        (r"/etc/letsencrypt/\S+/fullchain\.pem", str(certificate[0])),
        (r"/etc/letsencrypt/\S+/privkey\.pem", str(certificate[1])),
    ):
        text, count = re.subn(there, here, text, flags=re.MULTILINE)
        assert count, there
    (folder / "velella.conf").write_text(text)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    account = "user root;\n" if os.geteuid() == 0 else ""
    server = f"http {{\naccess_log off;\n{temporary}include {folder}/velella.conf;\n}}\n"
    (folder / "nginx.conf").write_text(f"{account}daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\n{server}")
    command = [os.environ["NGINX"], "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "stderr"]
    assert "warn" not in await _checked([*command, "-t"], {})
    async with _running(command, {}, plain):
        yield plain, tls


@asynccontextmanager
async def caddy(shop: Served, folder: Path, certificate: tuple[Path, Path]) -> AsyncIterator[tuple[int, int]]:
    plain, tls = free_port(), free_port()
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    opening = "{$DOMAIN:shop.example} {\n"
    assert opening in text
    ports = f"{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {tls}\n\tskip_install_trust\n}}\n"
    (folder / "Caddyfile").write_text(ports + text.replace(opening, f"{opening}\ttls {certificate[0]} {certificate[1]}\n"))
    environment = {"SHOP": shop.base.removeprefix("http://"), "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = [os.environ["CADDY"], "run", "--config", str(folder / "Caddyfile")]
    await _checked([command[0], "validate", *command[2:]], environment)
    async with _running(command, environment, tls):
        yield plain, tls


async def _checked(command: list[str], environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


@asynccontextmanager
async def _running(command: list[str], environment: dict[str, str], port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    try:
        async with asyncio.timeout(20):
            while True:
                assert process.returncode is None
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda start: start.__name__)
async def proxy(
    request: pytest.FixtureRequest, shop: Served, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Behind]:
    start: Callable[..., Any] = request.param
    async with start(shop, tmp_path_factory.mktemp(start.__name__), certificate) as (plain, tls):
        yield Behind(shop, plain, tls, ssl.create_default_context(cafile=str(certificate[0])))


async def test_it_sells_by_tls_and_leads_plain_requests_there(proxy: Behind) -> None:
    store = await proxy.shop.store()
    async with proxy.client() as client:
        async with client.get("/store/regions", headers=store.headers) as answer:
            assert (answer.status, (await answer.json())["count"]) == (200, 0)
        async with client.get("/app") as answer:
            assert answer.headers["Strict-Transport-Security"], "the shop knows that the browser came by TLS"
        async with client.get("/metrics") as answer:
            assert answer.status == 404
        async with client.get("/health/ready") as answer:
            assert answer.status == 200
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{proxy.plain}/store/x?a=1", headers={"Host": NAME}, allow_redirects=False) as answer,
    ):
        assert answer.status in (301, 308)
        assert re.fullmatch(rf"https://{NAME}(:{proxy.tls})?/store/x\?a=1", answer.headers["Location"])


async def test_limits_count_by_the_clients_own_address_whatever_it_says(proxy: Behind) -> None:
    wrong = {"email": ADMIN[0], "password": "wrong"}
    last = proxy.tls % 200 + 20  # clients of their own for each proxy
    async with proxy.client(f"127.0.1.{last}") as client:
        seen = []
        for attempt in range(5):
            headers = {"X-Forwarded-For": f"203.0.113.{attempt}", "X-Real-IP": f"203.0.113.{attempt}"}
            async with client.post("/auth/user/emailpass", json=wrong, headers=headers) as answer:
                seen.append(answer.status)
        assert seen == [401, 401, 401, 429, 429]
    async with proxy.client(f"127.0.2.{last}") as client, client.post("/auth/user/emailpass", json=wrong) as answer:
        assert answer.status == 401


async def test_sessions_are_secure_and_work(proxy: Behind) -> None:
    async with proxy.client() as client:
        async with client.post("/auth/user/emailpass", json={"email": ADMIN[0], "password": ADMIN[1]}) as answer:
            token = (await answer.json())["token"]
        async with client.post("/auth/session", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200
            assert "secure" in answer.headers["Set-Cookie"].lower()
        async with client.get("/admin/users/me") as answer:
            assert answer.status == 200, "the cookie is the session"


async def test_files_pass_up_to_the_limit_and_come_back(proxy: Behind) -> None:
    admin = await proxy.shop.admin()
    async with proxy.client() as client:
        for megabytes, name, kind, statuses in (
            (64, "products.csv", "text/csv", {200}),
            (70, "products.csv", "text/csv", {413}),
            (25, "chart.png", "image/png", {413}),
            (20, "chart.png", "image/png", {200}),
        ):
            form = aiohttp.FormData()
            content = os.urandom(1024) * ((megabytes * 2**20 - 1) // 1024)
            form.add_field("files", content, filename=name, content_type=kind)
            try:
                async with client.post("/admin/uploads", data=form, headers=admin.headers) as answer:
                    assert answer.status in statuses, await answer.text()
                    if answer.status == 200:
                        path = (await answer.json())["files"][0]["url"].removeprefix(f"https://{NAME}")
            except aiohttp.ClientError:
                assert 413 in statuses  # the connection was closed while too much was being sent
        async with client.get(path) as answer:
            assert len(await answer.read()) == (20 * 2**20 - 1) // 1024 * 1024
            assert "sandbox" in answer.headers["Content-Security-Policy"] or "default-src" in answer.headers["Content-Security-Policy"]


def form_of(field: str, filename: str, kind: str, sizes: tuple[int, ...]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for size in sizes:
        form.add_field(field, os.urandom(1024) * (size // 1024), filename=filename, content_type=kind)
    return form


async def test_pictures_pass_together_and_what_is_too_large_is_told_so(proxy: Behind) -> None:
    admin = await proxy.shop.admin()
    async with proxy.client() as client:
        pictures = form_of("files", "chart.png", "image/png", (15 * 2**20,) * 5)
        async with client.post("/admin/uploads", data=pictures, headers=admin.headers) as answer:
            assert (answer.status, len((await answer.json())["files"])) == (200, 5)
        sheet = form_of("file", "products.csv", "text/csv", (70 * 2**20,))
        async with client.post("/admin/products/import", data=sheet, headers=admin.headers) as answer:
            assert answer.status == 413, await answer.text()
        with suppress(aiohttp.ClientError):
            async with client.post("/admin/products", data=bytes(25 * 2**20), headers=admin.headers) as answer:
                assert answer.status == 413


async def test_an_answer_that_goes_on_arrives_while_it_goes_on(proxy: Behind) -> None:
    admin = await proxy.shop.admin()
    path = "/admin/workflows-executions/delete-products/subscribe"
    began = time.monotonic()
    async with proxy.client() as client, client.get(path, headers=admin.headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert time.monotonic() - began < 5
        assert not answer.content.is_eof()


async def test_many_requests_at_once_and_after_a_rest_all_are_answered(proxy: Behind) -> None:
    store = await proxy.shop.store()
    async with proxy.client() as client:

        async def ask(number: int) -> int:
            async with client.get("/store/regions", headers=store.headers, params={"limit": str(1 + number % 50)}) as answer:
                await answer.read()
                return answer.status

        for _ in range(3):
            assert set(await asyncio.gather(*(ask(number) for number in range(100)))) == {200}
            await asyncio.sleep(1.0)
