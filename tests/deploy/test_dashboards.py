"""The dashboard and the alerts ask for what there is. (That a real scrape has it is seen in tests/e2e/test_metrics.py.)"""

from __future__ import annotations

import itertools

import pytest
import yaml

from velella.core.metrics import METRICS, Metric
from velella.core.settings import Settings

from .queries import DEPLOY, GIVEN_BY_PROMETHEUS, all_asked, asked, dashboard, expressions


def metric_of(name: str) -> tuple[Metric, set[str]]:
    """The row of a series' name, and the labels that series has."""
    for suffix in ("", "_bucket", "_count", "_sum"):
        metric = METRICS.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if metric is not None and (metric.kind == "histogram") == bool(suffix):
            return metric, {"pool", "replica", *metric.labels, *(("le",) if suffix == "_bucket" else ())}
    raise AssertionError(f"there is no {name}")


def test_every_series_and_label_exists() -> None:
    for one in all_asked():
        if one.metric not in GIVEN_BY_PROMETHEUS:
            _, labels = metric_of(one.metric)
            assert one.labels <= labels, one


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_counters_are_asked_for_their_growth(where: str, expression: str) -> None:
    for one in asked(where, expression):
        if one.metric in GIVEN_BY_PROMETHEUS:
            continue
        metric, _ = metric_of(one.metric)
        if metric.kind != "gauge":
            at = expression.index(one.metric)
            assert any(function in expression[:at] for function in ("rate(", "increase(")), f"{where}: {one.metric} only ever rises"


def test_every_metric_is_looked_at() -> None:
    seen = {metric_of(one.metric)[0].name for one in all_asked() if one.metric not in GIVEN_BY_PROMETHEUS}
    assert seen == set(METRICS) - {"velella_admission_handled_total"}, "which a dashboard sees by the messages themselves"


def test_panels_lie_side_by_side() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["title"], *(panel["gridPos"][side] for side in "xywh")) for panel in panels]
    for one, other in itertools.combinations(places, 2):
        (_, x, y, w, h), (_, x2, y2, w2, h2) = one, other
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, f"{one} lies on {other}"
        assert x + w <= 24
    for panel in panels:
        if panel["type"] != "row":
            assert panel["targets"], panel["title"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_variables_are_declared() -> None:
    names = {variable["name"] for variable in dashboard()["templating"]["list"]}
    assert names == {"datasource", "pool"}


def test_a_scrape_asks_the_right_door() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["authorization"]["type"] == "Bearer"
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{Settings.model_fields['port'].default}"]}]
    assert [(DEPLOY / "prometheus" / name).is_file() for name in config["rule_files"]] == [True]


def test_alerts_say_what_is_wrong_and_how_urgent() -> None:
    rules = [rule for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
