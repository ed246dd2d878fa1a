"""Settings: `velella config` shows what is set, where, and no secrets; a mistake is a line with its place, and what was meant."""

from __future__ import annotations

import io
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from velella.cli.app import app
from velella.cli.backup import password_apart
from velella.cli.data import unseen
from velella.core.errors import Misconfigured
from velella.core.settings import Settings, without_password
from velella.core.settings_sources import read_settings

PROVIDERS = {"payment": [{"use": "stripe", "options": {"api_key": "sk_live_1", "webhook_secret": "whsec_1", "capture": True}}]}


def test_secrets_are_shown_to_those_who_ask_for_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = {f"VELELLA_{name.upper()}": f"given-{name}-1" for name in Settings.SECRETS}
    env = {"VELELLA_PROVIDERS": json.dumps(PROVIDERS), "COLUMNS": "400", **given}
    shown = CliRunner().invoke(app, ["config"], env=env).stdout
    assert [secret for secret in ("sk_live_1", "whsec_1", *given.values()) if secret in shown] == []
    assert '"capture": true' in shown
    assert "sk_live_1" in CliRunner().invoke(app, ["config", "--secrets"], env=env).stdout


@pytest.mark.parametrize(
    ("words", "says"), [("move order --to -", "it isn't postgresql://"), ("import medusa --from -", "it isn't postgresql://")]
)
def test_passwords_need_not_be_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, says: str) -> None:
    """Every user of the machine can read those. `-` reads from a pipe, or asks."""
    monkeypatch.chdir(tmp_path)
    for piped, error in (("", "nothing in it"), ("mysql://a:secret@db/b\n", says)):
        answer = CliRunner().invoke(app, words.split(), input=piped, env={"COLUMNS": "400"})
        assert (answer.exit_code, error in answer.stderr, "secret" in answer.output) == (2, True, False), answer.output
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse - battery\n"))
    assert (unseen("-"), unseen("given")) == ("correct horse - battery", "given")


def test_a_database_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    databases = {
        "order": "postgresql://shop:pw-2@db/order",
        "product": "postgresql:///goods?user=a&ssl%70assword=pw-3&password=pw-4@pw-5",
        "cart": "postgresql://db:5432/carts?password=pw-6@:pw-7",
    }
    env = {"VELELLA_DATABASE_URL": "postgresql://shop:pw-1@db/shop", "VELELLA_DATABASES": json.dumps(databases), "COLUMNS": "400"}
    shown = CliRunner().invoke(app, ["config", "database"], env=env).stdout
    for url in ("//shop@db/shop", "//shop@db/order", "///goods?user=a", "//db:5432/carts"):
        assert f'postgresql:{url}"' in shown or f"postgresql:{url} " in shown, url
    assert "pw-" not in shown
    assert "pw-" not in without_password("postgresql://shop:pw-1?pw-2/pw-3@db/shop"), "it isn't escaped"


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://shop:a%40b@db:5432/shop?sslmode=require", "postgresql://shop@db:5432/shop?sslmode=require", "a@b"),
        ("postgresql:///shop?user=a%40b&password=p%20w&sslpassword=x", "postgresql:///shop?user=a%40b", "p w"),
        ("postgresql://shop@[::1]/shop?host=/run/postgresql", "postgresql://shop@[::1]/shop?host=/run/postgresql", None),
    ],
)
def test_a_backup_says_a_password_on_no_command_line(url: str, shown: str, password: str | None) -> None:
    assert password_apart(url) == (shown, password)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"host": "10.0.0.5"}, "http://10.0.0.5:9000"),
        ({"host": "::1"}, "http://[::1]:9000"),
        ({"host": "::"}, "http://[::1]:9000"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:9000"),
        ({"host": "::", "public_url": "https://shop.example/"}, "https://shop.example"),
    ],
)
def test_the_url_of_a_shop_is_one_that_a_browser_opens(given: dict[str, str], url: str) -> None:
    assert Settings(**given).url == url


