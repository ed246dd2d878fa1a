"""What plugins bring for the dashboard, before npm has a part in it. That it is shown: tests/browser/test_extensions.py."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from velella.cli.dashboard import BUILT, PACKAGES, _copied, digests, extensions, needed_packages, outdated
from velella.core.errors import Misconfigured
from velella.core.settings import Settings


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two packages that bring something, and two that don't."""
    for name, page in (("tides", "tides"), ("moons", "moons/phases"), ("winds", None), ("waves", None)):
        (tmp_path / name / "admin").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "admin" / "__init__.py").touch()  # a package of Python's of this name is nothing of the dashboard's
        if page is not None:
            (tmp_path / name / "admin" / "routes" / page).mkdir(parents=True)
            (tmp_path / name / "admin" / "routes" / page / "page.tsx").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    return ["tides", "moons", "winds", "waves"]


def test_each_plugin_brings_the_admin_folder_of_its_package(plugins: list[str], tmp_path: Path) -> None:
    brought = extensions(plugins)
    assert brought == {name: tmp_path / name / "admin" for name in ("tides", "moons")}
    assert needed_packages(brought) == PACKAGES
    (tmp_path / "work" / "gone").mkdir(parents=True)
    sources = [Path(source) for source in _copied(brought, tmp_path / "work")]
    assert sources == [tmp_path / "work" / name / "admin" for name in ("tides", "moons")], "a page's address is what follows /admin/routes"
    assert (sources[1] / "routes" / "moons" / "phases" / "page.tsx").is_file()
    assert not (tmp_path / "work" / "gone").exists()


def test_a_dashboard_that_was_built_with_something_else_is_noticed(plugins: list[str], tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", plugins=plugins)
    assert outdated(settings) == ["moons", "tides"], "built before they were there"
    site = settings.dashboard_dir / "site"
    site.mkdir(parents=True)
    (site / BUILT).write_text(json.dumps({"plugins": digests(extensions(plugins))}))
    (tmp_path / "tides" / "admin" / "__pycache__").mkdir()
    (tmp_path / "tides" / "admin" / "__pycache__" / "some.pyc").touch()
    assert outdated(settings) == []
    (tmp_path / "tides" / "admin" / "routes" / "tides" / "page.tsx").write_text("export default () => null")
    assert outdated(settings) == ["tides"]
    assert outdated(settings.model_copy(update={"plugins": {}})) == ["moons", "tides"], "taken out since"


def test_plugins_that_want_the_same_are_both_named(plugins: list[str], tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="There is no plugin currents"):
        extensions(["currents"])
    wanted = {"tides": {"suncalc": "1.9.0"}, "moons": {"suncalc": "2.0.0"}}
    for name, dependencies in wanted.items():
        (tmp_path / name / "admin" / "package.json").write_text(json.dumps({"dependencies": dependencies}))
    with pytest.raises(Misconfigured, match=r"tides needs suncalc 1\.9\.0, and moons 2\.0\.0"):
        needed_packages(extensions(plugins))
    (tmp_path / "tides" / "admin" / "package.json").write_text(json.dumps({"dependencies": {"@medusajs/dashboard": "1.0.0"}}))
    with pytest.raises(Misconfigured, match=r"the dashboard needs @medusajs/dashboard 2\.18\.0, and tides 1\.0\.0"):
        needed_packages(extensions(plugins))
    (tmp_path / "tides" / "admin" / "package.json").write_text("{")
    with pytest.raises(Misconfigured, match="can't be read"):
        needed_packages(extensions(plugins))
    (tmp_path / "moons" / "admin" / "routes" / "tides").mkdir()
    (tmp_path / "moons" / "admin" / "routes" / "tides" / "page.jsx").touch()
    with pytest.raises(Misconfigured, match="tides and moons both bring the page /app/tides"):
        extensions(plugins)
