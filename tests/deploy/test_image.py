"""The Dockerfile and the systemd unit name what is there: extras, files, commands, settings, the health check's address."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .commands import check_velella, setting_of
from .queries import DEPLOY

ROOT = DEPLOY.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = {name: texts for name, texts in PROJECT["project"]["optional-dependencies"].items() if name not in ("develop", "testing")}
"""What a shop may be installed with: it runs no tests, and isn't developed."""


def instructions() -> list[tuple[str, str]]:
    """(instruction, its text) of the Dockerfile, with lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest.strip()) for line in lines if line.strip() for name, _, rest in [line.partition(" ")]]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, text in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, text))
    return found


def of_last_stage(name: str) -> list[str]:
    return [text for found, text in stages()[-1] if found == name]


def test_it_is_built_apart_from_what_is_shipped() -> None:
    build, ship = stages()
    assert build[0][1].endswith(" AS build")
    python = build[0][1].split()[0]
    assert ship[0][1] == python, "compiled packages want the Python they were built for"
    major, minor = map(int, re.findall(r"python:(\d+)\.(\d+)", python)[0])
    least = re.findall(r">=(\d+)\.(\d+)", PROJECT["project"]["requires-python"])[0]
    assert (major, minor) >= tuple(map(int, least))


def test_every_extra_is_in_the_image() -> None:
    script = next(line for line in (ROOT / "scripts" / "lock").read_text().splitlines() if line.startswith("extras="))
    command = shlex.split(script.removeprefix("extras=$(").removesuffix(")"))
    told = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert told == [f"--extra={name}" for name in EXTRAS]
    for file in (DEPLOY / "systemd" / "velella.service", ROOT / "docs" / "operations.md"):
        named = {extra for extras in re.findall(r"velella\[([\w,]+)\]", file.read_text()) for extra in extras.split(",")}
        assert named <= EXTRAS.keys(), file


def locked(file: str) -> dict[str, tuple[str, int]]:
    """Package → its version, and how many hashes the lock has of it."""
    found: dict[str, tuple[str, int]] = {}
    for entry in re.split(r"\n(?=\S)", (DEPLOY / file).read_text().strip()):
        name, version = re.match(r"([a-z0-9-]+)==([\w.!+]+)", entry).groups()  # type: ignore[union-attr]
        found[name] = (version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)))
    return found


def named(requirements: Iterable[str]) -> Iterator[Requirement]:
    """Requirements that hold in the image, by the names that locks use."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": "3.12", "extra": ""}):
            requirement.name = canonicalize_name(requirement.name)
            yield requirement


def test_locks_hold_what_the_project_asks_for_with_hashes() -> None:
    """Else: scripts/lock."""
    project = PROJECT["project"]
    extras = [text for extra in EXTRAS.values() for text in extra]
    for file, wanted in (("image.lock", [*project["dependencies"], *extras]), ("build.lock", [*PROJECT["build-system"]["requires"], "uv"])):
        packages = locked(file)
        for requirement in named(wanted):
            assert requirement.name in packages, f"{requirement.name} isn't in {file}"
            assert requirement.specifier.contains(packages[requirement.name][0], prereleases=True), requirement
        assert all(hashes for _, hashes in packages.values())
        assert "://" not in (DEPLOY / file).read_text(), "a lock doesn't say where packages come from"


def test_locks_hold_what_that_needs_in_turn() -> None:
    """By what is installed here; what isn't is left to the build, which takes nothing without a hash."""
    packages = locked("image.lock")
    for name, (version, _) in packages.items():
        try:
            there = distribution(name)
        except PackageNotFoundError:
            continue
        if there.version == version:
            missing = [requirement.name for requirement in named(there.requires or ()) if requirement.name not in packages]
            assert missing == [], name


