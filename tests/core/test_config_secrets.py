"""`velella config` shows what is set, and no secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from velella.cli import app

PROVIDERS = {"payment": [{"use": "stripe", "options": {"api_key": "sk_live_1", "webhook_secret": "whsec_1", "capture": True}}]}


def test_secrets_are_shown_to_those_who_ask_for_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"VELELLA_PROVIDERS": json.dumps(PROVIDERS), "VELELLA_JWT_SECRET": "jwt-secret-1", "COLUMNS": "400"}
    shown = CliRunner().invoke(app, ["config"], env=env).stdout
    assert [secret for secret in ("sk_live_1", "whsec_1", "jwt-secret-1") if secret in shown] == []
    assert '"capture": true' in shown
    assert "sk_live_1" in CliRunner().invoke(app, ["config", "--secrets"], env=env).stdout