def test_each_value_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("velella.toml").write_text('port = 1\nstore_cors = "[/a/]"\n\n[databases]\norder = "postgresql:///o"\n')
    Path(".env").write_text("VELELLA_PORT=2\nVELELLA_CONNECTIONS=3\n")
    env = {"VELELLA_PORT": "4", "COLUMNS": "100"}
    lines = CliRunner().invoke(app, ["config", "--changed"], env=env).stdout.splitlines()
    shown = {line.split()[0]: line for line in lines if line.split()}
    assert "VELELLA_PORT in the environment" in shown["port"]
    assert "VELELLA_CONNECTIONS in .env" in shown["connections"]
    assert "velella.toml, line 2" in shown["store_cors"]
    assert '"[/a/]"' in shown["store_cors"], "brackets are no markup"
    assert "velella.toml, line 4" in shown["databases"]
    assert "host" not in shown


@pytest.mark.parametrize("wrong", ["u:pw-1?pw-2@db/shop", "u:pw-1/pw-2@db/shop", "u:pw-1#pw-2@db/shop", "u:pw-1@[db/shop", "db:pw-1/shop"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DATABASE_URL", "VELELLA_DATABASE_URL in the environment: `database_url` can't be that: it isn't postgresql://"),
        ("DATABASES__ORDER", "VELELLA_DATABASES in the environment: `databases` can't be that: order isn't postgresql://"),
    ],
)
def test_a_url_that_is_none_is_refused_without_what_it_hides(
    name: str, said: str, wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"VELELLA_{name}", f"postgresql://{wrong}")
    with pytest.raises(Misconfigured, match=said) as refused:
        read_settings()
    assert "pw-" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///shop",
        "postgres://shop:a%2Fb@db.internal:5432/shop?sslmode=require",
        "postgresql://postgres@/shop?host=/run/postgresql&application_name=a=b",
        "postgresql://u@[::1]:5432,10.0.0.1,db-2:6432/shop?target_session_attrs=primary",
    ],
)
def test_every_url_of_a_database_is_taken(url: str) -> None:
    assert Settings(_env_file=None, database_url=url, databases={"order": url}).database_of("order") == url


PAYMENTS = '[[providers.payment]]\nuse = "system"\n'


