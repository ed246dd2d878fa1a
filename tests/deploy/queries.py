"""The Prometheus queries of the dashboard and the alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"

GIVEN_BY_PROMETHEUS = {"up"}
"""Metrics that Prometheus makes itself."""


@dataclass(frozen=True)
class Asked:
    """One series selector, or the labels that an aggregation keeps."""

    where: str
    metric: str
    labels: frozenset[str]


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "velella.json").read_text())


def expressions() -> Iterator[tuple[str, str]]:
    """(where it stands, PromQL) of every panel and every alert."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"].replace("$__rate_interval", "5m").replace("$__interval", "1m").replace("$pool", ".*")
            yield f"panel {panel['title']}", text
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]


def asked(where: str, expression: str) -> list[Asked]:
    """Every metric of an expression, with the labels it is picked by and grouped by. Raises ValueError where it isn't PromQL."""
    found: list[Asked] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(Asked(where, node.name, frozenset(matcher.name for matcher in node.matchers.matchers)))
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            inside: list[str] = []
            promql_parser.walk(node.expr, lambda one: inside.append(one.name) if isinstance(one, promql_parser.VectorSelector) else None)
            found.extend(Asked(where, metric, frozenset(node.modifier.labels)) for metric in inside)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def all_asked() -> list[Asked]:
    return [one for where, expression in expressions() for one in asked(where, expression)]
