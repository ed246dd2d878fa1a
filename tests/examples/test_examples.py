"""The plugins under examples/, as their authors have them: their own tests in a shop of their own, and the guides about them."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))
STABLE = set(
    re.findall(r"`(velella[\w.]*)`", "".join(re.findall(r"^\| `velella.*$", (ROOT / "docs/stability.md").read_text(), re.MULTILINE)))
)

each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, asyncio.subprocess.Process]]:
    """The tests of all examples, at once, for they mostly wait. Each in a process of its own, as their authors run them: what a plugin
    registers on import belongs to one shop."""
    folder = tmp_path_factory.mktemp("examples")
    options = ("-q", "-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider")
    begun = {
        example.name: await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", *options, f"--basetemp={folder / example.name}"),
            cwd=example,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(example), str(ROOT / ".dev")])},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        for example in EXAMPLES
    }
    yield begun
    for process in begun.values():
        if process.returncode is None:  # its test wasn't asked for, and it has servers to stop
            await process.communicate()


@each
async def test_it_passes_its_own_tests(example: Path, running: dict[str, asyncio.subprocess.Process]) -> None:
    said = (await running[example.name].communicate())[0].decode()
    assert running[example.name].returncode == 0, said


def imported(file: Path) -> Iterator[str]:
    """The modules of Velella's that a file imports from."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.partition(".")[0] == "velella")


@each
def test_it_is_written_with_what_is_stable(example: Path) -> None:
    for file in sorted(example.rglob("*.py")):
        assert set(imported(file)) <= STABLE, f"{file}: {set(imported(file)) - STABLE}"


@each
def test_its_guide_shows_lines_of_it(example: Path) -> None:
    page = (ROOT / "docs" / "guides" / f"{example.name}.md").read_text()
    shown = re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert shown
    for file, text in shown:
        lines = iter((example / file).read_text().splitlines())  # in this order: it only goes on
        for line in text.splitlines():
            if line.strip() != "…":
                assert line in lines, f"{file} has no such line there: {line}"
    [settings] = re.findall(r"```toml\n *# velella.toml\n(.*?)```", page, re.DOTALL)
    there = (example / "velella.toml").read_text()
    for line in settings.splitlines():
        assert line.strip() in there, line
