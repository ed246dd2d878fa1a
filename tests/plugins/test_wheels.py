"""Velella from its own wheel, and a plugin made by `velella new` from its: built, checked, installed, served, tested and type checked."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from velella.actors.services import service_names
from velella.core.settings import Settings

from ..types.test_handles import ROOT

PLUGIN = "gift_note"


async def run(*words: str | Path, folder: Path, **environment: str) -> str:
    """What a program printed, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words), cwd=folder, env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{' '.join(map(str, words))}\n{said}"
    return said


async def built(project: Path, *options: str, into: Path) -> list[Path]:
    """The distributions of a project. The build's own requirements are installed here already."""
    await run(sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", into, project, folder=project)
    files = sorted(into.iterdir())
    await run(sys.executable, "-m", "twine", "check", "--strict", *files, folder=into)
    return files


@pytest.fixture(scope="module")
async def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a new environment with Velella's wheel, which was built from its sdist. It sees what is installed here, because
    installing Ray and all others anew takes minutes; but not Velella's own folder."""
    folder = tmp_path_factory.mktemp("environment")
    wheel, sdist = await built(ROOT, into=folder / "dist")
    assert sdist.name.endswith(".tar.gz")
    await run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    packages = Path(await run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder)).as_posix().strip()
    Path(packages, "others.pth").write_text(sysconfig.get_path("purelib"))  # a folder on a line: .pth files in it aren't followed
    await installed(wheel, python)
    where = await run(python, "-c", "import velella; print(velella.__file__)", folder=folder)
    assert where.startswith(packages)
    return python


async def installed(wheel: Path, python: Path) -> None:
    options = ("--quiet", "--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check")
    await run(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, folder=wheel.parent)


@pytest.fixture(scope="module")
async def plugin(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a plugin with all parts."""
    folder = tmp_path_factory.mktemp("plugin")
    await run(python.with_name("velella"), "new", "plugin", PLUGIN, folder=folder)
    return folder / PLUGIN


async def test_a_new_plugin_is_typed_strictly(plugin: Path) -> None:
    """Against the folder that the wheel is made of: what mypy found out about that when it last checked it is used."""
    await run(sys.executable, "-m", "mypy", plugin / PLUGIN, plugin / "tests", folder=ROOT, MYPYPATH=str(plugin))


@pytest.mark.timeout(900)  # it starts three shops, two of them of several processes
async def test_a_new_plugin_passes_its_tests_from_wheels_in_both_topologies(python: Path, plugin: Path, tmp_path: Path) -> None:
    """`pooled` with the pools that make the difference: the plugin's module, those it asks, coordinators and the front end apart."""
    [wheel] = await built(plugin, "--wheel", into=tmp_path / "dist")
    await installed(wheel, python)
    shutil.move(plugin / PLUGIN, tmp_path / "source")  # what is tested is the wheel
    pools = tmp_path / "pools.yaml"
    apart = [[PLUGIN], ["product", "order"], ["workflows"], ["http"]]
    rest = set(service_names(Settings(modules={PLUGIN: ""}))) - {name for names in apart for name in names}
    rows = [{"name": names[0], "services": names, "replicas": 1} for names in (*apart, ["locking", *sorted(rest - {"locking"})])]
    head = {"cluster_name": "few", "provider": {"type": "local", "head_ip": "127.0.0.1"}}
    pools.write_text(yaml.safe_dump({**head, "metadata": {"velella": {"pools": rows}}}))
    options = ("-P", "-m", "pytest", "-q", "--topology=packed", f"--topology={pools}", "-p", "no:cacheprovider")
    said = await run(python, *options, folder=plugin, VELELLA_PROCESSES="1")
    assert "22 passed" in said, said