@pytest.mark.parametrize(
    ("toml", "env", "said"),
    [
        ("prot = 1\n", {}, "velella.toml, line 1: there is no setting `prot`. Did you mean `port`?"),
        ('port = 1\nplugnis = ["a"]\n', {}, "velella.toml, line 2: there is no setting `plugnis`. Did you mean `plugins`?"),
        ("[zzz]\na = 1\n", {}, "velella.toml, line 1: there is no setting `zzz`."),
        (PAYMENTS.replace("payment", "paymnt"), {}, "velella.toml, line 1: no module `paymnt` has providers. Did you mean `payment`?"),
        (PAYMENTS + "\n" + PAYMENTS + 'idd = "b"\n', {}, "velella.toml, line 6: a provider has no `idd`. Did you mean `id`?"),
        (
            '[[providers.events]]\nuse = "rediss"\n',
            {},
            "velella.toml, line 2: `providers.events` has no `rediss`. Did you mean `redis`?",
        ),
        ('[[providers.locking]]\nuse = "actor"\n' * 2, {}, "velella.toml, line 3: `providers.locking` takes one provider."),
        ("[[providers.event]]\nuse = 'redis'\n", {}, "velella.toml, line 1: no module `event` has providers. Did you mean `events`?"),
        ('[[providers.payment]]\nid = "b"\n', {}, "velella.toml, line 1: `providers.payment.0.use` is missing."),
        (
            'log_level = "loud"\n',
            {},
            "velella.toml, line 1: `log_level` can't be 'loud': it should be 'debug', 'info', 'warning' or 'error'.",
        ),
        (
            "",
            {"VELELLA_MFA_KEY": ""},
            "VELELLA_MFA_KEY in the environment: `mfa_key` can't be that: it should have at least 1 character",
        ),
        (
            '[[auth_verifications.customer]]\nauth_provider = "emailpas"\n',
            {},
            "velella.toml, line 2: `providers.auth` has no `emailpas`. Did you mean `emailpass`?",
        ),
        (
            '[[auth_verifications.customer]]\nauth_provider = "emailpass"\nentity_typ = "email"\n',
            {},
            "velella.toml, line 3: a verification has",
        ),
        (
            '[auth_methods]\nuser = ["emailpass", "gogle"]\n[[providers.auth]]\nuse = "emailpass"\n[[providers.auth]]\nuse = "google"\n',
            {},
            "velella.toml, line 2: `providers.auth` has no `gogle`. Did you mean `google`?",
        ),
        ("port = {\n", {}, "velella.toml, line 1, column 9: invalid initial character for a key part."),
        ("", {"VELELLA_PORT": "abc"}, "VELELLA_PORT in the environment: `port` can't be 'abc': it should be a valid integer"),
        (
            "",
            {"VELELLA_PLUGINS": "a"},
            "VELELLA_PLUGINS in the environment: this setting is a list or a table, which stands there as JSON.",
        ),
        ("", {"VELELLA_PROT": "1"}, "VELELLA_PROT in the environment: there is no setting `prot`. Did you mean `port`?"),
    ],
)
def test_a_mistake_is_a_line_with_its_place(
    toml: str, env: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("velella.toml").write_text(toml)
    error = CliRunner().invoke(app, ["config"], env=env).exception
    assert isinstance(error, Misconfigured)
    assert error.message.startswith(said)
    assert "\n" not in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[plugins.eddies]\nheigth = 3\n", "velella.toml, line 2: the plugin `eddies` has no `heigth`. Did you mean `height`?"),
        (
            'port = 1\n[plugins.eddies]\nheight = "a"\n',
            "velella.toml, line 3: `plugins.eddies.height` can't be that: it should be",
        ),
        ('plugins = ["tiides"]\n', "velella.toml, line 1: there is no plugin tiides: no package has that name."),
        ("[plugins.plain]\nheight = 3\n", "velella.toml, line 1: the plugin `plain` takes no options."),
    ],
)
def test_options_of_plugins_are_checked_like_settings(toml: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "eddies.py").write_text(
        "from velella.core.plugins import Options, Plugin\nclass Tides(Options):\n    height: int = 1\nplugin = Plugin(__name__, Tides)\n"
    )
    (tmp_path / "plain.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("velella.toml").write_text(toml)
    error = CliRunner().invoke(app, ["config"]).exception
    assert isinstance(error, Misconfigured)
    assert error.message.startswith(said)


def test_all_mistakes_are_said_at_once_and_no_secret_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("velella.toml").write_text('prot = 1\njwt_secret = ["s3cret"]\ndatabase_url = 5\n')
    error = CliRunner().invoke(app, ["config"], env={"VELELLA_CACHE_BYTES": "many", "VELELLA_SOMEBODY_ELSES": "1"}).exception
    assert isinstance(error, Misconfigured)
    assert [line.partition(":")[0] for line in error.message.splitlines()] == [
        "velella.toml, line 1",
        "velella.toml, line 3",
        "VELELLA_CACHE_BYTES in the environment",
        "velella.toml, line 2",
    ]
    assert "s3cret" not in error.message


def test_a_folder_that_may_not_be_looked_into_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root's own, say, where a command is run as the shop's account."""
    (folder := tmp_path / "closed").mkdir()
    monkeypatch.chdir(folder)
    folder.chmod(0o600)
    is_root, nobody = os.geteuid() == 0, pwd.getpwnam("nobody").pw_uid
    if is_root:
        os.seteuid(nobody)
    try:
        with pytest.raises(Misconfigured, match=f"looked for in {folder}, which this account may not look into") as refused:
            read_settings()
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
    assert "cd /" in str(refused.value.hint)


def test_what_kubernetes_sets_for_a_service_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["config"], env={"VELELLA_PORT": "tcp://10.0.0.7:9000"}).exception
    assert isinstance(error, Misconfigured)
    assert error.hint is not None
    assert "enableServiceLinks" in error.hint


def test_what_only_one_command_needs_is_not_loaded_by_all() -> None:
    """Every command and the supervisor would wait for it, and keep it in memory."""
    heavy = ("alembic", "stripe", "boto3", "velella.workflows.cart", "velella.workflows.product", "velella.cli.medusa", "velella.cli.demo")
    say = f"import sys, velella.cli.app; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True).stdout.strip() == "[]"