def test_nothing_is_installed_but_by_the_locks() -> None:
    runs = [command for name, text in stages()[0] if name == "RUN" for command in text.split("&&")]
    installing = [command for command in runs if "pip install" in command]
    assert installing
    for command in installing:
        assert "--require-hashes -r" in command or "--no-deps /dist/" in command, command


def test_it_copies_all_that_the_wheel_is_made_of_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert "*" in lines
    assert {*wheel, "pyproject.toml", PROJECT["project"]["readme"], "LICENSE"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert not any(fnmatch(name, pattern) for name in (".env", ".velella", ".git", "tests") for pattern in let_in), "secrets stay outside"
    for name, text in stages()[0]:
        if name == "COPY":
            assert all((ROOT / source).exists() for source in text.split()[:-1])


def test_it_does_not_run_as_root() -> None:
    (user,) = of_last_stage("USER")
    assert user.isdigit(), "Kubernetes can't tell that a name isn't root"
    assert int(user) > 0
    names = [name for name, _ in stages()[-1]]
    assert names.index("USER") > max(index for index, name in enumerate(names) if name == "RUN")


def test_it_starts_a_command_of_ours_and_says_how_it_is() -> None:
    (entry,), (command,) = of_last_stage("ENTRYPOINT"), of_last_stage("CMD")
    assert json.loads(entry) == ["tini", "--", "velella"]
    check_velella(json.loads(command))
    (health,) = of_last_stage("HEALTHCHECK")
    assert "http://127.0.0.1:${VELELLA_PORT}/health" in health


def test_its_settings_exist() -> None:
    (env,) = of_last_stage("ENV")
    values = dict(word.split("=", 1) for word in shlex.split(env))
    named = {setting_of(name): value for name, value in values.items() if name.startswith("VELELLA_")}
    assert named["host"] == "0.0.0.0"
    assert named["port"] in of_last_stage("EXPOSE")
    assert named["data_dir"] in of_last_stage("VOLUME")
    examples = re.findall(
        r"#\s+docker run .*? velella ((?:serve|migrate).*?)(?:\s{2,}|$)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    assert examples
    for example in examples:
        check_velella(re.sub(r"\(.*\)", "", example).split())


# -- systemd


def unit() -> dict[str, list[str]]:
    """Every key of the unit, with its values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / "velella.service").read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_service_starts_a_command_of_ours_on_its_own_account() -> None:
    keys = unit()
    (start,) = keys["ExecStart"]
    program, *words = shlex.split(start)
    assert Path(program).name in PROJECT["project"]["scripts"]
    check_velella(words)
    assert keys["User"] == ["velella"]
    data = [word.split("=", 1) for line in keys["Environment"] for word in shlex.split(line)]
    settings = {setting_of(name): value for name, value in data if name.startswith("VELELLA_")}
    assert settings["data_dir"] == f"/var/lib/{keys['StateDirectory'][0]}" == keys["WorkingDirectory"][0]


def test_stopping_goes_through_the_supervisor_and_has_the_time_it_takes() -> None:
    from velella.actors.cluster.finishing import FINISH_SECONDS
    from velella.actors.cluster.supervisor import LAST_TIERS

    keys = unit()
    assert keys["KillMode"] == ["mixed"], "SIGTERM to every process would end replicas before their doors are closed"
    assert int(keys["TimeoutStopSec"][0]) > (len(LAST_TIERS) + 1) * (FINISH_SECONDS + 5.0)


def test_the_service_leaves_the_machine_some_memory() -> None:
    keys = unit()
    high, most = (int(keys[name][0].removesuffix("%")) for name in ("MemoryHigh", "MemoryMax"))
    assert high < most < 100
    assert keys["UMask"] == ["0077"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = sorted((DEPLOY / "systemd").iterdir())
    for each in units:
        (tmp_path / each.name).write_text(each.read_text().replace("/opt/velella/bin/velella", sys.executable))  # a program that exists
    done = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / each.name for each in units)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "velella" in line]
    assert (done.returncode, said) == (0, [])
