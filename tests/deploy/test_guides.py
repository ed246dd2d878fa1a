"""docs/guides, and the files that they hand out: commands, settings, files, alerts and links that there are."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from velella.cli.app import app
from velella.core.settings import Settings

from .commands import check_velella, setting_of
from .queries import DEPLOY

ROOT = DEPLOY.parent
NAMES = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
"""Of commands."""
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))


def blocks(text: str, kind: str) -> list[str]:
    return [re.sub(r"^ +", "", block, flags=re.MULTILINE) for block in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)]


def commands(text: str) -> Iterator[list[str]]:
    """Words of every `velella …`: in blocks and between backticks, whoever starts it, in a container too, and wherever it lies."""
    lines = [line for block in blocks(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text) + [line.removeprefix("#") for line in text.splitlines() if line.startswith("#   ")]
    for line in lines:
        for said in re.findall(r"(?:^|[ \"/])velella ((?:{})\b[^|&#;\"]*)".format("|".join(NAMES)), line):
            words = shlex.split(said)
            if words[0] == "import" and len(words) == 2:  # its name alone
                continue
            file = {"exec": 1, "import": 2}.get(words[0])
            if file is not None and not words[file].startswith("-"):  # the reader's
                words[file] = __file__
            yield [*words, *(["--password", "…"] if words[:2] == ["user", "create"] else [])]  # it would be asked for


def test_every_guide_is_listed() -> None:
    page = (ROOT / "docs" / "README.md").read_text()
    assert len(GUIDES) == 13
    assert {f"guides/{guide.name}" for guide in GUIDES} == set(re.findall(r"\((guides/[\w-]+\.md)\)", page))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_what_a_guide_names_is_there(guide: Path) -> None:
    text = guide.read_text()
    for link in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", text):
        assert link.startswith("https://") or not link or (guide.parent / link).exists(), link
    for page, heading in re.findall(r"\]\(([^):\s]*)#([^)]+)\)", text):
        headings = re.findall(r"^#+ (.+)$", ((guide.parent / page) if page else guide).read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}, heading
    for file in re.findall(r"deploy/(?:[a-z]+/[\w.-]*\w|Dockerfile)", text):
        assert (ROOT / file).exists(), file
    for name in re.findall(r"VELELLA_[A-Z_]+", text):
        setting_of(name)
    for name in re.findall(r"`(\w+_(?:limit|timeout|proxies|dir))`", text):
        assert name in Settings.model_fields, name
    for block in blocks(text, "toml"):
        assert tomllib.loads(block).keys() <= Settings.model_fields.keys()
    alerts = re.findall(r"alert: (\w+)", (DEPLOY / "prometheus" / "alerts.yml").read_text())
    assert set(re.findall(r"\bVelella[A-Z]\w+", text)) <= set(alerts)
    for words in commands(text):
        check_velella(words)


def test_the_guides_say_commands() -> None:
    told = {words[0] for guide in GUIDES for words in commands(guide.read_text())}
    assert told >= {"serve", "migrate", "roll", "backup", "restore", "doctor", "move", "scale", "up", "exec", "admin", "user", "key"}


# -- the files


def test_the_composed_services_find_each_other() -> None:
    text = (DEPLOY / "compose" / "compose.yaml").read_text()
    file: dict[str, Any] = yaml.safe_load(text)
    services = file["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= services.keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in file["volumes"] or (DEPLOY / "compose" / source).is_file(), source
    for name in ("migrate", "velella"):
        check_velella(services[name]["command"])
        for variable in services[name]["environment"]:
            setting_of(variable)
    assert "@postgres/shop" in services["velella"]["environment"]["VELELLA_DATABASE_URL"]
    assert services["caddy"]["environment"]["SHOP"] == "velella:9000"
    for variable in ("DOMAIN", "SHOP"):
        assert f"{{${variable}:" in (DEPLOY / "caddy" / "Caddyfile").read_text()
    for words in commands(text):
        check_velella(words)


def test_the_one_container_runs_what_the_image_has() -> None:
    text = (DEPLOY / "fly" / "fly.toml").read_text()
    file = tomllib.loads(text)
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert f"VELELLA_DATA_DIR={file['mounts'][0]['destination']}" in dockerfile
    assert f"EXPOSE {file['http_service']['internal_port']}" in dockerfile
    check_velella(shlex.split(file["processes"]["app"]))
    instructions = dict(line.split(" ", 1) for line in (DEPLOY / "fly" / "Dockerfile").read_text().splitlines() if line[:1].isupper())
    entry = json.loads(instructions["ENTRYPOINT"])
    assert entry[:3] == ["tini", "--", "sh"]
    assert f"chown velella: {file['mounts'][0]['destination']} && exec setpriv --reuid=velella " in entry[4]
    assert "useradd --system --uid 10001 " in dockerfile
    check_velella(json.loads(instructions["CMD"]))
    for variable in file["env"]:
        setting_of(variable)
    assert [check["path"] for check in file["http_service"]["checks"]] == ["/health/ready"]
    for words in commands(text):
        check_velella(words)


def test_proxies_let_in_what_the_shop_takes_and_hold_on_for_its_answer() -> None:
    """That they do is looked at by scripts/test-proxies."""
    nginx, caddy = (DEPLOY / "nginx" / "velella.conf").read_text(), (DEPLOY / "caddy" / "Caddyfile").read_text()
    settings = Settings(_env_file=None)
    [megabytes], [size] = re.findall(r"client_max_body_size (\d+)m", nginx), re.findall(r"> (\d+)`", caddy)
    assert settings.upload_limit <= int(megabytes) * 2**20 == int(size) <= settings.upload_limit * 1.1
    [files] = re.findall(r"location ~ \^(\S+)\$ \{[^}]*client_max_body_size 0;", nginx)
    [paths] = re.findall(r"not path (.*)", caddy)
    assert all(re.fullmatch(files, path) for path in paths.split()), "the shop counts what comes there, a file at a time"
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s", nginx)
    assert int(seconds) > settings.message_timeout


def test_the_nightly_backup_is_one_of_ours() -> None:
    text = (DEPLOY / "systemd" / "velella-backup.service").read_text()
    [start] = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    shell, _, script = shlex.split(start.replace("%%", "%"))
    assert shell == "/bin/sh"
    check_velella(shlex.split(script.removeprefix("exec "))[1:])
    assert subprocess.run(["bash", "-n", DEPLOY / "backup" / "drill"], check=False).returncode == 0
