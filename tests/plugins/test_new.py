"""`velella new plugin`: what it refuses, and that each part works alone. That all of them together work is test_wheels.py's."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path

import pytest

from velella.cli.new import PARTS, chosen_parts, renamed, template

from .. import forks

LOADED = """
import os
import sys
from pathlib import Path

from velella.actors.engine.coordinator import load_workflows
from velella.actors.services import service_names
from velella.actors.topology import Topology
from velella.cli.new import PARTS, chosen_parts, write_plugin
from velella.core.flow import definitions
from velella.core.service.providers import Providers
from velella.core.settings_sources import read_settings
from velella.http.server import found_routes

for part in PARTS:
    name = f"only_{part}"
    write_plugin(name, Path(part), chosen_parts([part]))
    sys.path.insert(0, str(Path(part).absolute()))
    os.chdir(part)
    settings = read_settings()
    os.chdir("..")
    load_workflows(settings.plugins)
    paths = [route.path for route in found_routes(settings.plugins) if f"only-{part}" in route.path]
    mine = [step for step in definitions._steps if step.startswith(f"{name}.")]
    print(part, name in service_names(settings), len(paths), len(mine), len(settings.providers["payment"]))
"""


async def new(folder: Path, *words: str) -> tuple[int | None, str]:
    return await forks.velella("new", "plugin", *words, folder=folder, environment={**os.environ, "COLUMNS": "200"})


async def test_each_part_works_alone(tmp_path: Path) -> None:
    (tmp_path / "loaded.py").write_text(LOADED)
    code, said = await forks.forked(tmp_path / "loaded.py", folder=tmp_path)
    assert code == 0, said
    assert said.splitlines() == [
        "module True 0 0 1",
        "link True 0 0 1",
        "workflow True 0 2 1",
        "routes True 7 2 1",
        "dashboard True 7 2 1",
        "hook True 0 1 1",
        "subscriber True 0 0 1",
        "job True 0 1 1",
        "rule False 0 0 1",
        "provider False 0 0 2",
        "tests False 0 0 1",
    ]


def test_a_part_brings_what_it_builds_on() -> None:
    assert chosen_parts(["routes", "tests"]) == ["module", "workflow", "routes", "tests"]
    assert chosen_parts([]) == list(PARTS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["product"], "Velella has a product already."),
        (["json"], "There is a Python package called json already."),
        (["class"], "A plugin can't be called `class`"),
        (["Gift-Note"], "Try `velella new plugin gift_note`."),
        (["door", "--only", "provder"], "Did you mean `provider`?"),
        (["door", "--folder", "full"], "full is there already, and isn't an empty folder."),
    ],
)
async def test_it_refuses_before_it_writes(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    code, printed = await new(tmp_path, *words)
    assert code == 1, printed
    assert said in printed
    assert "Traceback" not in printed
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine.txt"]


async def test_its_help_says_what_the_parts_are(tmp_path: Path) -> None:
    code, said = await new(tmp_path, "--help")
    assert code == 0
    assert "velella new plugin gift_note --only routes,tests" in said
    assert all(f"{part}:" in said for part in PARTS)


# -- what is written about it

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_about_a_first_plugin_shows_what_the_command_writes() -> None:
    page = (DOCS / "your-first-plugin.md").read_text()
    shown = re.findall(r"```\w+\n# (gift_note/\S+|tests/\S+|velella.toml)\n(.*?)```", page, re.DOTALL)
    assert len(shown) == 5
    files = {renamed(file, "gift_note"): renamed(text, "gift_note") for file, text in template(list(PARTS))}
    for file, text in shown:
        lines = iter(files[file].splitlines())  # in this order: it only goes on
        for line in text.splitlines():
            if line.strip() != "…":
                assert line in lines, f"{file} has no such line there: {line}"
    for named in re.findall(r"(\w+\.py|\w+\.toml)", page[page.index("    gift_note/") : page.index("A note is stored")]):
        assert any(file.endswith(named) for file in files), named


async def test_the_page_shows_what_the_command_prints(tmp_path: Path) -> None:
    code, said = await new(tmp_path, "gift_note")
    assert code == 0
    assert said.strip() in (DOCS / "your-first-plugin.md").read_text()


def test_what_is_called_stable_is_there() -> None:
    rows = re.findall(r"^\| (`velella.*?) \|", (DOCS / "stability.md").read_text(), re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert len(names) > 15
    for name in names:
        importlib.import_module(name)
