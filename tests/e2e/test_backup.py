"""`velella backup` of a shop that is served, and `velella restore`: the same shop again; nothing is mixed up, or half there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import zipfile
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest
from typer.testing import CliRunner

from velella.cli import instance
from velella.cli.app import app
from velella.core.ids import ulid
from velella.core.settings import Settings

from ..conftest import VELELLA
from ..types.test_handles import ROOT
from .served import Api, Served, served, velella


async def uploaded(admin: Api, content: bytes) -> str:
    """The path of a new file on the server."""
    form = aiohttp.FormData()
    form.add_field("files", content, filename="leaf.png", content_type="image/png")
    async with admin.session.post(f"{admin.base}/admin/uploads", data=form, headers=admin.headers) as answer:
        assert answer.status == 200, await answer.text()
        url = (await answer.json())["files"][0]["url"]
    return str(url)[str(url).index("/static/") :]


async def test_a_shop_comes_back_out_of_its_backup(colony: Served, tmp_path: Path) -> None:
    admin, name, file = await colony.admin(), ulid().lower(), tmp_path / "shop.zip"
    content = os.urandom(3_000)
    picture = await uploaded(admin, content)
    await admin.post("/admin/customers", {"email": f"before-{name}@example.com"})
    assert str(file) in (await colony.command("backup", str(file))).replace("\n", "")
    assert file.stat().st_mode & 0o077 == 0, "it holds secrets"
    await admin.post("/admin/customers", {"email": f"after-{name}@example.com"})

    data = tmp_path / "data"
    assert "velella serve" in await velella("restore", str(file), data_dir=data)
    assert "already" in await velella("restore", str(file), data_dir=data, ok=False)
    async with served(tmp_path, "packed") as again:
        token = Api(again.session, again.base, admin.headers)  # signed before: the secrets came along
        assert (await token.get("/admin/customers", q=name))["count"] == 1
        store = await again.store()
        async with again.session.get(again.base + picture) as answer:
            assert await answer.read() == content
        assert (await store.get("/store/regions"))["count"] == (await (await colony.store()).get("/store/regions"))["count"]


async def test_the_drill_restores_a_backup_and_says_what_is_in_it(migrated_database: str, tmp_path: Path) -> None:
    file, data = tmp_path / "shop.zip", tmp_path / "data"
    (tmp_path / "fill.py").write_text("await modules.customer.create('customer', [{'email': f'{n}@example.com'} for n in range(12)])")
    await velella("exec", "--database-url", migrated_database, str(tmp_path / "fill.py"), data_dir=data)
    await velella("backup", str(file), "--database-url", migrated_database, data_dir=data)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": "/tmp"}
    drill = ROOT / "deploy" / "backup" / "drill"
    before = set(Path("/tmp").iterdir())
    for path, code, said in ((file, 0, r"(?m)^customer +12$"), (tmp_path / "none.zip", 1, "can't be read")):
        process = await asyncio.create_subprocess_exec(drill, path, env=environment, stdout=PIPE, stderr=STDOUT)
        printed = (await process.communicate())[0].decode()
        assert process.returncode == code, printed
        assert re.search(said, printed), printed
    assert not [path for path in set(Path("/tmp").iterdir()) - before if (path / "data").exists()], "nothing of it stays"


async def test_what_is_no_whole_backup_makes_no_shop(colony: Served, tmp_path: Path) -> None:
    file, cut, changed, data = (tmp_path / name for name in ("shop.zip", "cut.zip", "changed.zip", "data"))
    await colony.command("backup", str(file))
    assert "exists already" in await velella("backup", str(file), data_dir=colony.data_dir, ok=False)
    said = await velella("backup", str(tmp_path / "nowhere" / "shop.zip"), data_dir=colony.data_dir, ok=False)
    assert ("No such file or directory" in said, "Traceback" in said) == (True, False), said
    whole = file.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    changed.write_bytes(whole[:5_000] + bytes(byte ^ 1 for byte in whole[5_000:5_001]) + whole[5_001:])
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "not ours")
    for name in ("cut.zip", "changed.zip", "other.zip"):
        assert "no whole backup" in await velella("restore", str(tmp_path / name), data_dir=data, ok=False)
    assert "can't be read" in await velella("restore", str(tmp_path / "none.zip"), data_dir=data, ok=False)
    assert not (data / "postgres").exists()


def in_the_place_of(name: str, folder: Path, script: str) -> dict[str, str]:
    """An environment in which a program of PostgreSQL's is this one, which is newer than any other."""
    program = folder / name
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "{name} (PostgreSQL) 99.0"; exit; }}\n{script}\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


async def test_a_backup_that_is_ended_leaves_nothing_behind(migrated_database: str, tmp_path: Path) -> None:
    """By SIGTERM, as systemd and Docker end it: what is written of it holds all secrets already."""
    (kept := tmp_path / "kept").mkdir()
    environment = in_the_place_of("pg_dump", tmp_path, "head -c 3000000 /dev/zero; exec sleep 600")
    words = (*VELELLA, "backup", str(kept / "shop.zip"), "--database-url", migrated_database, "--data-dir", str(tmp_path / "data"))
    process = await asyncio.create_subprocess_exec(*words, env=environment, cwd=tmp_path, stdout=PIPE, stderr=STDOUT)
    async with asyncio.timeout(60):
        while not any(path.stat().st_size for path in kept.iterdir()):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        begun = psutil.Process(process.pid).children()
        process.terminate()
        printed = (await process.communicate())[0].decode()
    assert process.returncode == 128 + signal.SIGTERM, printed
    assert list(kept.iterdir()) == []
    assert begun
    assert not [program for program in begun if program.is_running()]
    assert "Traceback" not in printed


async def test_a_backup_says_what_is_not_in_it(migrated_database: str, tmp_path: Path) -> None:
    """Of a shop that is served by a cluster file, whose pools have databases of their own, and which the command doesn't name."""
    connection = await asyncpg.connect(migrated_database)
    await connection.execute("DROP TABLE order_migrations, cart_migrations")
    await connection.close()
    said = await velella("backup", str(tmp_path / "shop.zip"), "--database-url", migrated_database, data_dir=tmp_path / "data")
    assert "Not in it: cart, order: " in " ".join(said.split()), said


async def test_a_backup_of_nothing_is_refused(tmp_path: Path) -> None:
    assert "There is no shop" in await velella("backup", "shop.zip", data_dir=tmp_path / "data", ok=False)
    with instance.held(Settings(_env_file=None, data_dir=tmp_path / "data")):  # as by a service whose environment this command hasn't
        said = await velella("backup", "shop.zip", data_dir=tmp_path / "data", ok=False)
    assert "VELELLA_DATABASE_URL, as where the shop is served" in said
    assert not (tmp_path / "shop.zip").exists()


async def test_root_restores_nothing_into_the_folder_of_another_account(
    migrated_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, data = tmp_path / "shop.zip", tmp_path / "theirs"
    await velella("backup", str(file), "--database-url", migrated_database, data_dir=tmp_path / "data")
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(data, 65534, 65534)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    refused = CliRunner().invoke(app, ["restore", str(file), "--data-dir", str(data)])
    assert "belongs to the account" in str(refused.exception)
    assert list(data.iterdir()) == []
