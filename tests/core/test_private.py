"""What is the shop's own is nobody else's to look into, whatever the umask says and whatever was there before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from velella.actors.cluster.ray_runtime import run_dir
from velella.cli import instance
from velella.cli.serve import login
from velella.core.private import open_private, private_folder
from velella.core.settings import Settings


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_are_for_their_owner(tmp_path: Path) -> None:
    assert mode(private_folder(tmp_path / "new")) == 0o700
    for before, passed, after in (
        (0o755, False, 0o700),
        (0o777, True, 0o711),
        (0o700, True, 0o700),
        (0o701, True, 0o701),
        (0o500, False, 0o500),
    ):
        folder = tmp_path / f"{before:o}{passed}"
        folder.mkdir()
        folder.chmod(before)
        assert mode(private_folder(folder, passed=passed)) == after


def test_files_are_for_their_owner(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("a")
    for path in (there, tmp_path / "new"):
        with open_private(path, "ab") as file:
            file.write(b"b")
        assert mode(path) == 0o600
    assert there.read_text() == "ab"


def test_root_finds_the_sockets_of_an_instance_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / ("long" * 12)
    data.mkdir()
    if os.geteuid() == 0:
        os.chown(data, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    owner = data.stat().st_uid
    own = run_dir(Settings(data_dir=data))
    theirs = own.with_name(own.name.replace("velella-0-", f"velella-{owner}-"))
    theirs.mkdir()
    try:
        os.chown(theirs, owner, -1)
        assert theirs != own
        assert run_dir(Settings(data_dir=data)) == theirs
    finally:
        theirs.rmdir()


def test_secrets_are_closed_also_in_a_folder_that_was_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "secrets").mkdir(parents=True)
    settings = Settings(data_dir=data).with_secrets()
    assert mode(data) in (0o700, 0o711)
    assert mode(data / "secrets") == 0o700
    assert {mode(path) for path in (data / "secrets").iterdir()} == {0o600}
    assert settings.with_secrets() is settings
    for name in Settings.SECRETS:
        assert settings.secret(name) == Settings(data_dir=data).secret(name) == (data / "secrets" / name).read_text()
        assert Settings(data_dir=data, **{name: "given"}).secret(name) == "given"  # type: ignore[arg-type]


def test_the_demo_admins_password_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    password = instance.admin_password(settings)
    assert password in login(settings, [instance.DEMO_ADMIN], shown=True)
    elsewhere = login(settings, [instance.DEMO_ADMIN], shown=False)
    assert password not in elsewhere
    assert str(instance.admin_password_file(settings)) in elsewhere
    assert login(settings, ["ada@example.com"], shown=True) == "ada@example.com"
    assert "velella user create" in login(settings, [], shown=True)
